"""What one evaluation found out about every sample, as arrays checked once at the door."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backend.errors import InvalidRequest

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
TextArray = NDArray[np.str_]

KINDS = ("minimum", "witness")

# A minimum is compared as measured; only that eps as a fraction, a double and a float32 differ in the last digit is
# evened out, by two ulps of a float32 (relative). A margin that is shown above eps is robust at eps.
EPS_TOLERANCE = 2e-7
# A witness was searched within its own eps and is asked about no other, so what lies this near was found there: rows
# of releases that admitted the rounding of a float32 pixel (6e-8) lie that much outside.
WITNESS_TOLERANCE = 1e-4


@dataclass(frozen=True, eq=False)
class Outcomes:
    """Per-sample outcomes of one evaluation, one entry per sample (N,), in any order.

    Args:
        sample_ids: text (N,), content hashes, unique.
        labels, predictions: int64 (N,); the predictions are those on the clean samples.
        correct: bool (N,), exactly `labels == predictions`.
        margin: float64 (N,), distance until the true label is lost, in the norm's unit; 0 exactly where the clean
            sample is wrong, inf exactly where nothing was found. An upper bound of the true distance.
        found: bool (N,), true also where the clean sample is wrong.
        margin_pred: float64 (N,), distance until the model's own prediction changes; inf where not found.
        logit_gap: float64 (N,), true logit minus best other; negative where wrong.
        max_probability: float64 (N,) in [0, 1].
        loss: float64 (N,), cross-entropy of the clean sample.
        kind: "minimum" (margins of a minimum-norm attack) or "witness" (adversarials found at one fixed eps).
        eps: for witnesses, the size they were searched at; None where the caller vouches for it.

    Raises:
        InvalidRequest: lengths differ, a NaN, an unknown kind, or one of the rules above is broken.
    """

    sample_ids: TextArray
    labels: IntArray
    predictions: IntArray
    correct: BoolArray
    margin: FloatArray
    found: BoolArray
    margin_pred: FloatArray
    logit_gap: FloatArray
    max_probability: FloatArray
    loss: FloatArray
    kind: str = "minimum"
    eps: float | None = None

    def __post_init__(self) -> None:
        for name, dtype in _DTYPES.items():
            object.__setattr__(self, name, _freeze(name, getattr(self, name), dtype))
        _check_shapes(self)
        _check_values(self)

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.sample_ids)

    @cached_property
    def order(self) -> IntArray:
        """Rows in the order of their sample ids, int64 (n,)."""
        return np.argsort(self.sample_ids)

    def take(self, rows: ArrayLike) -> "Outcomes":
        """The same evaluation restricted to `rows` (int or bool index), in that order."""
        index = np.asarray(rows)
        is_taken = np.zeros(self.n, dtype=bool)
        is_taken[index] = True
        if index.dtype != bool and is_taken.sum() < len(index):
            raise InvalidRequest("A sample was asked for twice.")
        taken = object.__new__(Outcomes)  # its values were checked when this evaluation was made
        for name in _DTYPES:
            column = getattr(self, name)[index]
            column.setflags(write=False)
            object.__setattr__(taken, name, column)
        object.__setattr__(taken, "kind", self.kind)
        object.__setattr__(taken, "eps", self.eps)
        return taken


_DTYPES: dict[str, type] = {
    "sample_ids": np.str_,
    "labels": np.int64,
    "predictions": np.int64,
    "correct": np.bool_,
    "margin": np.float64,
    "found": np.bool_,
    "margin_pred": np.float64,
    "logit_gap": np.float64,
    "max_probability": np.float64,
    "loss": np.float64,
}


def make_outcomes(columns: Mapping[str, Any], *, kind: str, eps: float | None = None) -> Outcomes:
    """Outcomes from named columns of any sequence type; unknown and missing columns are refused by name."""
    expected = set(_DTYPES)
    if set(columns) != expected:
        missing, unknown = sorted(expected - set(columns)), sorted(set(columns) - expected)
        raise InvalidRequest(
            f"Outcomes need exactly these columns: {', '.join(_DTYPES)}; missing {missing}, unknown {unknown}.",
            missing=missing,
            unknown=unknown,
        )
    return Outcomes(**columns, kind=kind, eps=eps)


def is_broken(margin: FloatArray, eps: float, kind: str = "minimum") -> BoolArray:
    """Whether an adversarial within eps is known: margin <= eps, up to the tolerance of its kind."""
    return margin <= largest_within(eps, kind)


def largest_within(eps: float, kind: str = "minimum") -> float:
    """The largest margin of its kind that counts as within eps."""
    return eps * (1.0 + tolerance_of(kind))


def tolerance_of(kind: str) -> float:
    """How far above eps (relative) a distance of this kind still counts as within it."""
    return WITNESS_TOLERANCE if kind == "witness" else EPS_TOLERANCE


def is_held(outcomes: Outcomes, eps: float | None) -> BoolArray:
    """Right without attack (eps None) or right under every perturbation tried within eps, bool (N,).

    Raises:
        InvalidRequest: eps is negative or not finite, or witnesses are asked about another eps than their own: they
            say nothing about a smaller ball, and "not found" says nothing about a larger one.
    """
    if eps is None:
        return outcomes.correct.copy()
    check_eps(eps)
    if not decides_at(outcomes, eps):
        raise InvalidRequest(
            f"These outcomes are witnesses at eps {outcomes.eps:.6g} and say nothing about eps {eps:.6g}; "
            "evaluate with a preset that measures margins.",
            eps=eps,
            witness_eps=outcomes.eps,
        )
    return outcomes.correct & ~is_broken(outcomes.margin, eps, outcomes.kind)


def decides_at(outcomes: Outcomes, eps: float) -> bool:
    """Whether the stored margins decide robustness at eps: minima always, witnesses at 0 and at their own eps."""
    if outcomes.kind == "minimum" or outcomes.eps is None or eps == 0:
        return True
    return bool(abs(eps - outcomes.eps) <= EPS_TOLERANCE * outcomes.eps)


def check_eps(eps: float) -> None:
    """Refuse an eps that is no perturbation size."""
    if not np.isfinite(eps) or eps < 0:
        raise InvalidRequest(f"eps must be a finite number >= 0; got {eps}.", eps=str(eps))


def _freeze(name: str, values: ArrayLike, dtype: type) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.array(values, dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InvalidRequest(f"The column {name} cannot be read as {dtype.__name__}: {error}.", column=name) from error
    array.setflags(write=False)
    return array


def _check_shapes(outcomes: Outcomes) -> None:
    lengths = {name: getattr(outcomes, name).shape for name in _DTYPES}
    if len(set(lengths.values())) != 1 or outcomes.labels.ndim != 1:
        shown = ", ".join(f"{name} {shape}" for name, shape in lengths.items())
        raise InvalidRequest(f"Every column needs one entry per sample; got {shown}.", lengths=shown)
    if outcomes.kind not in KINDS:
        raise InvalidRequest(f"The kind must be one of {', '.join(KINDS)}; got {outcomes.kind!r}.", kind=outcomes.kind)
    repeated = outcomes.n - len(np.unique(outcomes.sample_ids))
    if repeated:
        raise InvalidRequest(f"Sample ids must be unique; {repeated} repeat an earlier one.", repeated=repeated)
    if outcomes.eps is not None:
        check_eps(outcomes.eps)


def _check_values(outcomes: Outcomes) -> None:
    for field in fields(Outcomes):
        values = getattr(outcomes, field.name)
        if field.name in _DTYPES and values.dtype.kind == "f":
            _refuse(np.isnan(values), outcomes, f"{field.name} must not be NaN (not found is inf)")
    margin, correct = outcomes.margin, outcomes.correct
    _refuse(correct != (outcomes.labels == outcomes.predictions), outcomes, "correct must equal label == prediction")
    _refuse((margin < 0) | (outcomes.margin_pred < 0), outcomes, "margins must not be negative")
    _refuse((margin == 0) == correct, outcomes, "margin must be 0 exactly where the clean sample is wrong")
    _refuse(np.isinf(margin) == outcomes.found, outcomes, "margin must be inf exactly where nothing was found")
    probability = outcomes.max_probability
    _refuse((probability < 0) | (probability > 1), outcomes, "max_probability must lie in [0, 1]")


def _refuse(is_bad: BoolArray, outcomes: Outcomes, rule: str) -> None:
    if is_bad.any():
        first = str(outcomes.sample_ids[int(np.argmax(is_bad))])
        count = int(is_bad.sum())
        raise InvalidRequest(f"In outcomes, {rule}; {count} of {outcomes.n} break this rule.", count=count, first=first)
