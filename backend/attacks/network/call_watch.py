"""Which Python functions a network calls, heard without disturbing the caller's profiler, debugger or coverage."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from contextvars import copy_context
from sys import setprofile
from types import FrameType
from typing import Any

import torch
from torch import Tensor


class CallWatch:
    """Whether any of some Python functions is called during the passes that it is asked to make.

    A profile function hears every call, also through another name; Python has one per thread, and a profiler written in
    C cannot be put back once it was replaced. So the passes run in a thread of their own.
    """

    def __init__(self, *functions: Callable[..., Any]) -> None:
        self.codes = {function.__code__ for function in functions}
        self.is_called = False

    def hear(self, frame: FrameType, event: str, _: Any) -> None:
        """The profile function."""
        if event == "call" and frame.f_code in self.codes:
            self.is_called = True

    def call(self, network: Callable[[Tensor], Any], images: Tensor) -> Any:
        """What the network gives for images (B, C, H, W), without a gradient; its errors reach the caller.

        The thread has the caller's context variables and torch's devices; autocast is off there, as in every run.
        """
        default_device = torch.get_default_device()

        def forward() -> Any:
            with ExitStack() as stack:
                stack.enter_context(torch.no_grad())
                if default_device.type != "cpu":
                    stack.enter_context(default_device)
                if images.is_cuda:
                    stack.enter_context(torch.cuda.device(images.device))
                setprofile(self.hear)
                try:
                    return network(images)
                finally:
                    setprofile(None)

        with ThreadPoolExecutor(1) as threads:
            return threads.submit(copy_context().run, forward).result()
