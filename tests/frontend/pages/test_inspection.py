"""The sheet says in plain words what the weights say."""

from pathlib import Path
from typing import Any

import pytest

from backend.schemas.checkpoints import CheckpointOut, LayerOut
from backend.schemas.inspections import (
    Descent,
    InspectionOut,
    LayerDescent,
    LayerStructure,
    LikelyParent,
    NormDrift,
    StructureOut,
)
from backend.services import checkpoints
from frontend.pages import upload
from frontend.pages.overview.holdings import read_holdings
from frontend.pages.overview.table import checkpoint_table
from frontend.pages.upload.inspection import check_descent, check_norms, check_sparsity, inspection_card
from tests.frontend.words import hrefs, text_of
from tests.services.fabrication import add_checkpoint, add_dataset

LAYER = {"name": "conv1.weight", "weights": 72, "filters": 8, "channels": 1, "zero_channels": 0}


def make_structure(kind: str = "weight", pattern: str | None = None, zero_filters: int = 0) -> StructureOut:
    layer = LayerStructure(kind=kind, pattern=pattern, zeros=36, zero_filters=zero_filters, **LAYER)
    return StructureOut(
        kind=kind, pattern=pattern, zero_filters=zero_filters, filters=8, zero_channels=0, channels=1, layers=[layer]
    )


def make_descent(answer: Any = "yes", **changes: Any) -> Descent:
    norm = NormDrift(name="bn1", mean_shift=0.3, variance_factor=2.5, affine_change=0.2, is_unchanged=False)
    layer = LayerDescent(
        name="conv1.weight", survivors=36, correlation=0.93, mask_agreement=0.99, changed=36, revived=0
    )
    values: dict[str, Any] = {
        "correlation": 0.93, "mask_agreement": 0.99, "survivors": 36, "changed": 1.0, "relative_change": 0.25,
        "revived": 0, "norms": [norm], "layers": [layer],
    }  # fmt: skip
    return Descent(answer=answer, **(values | changes))


@pytest.fixture
def pair(ready: Path, tmp_path: Path) -> tuple[CheckpointOut, CheckpointOut]:
    dataset = add_dataset(tmp_path, "digits")
    dense = add_checkpoint(dataset.id, "dense")
    found = InspectionOut(
        structure=make_structure(zero_filters=2), parent_id=dense.id, descent=make_descent()
    ).model_dump(mode="json")
    declared: dict[str, Any] = {"declared_sparsity": 0.5, "structure": {"kind": "weight", "rate": 0.5}}
    child = add_checkpoint(dataset.id, "child", role="pruned", parent_id=dense.id, inspection=found, **declared)
    return checkpoints.get_checkpoint(dense.id), checkpoints.get_checkpoint(child.id)


def say(row: CheckpointOut, parent: CheckpointOut | None, **changes: Any) -> str:
    assert row.inspection is not None
    return text_of(
        inspection_card(row.model_copy(update={"inspection": row.inspection.model_copy(update=changes)}), parent)
    )


def test_sheet_says_sparsity_kind_dead_filters_and_parent(pair: tuple[CheckpointOut, CheckpointOut]) -> None:
    words = text_of(upload.layout(checkpoint=str(pair[1].id)))
    for sentence in (
        "50.00 % of the prunable weights are zero; the declared sparsity is 50.00 %.",
        "Individual weights are zero, with no pattern.",
        "2 of 8 filters have no weight left",
        "Made from dense?",
        "Yes: the correlation of 36 surviving weights with the parent's weights is 0.93; in 99 % of pairs",
        "Finetuned: 100.00 % of the surviving weights changed, by 25 % of their norm in total.",
        "1 of 1 layer changed: running means by 0.30 to 0.30 of the parent's standard deviations",
        "Parent correlation",
    ):
        assert sentence in words, sentence


def test_sheet_without_an_inspection_has_no_such_card(pair: tuple[CheckpointOut, CheckpointOut]) -> None:
    assert "What the weights say" not in text_of(upload.layout(checkpoint=str(pair[0].id)))
    assert inspection_card(pair[0], None) is None


def test_check_sparsity_warns_of_a_layer_off_though_the_whole_is_right(
    pair: tuple[CheckpointOut, CheckpointOut],
) -> None:
    layers = [
        LayerOut(name=name, shape=[weights, 1], weights=weights, zeros=zeros, sparsity=zeros / weights)
        for name, weights, zeros in (("conv.weight", 9_900, 4_950), ("linear.weight", 100, 30))
    ]
    child = pair[1].model_copy(update={"layers": layers, "measured_sparsity": 0.498})
    assert check_sparsity(child).outcome == "ok"
    check = check_sparsity(child.model_copy(update={"method": "hydra"}))
    assert check.outcome == "warn" and "from 30.00 % (linear.weight) to 50.00 %" in check.sentence


def test_card_masked_network_is_told_from_a_finetuned_one(pair: tuple[CheckpointOut, CheckpointOut]) -> None:
    dense, child = pair
    same = NormDrift(name="bn1", mean_shift=0, variance_factor=1, affine_change=0, is_unchanged=True)
    words = say(child, dense, descent=make_descent(changed=0.0, norms=[same]))
    assert "Only masked" in words and "1 layer, identical to the parent, bit for bit." in words
    assert "5 weights are zero in the parent but not here" in say(child, dense, descent=make_descent(revived=5))
    assert check_norms([]) == []


def test_card_wrong_parent_and_likelier_one_are_said(pair: tuple[CheckpointOut, CheckpointOut]) -> None:
    dense, child = pair
    likely = LikelyParent(checkpoint_id=child.id, name="other", correlation=0.88)
    words = say(child, dense, descent=make_descent("no", correlation=0.02), likely_parent=likely)
    assert (
        "No: the correlation of 36 surviving weights with the parent's weights is 0.02" in words
        and "Finetuned" not in words
    )
    assert "have a correlation of 0.88 with those of other, which is not the declared parent." in words
    assert check_descent(make_descent("cannot tell"), dense).outcome == "warn"
    other = child.model_copy(
        update={"inspection": child.inspection and child.inspection.model_copy(update={"likely_parent": likely})}
    )
    assert f"/upload?checkpoint={child.id}" in hrefs(inspection_card(other, dense))


def test_card_declared_kind_that_is_another_is_odd(pair: tuple[CheckpointOut, CheckpointOut]) -> None:
    dense, child = pair
    assert "weight pruning was declared" in say(child, dense, structure=make_structure("filter"))
    assert "2 of every 4 weights along the inputs are kept (2:4)" in say(
        child, dense, structure=make_structure("n:m", "2:4")
    )


def test_overview_marks_a_child_of_another_network(pair: tuple[CheckpointOut, CheckpointOut], tmp_path: Path) -> None:
    assert "not made from its parent" not in text_of(checkpoint_table(read_holdings()))
    wrong = InspectionOut(structure=make_structure(), parent_id=pair[0].id, descent=make_descent("no"))
    add_checkpoint(
        pair[0].dataset_id, "wrong", role="pruned", parent_id=pair[0].id, inspection=wrong.model_dump(mode="json")
    )
    assert "by its weights, not made from its parent" in text_of(checkpoint_table(read_holdings()))
