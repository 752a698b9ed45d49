"""Plain `nn.Sequential` checkpoints: keys that are numbers, and the list of layers that the user gave for them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from backend.errors import AmbiguousCheckpoint, InvalidRequest, RejectedCheckpoint, TooLarge
from backend.registry.layer_lists import LayerList, is_layer_list, read_layer_list
from models.architectures.sequential import build_sequential, measure_sequential

NUMBERED = re.compile(r"(?P<start>(?:[A-Za-z_]\w*\.)?)(?P<number>\d{1,4})\.(?P<rest>\w+)")
RESHAPING = ("Flatten", "Identity")
# The largest registered network, WRN-28-10, has 36 million parameters, 160,000 numbers in its largest activation, and
# 5 billion multiplications.
MAX_PARAMETERS = 200_000_000
MAX_ACTIVATION = 2**21
MAX_MULTIPLICATIONS = 20_000_000_000

Shapes = Mapping[str, tuple[int, ...]]


def show_architecture(architecture: str) -> str:
    """The short name of an architecture; that of a list of layers follows from its content."""
    return read_layer_list(architecture).name if is_layer_list(architecture) else architecture


def build_listed(architecture: str) -> nn.Module:
    """Build the network of a list of layers on the present device.

    Raises:
        InvalidRequest: the list breaks a rule, or its arguments contradict each other.
    """
    try:
        return build_sequential(read_layer_list(architecture).layers)
    except ValueError as error:
        raise InvalidRequest(f"The list of layers cannot be built: {error}.", ask="architecture") from error


def check_sizes(listed: LayerList, shape: tuple[int, int, int], classes: int) -> None:
    """Measure a list of layers without memory, for images of shape (H, W, C).

    Raises:
        InvalidRequest: a layer does not take what the one before it gives, or the last one gives other than `classes`
            numbers.
        TooLarge: over a bound on parameters, activations or multiplications.
    """
    height, width, channels = shape
    try:
        sizes = measure_sequential(listed.layers, (channels, height, width), limit=MAX_ACTIVATION)
    except ValueError as error:
        raise InvalidRequest(
            f"Images of {height} x {width} x {channels} do not fit the list of layers: {error}.",
            ask="architecture",
        ) from error
    if sizes.output != (1, classes):
        raise InvalidRequest(
            f"The list of layers returns {sizes.output} for one image; the data set has {classes} classes, so it "
            f"should return (1, {classes}).",
            ask="architecture",
        )
    for found, most, what in (
        (sizes.parameters, MAX_PARAMETERS, "parameters"),
        (sizes.multiplications, MAX_MULTIPLICATIONS, "multiplications per image"),
    ):
        if found > most:
            raise TooLarge(f"The list of layers needs {found:,} {what}; the limit is {most:,}.", limit=most)


def align_keys(state: Mapping[str, Tensor], listed: LayerList, warnings: list[str]) -> dict[str, Tensor]:
    """Give the keys of a plain Sequential the numbers that the list gives its layers.

    A common start such as `layers.` falls away. Numbers may all be smaller by a Flatten at the start of the list: the
    forward pass did it outside of the Sequential. Anything else keeps its keys, and the comparison of keys names them.
    """
    parts = {name: NUMBERED.fullmatch(name) for name in state}
    matches = [match for match in parts.values() if match is not None]
    starts = {match["start"] for match in matches}
    if len(matches) < len(parts) or len(starts) != 1:
        return dict(state)
    empty = next((number for number, (kind, _) in enumerate(listed.layers) if kind not in RESHAPING), 0)
    lowest = min(int(match["number"]) for match in matches)
    shift = empty - lowest if 0 <= lowest < empty else 0
    if shift:
        warnings.append(
            f"The file numbers its layers from {lowest}, the list from {empty}: the layers that the list has before "
            "were assumed to be outside the file's Sequential."
        )
    return {f"{int(m['number']) + shift}.{m['rest']}": state[name] for name, m in parts.items() if m is not None}


def is_plain_sequence(found: Shapes) -> bool:
    """Whether every key is a number and a name, as those of a plain Sequential are."""
    matches = [NUMBERED.fullmatch(name) for name in found]
    return bool(matches) and all(matches) and len({match["start"] for match in matches if match}) == 1


def ask_layers(found: Shapes) -> AmbiguousCheckpoint:
    """The question for the list of layers of a plain Sequential, ready to be raised."""
    proposal = json.dumps(propose_layers(found))
    return AmbiguousCheckpoint(
        "This is a plain nn.Sequential: its keys are numbers, and the file does not say what stands between the "
        "weights (activations, strides, pooling). Send its layers as architecture, a JSON list with torch's names. "
        f"Here is a draft to correct, made from the shapes alone: {proposal}.",
        ask="architecture",
        suggestion=proposal,
    )


def propose_layers(found: Shapes) -> list[Any]:
    """A list with the weights that the file has, and a ReLU or Flatten in each gap; for the user to correct."""
    layers: dict[int, dict[str, tuple[int, ...]]] = {}
    for name, shape in found.items():
        match = NUMBERED.fullmatch(name)
        if match is not None:
            layers.setdefault(int(match["number"]), {})[match["rest"]] = shape
    proposal: list[Any] = []
    dimensions, shift = 4, 0
    for number in sorted(layers):
        shape = layers[number].get("weight", layers[number].get("running_mean", ()))
        is_first_linear = len(shape) == 2 and dimensions == 4
        gap = number + shift - len(proposal)
        if is_first_linear and gap < 1:
            # The file has no place for it: its forward pass flattened outside of the Sequential.
            proposal.append("Flatten")
            shift += 1
        for place in range(max(0, gap)):
            proposal.append("Flatten" if is_first_linear and place == gap - 1 else "ReLU")
        proposal.append(_propose_layer(layers[number], shape, dimensions))
        dimensions = len(shape) if len(shape) in (2, 4) else dimensions
    return proposal


def _propose_layer(entries: Mapping[str, tuple[int, ...]], shape: tuple[int, ...], dimensions: int) -> Any:
    bias = {} if "bias" in entries else {"bias": False}
    if len(shape) == 4:
        kernel = list(shape[2:]) if shape[2] != shape[3] else shape[2]
        return {"type": "Conv2d", "in_channels": shape[1], "out_channels": shape[0], "kernel_size": kernel} | bias
    if len(shape) == 2:
        return {"type": "Linear", "in_features": shape[1], "out_features": shape[0]} | bias
    if "running_mean" in entries and len(shape) == 1:
        return {"type": f"BatchNorm{'2d' if dimensions == 4 else '1d'}", "num_features": shape[0]}
    raise RejectedCheckpoint(f"A layer with {', '.join(entries)} of shape {list(shape)} is not a known layer.")
