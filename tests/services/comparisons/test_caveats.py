"""Margins that are too good to be true are said loudly, without touching equal effort."""

from pathlib import Path

import numpy as np
import pytest

from backend.schemas.comparisons import ComparisonOut
from backend.schemas.datasets import DatasetOut
from backend.services import comparisons
from backend.store.tables import Checkpoint
from tests.services.fabrication import Measured, add_checkpoint, add_dataset, evaluate, make_pixels, measure

N = 120
EPS = 25.5 / 255


def add_pair(folder: Path) -> tuple[DatasetOut, Checkpoint, Checkpoint, Measured]:
    dataset = add_dataset(folder, "digits", n=N)
    dense = add_checkpoint(dataset.id, "net")
    pruned = add_checkpoint(dataset.id, "net-99", role="pruned", parent_id=dense.id, declared_sparsity=0.99)
    return dataset, dense, pruned, measure(make_pixels(N)[1], 1, missing=0.0)


def scale(measured: Measured, factor: float) -> Measured:
    return Measured(measured.predictions, measured.margin * factor, measured.logit_gap)


def break_samples(measured: Measured, count: int) -> Measured:
    """What AutoAttack reports where it breaks all that the margins say, and `count` samples more."""
    is_right = measured.margin > 0
    is_broken = is_right & (measured.margin <= EPS)
    is_broken[np.flatnonzero(is_right & ~is_broken)[:count]] = True
    margin = np.where(is_broken, EPS, np.where(is_right, np.inf, 0.0))
    return Measured(measured.predictions, margin, measured.logit_gap, kind="witness", attack="square")


def pick(found: ComparisonOut, field: str) -> list[tuple[str, str]]:
    return [(row.severity, row.sentence) for row in found.mismatches if row.field == field]


def test_compare_margins_far_above_the_dense_ones_are_said_loudly(ready: Path, tmp_path: Path) -> None:
    dataset, dense, pruned, measured = add_pair(tmp_path)
    better = scale(measured, 2.0)
    found = comparisons.compare(evaluate(dense, dataset, measured).id, evaluate(pruned, dataset, better).id)
    ((severity, sentence),) = pick(found, "apparent-gain")
    middle = float(np.median(measured.margin[measured.margin > 0]))
    assert severity == "differs" and found.equal_effort
    assert f"median {2 * middle * 255:.3g}/255" in sentence and f"against {middle * 255:.3g}/255" in sentence
    assert f"over the {int((measured.margin > 0).sum())} samples" in sentence
    assert "rarely real; gradients may be masked. Run AutoAttack on net-99." in sentence
    assert any("apparent-gain" in note for note in found.notes)


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.15])
def test_compare_margins_that_are_not_far_above_raise_no_caveat(factor: float, ready: Path, tmp_path: Path) -> None:
    dataset, dense, pruned, measured = add_pair(tmp_path)
    flat = Measured(measured.predictions, np.where(measured.margin > 0, 0.1, 0.0), measured.logit_gap)
    found = comparisons.compare(evaluate(dense, dataset, flat).id, evaluate(pruned, dataset, scale(flat, factor)).id)
    assert pick(found, "apparent-gain") == []
    assert not any("apparent-gain" in note for note in found.notes)


def test_compare_losing_thin_samples_is_no_gain(ready: Path, tmp_path: Path) -> None:
    dataset, dense, pruned, measured = add_pair(tmp_path)
    is_kept = measured.margin > np.median(measured.margin)
    predictions = np.where(is_kept, measured.predictions, (make_pixels(N)[1] + 1) % 4)
    lossy = Measured(predictions, np.where(is_kept, measured.margin, 0.0), np.where(is_kept, 1.0, -1.0))
    found = comparisons.compare(evaluate(dense, dataset, measured).id, evaluate(pruned, dataset, lossy).id)
    assert found.clean.n10 >= 20 and pick(found, "apparent-gain") == []


def test_compare_margins_never_found_are_a_gain_beyond_belief(ready: Path, tmp_path: Path) -> None:
    dataset, dense, pruned, measured = add_pair(tmp_path)
    masked = Measured(measured.predictions, np.where(measured.margin > 0, np.inf, 0.0), measured.logit_gap)
    found = comparisons.compare(evaluate(dense, dataset, measured).id, evaluate(pruned, dataset, masked).id)
    ((severity, sentence),) = pick(found, "apparent-gain")
    assert severity == "differs" and "median beyond every radius tried against" in sentence


@pytest.mark.parametrize(("count", "severity"), [(0, None), (1, "note"), (20, "differs")])
@pytest.mark.parametrize("side", ["dense", "pruned"])
def test_compare_stronger_attack_that_breaks_robust_margins_is_said(
    side: str, count: int, severity: str | None, ready: Path, tmp_path: Path
) -> None:
    dataset, dense, pruned, measured = add_pair(tmp_path)
    wide = scale(measured, 4.0)
    left, right = evaluate(dense, dataset, wide), evaluate(pruned, dataset, wide)
    checkpoint = dense if side == "dense" else pruned
    evaluate(checkpoint, dataset, break_samples(wide, count), preset="autoattack", eps=EPS)
    evaluate(checkpoint, dataset, break_samples(wide, 0), preset="autoattack", eps=EPS)
    found = comparisons.compare(left.id, right.id)
    robust = int((wide.margin > EPS).sum())
    expected = (
        f"AutoAttack breaks {count} of the {robust} shared samples that these margins call robust at 25.5/255: "
        f"the margins of {checkpoint.name} are overestimates."
    )
    assert pick(found, "stronger-attack") == ([] if severity is None else [(severity, expected)])
    assert found.equal_effort


def test_compare_stronger_attack_in_another_norm_or_on_other_samples_is_not_asked(ready: Path, tmp_path: Path) -> None:
    dataset, dense, pruned, measured = add_pair(tmp_path)
    wide = scale(measured, 4.0)
    left = evaluate(dense, dataset, wide, list(range(60)))
    right = evaluate(pruned, dataset, wide, list(range(60)))
    verdicts = break_samples(wide, 60)
    evaluate(pruned, dataset, verdicts, preset="autoattack", eps=EPS, norm="L2")
    evaluate(pruned, dataset, verdicts, list(range(60, N)), preset="autoattack", eps=EPS)
    assert pick(comparisons.compare(left.id, right.id), "stronger-attack") == []
    evaluate(pruned, dataset, verdicts, list(range(30, N)), preset="autoattack", eps=EPS)
    ((_, sentence),) = pick(comparisons.compare(left.id, right.id), "stronger-attack")
    assert f"of the {int((wide.margin[30:60] > EPS).sum())} shared samples" in sentence
