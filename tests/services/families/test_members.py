"""Which evaluation stands in a row of a family, what is left empty, and why."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.services.families.service import get_family
from tests.services.fabrication import Measured, add_checkpoint, add_dataset, evaluate, make_pixels, measure
from tests.services.families.fabrication import thin_ice_losses
from tests.services.families.made_family import (
    EPS,
    MadeFamily,
    N,
    answer_to,
    held,
    home_with_family,
    row_of,
    verdict_of,
)

WITNESS: dict[str, Any] = {"distance_kind": "witness"}


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Iterator[MadeFamily]:
    """A family that the test may add to."""
    with home_with_family(template, tmp_path) as family:
        yield family


def test_family_cells_without_an_evaluation_are_empty_and_say_why(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=60)
    root = add_checkpoint(dataset.id, "dense")
    child = add_checkpoint(dataset.id, "child", role="pruned", parent_id=root.id, declared_sparsity=0.9)
    row = row_of(get_family(root.id), "child")
    assert row.clean_accuracy.rate is None and row.margin is None and row.flips is None and row.claim is None
    assert row.clean_accuracy.reason == row.flips_reason == "No finished evaluation with margin at Linf."
    assert {one.rate for one in row.verdicts} == {None}
    assert verdict_of(row, "autoattack").reason == "No finished evaluation with autoattack at Linf 25.5/255."
    assert row.claim_reason == "No robust accuracy is claimed."
    labels = make_pixels(60)[1]
    evaluate(child, dataset, measure(labels, 1))
    family = get_family(root.id)
    row = row_of(family, "child")
    assert verdict_of(row, "margin").rate is not None, "a figure stands for itself"
    assert row.flips is None and row.flips_reason == "No finished evaluation with margin at Linf."
    assert [one.answer for one in family.answers] == ["cannot tell"] * 3
    assert "of these lack what the question needs" in family.answers[0].sentence
    assert family.answers[2].sentence == "Cannot tell. This question applies to no checkpoint of the family."


def test_family_takes_most_samples_then_the_dense_networks_seed(made: MadeFamily) -> None:
    kept = made.done["lwm-95"].id
    evaluate(made.rows["lwm-95"], made.dataset, made.measured["lwm-95"], 100)
    evaluate(made.rows["lwm-95"], made.dataset, made.measured["lwm-95"], seed=3)
    picked = list(range(N - 1, -1, -1))
    evaluate(made.rows["dense"], made.dataset, made.measured["dense"], picked)
    family = made.family()
    assert verdict_of(row_of(family, "lwm-95"), "margin").evaluation_id == kept
    assert verdict_of(row_of(family, "dense"), "margin").evaluation_id == made.done["dense"].id, "rows in order first"


def test_family_leaves_out_what_was_attacked_otherwise(made: MadeFamily) -> None:
    row = add_checkpoint(made.dataset.id, "late", role="pruned", parent_id=made.rows["dense"].id, declared_sparsity=0.9)
    done = evaluate(row, made.dataset, made.measured["lwm-95"], record={"steps": 99})
    late = row_of(made.family(), "late")
    assert verdict_of(late, "margin").rate is None and late.flips is None
    assert verdict_of(late, "margin").incompatible_evaluation_id == done.id
    assert late.flips_reason is not None and "number of steps differs: dense 30, here 99" in late.flips_reason
    assert (late.structure, late.level, late.group) == ("weight", 0.9, "weights, 90 %")


def test_family_at_another_eps_cuts_margins_and_leaves_verdicts_empty(made: MadeFamily) -> None:
    broken = made.measured["lwm-95"]
    verdicts = Measured(
        broken.predictions, np.where(broken.margin > EPS, np.inf, broken.margin), broken.logit_gap, kind="witness"
    )
    found = evaluate(made.rows["lwm-95"], made.dataset, verdicts, preset="autoattack", eps="25.5/255", record=WITNESS)
    own = verdict_of(row_of(made.family(), "lwm-95"), "autoattack")
    assert (own.evaluation_id, own.rate.n) == (found.id, N)
    assert own.rate.count == int(held(broken, made.labels).sum())
    row = row_of(made.family(eps="12/255"), "lwm-95")
    assert verdict_of(row, "autoattack").rate is None
    assert verdict_of(row, "autoattack").reason == "No finished evaluation with autoattack at Linf 12/255."
    assert verdict_of(row, "margin").rate.count == int(held(broken, made.labels, 12 / 255).sum())
    assert row.claim is None and row.claim_reason == "The claim is at Linf 25.5/255."


def test_thin_ice_without_a_control_cannot_be_told(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=N)
    labels = make_pixels(N)[1]
    dense = measure(labels, 1)
    root = add_checkpoint(dataset.id, "dense")
    child = add_checkpoint(dataset.id, "child", role="pruned", parent_id=root.id, declared_sparsity=0.9)
    evaluate(root, dataset, dense)
    evaluate(child, dataset, thin_ice_losses(dense, labels, 2, 0.9))
    family = get_family(root.id)
    (one,) = answer_to(family, "thin ice").findings
    assert [part.answer for part in one.parts] == ["yes"] and one.answer == "cannot tell"
    assert one.reason == "dense has no control (finetuned for as long, nothing pruned)."
    assert "re-implementations" not in answer_to(family, "thin ice").sentence
    assert answer_to(family, "thin ice").reimplemented == "none"


def test_family_at_an_eps_where_the_dense_network_holds_nothing_has_numbers_or_reasons(
    ready: Path, tmp_path: Path
) -> None:
    dataset = add_dataset(tmp_path, "digits", n=60)
    labels = make_pixels(60)[1]
    root = add_checkpoint(dataset.id, "dense")
    evaluate(root, dataset, measure(labels, 1, missing=0.0))
    for seed, method in enumerate(("lwm", "thin-ice"), 2):
        fields = {"role": "pruned", "parent_id": root.id, "method": method, "declared_sparsity": 0.9}
        evaluate(add_checkpoint(dataset.id, method, **fields), dataset, measure(labels, seed, missing=0.0))
    control = add_checkpoint(dataset.id, "control", parent_id=root.id, method="control")
    evaluate(control, dataset, measure(labels, 9, missing=0.0))
    family = get_family(root.id, eps=1.0)
    row = row_of(family, "lwm")
    assert verdict_of(row, "margin").rate.count == 0, "a measured 0 is a number"
    assert row.flips is not None and row.flips.beyond is not None and row.flips.beyond.robust is None
    (one,) = answer_to(family, "rivals").findings
    assert (one.answer, one.parts) == ("cannot tell", [])
    assert one.reason == "The dense network holds no sample at 255/255."
