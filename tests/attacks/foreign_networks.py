"""Networks as users bring them: counting, masked, random, broken in ways that flags must tell."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Constant(nn.Module):
    """The same logits for every image: nothing ever changes its mind."""

    def __init__(self, logits: list[float]) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(logits))

    def forward(self, images: Tensor) -> Tensor:
        return self.logits.expand(len(images), -1)


class CountBackward(torch.autograd.Function):
    """Identity that adds the images of each backward pass to `ledger["backwards"]`."""

    @staticmethod
    def forward(context: torch.autograd.function.FunctionCtx, images: Tensor, ledger: dict[str, int]) -> Tensor:
        context.ledger = ledger
        return images.view_as(images)

    @staticmethod
    def backward(context: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        context.ledger["backwards"] += len(gradient)
        return gradient, None


class Counting(nn.Module):
    """Counts its own passes; a copy or a trace of it would leave this ledger behind."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.ledger = {"forwards": 0, "backwards": 0}

    def forward(self, images: Tensor) -> Tensor:
        self.ledger["forwards"] += len(images)
        logits: Tensor = self.inner(CountBackward.apply(images, self.ledger))
        return logits


class Hungry(nn.Module):
    """Runs out of memory above `most` images, as CUDA does or as the CPU allocator does."""

    def __init__(self, inner: nn.Module, most: int, *, is_cuda: bool) -> None:
        super().__init__()
        self.inner, self.most, self.is_cuda = inner, most, is_cuda

    def forward(self, images: Tensor) -> Tensor:
        if len(images) > self.most:
            if self.is_cuda:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
            raise RuntimeError("[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate memory")
        logits: Tensor = self.inner(images)
        return logits


class Changed(nn.Module):
    """A network with its logits passed through `change`."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> Tensor:
        return self.change(self.inner(images))

    def change(self, logits: Tensor) -> Tensor:
        return logits


class Softmax(Changed):
    def change(self, logits: Tensor) -> Tensor:
        return logits.softmax(1)


class SaturatedSoftmax(Changed):
    def change(self, logits: Tensor) -> Tensor:
        return (30 * logits).softmax(1)


class LargeLogits(Changed):
    def change(self, logits: Tensor) -> Tensor:
        return 1e4 * logits


class DropoutAtInference(Changed):
    def change(self, logits: Tensor) -> Tensor:
        return functional.dropout(logits, 0.1, training=True)


class NotANumber(Changed):
    """Fails on the first image of every batch that is brighter than the others allow."""

    def change(self, logits: Tensor) -> Tensor:
        return torch.where(logits.argmax(1, keepdim=True) == 1, torch.nan, logits)


class StubbornDropout(nn.Dropout):
    """Stays in training mode whatever it is told."""

    def train(self, mode: bool = True) -> "StubbornDropout":
        self.training = True
        return self


class Stubborn(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.dropout = inner, StubbornDropout(0.1)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.dropout(self.inner(images))
        return logits


class Quantised(nn.Module):
    """Eight grey levels; the gradient is zero, or passed straight through."""

    def __init__(self, inner: nn.Module, *, is_straight_through: bool) -> None:
        super().__init__()
        self.inner, self.is_straight_through = inner, is_straight_through

    def forward(self, images: Tensor) -> Tensor:
        rounded = (images * 7).round() / 7
        if self.is_straight_through:
            rounded = images + (rounded - images).detach()
        logits: Tensor = self.inner(rounded)
        return logits


class Optimising(nn.Module):
    """Takes one gradient step on its input before it answers."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> Tensor:
        with torch.enable_grad():
            point = images.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.inner(point).amax(1).sum(), point)
        logits: Tensor = self.inner(images + 1e-3 * gradient.sign())
        return logits


class WidthNoise(Changed):
    """Rounding noise of another batch width, enlarged: odd batches take 1e-7 from the first logit, even ones add it."""

    def change(self, logits: Tensor) -> Tensor:
        shift = torch.zeros_like(logits)
        shift[:, 0] = -1e-7 if len(logits) % 2 else 1e-7
        return logits + shift


class Blind(nn.Module):
    """Without a gradient for images whose first pixel is bright."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, images: Tensor) -> Tensor:
        is_blind = images[:, :1, :1, :1] >= 0.7
        logits: Tensor = self.inner(torch.where(is_blind, images.detach(), images))
        return logits


class Wooden(nn.Module):
    """Batch normalisation that stays in training mode, next to a network."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.norm = StubbornNorm(1)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.inner(images)
        return logits + 1e-6 * self.norm(images).flatten(1)[:, :1]


class StubbornNorm(nn.BatchNorm2d):
    """Stays in training mode whatever it is told."""

    def train(self, mode: bool = True) -> "StubbornNorm":
        self.training = True
        return self
