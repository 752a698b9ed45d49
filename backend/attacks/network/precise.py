"""What attacks may follow where a network hides its gradients: logarithms in float64, and rounding passed through.

A softmax at the end rounds confident outputs to 0 and 1 in float32, and then their gradient is zero or noise. In
float64 the same probabilities still tell the classes apart, and their logarithm has the slope of the logits. A rounding
inside cuts the gradient; a gradient passed straight through it leads to the adversarial examples (backward pass
differentiable approximation: Athalye et al. 2018, Obfuscated Gradients Give a False Sense of Security, arXiv
1802.00420). Attacks follow `Precise`; their candidates are verified on the untouched network in float32, as always.

A foreign network is copied here alone; the original stays in float32, because it gives the verdicts. A network that
cannot be copied, or whose outputs differ in float64, is followed in float32, and the copy says why.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from backend.attacks.losses import are_probabilities
from backend.attacks.network.classifier import find_device

SMALLEST = 1e-300  # a probability of 0 has no logarithm; float64 goes down to 1e-308 with full precision
AGREEMENT = 1e-3
SOFTMAXES = (torch.softmax, functional.softmax, Tensor.softmax, torch.special.softmax)
ROUNDINGS: dict[Any, str] = {
    function: name
    for name in ("round", "floor", "ceil", "trunc")
    for function in (getattr(torch, name), getattr(Tensor, name))
}


@dataclass(frozen=True)
class PreciseCopy:
    """What to follow, and what it is.

    network: see `Precise`. scores: "logits" or "log-probabilities". precision: "float64" or "float32". reason: why it
    is not float64, "" where it is. straightened: rounding functions passed straight through, such as ("round",).
    """

    network: "Precise"
    scores: str
    precision: str
    reason: str
    straightened: tuple[str, ...]


class PassThrough(torch.autograd.Function):
    """The second of two tensors, with the gradient of the first."""

    @staticmethod
    def forward(context: Any, values: Tensor, rounded: Tensor) -> Tensor:
        return rounded.clone()

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return gradients[0], None


class Watch(TorchFunctionMode):
    """Gives rounding a gradient, and remembers the last softmax of a forward pass: what went in, and what came out."""

    def __init__(self) -> None:
        super().__init__()
        self.entered: Tensor | None = None
        self.left: Tensor | None = None
        self.rounded: set[str] = set()

    def __torch_function__(
        self, function: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        if function in ROUNDINGS and args and isinstance(args[0], Tensor):
            self.rounded.add(ROUNDINGS[function])
            apply: Any = PassThrough.apply
            return apply(args[0], output.detach())
        if function in SOFTMAXES and args and isinstance(args[0], Tensor):
            self.entered, self.left = args[0], output
        return output


class Precise(nn.Module):
    """A network's logits, or the logarithms of its probabilities; float64 (B, K) of images (B, C, H, W).

    Where the probabilities are what a last softmax over the classes gave, the logarithm is taken of what went into it,
    so that no temperature underflows. Elsewhere a probability below 1e-300 counts as 1e-300 and has no gradient.
    Rounding is passed straight through. Differentiable in the images; the network and its parameters are left as they
    are. One pass through the network per call.
    """

    def __init__(self, network: nn.Module, dtype: torch.dtype, *, is_probability: bool) -> None:
        super().__init__()
        self.network, self.dtype, self.is_probability = network, dtype, is_probability
        self.rounded: set[str] = set()

    def forward(self, images: Tensor) -> Tensor:
        with Watch() as watch:
            output: Tensor = self.network(images.to(self.dtype))
        self.rounded |= watch.rounded
        if not self.is_probability:
            return output.double()
        if watch.left is output and watch.entered is not None:
            scores: Tensor = watch.entered.double().log_softmax(1)
            return scores
        return output.double().clamp_min(SMALLEST).log()


def copy_in_double(network: nn.Module, images: Tensor) -> tuple[nn.Module | None, str]:
    """A frozen float64 copy in evaluation mode with the network's outputs for `images`; or None and the reason.

    Cost: twice the memory of the network, and one forward pass of each for the images.
    """
    try:
        twin = copy.deepcopy(network).double().eval().requires_grad_(False)
        with torch.no_grad():
            expected, given = network(images).double(), twin(images.double())
    except Exception as error:  # a foreign network's own code runs here and may raise anything
        return None, f"no copy of the network runs in float64 ({type(error).__name__}: {error})"
    if given.dtype != torch.float64:
        return None, f"its copy gives {str(given.dtype).removeprefix('torch.')} for float64 images"
    allowed = AGREEMENT * expected.abs().amax()
    if not bool(((given - expected).abs() <= allowed).all()):
        return None, "its copy gives other outputs in float64"
    return twin, ""


def build_precise(network: nn.Module, images: Tensor) -> PreciseCopy:
    """What attacks follow instead of `network` once a flag says that its gradients may not be trusted.

    Args:
        network: frozen and in evaluation mode (`classifier.prepare`); never changed.
        images: float32 (B, C, H, W) in [0, 1], a few clean ones, which decide whether the outputs are probabilities,
            whether something rounds, and whether the copy gives the same outputs; on any device.
    """
    probes = images.to(find_device(network))
    itself = Precise(network, torch.float32, is_probability=False)
    with torch.no_grad():
        itself.is_probability = are_probabilities(itself(probes).float())
    scores = "log-probabilities" if itself.is_probability else "logits"
    straightened = tuple(sorted(itself.rounded))
    if straightened:
        # Attacks end where a value is just rounded otherwise, and in float64 that is another place than in float32.
        return PreciseCopy(
            itself, scores, "float32", "the network rounds, and in float64 it would round elsewhere", straightened
        )
    twin, reason = copy_in_double(network, probes)
    if twin is None:
        return PreciseCopy(itself, scores, "float32", reason, ())
    precise = Precise(twin, torch.float64, is_probability=itself.is_probability)
    return PreciseCopy(precise, scores, "float64", "", ())
