"""Turns what a file holds into one state dict of effective weights: wrappers off, prefixes off, masks applied."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from backend.errors import InvalidRequest, RejectedCheckpoint, UnreadableCheckpoint
from backend.registry.files import check_tensors

WRAPPERS = ("state_dict", "net", "model", "best", "last")
MAX_WRAPPERS = 4
PREFIXES = ("module.", "basic_model.", "model.", "network.")
NORMALIZATION_BUFFERS = (("normalize.mean", "normalize.std"), ("mean", "std"), ("mu", "sigma"))
# HYDRA's wide ResNets carry a block that their forward pass never uses.
DEAD_PREFIX = "sub_block1."
ORIGINAL, MASK = "_orig", "_mask"


@dataclass(frozen=True)
class MaskedFormat:
    """A training format whose weights are not the effective ones. `marker` is the last part of a key."""

    marker: str
    sentence: str


# The first row that fits speaks: HARP's files have popup_scores too.
MASKED_FORMATS = (
    MaskedFormat(
        "k_score",
        "This is a HARP file: its weights become the evaluated network only with per-layer rates that need a target "
        "rate which the file does not hold (and HARP's own *_dense files are written with a uniform rate instead). "
        "Export the weights after multiplying each by its mask, without k_score and popup_scores.",
    ),
    MaskedFormat(
        "popup_scores",
        "This is a HYDRA masked file: its mask follows from the scores and a keep rate k that is not in the file. "
        "Give the keep rate (keep_rate, 0 to 1), or upload the *_dense file, whose weights have the mask applied.",
    ),
    MaskedFormat(
        "aux_weight",
        "This is a TwinRep file: the effective weight is weight * aux_weight * mask. Export that product.",
    ),
    MaskedFormat(
        "mask_weight",
        "This is a MAD file: the effective weight is weight * softplus(mask_weight). Export that product.",
    ),
    MaskedFormat(
        "mask_info",
        "This is a FlyingBird file with its masks beside the weights. Export model.state_dict() alone: its weights "
        "are zero where the mask is.",
    ),
)


@dataclass
class FoundState:
    """The effective state of a file. `normalization` holds (mean, std) where the file carries them."""

    tensors: dict[str, Tensor]
    normalization: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    warnings: list[str] = field(default_factory=list)


def find_state(content: Any, *, keep_rate: float | None = None) -> FoundState:
    """Find the weights in the content of a checkpoint file.

    Args:
        content: what `files.open_file` gave.
        keep_rate: HYDRA's k, the share of weights that each layer keeps, within 0..1; for masked HYDRA files only.

    Returns:
        Tensors under their own names, as stored (no dtype is changed here).

    Raises:
        UnreadableCheckpoint: no weights inside.
        UnsafeCheckpoint: an entry is no plain tensor, or larger than its storage.
        RejectedCheckpoint: a masked format that needs exporting first; keys that collide once prefixes are gone.
    """
    found = FoundState({})
    state = _unwrap(content, found.warnings)
    check_tensors(state)
    found.tensors = {name: tensor.detach() for name, tensor in _strip_prefixes(state).items()}
    _apply_scores(found, keep_rate)
    for masked in MASKED_FORMATS:
        _refuse_marked(found.tensors, masked)
    _apply_masks(found)
    _take_normalization(found)
    _drop_dead_block(found)
    return found


def _unwrap(content: Any, warnings: list[str]) -> Mapping[str, Any]:
    """Take dictionaries off until one holds tensors."""
    for _ in range(MAX_WRAPPERS):
        content = vars(content) if isinstance(content, argparse.Namespace) else content
        if not isinstance(content, Mapping) or not content:
            break
        for masked in MASKED_FORMATS:
            _refuse_marked(content, masked, whole_name=True)
        inner = [name for name in WRAPPERS if isinstance(content.get(name), Mapping) and content[name]]
        if not inner:
            return _check_bare(content)
        if len(inner) > 1:
            warnings.append(f"The file holds weights under {', '.join(inner)}; those under {inner[0]!r} were taken.")
        content = content[inner[0]]
    raise UnreadableCheckpoint(
        "The file holds no weights: expected a state dict, or one under 'state_dict', 'net', 'model', 'last' or 'best'."
    )


def _check_bare(content: Mapping[Any, Any]) -> Mapping[str, Any]:
    """Refuse a dictionary without tensors, or with anything beside them."""
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
            f"Beside tensors the state dict holds {', '.join(others[:8])}. Save model.state_dict() alone.",
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
            raise RejectedCheckpoint(f"Two keys of the file become {short!r} without their prefixes.", key=short)
        stripped[short] = tensor
    return stripped


def _refuse_marked(state: Mapping[Any, Any], masked: MaskedFormat, *, whole_name: bool = False) -> None:
    """Refuse a state with a marker key: dropping it silently would load a network that nobody evaluated."""
    parts = (str(name) if whole_name else str(name).rpartition(".")[2] for name in state)
    count = sum(part == masked.marker for part in parts)
    if count:
        raise RejectedCheckpoint(f"{masked.sentence} (Keys named {masked.marker}: {count}.)", marker=masked.marker)


def _apply_scores(found: FoundState, keep_rate: float | None) -> None:
    """Zero what HYDRA's mask removes: the int((1 - k) n) smallest absolute scores of each layer."""
    scores = {name: tensor for name, tensor in found.tensors.items() if name.rpartition(".")[2] == "popup_scores"}
    if keep_rate is None or not scores:
        return
    if not 0 < keep_rate <= 1:
        raise InvalidRequest(f"keep_rate must be within 0..1, got {keep_rate:g}.")
    if any(name.rpartition(".")[2] == "k_score" for name in found.tensors):
        return
    for name, score in scores.items():
        weight_name = f"{name.removesuffix('popup_scores')}weight"
        weight = found.tensors.get(weight_name)
        if weight is None or weight.shape != score.shape:
            raise RejectedCheckpoint(f"{name!r} fits no weight of its shape, {tuple(score.shape)}.", key=name)
        removed = int((1 - keep_rate) * score.numel())
        order = torch.argsort(score.abs().flatten(), stable=True)
        kept = torch.ones(score.numel(), dtype=torch.bool)
        kept[order[:removed]] = False
        found.tensors[weight_name] = torch.where(kept.view(score.shape), weight, 0)
        del found.tensors[name]
    found.warnings.append(f"HYDRA's masks were applied to {len(scores)} layers with keep rate {keep_rate:g}.")


def _apply_masks(found: FoundState) -> None:
    """Replace torch.nn.utils.prune's `X_orig` and `X_mask` by their product `X`."""
    originals = [name for name in found.tensors if name.endswith(ORIGINAL)]
    for name in originals:
        plain = name.removesuffix(ORIGINAL)
        mask, original = found.tensors.get(f"{plain}{MASK}"), found.tensors[name]
        if mask is None or plain in found.tensors:
            continue
        if mask.shape != original.shape:
            raise RejectedCheckpoint(
                f"The mask of {plain!r} has shape {tuple(mask.shape)}, not {tuple(original.shape)}."
            )
        found.tensors[plain] = mask.to(original.dtype) * original
        del found.tensors[name], found.tensors[f"{plain}{MASK}"]


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
        found.warnings.append(f"{len(dead)} tensors under {DEAD_PREFIX!r} were left out: no forward pass uses them.")
