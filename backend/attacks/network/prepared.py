"""A cheaper copy of a network that we may copy: attacks follow the copy, and the original verifies their candidates.

Batch normalisation that directly follows a convolution or a linear layer becomes part of its weights and biases (at
inference both are affine), and weights are laid out in memory as the device's convolutions prefer. Pairs are found from
one pass and not from names: the normalisation must be the only reader of the layer's output. The copy's logits differ
by rounding alone; a copy whose logits for a few images differ by more is discarded, and the caller gets the reason.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from backend.attacks.network.classifier import find_device, prepare

Affine = nn.Conv2d | nn.Linear
Normalisation = nn.BatchNorm1d | nn.BatchNorm2d
AGREEMENT = 1e-5  # of the largest logit; folding moves logits by about 5e-7, as another width of a pass does
# On a CPU it costs nothing where it does not pay (decision 0004). On CUDA float32 convolutions were not measured.
MEMORY_FORMATS = {"cpu": torch.channels_last}


@dataclass(frozen=True)
class Prepared:
    """A frozen copy in evaluation mode with the original's logits up to rounding, and what was done to it.

    precision: "float32", or "bfloat16" where steps far from a boundary may use it (`Classifier.differentiate_roughly`).
    """

    network: nn.Module
    batch_norm_folded: int
    memory_format: str
    precision: str = "float32"

    def describe(self) -> dict[str, Any]:
        """What a record says of it, JSON-ready."""
        names = ("batch_norm_folded", "memory_format", "precision")
        return {name: getattr(self, name) for name in names}


def build_prepared(network: nn.Module, images: Tensor, precision: str = "float32") -> tuple[Prepared | None, str]:
    """A prepared copy of a network as it is in evaluation mode; or None and the reason to follow the original.

    Cost: the network's memory once more, and three forward passes of the images.

    Args:
        network: images (B, C, H, W) in [0, 1] to logits (B, K); left as it is.
        images: float32 (B, C, H, W) in [0, 1], a few clean ones, on any device.
        precision: see `Prepared`.
    """
    device = find_device(network)
    images = images.to(device)
    twin = copy.deepcopy(network).eval().requires_grad_(False)
    has_images_inside = any(isinstance(module, nn.Conv2d) for module in twin.modules())
    memory_format = MEMORY_FORMATS.get(device.type) if has_images_inside else None
    with prepare(network), torch.no_grad():
        pairs = find_pairs(twin, images)
        if not pairs and memory_format is None:
            return None, "nothing to prepare: no convolution, and no normalisation directly after a layer"
        for layer, normalisation in pairs:
            fold(layer, normalisation)
        replace(twin, [normalisation for _, normalisation in pairs])
        if memory_format is not None:
            lay_out(twin, memory_format)
        expected, given = network(images), twin(images)
    allowed = AGREEMENT * expected.abs().amax()
    if not bool(((given - expected).abs() <= allowed).all()):
        return None, "the logits of a prepared copy differ"
    name = "contiguous" if memory_format is None else str(memory_format).removeprefix("torch.")
    return Prepared(twin, len(pairs), name, precision), ""


class Readers(TorchFunctionMode):
    """Counts, by tensor, the functions that make a tensor of it."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[int] = Counter()

    def __torch_function__(
        self, function: Callable[..., Any], types: Iterable[type], args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        output = function(*args, **(kwargs or {}))
        if isinstance(output, Tensor):
            given = [*args, *(kwargs or {}).values()]
            given += [part for value in given if isinstance(value, list | tuple) for part in value]
            read = [id(value) for value in given if isinstance(value, Tensor)]
            if id(output) not in read:
                self.counts[id(output)] = 0  # Python gives the number of a tensor that is gone to a new one
            self.counts.update(read)
        return output


def find_pairs(network: nn.Module, images: Tensor) -> list[tuple[Affine, Normalisation]]:
    """(layer, normalisation) where the second is all that ever reads what the first gives; in the order of a pass.

    One forward pass of the images. A layer or normalisation that runs twice belongs to no pair, nor does one whose
    output a residual connection or an activation in place reads too.
    """
    made: dict[int, tuple[Affine, Tensor]] = {}  # by output; holding it keeps its number from being given anew
    entered: list[tuple[Normalisation, Tensor]] = []
    runs: Counter[nn.Module] = Counter()

    def note(module: nn.Module, given: tuple[Any, ...], output: Tensor) -> None:
        runs[module] += 1
        if isinstance(module, Normalisation):
            entered.append((module, given[0]))
        elif isinstance(module, Affine):
            made[id(output)] = (module, output)

    hooks = [module.register_forward_hook(note) for module in network.modules()]
    try:
        with Readers() as readers:
            network(images)
    finally:
        for hook in hooks:
            hook.remove()
    pairs = []
    for normalisation, value in entered:
        layer = made[id(value)][0] if id(value) in made else None
        if layer is None or runs[layer] > 1 or runs[normalisation] > 1 or readers.counts[id(value)] > 1:
            continue
        # A linear layer over sequences is normalised along another axis than its outputs lie on.
        is_along_outputs = value.dim() == layer.weight.dim()
        if is_along_outputs and normalisation.running_mean is not None:
            pairs.append((layer, normalisation))
    return pairs


def fold(layer: Affine, normalisation: Normalisation) -> None:
    """Make an affine layer give what the normalisation makes of it, in inference; computed in float64."""
    assert normalisation.running_mean is not None and normalisation.running_var is not None
    mean, variance = normalisation.running_mean.double(), normalisation.running_var.double()
    scale = (variance + normalisation.eps).rsqrt()
    shift = torch.zeros_like(mean)
    if normalisation.affine:
        scale, shift = scale * normalisation.weight.double(), normalisation.bias.double()
    weight, bias = layer.weight, layer.bias
    offset = -mean if bias is None else bias.double() - mean
    folded = weight.double() * scale.reshape(-1, *[1] * (weight.dim() - 1))
    layer.weight = nn.Parameter(folded.to(weight.dtype), requires_grad=False)
    layer.bias = nn.Parameter((offset * scale + shift).to(weight.dtype), requires_grad=False)


def lay_out(network: nn.Module, memory_format: torch.memory_format) -> None:
    """Lay the weights of convolutions out anew; what they give follows them."""
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=memory_format)


def replace(network: nn.Module, normalisations: list[Normalisation]) -> None:
    """Put an identity where each of these modules stands."""
    names = [name for name, module in network.named_modules() if any(module is one for one in normalisations)]
    for name in names:
        network.set_submodule(name, nn.Identity())
