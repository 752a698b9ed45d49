"""A caller's network as attacks see it: called as it is, counted, frozen for the time of a run and then put back."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from backend.attacks.contract import OnStep
from backend.attacks.network.batches import Batches, is_out_of_memory
from backend.attacks.network.widths import pad
from backend.errors import InvalidRequest

# Of the largest logit. In bfloat16 the gap of the two largest moved by at most 0.041 of it, in 99 of 100 rows by 0.025
# (attacks on two shipped networks, 10,600 rows, on a CPU).
ROUGH_BAND = 0.05


class Classifier:
    """Gives float32 logits, counts passes in images, and reports progress before every pass.

    `done`, `total` and `stage` are what progress reports; the engine keeps them. Logits are a new tensor, so that
    official code which writes into them cannot reach the network's own memory. `explored` is the copy that attacks
    follow (`network.prepared`), by default the network itself; `explores_roughly` lets gradients be bfloat16 where it
    cannot matter.
    """

    def __init__(
        self,
        network: nn.Module,
        on_step: OnStep | None = None,
        batches: Batches | None = None,
        explored: nn.Module | None = None,
        *,
        explores_roughly: bool = False,
    ) -> None:
        self.network: Callable[[Tensor], Any] = network
        self.explores_roughly = explores_roughly
        self.is_rough = False
        self.explored = network if explored is None else explored
        self.on_step = on_step
        self.batches = batches
        if batches is not None:
            batches.is_padded = True
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
        output: Any = self.network(images)
        if not isinstance(output, Tensor) or output.dim() != 2 or len(output) != len(images) or output.shape[1] < 2:
            raise InvalidRequest(
                f"The network must return logits of shape ({len(images)}, classes) with at least two classes; "
                f"it returned {describe(output)}."
            )
        self.forwards += len(images)
        logits = output.float() if output.dtype != torch.float32 else output.clone()
        if images.requires_grad and torch.is_grad_enabled():
            # A network that cuts the gradient (rounding, argmax, its own leaf) is attacked with the one it has: zero.
            # Always, because logits that need a gradient may still not be connected to the images.
            logits = logits + 0.0 * images.flatten(1)[:, :1]
            hooked: Any = logits
            hooked.register_hook(self._count_backward)
        return logits

    def _count_backward(self, gradient: Tensor) -> None:
        self.backwards += len(gradient)

    @contextmanager
    def following(self, network: Callable[[Tensor], Any]) -> Iterator[None]:
        """Call another network for the time being, such as a copy that attacks follow; its passes count alike."""
        own = self.network
        self.network = network
        try:
            yield
        finally:
            self.network = own

    @contextmanager
    def exploring(self) -> Iterator[None]:
        """Call what attacks follow for the time being: the prepared copy, or the network where it has none."""
        before, self.is_rough = self.is_rough, self.explores_roughly
        try:
            with self.following(self.explored):
                yield
        finally:
            self.is_rough = before

    @property
    def width(self) -> int:
        """Images in a full pass."""
        return self.batches.size if self.batches is not None else 1

    def classify(self, images: Tensor) -> Tensor:
        """Logits without a graph; float32 (B, K). Passes are padded to a fixed width where `batches` are given."""
        with torch.no_grad():
            if self.batches is None:
                return self(images)
            parts = self.batches.run(len(images), lambda part: self.pass_padded(images[part]))
            return torch.cat([logits for _, logits in parts])

    def pass_padded(self, images: Tensor) -> Tensor:
        """Logits of at most a full pass of images, computed at one of the fixed widths."""
        width = len(images) if self.batches is None else self.batches.find_width(len(images))
        return self(pad(images, width))[: len(images)]

    def differentiate(self, images: Tensor, direct: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """Logits (B, K) and the gradient in the images (B, C, H, W) of the combination of logits that `direct` gives.

        `direct` maps logits (B, K) to weights (B, K). Gradients that are not numbers are zero. Cost: one forward and
        one backward pass; a forward pass more where memory ran out and the pass has to be cut.
        """
        if self.batches is None:
            return self.differentiate_part(images, direct)
        if len(images) <= self.width:
            try:
                return self.differentiate_part(images, direct)
            except RuntimeError as error:
                width = self.batches.find_width(len(images))
                if not is_out_of_memory(error) or width == 1:
                    raise
                self.batches.halve(width)
        weights = direct(self.classify(images))
        parts = [
            part
            for _, part in self.batches.run(
                len(images), lambda part: self.differentiate_part(images[part], lambda _: weights[part])
            )
        ]
        return torch.cat([logits for logits, _ in parts]), torch.cat([gradient for _, gradient in parts])

    def differentiate_part(self, images: Tensor, direct: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """`differentiate` for at most a full pass."""
        if self.is_rough:
            return self.differentiate_roughly(images, direct)
        points = images.detach().requires_grad_()
        logits = self.pass_padded(points)
        (gradient,) = torch.autograd.grad(logits, points, direct(logits.detach()))
        return logits.detach(), gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)

    def differentiate_roughly(self, images: Tensor, direct: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        """`differentiate_part` in bfloat16, and again in float32 where the two largest logits are near each other.

        So nothing counts as broken or as whole by bfloat16 alone. Cost: as there, and one forward and one backward pass
        more for each image near a boundary.
        """
        points = images.detach().requires_grad_()
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            rough = self.pass_padded(points)
        logits = rough.detach().clone()
        first, second = logits.topk(2, dim=1).values.unbind(1)
        near = (first - second <= ROUGH_BAND * logits.abs().amax(1)).nonzero()[:, 0]
        close = images[near].detach().requires_grad_()
        exact = self.pass_padded(close) if len(near) else rough[:0]
        logits[near] = exact.detach()
        weights = direct(logits)
        (gradient,) = torch.autograd.grad(rough, points, weights)
        if len(near):
            (gradient[near],) = torch.autograd.grad(exact, close, weights[near])
        return logits, gradient.nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)


def describe(output: object) -> str:
    """Shape and type of a network's output, for an error message."""
    if isinstance(output, Tensor):
        return f"a tensor of shape {tuple(output.shape)}"
    return f"a {type(output).__name__}"


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
