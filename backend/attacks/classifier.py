"""A caller's network as attacks see it: called as it is, counted, frozen for the time of a run and then put back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from backend.attacks.contract import OnStep
from backend.errors import InvalidRequest


class Classifier:
    """Counts passes in images, answers float32 logits, and reports progress before every pass.

    `done`, `total` and `stage` are what progress reports; the engine keeps them. Logits are a new tensor, so that
    official code which writes into them cannot reach the network's own memory.
    """

    def __init__(self, network: nn.Module, on_step: OnStep | None = None) -> None:
        self.network = network
        self.on_step = on_step
        self.device = find_device(network)
        self.forwards = 0
        self.backwards = 0
        self.done = 0
        self.total = 0
        self.stage = ""

    def __call__(self, images: Tensor) -> Tensor:
        """Logits float32 (B, K) of images (B, C, H, W); differentiable when the images are."""
        if self.on_step is not None:
            self.on_step(self.done, self.total, self.stage)
        answer: Any = self.network(images)
        if not isinstance(answer, Tensor) or answer.dim() != 2 or len(answer) != len(images) or answer.shape[1] < 2:
            raise InvalidRequest(
                f"The network must answer logits of shape ({len(images)}, classes) with at least two classes; "
                f"it answered {describe(answer)}."
            )
        self.forwards += len(images)
        logits = answer.float() if answer.dtype != torch.float32 else answer.clone()
        if images.requires_grad and torch.is_grad_enabled():
            # A network that cuts the gradient (rounding, argmax, its own leaf) is attacked with the one it has: zero.
            # Always, because logits that need a gradient may still not be connected to the images.
            logits = logits + 0.0 * images.flatten(1)[:, :1]
            logits.register_hook(self._count_backward)
        return logits

    def _count_backward(self, gradient: Tensor) -> None:
        self.backwards += len(gradient)

    def classify(self, images: Tensor) -> Tensor:
        """Logits without a graph; float32 (B, K)."""
        with torch.no_grad():
            return self(images)


def describe(answer: object) -> str:
    """Shape and type of what a network answered, for an error message."""
    if isinstance(answer, Tensor):
        return f"a tensor of shape {tuple(answer.shape)}"
    return f"a {type(answer).__name__}"


def find_device(network: nn.Module) -> torch.device:
    """Where the network lives: the device of its first parameter or buffer, the CPU without any."""
    for tensor in (*network.parameters(), *network.buffers()):
        return tensor.device
    return torch.device("cpu")


@contextmanager
def prepare(network: nn.Module) -> Iterator[None]:
    """Evaluation mode, frozen parameters, full float32; everything is put back afterwards, module by module.

    Buffers too: a layer that stays in training mode would leave its running statistics changed.
    """
    training = [(module, module.training) for module in network.modules()]
    needed_gradient = [(parameter, parameter.requires_grad) for parameter in network.parameters()]
    buffers = [(buffer, buffer.clone()) for buffer in network.buffers()]
    device = find_device(network).type
    precision = (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32)
    cudnn = (torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark)
    try:
        network.eval()
        for parameter, _ in needed_gradient:
            parameter.requires_grad_(False)
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False
        with torch.autocast(device_type=device, enabled=False), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        for module, was_training in training:
            module.training = was_training
        for parameter, was_needed in needed_gradient:
            parameter.requires_grad_(was_needed)
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = precision
        torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = cudnn
