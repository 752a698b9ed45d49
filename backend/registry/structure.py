"""What kind of zeros a weight tensor holds: single weights, whole filters, whole input channels, or N of every M."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.schemas.inspections import LayerStructure, StructureOut

GROUP_SIZES = (2, 4, 8, 16)
# Groups of an N:M pattern hold N weights, save for the few that training itself brought to zero.
FULL_GROUPS = 0.9
# So much of the zeros must lie in whole filters or channels before a layer counts as pruned by them.
IN_BLOCKS = 0.99
SHARE_OF_KIND = 0.95

Weights = NDArray[np.floating[Any]]


def describe_layer(name: str, weight: Weights) -> LayerStructure:
    """Count the zeros of a convolution (out, in, h, w) or linear layer (out, in) and name their kind.

    A filter is an output channel, a channel an input one; with all its weights zero a filter's output is the same for
    every image, and a channel's input is never read.
    """
    zero = weight == 0
    filters = zero.reshape(len(zero), -1).all(axis=1)
    channels = np.moveaxis(zero, 1, 0).reshape(zero.shape[1], -1).all(axis=1)
    zeros = int(zero.sum())
    by_filters, by_channels = int(filters.sum()) * zero[0].size, int(channels.sum()) * zero[:, 0].size
    overlap = int(filters.sum()) * int(channels.sum()) * (zero[0, 0].size if zero.ndim > 2 else 1)
    pattern = None
    if not zeros:
        kind = "dense"
    elif by_filters + by_channels - overlap >= IN_BLOCKS * zeros:
        kind = "filter" if by_filters >= by_channels else "channel"
    else:
        pattern = find_pattern(zero[~filters])
        kind = "n:m" if pattern else "weight"
    return LayerStructure(
        name=name,
        kind=kind,
        pattern=pattern,
        weights=zero.size,
        zeros=zeros,
        filters=len(filters),
        zero_filters=int(filters.sum()),
        channels=len(channels),
        zero_channels=int(channels.sum()),
    )


def find_pattern(zero: NDArray[np.bool_]) -> str | None:
    """The N:M pattern of a tensor as text such as "2:4"; None where there is none.

    Groups of M run along the input channels, the way hardware reads them. Every group has at most N weights, and on
    average nearly N: sparse random zeros leave some group full, or most far below the fullest.
    """
    if zero.size == 0:
        return None
    along_inputs = np.moveaxis(zero, 1, -1)
    for size in GROUP_SIZES:
        if along_inputs.shape[-1] % size:
            continue
        counts = (~along_inputs).reshape(-1, size).sum(axis=1)
        most = int(counts.max())
        if 0 < most < size and counts.mean() >= FULL_GROUPS * most:
            return f"{most}:{size}"
    return None


def summarise(layers: list[LayerStructure]) -> StructureOut:
    """The kind of the whole network: that of nearly all its zeros, else "mixed"."""
    zeros = sum(layer.zeros for layer in layers)
    by_kind: dict[str, int] = {}
    for layer in layers:
        label = layer.pattern or layer.kind
        by_kind[label] = by_kind.get(label, 0) + layer.zeros
    label = max(by_kind, key=lambda name: by_kind[name], default="dense")
    if not zeros:
        kind, pattern = "dense", None
    elif by_kind[label] < SHARE_OF_KIND * zeros:
        kind, pattern = "mixed", None
    else:
        kind, pattern = ("n:m", label) if ":" in label else (label, None)
    return StructureOut(
        kind=kind,
        pattern=pattern,
        zero_filters=sum(layer.zero_filters for layer in layers),
        filters=sum(layer.filters for layer in layers),
        zero_channels=sum(layer.zero_channels for layer in layers),
        channels=sum(layer.channels for layer in layers),
        layers=layers,
    )
