"""The keep rate that a score file needs and does not hold: read from the file's name, or asked for."""

import re
from decimal import Decimal

from backend.counts import count_words
from backend.errors import AmbiguousCheckpoint, InvalidRequest
from models.pruning.plans import HARP, HYDRA, METHODS

# "k0.05", "k_0.05", "keep_rate=0.1", "keep-0.1"; a letter before it would make it part of another word.
KEEP_RATE = re.compile(r"(?<![a-z])k(?:eep)?(?:[_-]?(?:rate|ratio))?[_=-]?((?:0?\.\d+)|(?:1\.0+))(?![\d.]*\d)", re.I)
# "sparsity_0.95", "sparsity95", "sparsity-99.5": the share that is removed.
SPARSITY = re.compile(r"(?<![a-z])sparsity[_=-]?(0?\.\d+|\d\d(?:\.\d+)?)(?![\d]|\.\d)", re.I)

KEPT_SHARES = {
    HYDRA: "the share of weights that every layer keeps (its k)",
    HARP: "the target share of weights that the whole network keeps (its k, from which the smallest rate of a layer, a "
    "tenth of it, follows)",
}
"""Method -> what the keep rate is the share of."""


def read_keep_rate(file_name: str | None) -> float | None:
    """The share of weights kept that a file's name states, 0..1; None where it states none, or two that differ."""
    if not file_name:
        return None
    kept = {Decimal(found) for found in KEEP_RATE.findall(file_name)}
    removed = {Decimal(found) for found in SPARSITY.findall(file_name)}
    kept |= {1 - (share / 100 if share >= 1 else share) for share in removed}
    rates = {rate for rate in kept if 0 < rate <= 1}
    return float(rates.pop()) if len(rates) == 1 else None


def check_keep_rate(keep_rate: float) -> float:
    """Give the rate back.

    Raises:
        InvalidRequest: it is not within 0..1.
    """
    if not 0 < keep_rate <= 1:
        raise InvalidRequest(f"keep_rate must be within 0..1, got {keep_rate:g}.")
    return keep_rate


def ask_keep_rate(method: str, count: int, suggestion: float | None, marker: str) -> AmbiguousCheckpoint:
    """The question for the keep rate, ready to be raised.

    Args:
        method: a row of `KEPT_SHARES`.
        count: how many layers have scores.
        suggestion: a rate that would fit what the file does hold; None where nothing in it tells.
        marker: the kind of key that raised the question.
    """
    words = ""
    if suggestion is not None:
        words = f" Its rates just fit a target of {suggestion:.4g}; send this value only if your run used it."
    layers = count_words(count, "layer has", "layers have")
    return AmbiguousCheckpoint(
        f"This is a {METHODS[method].title} masked file: {layers} scores. The masks follow from the scores and "
        f"{KEPT_SHARES[method]}, which is not in the file. Send this share as keep_rate, above 0 and up to 1 (0.05 "
        f"keeps 5 %; 1 is the dense network before pruning).{words}",
        ask="keep_rate",
        suggestion=suggestion,
        marker=marker,
    )
