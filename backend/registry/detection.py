"""Tells the architecture of a state dict by its keys and shapes.

An architecture is the name of a registered one, or the canonical text of a user's own list of layers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from backend.errors import MismatchedKeys, RejectedCheckpoint, UnknownArchitecture, UnknownName
from backend.registry.layer_lists import is_layer_list
from backend.registry.sequences import ask_layers, build_listed, is_plain_sequence, show_architecture
from models.architectures.builders import build_architecture
from models.architectures.rows import ARCHITECTURES

COUNTER = "num_batches_tracked"
SHOWN = 8

Shapes = dict[str, tuple[int, ...]]


@dataclass(frozen=True)
class Difference:
    """How a file differs from an architecture. `mis_shaped` maps a key to (found, expected)."""

    architecture: str
    missing: list[str]
    unexpected: list[str]
    mis_shaped: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]
    fitting: int

    @property
    def size(self) -> int:
        """How many keys are wrong; 0 means that the file fits."""
        return len(self.missing) + len(self.unexpected) + len(self.mis_shaped)

    def describe(self) -> str:
        """The first few wrong keys of each kind, with the counts, as one sentence."""
        shapes = [
            f"{name} {list(found)} instead of {list(wanted)}" for name, (found, wanted) in self.mis_shaped.items()
        ]
        kinds = (("missing", self.missing), ("unexpected", self.unexpected), ("of another shape", shapes))
        parts = [
            f"{len(names)} {kind} ({', '.join(names[:SHOWN])}{', ...' if len(names) > SHOWN else ''})"
            for kind, names in kinds
            if names
        ]
        return "; ".join(parts)

    def to_details(self) -> dict[str, Any]:
        """JSON-ready: the first few of each kind and the counts."""
        shapes = [
            {"name": name, "found": list(found), "expected": list(wanted)}
            for name, (found, wanted) in self.mis_shaped.items()
        ]
        return {
            "architecture": show_architecture(self.architecture),
            "missing": self.missing[:SHOWN],
            "missing_count": len(self.missing),
            "unexpected": self.unexpected[:SHOWN],
            "unexpected_count": len(self.unexpected),
            "mis_shaped": shapes[:SHOWN],
            "mis_shaped_count": len(shapes),
        }


def build_empty(architecture: str, classes: int, channels: int) -> nn.Module:
    """Build an architecture on the meta device: shapes without memory.

    Raises:
        UnknownName: no such architecture.
        InvalidRequest: a list of layers that cannot be built.
    """
    if is_layer_list(architecture):
        with torch.device("meta"):
            return build_listed(architecture)
    if architecture not in ARCHITECTURES:
        raise UnknownName("architecture", architecture, ARCHITECTURES)
    with torch.device("meta"):
        return build_architecture(architecture, classes, channels)


def find_difference(found: Shapes, architecture: str, wanted: Shapes) -> Difference:
    """Compare keys and shapes. Only batch counters may be missing: no evaluation reads them."""
    return Difference(
        architecture=architecture,
        missing=[name for name in wanted if name not in found and not name.endswith(COUNTER)],
        unexpected=[name for name in found if name not in wanted],
        mis_shaped={
            name: (shape, wanted[name]) for name, shape in found.items() if name in wanted and wanted[name] != shape
        },
        fitting=sum(wanted.get(name) == shape for name, shape in found.items()),
    )


def find_architecture(state: Mapping[str, Tensor], *, architecture: str | None, classes: int, channels: int) -> str:
    """Tell which registered architecture a state dict belongs to.

    Args:
        state: names to tensors; only shapes are read.
        architecture: what the user gave, or None to find it.
        classes: classes of the data set.
        channels: channels of its images.

    Raises:
        UnknownName: the given architecture does not exist.
        MismatchedKeys: the file does not fit the given architecture; names the keys.
        UnknownArchitecture: it fits none (names the nearest and its keys), or several.
        AmbiguousCheckpoint: it is a plain `nn.Sequential`, whose layers between the weights nobody can tell.
    """
    found: Shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    names = [architecture] if architecture else list(ARCHITECTURES)
    differences = [
        find_difference(found, name, read_shapes(build_empty(name, classes, channels).state_dict())) for name in names
    ]
    fitting = [difference.architecture for difference in differences if difference.size == 0]
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        raise UnknownArchitecture(
            f"The file fits several architectures: {', '.join(fitting)}. Say which one it is.", candidates=fitting
        )
    nearest = max(differences, key=lambda difference: difference.fitting / (difference.fitting + difference.size))
    setting = f"with {classes} classes and {channels} channel{'s' if channels > 1 else ''}"
    if architecture:
        raise MismatchedKeys(
            f"The file does not fit {show_architecture(architecture)} {setting}. Keys: {nearest.describe()}.",
            **nearest.to_details(),
        )
    if is_plain_sequence(found):
        raise ask_layers(found)
    raise UnknownArchitecture(
        f"The file fits no registered architecture {setting}. Nearest: {nearest.architecture}. Keys: "
        f"{nearest.describe()}.",
        known=names,
        **nearest.to_details(),
    )


def read_shapes(state: Mapping[str, Tensor]) -> Shapes:
    """Give the shape of every entry."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def check_input_size(architecture: str, shape: tuple[int, int, int]) -> None:
    """Refuse a data set of another image size, (H, W, C), than the architecture's only one.

    Raises:
        RejectedCheckpoint: names both sizes.
    """
    wanted = None if is_layer_list(architecture) else ARCHITECTURES[architecture].input_size
    if wanted is not None and tuple(wanted) != tuple(shape[:2]):
        raise RejectedCheckpoint(
            f"{architecture} takes images of {wanted[0]} x {wanted[1]}; those of the data set are {shape[0]} x "
            f"{shape[1]}.",
            architecture=architecture,
        )


@torch.no_grad()
def try_image(network: nn.Module, architecture: str, *, classes: int, shape: tuple[int, int, int]) -> None:
    """Pass one black image of shape (H, W, C) through the network.

    A real pass: on the meta device the first one loads torch's decompositions, which takes two seconds.

    Raises:
        RejectedCheckpoint: it does not go through, or the logits are not (1, classes).
    """
    height, width, channels = shape
    shown = show_architecture(architecture)
    try:
        logits = network(torch.zeros(1, channels, height, width))
    except (RuntimeError, ValueError) as error:
        raise RejectedCheckpoint(
            f"Images of {height} x {width} x {channels} do not fit {shown}: {str(error)[:200]}.",
            architecture=shown,
        ) from error
    if tuple(logits.shape) != (1, classes):
        raise RejectedCheckpoint(f"{shown} returns {tuple(logits.shape)} for one image, not (1, {classes}).")
