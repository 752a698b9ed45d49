"""Effective weights of the formats whose files hold masks or factors next to the weights.

Each function takes its extra keys out of the state and leaves the weights that the method's own forward pass uses. What
is left over stays in the state, where the look at the keys refuses it by name.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from backend.counts import count_words
from backend.errors import RejectedCheckpoint
from backend.registry.rates import check_keep_rate
from backend.registry.scores import apply_scores, drop_rates, has_scores
from backend.registry.states import FoundState, last_part, refuse_shape, take_each

AUXILIARY = "aux_weight"
# softplus is never zero in exact arithmetic; below this share of a layer's largest weight it is as good as zero.
NEGLIGIBLE = 1e-6


def apply_masks(found: FoundState, *, keep_rate: float | None, file_name: str | None) -> None:
    """Replace every training format in the state by its effective weights.

    Args:
        keep_rate: the rate that the user gave, for files with scores.
        file_name: what the user calls the file; a keep rate in it counts where none was given.

    Raises:
        AmbiguousCheckpoint: scores without a rate.
        InvalidRequest: a rate outside 0..1.
        RejectedCheckpoint: extra keys that fit no weight.
    """
    if keep_rate is not None:
        check_keep_rate(keep_rate)
    if has_scores(found):
        apply_scores(found, keep_rate, file_name)
    else:
        if keep_rate is not None:
            found.warnings.append("The keep rate was not used, because the file has no scores.")
        drop_rates(found)
    _apply_prune(found)
    _apply_twins(found)
    _apply_soft_masks(found)


def _apply_prune(found: FoundState) -> None:
    """torch.nn.utils.prune: the product of `X_orig` and `X_mask` is `X`."""
    for name in [name for name in found.tensors if name.endswith("_orig")]:
        plain = name.removesuffix("_orig")
        mask, original = found.tensors.get(f"{plain}_mask"), found.tensors[name]
        if mask is None or plain in found.tensors:
            continue
        if mask.shape != original.shape:
            raise refuse_shape(f"{plain}_mask", mask, original)
        found.tensors[plain] = mask.to(original.dtype) * original
        del found.tensors[name], found.tensors[f"{plain}_mask"]


def _apply_twins(found: FoundState) -> None:
    """TwinRep: weight * aux_weight * mask."""
    if not any(last_part(name) == AUXILIARY for name in found.tensors):
        return
    count = 0
    for name, factor, weight_name in take_each(found, AUXILIARY, "weight"):
        mask = found.tensors.pop(f"{name.removesuffix(AUXILIARY)}mask", None)
        weight = found.tensors[weight_name]
        if mask is None:
            raise RejectedCheckpoint(f"{name!r} is a TwinRep factor, but the mask of its layer is missing.", key=name)
        for part, tensor in ((name, factor), (f"{name.removesuffix(AUXILIARY)}mask", mask)):
            if tensor.shape != weight.shape:
                raise refuse_shape(part, tensor, weight)
        found.tensors[weight_name] = torch.where(mask != 0, weight * factor * mask.to(weight.dtype), 0)
        count += 1
    found.warnings.append(
        f"TwinRep's weight * aux_weight * mask was used as the weight of {count_words(count, 'layer')}."
    )


def _apply_soft_masks(found: FoundState) -> None:
    """MAD: weight * softplus(mask_weight), and the same for biases."""
    count = small = 0
    for kind in ("weight", "bias"):
        for name, mask, target in take_each(found, f"mask_{kind}", kind):
            value = found.tensors[target]
            if mask.shape != value.shape:
                raise refuse_shape(name, mask, value)
            product = value * functional.softplus(mask.to(value.dtype))
            if kind == "weight":
                size = product.abs()
                small += int(((size > 0) & (size < NEGLIGIBLE * size.max())).sum())
                count += 1
            found.tensors[target] = product
    if not count:
        return
    found.warnings.append(
        f"MAD's weight * softplus(mask_weight) was used as the weight of {count_words(count, 'layer')}."
    )
    if small:
        found.warnings.append(
            f"Thin Ice counts {count_words(small, 'weight')} below a millionth of the layer's largest weight as kept, "
            "because the masks of this file do not close fully: only an exact zero is pruned."
        )


def check_additional_masks(found: FoundState, masks: Mapping[Any, Any]) -> None:
    """FlyingBird: `mask_info` repeats what the weights already are; check that it does.

    Args:
        masks: names to tensors, names without wrappers' prefixes.

    Raises:
        RejectedCheckpoint: weights that a mask removes are not zero.
    """
    fitting = 0
    for name, mask in masks.items():
        weight = found.tensors.get(name, found.tensors.get(f"{name}.weight"))
        if not isinstance(mask, Tensor) or weight is None or mask.shape != weight.shape:
            continue
        fitting += 1
        if bool(weight[mask == 0].any()):
            raise RejectedCheckpoint(
                f"The mask of {name!r} in mask_info removes weights that are not zero in the file. Save the state "
                "after applying the masks.",
                key=str(name),
            )
    ignored = len(masks) - fitting
    if ignored:
        entries = count_words(ignored, "entry", "entries")
        found.warnings.append(
            f"The import ignored {entries} of mask_info without a weight of the same name and shape. Weights count as "
            "pruned where they are zero in the file."
        )
