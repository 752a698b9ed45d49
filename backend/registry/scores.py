"""HYDRA and HARP: files that hold a score for each weight, from which the mask follows with a keep rate.

References: HYDRA, Sehwag et al., 2020, arXiv 2002.10509; HARP, Zhao and Wressnegger, 2023, arXiv 2302.08622.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from backend.counts import count_words
from backend.errors import RejectedCheckpoint
from backend.registry.rates import ask_keep_rate, read_keep_rate
from backend.registry.states import FoundState, last_part, refuse_shape, require_real, take_each
from models.pruning.plans import HARP, HYDRA, METHODS

SCORES, RATE = "popup_scores", "k_score"
SMALLEST_RATE = 0.1  # HARP: no layer keeps less than this share of the target rate
OVER_TARGET = 1.05  # how much more than HARP's target the layers may keep before it is odd
SHORTCUTS = ("shortcut.0", "downsample.0", "convShortcut")
SHOWN = 4


def has_scores(found: FoundState) -> bool:
    """Whether a file is a masked HYDRA or HARP file."""
    return any(last_part(name) == SCORES for name in found.tensors)


def apply_scores(found: FoundState, keep_rate: float | None, file_name: str | None) -> None:
    """Zero the int((1 - k) n) smallest absolute scores of each layer; arguments as in `masking.apply_masks`."""
    rates = _take_rates(found)
    scored = {name.removesuffix(SCORES): tensor for name, tensor in found.tensors.items() if last_part(name) == SCORES}
    method = HARP if rates else HYDRA
    if keep_rate is None:
        keep_rate = read_keep_rate(file_name)
        if keep_rate is None:
            suggestion = suggest_target(rates, scored, found.tensors) if rates else None
            raise ask_keep_rate(method, len(scored), suggestion, RATE if rates else SCORES)
        found.warnings.append(f"The keep rate {keep_rate:g} was read from the file's name, {file_name!r}.")
    if rates and (bare := sorted(set(scored) ^ set(rates))):
        raise RejectedCheckpoint(
            f"{count_words(len(bare), 'layer has', 'layers have')} only one of {SCORES} and {RATE}: "
            f"{', '.join(bare[:SHOWN])}.",
            keys=bare[:SHOWN],
        )
    kept = total = 0
    for name, score, weight_name in take_each(found, SCORES, "weight"):
        weight = found.tensors[weight_name]
        is_coarse = score.shape != weight.shape
        if is_coarse and not (rates and _broadcasts(score, weight)):
            raise refuse_shape(name, score, weight)
        start = name.removesuffix(SCORES)
        rate = _find_rate(found, start, rates, keep_rate, is_coarse) if rates else keep_rate
        mask = keep_largest(score, rate, found.warnings, start.removesuffix("."))
        found.tensors[weight_name] = torch.where(mask, weight, 0)
        kept += int(mask.expand(weight.shape).sum())
        total += weight.numel()
    _describe(found, method, scored, keep_rate, kept / total)


def drop_rates(found: FoundState) -> None:
    """HARP's `*_dense` files: rates without scores."""
    count = len(_take_rates(found))
    if count:
        found.warnings.append(
            f"This is a HARP *_dense file ({count_words(count, 'key')} {RATE}, no {SCORES}). HARP wrote this file with "
            "one rate for all layers and evaluated another network. If you can, use the masked file, which has scores."
        )


def _take_rates(found: FoundState) -> dict[str, Tensor]:
    """Take the learned rates out of the state, by the start of their layer's keys."""
    rates: dict[str, Tensor] = {}
    for name in [name for name in found.tensors if last_part(name) == RATE]:
        tensor = found.tensors.pop(name)
        require_real(name, tensor)
        if tensor.numel() != 1:
            raise RejectedCheckpoint(f"{name!r} should be one number; it holds {tensor.numel():,}.", key=name)
        rates[name.removesuffix(RATE)] = tensor
    return rates


def _describe(found: FoundState, method: str, scored: Mapping[str, Tensor], keep_rate: float, share: float) -> None:
    """Say which rule was applied, what it left, and what looks odd about that."""
    title = METHODS[method].title
    rule = "keep rate" if method == HYDRA else "rates of their own, target"
    found.warnings.append(
        f"{title}'s masks were applied to {count_words(len(scored), 'layer')} with {rule} {keep_rate:g}: {share:.2%} "
        "of these weights remain."
    )
    weights = {name: tensor for name, tensor in found.tensors.items() if last_part(name) == "weight"}
    bare = [name for name, tensor in weights.items() if tensor.ndim > 1 and name.removesuffix("weight") not in scored]
    if bare:
        found.warnings.append(
            f"This {title} file has no scores for {count_words(len(bare), 'layer')}, so no mask was applied there: "
            f"{', '.join(bare[:SHOWN])}."
        )
    is_fine = all(weights[f"{start}weight"].shape == score.shape for start, score in scored.items())
    if method == HARP and is_fine and share > OVER_TARGET * keep_rate:
        found.warnings.append(
            f"HARP's training keeps at most its target, but with {keep_rate:.2%} the layers keep {share:.2%}. Was the "
            "target a different one?"
        )


def _broadcasts(score: Tensor, weight: Tensor) -> bool:
    """Whether scores of whole channels, such as (1, C, 1, 1), stretch over the weight."""
    return score.ndim == weight.ndim and all(
        own in (1, full) for own, full in zip(score.shape, weight.shape, strict=True)
    )


def keep_largest(score: Tensor, rate: float | Tensor, warnings: list[str], layer: str) -> Tensor:
    """The mask of one layer, bool of the scores' shape: all but the int((1 - rate) n) smallest absolute scores.

    `rate` is a tensor where the method computes with one: its rounding decides about the last weight.
    """
    removed = int((1 - rate) * score.numel())
    magnitudes = score.detach().abs().flatten()
    order = torch.argsort(magnitudes, stable=True)
    kept = torch.ones(score.numel(), dtype=torch.bool)
    kept[order[:removed]] = False
    if 0 < removed < score.numel() and magnitudes[order[removed - 1]] == magnitudes[order[removed]]:
        tied = int((magnitudes == magnitudes[order[removed]]).sum())
        warnings.append(
            f"{layer}: {tied:,} scores are equal where its mask is cut. The file does not say which of them are kept; "
            "the first ones were removed."
        )
    return kept.view(score.shape)


def _find_rate(found: FoundState, start: str, rates: Mapping[str, Tensor], target: float, is_coarse: bool) -> Tensor:
    """The share that a layer of a HARP file keeps. With channel scores a shortcut has the rate of its block's conv1."""
    own = rates[start]
    if is_coarse:
        for shortcut in SHORTCUTS:
            partner = f"{start.removesuffix(f'{shortcut}.')}conv1."
            if start.endswith(f"{shortcut}.") and partner in rates:
                shared = rates[partner]
                if not torch.allclose(shared, own, atol=1e-6):
                    found.warnings.append(
                        f"{start}{RATE} is {float(own):.4g}, that of {partner.removesuffix('.')} {float(shared):.4g}: "
                        "HARP ties the two for channels, so the latter was used."
                    )
                own = shared
    return learned_rate(own, target)


def learned_rate(score: Tensor, target: float) -> Tensor:
    """HARP: k_min + (1 - k_min) sigmoid(r) with k_min a tenth of the target; in the scalar's own precision."""
    smallest = SMALLEST_RATE * target
    return smallest + (1 - smallest) * torch.sigmoid(score.detach().reshape(()))


def suggest_target(
    rates: Mapping[str, Tensor], scores: Mapping[str, Tensor], tensors: Mapping[str, Tensor]
) -> float | None:
    """The smallest target rate that HARP's penalty allows with the rates of a file; None for channel scores.

    The penalty is zero where sum(k n) <= target * sum(n); training ends near that bound.
    """
    kept = total = spare = 0.0
    for start, score in scores.items():
        weight = tensors.get(f"{start}weight")
        if weight is None or weight.shape != score.shape or start not in rates:
            return None
        share = float(torch.sigmoid(rates[start].detach().double().reshape(())))
        kept += share * weight.numel()
        spare += (1 - share) * weight.numel()
        total += weight.numel()
    target = kept / (total - SMALLEST_RATE * spare) if total else 0.0
    return round(target, 4) if 0 < target <= 1 else None
