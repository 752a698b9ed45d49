"""Comparisons of a dense and a pruned evaluation, sample by sample."""

import math
from uuid import UUID

import numpy as np

from backend.analysis import flips, mismatches
from backend.analysis.pairing import Pair, judge_at
from backend.analysis.statistics import find_middle
from backend.eps import check_eps, eps_text, parse_eps
from backend.errors import InvalidRequest
from backend.jobs.registration.kinship import tell_kinship
from backend.schemas import FlipSet
from backend.schemas.comparisons import ComparisonOut, MismatchOut, NoiseOut, PairedSample
from backend.services.comparisons import bounds, noise, numbers, replays
from backend.services.comparisons.caveats import (
    caveats_of_descent,
    caveats_of_gain,
    caveats_of_margins,
    note_caveats,
)
from backend.services.comparisons.controls import tell_kind
from backend.services.comparisons.effort import find_mismatches, show_mismatch
from backend.services.comparisons.notes import MEDIAN_EPS, write_notes
from backend.services.comparisons.sides import Sides, Stored, load_sides, read_stored
from backend.services.evaluations.measurements import load_indices
from backend.store.database import reading
from backend.store.tables import Checkpoint, Evaluation
from models.pruning.plans import CONTROL

SETS: tuple[FlipSet, ...] = ("S11", "S10", "S01", "S00")


def compare(dense_id: UUID | str, pruned_id: UUID | str, eps: str | float | None = None) -> ComparisonOut:
    """Everything that two evaluations say about each other.

    Args:
        dense_id, pruned_id: succeeded evaluations; a control or another seed may stand on the pruned side.
        eps: where robustness is judged; by default that of the evaluations, then the data set's, then the median
            dense margin, which `notes` says.

    Raises:
        NotFound: no such evaluation.
        Conflict: one of them has not succeeded; says its state.
        NotComparable: they share no samples.
        InvalidRequest: no eps can be told, or witnesses are asked about an eps that is neither side's own.
    """
    stored = read_stored(dense_id, pruned_id)
    sides, text = stored.sides, choose_eps(stored.sides, eps)
    number, change, keys = float(parse_eps(text)), _name_change(sides), (sides.dense_key, sides.pruned_key)
    joined, clean = numbers.join(*keys), numbers.find_clean(*keys)
    robust, robust_statistics = numbers.find_robust(*keys, number, text)
    differences = find_mismatches(sides.dense, sides.pruned, *keys, joined)
    caveats = _find_caveats(stored, joined)
    additional = bounds.sum_up(joined, stored.bounds, number, sides.dense, sides.pruned)
    notes = [*note_caveats(caveats), *write_notes(sides.dense, sides.pruned, joined, clean.prediction)]
    robust_bins, robust_classes = numbers.find_robust_losses(*keys, number)
    return ComparisonOut(
        dense=stored.shown[0],
        pruned=stored.shown[1],
        eps=number,
        eps_text=text,
        n=joined.n,
        clean=numbers.show_counts(clean.summary.counts),
        robust=robust,
        negative_flip_rate=numbers.show_rate(clean.summary.negative_flip_rate),
        positive_flip_rate=numbers.show_rate(clean.summary.positive_flip_rate),
        churn=numbers.show_rate(clean.summary.churn),
        mcnemar_p=clean.summary.mcnemar_p,
        auroc=numbers.show_auroc(clean.prediction),
        auroc_reason=clean.prediction.reason,
        predictive=numbers.show_predictive(clean.prediction),
        robust_statistics=robust_statistics,
        spearman=clean.spearman,
        bins=clean.bins,
        curves=clean.curves,
        classes=numbers.show_classes(clean.classes, sides.dataset.classes),
        robust_bins=robust_bins,
        robust_classes=numbers.show_classes(robust_classes, sides.dataset.classes),
        controls=[numbers.show_control(*keys, one, number) for one in stored.controls],
        controls_reason=stored.controls_reason,
        noise=_find_noise(stored.repeats, number),
        replay=replays.explain(joined, number, stored.replays),
        additional_evidence=additional,
        mismatches=[
            *map(show_mismatch, differences),
            *_find_lineage_mismatches(sides),
            *caveats,
            *bounds.warn_of_one_side(additional, text),
        ],
        equal_effort=mismatches.is_equal_effort(differences),
        change=change,
        headline=numbers.write_headline(change, *keys, stored.controls),
        robust_headline=numbers.write_headline(change, *keys, stored.controls, (number, text)),
        notes=_frame_notes(notes, stored, is_median_eps=eps is None and _find_named_eps(sides) is None),
    )


def paired_samples(
    dense_id: UUID | str,
    pruned_id: UUID | str,
    eps: str | float | None = None,
    set: str | None = None,
) -> list[PairedSample]:
    """The shared samples, or those of one clean set, by dense margin; samples without one come last.

    Raises:
        as `compare`, and InvalidRequest for an unknown set.
    """
    if set is not None and set not in SETS:
        raise InvalidRequest(f"There is no set {set!r}. Known: {', '.join(SETS)}.", set=set)
    with reading() as session:
        sides = load_sides(session, dense_id, pruned_id)
        known = bounds.load_bounds(session, sides.dense, sides.pruned)
    number = float(parse_eps(choose_eps(sides, eps)))
    joined = numbers.join(sides.dense_key, sides.pruned_key)
    names, robust_names = flips.name_sets(joined), flips.name_sets(judge_at(joined, number), number)
    lowered = bounds.lower(joined, known)
    best_names = bounds.name_best_known_sets(joined, known, number)
    rows = np.arange(joined.n) if set is None else np.flatnonzero(names == set)
    ordered = rows[np.argsort(joined.dense.margin[rows], kind="stable")]
    indices = load_indices(sides.dense_key)
    return [
        _show_sample(
            joined, lowered, int(row), indices, (str(names[row]), str(robust_names[row]), str(best_names[row]))
        )
        for row in ordered
    ]


def choose_eps(sides: Sides, eps: str | float | None) -> str:
    """The exact text of the eps to judge at."""
    norm = sides.dense.norm
    if eps is not None:
        check_eps(eps, norm, math.prod(sides.dataset.shape))
        return eps_text(eps, norm)
    return _find_named_eps(sides) or _choose_median_margin(sides)


def is_median_eps(comparison: ComparisonOut) -> bool:
    """Whether eps was chosen from the margins, because nothing names one."""
    return MEDIAN_EPS in comparison.notes


def _find_named_eps(sides: Sides) -> str | None:
    """The eps that the evaluations or the data set name; None where neither has one for this norm."""
    witnesses = [row.eps for row in (sides.pruned, sides.dense) if row.record.distance_kind == "witness"]
    own = [row.eps for row in (sides.pruned, sides.dense) if row.eps is not None]
    if witnesses and witnesses[0] is not None:
        return witnesses[0]
    if own and len({*own}) == 1:
        return own[0]
    if sides.dense.norm == sides.dataset.default_norm:
        return sides.dataset.default_eps
    return own[0] if own else None


def _choose_median_margin(sides: Sides) -> str:
    """The median dense margin to two digits, in 1/255 for Linf: half of the samples with a margin hold there.

    Margins of 0 and infinite ones are censored, so they do not count.
    """
    norm, dense = sides.dense.norm, numbers.join(sides.dense_key, sides.pruned_key).dense
    margins = dense.margin[np.isfinite(dense.margin) & (dense.margin > 0)]
    median = find_middle(margins)
    if dense.kind != "minimum" or median is None:
        raise InvalidRequest(
            f"Give an eps: neither evaluation names one, the data set has no default for {norm}, and there is no dense "
            "margin to choose one from."
        )
    return eps_text(f"{median * 255:.2g}/255" if norm == "Linf" else f"{median:.2g}", norm)


def _find_caveats(stored: Stored, joined: Pair) -> list[MismatchOut]:
    """Why the margins of either side may be too large."""
    sides = stored.sides
    return [
        *caveats_of_gain(joined, sides.pruned_checkpoint, sides.pruned.norm),
        *caveats_of_margins("dense", sides.dense_key, sides.dense_checkpoint, stored.challenges[0]),
        *caveats_of_margins("pruned", sides.pruned_key, sides.pruned_checkpoint, stored.challenges[1]),
    ]


def _frame_notes(notes: list[str], stored: Stored, *, is_median_eps: bool) -> list[str]:
    """The notes after the one on a chosen eps, and before the one on controls that were left out."""
    first = [MEDIAN_EPS] if is_median_eps else []
    # Where no controls are shown, the reason answers why there are none and stands with them.
    last = [stored.controls_reason] if stored.controls and stored.controls_reason is not None else []
    return [*first, *notes, *last]


def _find_lineage_mismatches(sides: Sides) -> list[MismatchOut]:
    """Whether the pruned checkpoint was made from this dense one."""
    dense, pruned = sides.dense_checkpoint, sides.pruned_checkpoint
    if pruned.parent_id == dense.id:
        return caveats_of_descent(dense, pruned)
    if pruned.id == dense.id:
        sentence = "Both evaluations are of the same checkpoint, so only the attacks can differ."
    elif pruned.role == "dense":
        sentence = _tell_dense_lineage(pruned, dense)
    elif pruned.parent_id is None:
        sentence = f"{pruned.name} names no parent, so it is not known whether it was made from {dense.name}."
    else:
        sentence = f"{pruned.name} was not made from {dense.name}: the comparison needs its actual parent."
        return [_lineage_mismatch(dense, pruned, sentence, "differs")]
    return [_lineage_mismatch(dense, pruned, sentence, "note")]


def _tell_dense_lineage(row: Checkpoint, dense: Checkpoint) -> str:
    """How a dense network on the pruned side is related to the other, as far as that is known."""
    kinship = tell_kinship(row, dense)
    if kinship == "yes":
        return f"By their weights {row.name} and {dense.name} are dense networks of one training run; none is pruned."
    if kinship == "no":
        return f"{row.name} was not made from {dense.name}: it is another dense network."
    return f"{row.name} is another dense network; it is not known whether it was made from {dense.name}."


def _lineage_mismatch(dense: Checkpoint, pruned: Checkpoint, sentence: str, severity: str) -> MismatchOut:
    return MismatchOut(
        field="parent",
        dense=dense.name,
        pruned=pruned.name,
        severity="note" if severity == "note" else "differs",
        sentence=sentence,
    )


def _name_change(sides: Sides) -> str:
    """What was done to the dense model, to begin a sentence with."""
    row = sides.pruned_checkpoint
    if row.id == sides.dense_checkpoint.id:
        return "Attacking again"
    if row.role == "pruned":
        return f"Pruning to {row.measured_sparsity * 100:.3g} %"
    if row.method == CONTROL:
        return "Finetuning without pruning"
    if tell_kind(row, sides.dense_checkpoint) == "seed":
        return "Another training seed"
    if tell_kinship(row, sides.dense_checkpoint) == "yes":
        return "A change of the weights without pruning"
    return "Another dense network"


def _find_noise(repeats: list[list[Evaluation]], eps: float) -> list[NoiseOut]:
    found = (noise.compare_repeats(repeats[0], "dense", eps), noise.compare_repeats(repeats[1], "pruned", eps))
    return [one for one in found if one is not None]


def _show_sample(
    joined: Pair, lowered: Pair, row: int, indices: dict[str, int], names: tuple[str, str, str]
) -> PairedSample:
    """`lowered` holds the best-known bounds; `names` are the clean set, the robust one, and that by the bounds."""
    dense, pruned = joined.dense, joined.pruned
    best = (lowered.dense.margin[row], lowered.pruned.margin[row])
    sample_id = str(dense.sample_ids[row])
    return PairedSample.model_validate(
        {
            "index": indices[sample_id],
            "sample_id": sample_id,
            "label": int(dense.labels[row]),
            "set": names[0],
            "robust_set": names[1],
            "best_known_set": names[2],
            "dense_best_known": _finite(best[0]),
            "pruned_best_known": _finite(best[1]),
            "has_evidence": best != (dense.margin[row], pruned.margin[row]),
            "dense_prediction": int(dense.predictions[row]),
            "pruned_prediction": int(pruned.predictions[row]),
            "dense_margin": _finite(dense.margin[row]),
            "pruned_margin": _finite(pruned.margin[row]),
            "dense_margin_pred": _finite(dense.margin_pred[row]),
            "pruned_margin_pred": _finite(pruned.margin_pred[row]),
            "dense_found": bool(dense.found[row]),
            "pruned_found": bool(pruned.found[row]),
            "dense_logit_gap": float(dense.logit_gap[row]),
        }
    )


def _finite(value: float) -> float | None:
    """A distance, None where nothing was found."""
    return float(value) if np.isfinite(value) else None
