"""Several checkpoints against one, recounted in plain Python over what was stored, and what is refused."""

from base64 import b64decode
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from backend.errors import InvalidRequest, NotComparable, NotFound
from backend.services import comparisons
from tests.services.fabrication import Measured, add_checkpoint, add_dataset, evaluate, make_pixels, measure
from tests.services.families.fabrication import N, add_family, thin_ice_losses

EPS = 8 / 255


class Made:
    """A family of which four networks are measured: the dense one, two pruned ones and the control."""

    def __init__(self, folder: Path) -> None:
        self.dataset = add_dataset(folder, "digits", n=N)
        self.labels = make_pixels(N)[1]
        self.rows = add_family(self.dataset.id)
        dense = measure(self.labels, 1)
        self.measured: dict[str, Measured] = {"dense": dense}
        for seed, (name, strength) in enumerate((("pruned-95", 0.8), ("pruned-80", 0.5), ("control", 0.1)), 2):
            self.measured[name] = thin_ice_losses(dense, self.labels, seed, strength)
        self.done = {name: evaluate(self.rows[name], self.dataset, made).id for name, made in self.measured.items()}

    def ids(self, *names: str) -> tuple[Any, list[Any]]:
        return self.done["dense"], [self.done[name] for name in names]

    def held(self, name: str, eps: float | None) -> np.ndarray:
        measured = self.measured[name]
        is_right = measured.predictions == self.labels
        return is_right if eps is None else is_right & (measured.margin > eps * (1 + 2e-7))


@pytest.fixture
def made(ready: Path, tmp_path: Path) -> Made:
    return Made(tmp_path)


def test_compare_several_agrees_with_a_recount(made: Made) -> None:
    names = ("pruned-95", "pruned-80", "control")
    found = comparisons.compare_several(*made.ids(*names), "8/255")
    assert (found.n, found.eps_text, found.norm, found.dense.name) == (N, "8/255", "Linf", "dense")
    assert [row.name for row in found.pruned] == list(names)
    for eps, losses, part in ((None, found.clean, "lost"), (EPS, found.robust, "robust_lost")):
        dense = made.held("dense", eps)
        lost = np.array([dense & ~made.held(name, eps) for name in names])
        times = lost.sum(axis=0)
        assert [getattr(row, part).count for row in found.pruned] == lost.sum(axis=1).tolist()
        assert losses.held == dense.sum() and losses.only == [int((row & (times == 1)).sum()) for row in lost]
        assert losses.lost_by == [int((dense & (times == k)).sum()) for k in range(4)]
        assert [one.count for one in losses.at_least] == [int((times >= k).sum()) for k in (1, 2, 3)]
        first = losses.overlaps[0]
        assert (first.first, first.second) == (made.done["pruned-95"], made.done["pruned-80"])
        assert first.both == int((lost[0] & lost[1]).sum())
        assert first.jaccard is not None and first.jaccard.n == int((lost[0] | lost[1]).sum())
    for name, row in zip(("dense", *names), (found.dense, *found.pruned), strict=True):
        assert row.robust_accuracy.count == made.held(name, EPS).sum()
        assert row.clean_accuracy.count == made.held(name, None).sum()
    assert (
        found.dense.flags == []
        and found.dense.lost.count == 0
        and found.notes[0].startswith("Each checkpoint is one training")
    )
    assert len({tuple(point.eps for point in row.curve) for row in (found.dense, *found.pruned)}) == 1, "one grid"


def test_compare_several_numbers_are_those_of_compare(made: Made) -> None:
    found = comparisons.compare_several(*made.ids("pruned-95", "control"))
    for row in found.pruned:
        pair = comparisons.compare(made.done["dense"], row.evaluation_id)
        assert (row.clean, row.robust, row.lost) == (pair.clean, pair.robust, pair.negative_flip_rate)
        assert row.mcnemar_p == pair.mcnemar_p and found.eps_text == pair.eps_text
        assert row.robust_mcnemar_p == pair.robust_statistics.mcnemar_p


def test_compare_several_rests_on_the_samples_that_all_share(made: Made) -> None:
    fewer = evaluate(made.rows["pruned-80"], made.dataset, made.measured["pruned-80"], samples=100)
    found = comparisons.compare_several(made.done["dense"], [made.done["pruned-95"], fewer.id], "8/255")
    assert found.n == 100 and [row.n for row in found.pruned] == [N, 100]
    assert found.pruned[0].robust_accuracy.count == made.held("pruned-95", EPS)[:100].sum()


def test_several_columns_hold_every_sample_by_dense_margin(made: Made) -> None:
    ids = made.ids("pruned-95", "control")
    found, pair = comparisons.several_columns(*ids), comparisons.pair_columns(ids[0], ids[1][0])
    assert (found.n, found.index, found.label, found.thinness) == (N, pair.index, pair.label, pair.thinness)
    assert (found.dense, found.pruned[0]) == (pair.dense, pair.pruned)
    control = comparisons.pair_columns(ids[0], ids[1][1])
    assert found.pruned[1] == control.pruned
    assert sum(len(b64decode(each)) for each in (found.pruned[0].margin, found.pruned[0].prediction)) == 12 * N
    assert found.version == comparisons.several_version(*ids)
    assert found.version != comparisons.several_version(ids[0], ids[1][:1])


def test_several_margins_are_those_of_the_columns(made: Made) -> None:
    margins = comparisons.several_margins(*made.ids("pruned-95"))
    assert len(margins) == 2 and np.isinf(margins[0]).any()
    assert sorted(margins[1]) == sorted(made.measured["pruned-95"].margin)


def test_several_refuses_what_cannot_stand_side_by_side(made: Made, tmp_path: Path) -> None:
    dense, (pruned,) = made.ids("pruned-95")
    with pytest.raises(InvalidRequest, match="1 to 8"):
        comparisons.compare_several(dense, [])
    with pytest.raises(InvalidRequest, match="1 to 8"):
        comparisons.compare_several(dense, [uuid4() for _ in range(9)])
    for twice in ([pruned, pruned], [dense]):
        with pytest.raises(InvalidRequest, match="given twice"):
            comparisons.compare_several(dense, twice)
    with pytest.raises(NotFound):
        comparisons.compare_several(dense, [uuid4()])
    witness = measure(made.labels, 5)
    witness.kind = "witness"
    verdicts = evaluate(made.rows["pruned-80"], made.dataset, witness, preset="autoattack", eps="8/255")
    with pytest.raises(NotComparable, match="verdicts at one eps"):
        comparisons.compare_several(dense, [pruned, verdicts.id])
    other = evaluate(made.rows["pruned-80"], made.dataset, made.measured["pruned-80"], norm="L2")
    with pytest.raises(NotComparable, match="L2"):
        comparisons.compare_several(dense, [pruned, other.id])


def test_several_says_which_checkpoint_was_attacked_differently(made: Made) -> None:
    child = add_checkpoint(made.dataset.id, "other", role="pruned", parent_id=made.rows["dense"].id)
    other = evaluate(child, made.dataset, made.measured["pruned-80"], seed=7)
    weaker = evaluate(made.rows["pruned-80"], made.dataset, made.measured["pruned-80"], preset="fast")
    found = comparisons.compare_several(made.done["dense"], [other.id, weaker.id], "8/255")
    assert not [one for one in found.pruned[0].mismatches if one.severity == "differs"]
    assert [one for one in found.pruned[1].mismatches if one.severity == "differs"]
    assert any("Not all checkpoints were attacked like" in note for note in found.notes)
