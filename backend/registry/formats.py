"""Turns what a file holds into one state dict of effective weights: wrappers off, prefixes off, masks applied."""

import argparse
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from backend.counts import count_words
from backend.errors import RejectedCheckpoint, UnreadableCheckpoint
from backend.registry.files import check_tensors
from backend.registry.masking import apply_masks, check_additional_masks
from backend.registry.states import FoundState

WRAPPERS = ("state_dict", "net", "model", "best", "last", "model_state_dict")
MAX_WRAPPERS = 4
PREFIXES = ("module.", "basic_model.", "model.", "network.")
NORMALIZATION_BUFFERS = (("normalize.mean", "normalize.std"), ("mean", "std"), ("mu", "sigma"))
# FlyingBird writes its masks next to the weights.
ADDITIONAL_MASKS = "mask_info"
# HYDRA's wide ResNets carry a block that their forward pass never uses.
DEAD_PREFIX = "sub_block1."


def find_state(content: Any, *, keep_rate: float | None = None, file_name: str | None = None) -> FoundState:
    """Find the weights in the content of a checkpoint file.

    Args:
        content: what `files.open_file` gave.
        keep_rate: for files with scores (HYDRA, HARP): the share of weights kept, within 0..1.
        file_name: what the user calls the file; a keep rate in it counts where none is given.

    Returns:
        Tensors under their own names; those without a mask as stored (no dtype is changed here).

    Raises:
        UnreadableCheckpoint: no weights inside.
        UnsafeCheckpoint: an entry is no plain tensor, or larger than its storage.
        AmbiguousCheckpoint: a keep rate is needed.
        InvalidRequest: a keep rate outside 0..1.
        RejectedCheckpoint: masks that fit no weight; keys that collide once prefixes are gone.
    """
    found = FoundState({})
    masks: dict[Any, Any] = {}
    state = _unwrap(content, found.warnings, masks)
    check_tensors(state)
    found.tensors = {name: tensor.detach() for name, tensor in _strip_prefixes(state).items()}
    _drop_dead_block(found)
    apply_masks(found, keep_rate=keep_rate, file_name=file_name)
    if masks:
        _check_additional(found, masks)
    _take_normalization(found)
    return found


def _check_additional(found: FoundState, masks: Mapping[Any, Any]) -> None:
    """Hold the masks that lie next to the weights against them."""
    tensors = {str(name): mask for name, mask in masks.items() if isinstance(mask, Tensor)}
    check_tensors(tensors)
    others = {f"entry {name}": mask for name, mask in masks.items() if not isinstance(mask, Tensor)}
    check_additional_masks(found, {**_strip_prefixes(tensors), **others})


def _unwrap(content: Any, warnings: list[str], masks: dict[Any, Any]) -> Mapping[str, Any]:
    """Take dictionaries off until one holds tensors; `masks` gets what lies under `mask_info` on the way."""
    for _ in range(MAX_WRAPPERS):
        content = vars(content) if isinstance(content, argparse.Namespace) else content
        if not isinstance(content, Mapping) or not content:
            break
        inner = [name for name in WRAPPERS if isinstance(content.get(name), Mapping) and content[name]]
        if ADDITIONAL_MASKS in content:
            additional = content[ADDITIONAL_MASKS]
            masks.update(additional if isinstance(additional, Mapping) else {ADDITIONAL_MASKS: additional})
            content = {name: value for name, value in content.items() if name != ADDITIONAL_MASKS}
        if not inner:
            return _check_bare(content)
        if len(inner) > 1:
            warnings.append(f"The file holds weights under {', '.join(inner)}; those under {inner[0]!r} were used.")
        content = content[inner[0]]
    raise UnreadableCheckpoint(
        "The file holds no weights: expected a state dict, or one under 'state_dict', 'net', 'model', 'last' or 'best'."
    )


def _check_bare(content: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Refuse a dictionary without tensors, or with anything else in it."""
    others = [
        str(name) for name, value in content.items() if not isinstance(value, Tensor) or not isinstance(name, str)
    ]
    if len(others) == len(content):
        raise UnreadableCheckpoint(
            f"The file holds no weights; its entries are {', '.join(others[:8])}. Expected a state dict, or one under "
            f"{', '.join(repr(name) for name in WRAPPERS)}.",
            keys=others[:8],
        )
    if others:
        raise RejectedCheckpoint(
            f"Besides tensors, the state dict holds {', '.join(others[:8])}. Save only model.state_dict().",
            keys=others[:8],
        )
    return content


def _strip_prefixes(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Take wrappers' prefixes off the start of every key."""
    stripped: dict[str, Tensor] = {}
    for name, tensor in state.items():
        short = name
        while prefix := next((prefix for prefix in PREFIXES if short.startswith(prefix)), None):
            short = short.removeprefix(prefix)
        if short in stripped:
            raise RejectedCheckpoint(f"Without their prefixes, two keys of the file are both {short!r}.", key=short)
        stripped[short] = tensor
    return stripped


def _take_normalization(found: FoundState) -> None:
    """Take the buffers of a normalisation layer out of the state."""
    for mean_name, std_name in NORMALIZATION_BUFFERS:
        mean, std = found.tensors.get(mean_name), found.tensors.get(std_name)
        if mean is None or std is None:
            continue
        if mean.numel() != std.numel() or mean.numel() not in (1, 3):
            raise RejectedCheckpoint(f"{mean_name!r} and {std_name!r} should hold one value per channel.")
        values = (tuple(part.flatten().double().tolist()) for part in (mean, std))
        found.normalization = (next(values), next(values))
        del found.tensors[mean_name], found.tensors[std_name]
        return


def _drop_dead_block(found: FoundState) -> None:
    """Leave out HYDRA's unused block, and say so."""
    dead = [name for name in found.tensors if name.startswith(DEAD_PREFIX)]
    if dead and any(name.startswith("block1.") for name in found.tensors):
        for name in dead:
            del found.tensors[name]
        were = count_words(len(dead), "tensor", "tensors")
        found.warnings.append(f"The import left out {were} under {DEAD_PREFIX!r} that no forward pass uses.")
