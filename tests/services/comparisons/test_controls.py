"""Which controls stand next to a comparison, on which samples, and which are left out and why."""

from pathlib import Path

import pytest

from backend.services import comparisons
from backend.services.comparisons.controls import has_samples_of, tell_kind
from backend.store.database import reading
from backend.store.evaluations import indices_of, succeeded_evaluations
from tests.services.fabrication import (
    add_checkpoint,
    add_dataset,
    change_checkpoint,
    compare_weights,
    evaluate,
    make_pixels,
    measure,
)
from tests.services.families.fabrication import N, count_by_hand, evaluate_pair, thin_ice_losses


def test_compare_without_controls_says_why(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    found = comparisons.compare(dense.id, pruned.id)
    assert found.controls == []
    assert found.controls_reason is not None and "control, seed" in found.controls_reason
    lonely = add_dataset(tmp_path, "lonely", n=N, seed=9)
    root = add_checkpoint(lonely.id, "root")
    child = add_checkpoint(lonely.id, "child", role="pruned", parent_id=root.id)
    other = measure(make_pixels(N, 9)[1], 3)
    first, second = evaluate(root, lonely, other), evaluate(child, lonely, other)
    reason = comparisons.compare(first.id, second.id).controls_reason
    assert reason is not None and "root has no control" in reason


def test_compare_controls_stand_next_to_it_with_the_same_samples(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, labels = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    weak = thin_ice_losses(measured["dense"], labels, 3, 0.3)
    older = evaluate(family["control"], dataset, measured["dense"])
    newer = evaluate(family["control"], dataset, weak)
    evaluate(family["control"], dataset, weak, 50)
    other_seed = evaluate(family["seed"], dataset, thin_ice_losses(measured["dense"], labels, 4, 0.5))
    found = comparisons.compare(dense.id, pruned.id)
    assert [(row.kind, row.name, row.evaluation_id) for row in found.controls] == [
        ("finetuned", "control", newer.id),
        ("seed", "seed", other_seed.id),
    ]
    assert older.id not in {row.evaluation_id for row in found.controls}
    first = found.controls[0]
    is_right = measured["dense"].predictions == labels
    assert first.clean.model_dump() == count_by_hand(is_right, weak.predictions == labels)
    lost = [int((is_right & (side.predictions != labels)).sum()) for side in (measured["pruned-95"], weak)]
    assert first.lost_beyond == lost[0] - lost[1] > 0
    interval = first.lost_beyond_interval
    assert interval is not None and interval.low < first.lost_beyond < interval.high
    assert "same finetuning, nothing pruned" in "".join(part.text for part in found.headline)
    assert found.headline[0].text.startswith("Pruning to 95 %")


def test_compare_control_with_more_samples_stands_next_to_it_on_the_shared_ones(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, labels = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name], 50) for name in ("dense", "pruned-95"))
    weak = thin_ice_losses(measured["dense"], labels, 3, 0.3)
    evaluate(family["control"], dataset, weak)
    fewer = evaluate(family["seed"], dataset, weak, 40)
    found = comparisons.compare(dense.id, pruned.id)
    assert [(row.name, row.n) for row in found.controls] == [("control", 50)]
    assert fewer.id not in {row.evaluation_id for row in found.controls}
    assert sum(found.controls[0].clean.model_dump().values()) == 50


def test_compare_control_on_the_pruned_side_is_compared_like_any_other(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense = evaluate(family["dense"], dataset, measured["dense"])
    for name, words in (("control", "Finetuning without pruning"), ("seed", "Another training seed")):
        side = evaluate(family[name], dataset, measured["pruned-95"])
        found = comparisons.compare(dense.id, side.id)
        assert found.headline[0].text.startswith(words)
        assert side.id not in {row.evaluation_id for row in found.controls}


def test_compare_control_attacked_otherwise_is_left_out_with_the_reason(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, labels = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    weak = thin_ice_losses(measured["dense"], labels, 3, 0.3)
    evaluate(family["control"], dataset, weak, record={"steps": 60})
    found = comparisons.compare(dense.id, pruned.id)
    assert found.controls == [] and found.controls_reason is not None
    assert "control is left out" in found.controls_reason
    assert "The number of steps differs: dense 30, control 60." in found.controls_reason
    assert "nothing pruned" not in "".join(part.text for part in found.headline)
    alike = evaluate(family["seed"], dataset, weak)
    found = comparisons.compare(dense.id, pruned.id)
    assert [row.evaluation_id for row in found.controls] == [alike.id]
    assert found.controls_reason is not None and "control is left out" in found.controls_reason
    assert found.controls_reason in found.notes
    fit = evaluate(family["control"], dataset, weak)
    evaluate(family["control"], dataset, weak, record={"dtype": "bfloat16"})
    found = comparisons.compare(dense.id, pruned.id)
    assert {row.evaluation_id for row in found.controls} == {alike.id, fit.id} and found.controls_reason is None


def test_compare_control_auroc_is_of_the_same_samples_as_its_counts(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, labels = evaluate_pair(tmp_path)
    dense = evaluate(family["dense"], dataset, measured["dense"])
    pruned = evaluate(family["pruned-95"], dataset, measured["pruned-95"], 150)
    weak = thin_ice_losses(measured["dense"], labels, 3, 0.9)
    evaluate(family["control"], dataset, weak)
    (control,) = comparisons.compare(dense.id, pruned.id).controls
    alone = comparisons.compare(dense.id, evaluate(family["control"], dataset, weak, 150).id)
    assert control.auroc is not None and control.auroc == alone.auroc
    assert (control.n, control.auroc.positives) == (150, control.clean.n10)
    assert control.auroc.n == control.clean.n10 + control.clean.n11


@pytest.mark.parametrize("fields", [{"normalization": "mean-std"}, {"method": "distilled"}, {"architecture": "other"}])
def test_compare_another_dense_network_is_no_training_seed(fields: dict[str, str], ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    stranger = evaluate(add_checkpoint(dataset.id, "stranger", **fields), dataset, measured["pruned-95"])
    assert comparisons.compare(dense.id, pruned.id).controls == []
    assert comparisons.compare(dense.id, stranger.id).headline[0].text.startswith("Another dense network")


def test_compare_copy_of_the_dense_network_controls_for_nothing(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    copy = add_checkpoint(dataset.id, "copy", weights_sha256=family["dense"].weights_sha256)
    evaluate(copy, dataset, measured["dense"])
    assert comparisons.compare(dense.id, pruned.id).controls == []


def test_has_samples_of_agrees_with_the_lists_of_rows(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    whole = evaluate(family["dense"], dataset, measured["dense"], 100)
    with reading() as session:
        first = indices_of(session, [whole.id])[whole.id]
    others = sorted({*range(dataset.size)} - {*first})
    for samples in (50, 150, first[:50], first[::-1], first[10:90], [*first[:60], *others[:1]], others[:50]):
        evaluate(family["dense"], dataset, measured["dense"], samples)
    with reading() as session:
        rows = succeeded_evaluations(session, [family["dense"].id])
        rows_of = {key: set(value) for key, value in indices_of(session, [row.id for row in rows]).items()}
    assert len(rows) == 8
    for wide in rows:
        for narrow in rows:
            assert has_samples_of(wide, narrow) == (rows_of[narrow.id] <= rows_of[wide.id]), (wide.n, narrow.n)


@pytest.mark.parametrize(
    ("answer", "correlation", "words"),
    [
        ("yes", 0.98, "seed is no other training seed: its weights come from one training run with those of dense"),
        ("cannot tell", 0.5, "The weights cannot tell whether seed is another training seed (correlation 0.50)"),
        (None, None, "seed is not taken as another training seed, because its weights were not compared"),
    ],
)
def test_compare_dense_network_whose_weights_do_not_deny_kinship_is_no_control(
    answer: str | None, correlation: float | None, words: str, ready: Path, tmp_path: Path
) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    found = None if answer is None else compare_weights(family["dense"], answer=answer, correlation=correlation)
    change_checkpoint(family["seed"], inspection=found)
    change_checkpoint(family["control"], method="distilled", parent_id=None)
    evaluate(family["seed"], dataset, measured["dense"])
    shown = comparisons.compare(dense.id, pruned.id)
    assert shown.controls == [] and words in (shown.controls_reason or "")
    assert "There is no control yet" in "".join(part.text for part in shown.headline)


def test_tell_kind_declared_seed_counts_unless_the_weights_are_kin(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    root = add_checkpoint(dataset.id, "root")
    kinds = {}
    for answer in ("yes", "cannot tell", "no", None):
        inspection = None if answer is None else compare_weights(root, answer=answer)
        row = add_checkpoint(dataset.id, f"declared {answer}", method="seed", inspection=inspection)
        kinds[answer] = tell_kind(row, root)
        assert tell_kind(root, row) == (kinds[answer] if answer == "no" else None), "the root declares nothing"
    assert kinds == {"yes": None, "cannot tell": "seed", "no": "seed", None: "seed"}


def test_tell_kind_declared_control_that_the_weights_deny_is_none(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits")
    root = add_checkpoint(dataset.id, "root")
    fields = {"method": "control", "parent_id": root.id}
    trusted = add_checkpoint(dataset.id, "trusted", **fields)
    denied = add_checkpoint(dataset.id, "denied", inspection=compare_weights(root), **fields)
    assert (tell_kind(trusted, root), tell_kind(denied, root)) == ("finetuned", None)
