"""Comparisons against a recount in plain Python over what was stored, pairing by content, controls and refusals."""

from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from backend.errors import Conflict, InvalidRequest, NotComparable, NotFound
from backend.schemas.comparisons import ComparisonOut
from backend.services import comparisons
from tests.services.fabrication import (
    Measured,
    add_checkpoint,
    add_dataset,
    evaluate,
    make_pixels,
    measure,
    queue,
)
from tests.services.families.fabrication import (
    N,
    add_family,
    auroc_by_hand,
    count_by_hand,
    evaluate_pair,
    thin_ice_losses,
)


def test_compare_numbers_agree_with_a_recount(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, labels = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    found = comparisons.compare(dense.id, pruned.id, "8/255")
    left, right = measured["dense"], measured["pruned-95"]
    is_right = {name: value.predictions == labels for name, value in measured.items()}
    assert found.clean.model_dump() == count_by_hand(is_right["dense"], is_right["pruned-95"])
    eps = 8 / 255
    held = {name: is_right[name] & (value.margin > eps) for name, value in measured.items()}
    assert found.robust.model_dump() == count_by_hand(held["dense"], held["pruned-95"])
    assert (found.eps_text, found.n) == ("8/255", N)
    assert found.negative_flip_rate.value == found.clean.n10 / N
    assert found.positive_flip_rate.value == found.clean.n01 / N
    assert found.churn.count == int((left.predictions != right.predictions).sum())
    assert found.robust_statistics.population == int(held["dense"].sum())
    rows = np.flatnonzero(is_right["dense"])
    expected = auroc_by_hand(list(left.margin[rows]), list(~is_right["pruned-95"][rows]))
    assert found.auroc is not None and found.auroc.value == pytest.approx(expected, abs=1e-12)
    assert found.auroc.positives == found.clean.n10 >= 20
    assert found.auroc.low < expected < found.auroc.high
    assert sum(row.n for row in found.bins) == len(rows) and sum(row.lost for row in found.bins) == found.clean.n10
    for point in found.curves["pruned"]:
        assert point.robust_accuracy == np.mean(is_right["pruned-95"] & (right.margin > point.eps * (1 + 2e-7)))


def test_compare_classes_count_losses_of_what_the_dense_model_held(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, labels = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    found = comparisons.compare(dense.id, pruned.id)
    is_held = measured["dense"].predictions == labels
    is_lost = is_held & (measured["pruned-95"].predictions != labels)
    assert [(row.label, row.name, row.n, row.lost) for row in found.classes] == [
        (label, str(label), int((is_held & (labels == label)).sum()), int((is_lost & (labels == label)).sum()))
        for label in range(4)
    ]
    assert [score.score for score in found.predictive] == ["margin", "logit_gap", "max_probability", "loss"]


def test_compare_shuffled_datasets_pair_by_content(ready: Path, tmp_path: Path) -> None:
    order = np.random.default_rng(5).permutation(N)
    straight = add_dataset(tmp_path, "straight", n=N)
    shuffled = add_dataset(tmp_path, "shuffled", n=N, order=order)
    family = add_family(straight.id)
    _, labels = make_pixels(N)
    left = measure(labels, 1)
    right = thin_ice_losses(left, labels, 2, 0.8)
    moved = Measured(right.predictions[order], right.margin[order], right.logit_gap[order])
    dense = evaluate(family["dense"], straight, left)
    expected = comparisons.compare(dense.id, evaluate(family["pruned-95"], straight, right).id)
    found = comparisons.compare(dense.id, evaluate(family["pruned-95"], shuffled, moved).id)
    assert found.clean == expected.clean and found.robust == expected.robust
    assert found.auroc == expected.auroc and found.spearman == expected.spearman
    assert [row.field for row in found.mismatches if row.severity == "differs"] == ["dataset"]
    assert not found.equal_effort and expected.equal_effort


def test_compare_same_effort_reports_no_mismatch(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    found = comparisons.compare(dense.id, pruned.id)
    assert (found.mismatches, found.equal_effort) == ([], True)
    assert found.eps_text == "25.5/255"


def test_compare_other_effort_is_said_loudly(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense = evaluate(family["dense"], dataset, measured["dense"])
    record = {"steps": 60, "settings": {"versions": {"torch": "2.12.0", "pyautoattack": "0.1.9"}}}
    pruned = evaluate(family["pruned-95"], dataset, measured["pruned-95"], 100, seed=1, record=record)
    found = comparisons.compare(dense.id, pruned.id)
    severity = {row.field: row.severity for row in found.mismatches}
    assert severity["steps"] == severity["versions.pyautoattack"] == "differs"
    assert severity["seed"] == severity["versions.torch"] == "note"
    assert not found.equal_effort
    assert found.n == 100 and any("100 shared" in row.sentence for row in found.mismatches)


def test_compare_other_parent_is_said(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    stranger = evaluate(family["seed"], dataset, measured["dense"])
    pruned = evaluate(family["pruned-95"], dataset, measured["pruned-95"])
    found = comparisons.compare(stranger.id, pruned.id)
    assert [(row.field, row.severity) for row in found.mismatches] == [("parent", "differs")]
    assert found.equal_effort


def test_compare_other_attack_parameters_are_a_difference(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    records = [
        {"settings": {"versions": {"torch": "2.13.0"}, "attacks": {"fmn-untargeted": {"steps": steps}, "segment": {}}}}
        for steps in (30, 10)
    ]
    dense = evaluate(family["dense"], dataset, measured["dense"], record=records[0])
    alike = evaluate(family["pruned-95"], dataset, measured["pruned-95"], record=records[0])
    other = evaluate(family["pruned-95"], dataset, measured["pruned-95"], record=records[1])
    assert comparisons.compare(dense.id, alike.id).mismatches == []
    found = comparisons.compare(dense.id, other.id)
    assert [(row.field, row.severity) for row in found.mismatches] == [("parameters.fmn-untargeted.steps", "differs")]
    assert not found.equal_effort


def test_compare_few_losses_give_a_reason_instead_of_an_auroc(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense = evaluate(family["dense"], dataset, measured["dense"])
    pruned = evaluate(family["pruned-95"], dataset, measured["dense"])
    found = comparisons.compare(dense.id, pruned.id)
    assert found.auroc is None and found.auroc_reason
    assert any("No AUROC" in note for note in found.notes)
    assert found.mcnemar_p == 1.0


def test_compare_unfinished_evaluation_conflicts_with_its_state(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense = evaluate(family["dense"], dataset, measured["dense"])
    waiting = queue(family["pruned-95"], dataset)
    for left, right in ((dense.id, waiting.id), (waiting.id, dense.id)):
        with pytest.raises(Conflict) as refused:
            comparisons.compare(left, right)
        assert refused.value.code == "conflict"
        assert refused.value.details == {"evaluation_id": str(waiting.id), "state": "queued"}


def test_compare_without_shared_samples_is_not_comparable(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    elsewhere = add_dataset(tmp_path, "elsewhere", n=N, seed=77)
    dense = evaluate(family["dense"], dataset, measured["dense"])
    pruned = evaluate(family["pruned-95"], elsewhere, measure(make_pixels(N, 77)[1], 4))
    with pytest.raises(NotComparable) as refused:
        comparisons.compare(dense.id, pruned.id)
    assert (refused.value.code, refused.value.status) == ("not_comparable", 409)


@pytest.mark.parametrize("wrong", [str(uuid4()), "nonsense"], ids=["unknown", "malformed"])
def test_compare_unknown_evaluation_is_not_found(ready: Path, wrong: str) -> None:
    with pytest.raises(NotFound):
        comparisons.compare(wrong, wrong)


def witness(measured: Measured, eps: float) -> Measured:
    """What a fixed-eps attack reports of the same network: found within eps, at eps."""
    is_right = measured.margin > 0
    margin = np.where(measured.margin <= eps, eps, np.inf)
    return Measured(
        measured.predictions, np.where(is_right, margin, 0.0), measured.logit_gap, kind="witness", attack="apgd-ce"
    )


def test_compare_witnesses_answer_at_their_own_eps_alone(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    eps = 25.5 / 255
    fields = {"preset": "autoattack"}
    dense, pruned = (
        evaluate(family[name], dataset, witness(measured[name], eps), **fields) for name in ("dense", "pruned-95")
    )
    found = comparisons.compare(dense.id, pruned.id)
    margins = [evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95")]
    exact = comparisons.compare(margins[0].id, margins[1].id, eps)
    assert found.robust == exact.robust
    assert found.auroc is None and found.bins == [] and [point.eps for point in found.curves["dense"]] == [0.0, eps]
    with pytest.raises(InvalidRequest):
        comparisons.compare(dense.id, pruned.id, "8/255")
    mixed = comparisons.compare(margins[0].id, pruned.id)
    assert mixed.eps_text == "25.5/255" and mixed.robust == exact.robust
    assert {"preset", "distance_kind"} <= {row.field for row in mixed.mismatches}


def test_compare_witnesses_at_two_eps_are_each_judged_at_their_own(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    radii = {"dense": 25.5 / 255, "pruned-95": 8 / 255}
    dense, pruned = (
        evaluate(family[name], dataset, witness(measured[name], eps), preset="autoattack", eps=eps)
        for name, eps in radii.items()
    )
    held = {name: measured[name].margin > eps for name, eps in radii.items()}
    for eps, text in ((None, "8/255"), ("8/255", "8/255"), ("25.5/255", "25.5/255")):
        found = comparisons.compare(dense.id, pruned.id, eps)
        assert found.eps_text == text
        assert found.robust.model_dump() == count_by_hand(held["dense"], held["pruned-95"])
        (said,) = [row for row in found.mismatches if row.field == "eps"]
        assert said.severity == "differs" and not found.equal_effort
        assert said.sentence == "Eps differs: dense 25.5/255, pruned 8/255. Each side is judged at its own eps."
        for sample in comparisons.paired_samples(dense.id, pruned.id, eps):
            row = sample.index
            assert sample.robust_set == f"S{int(held['dense'][row])}{int(held['pruned-95'][row])}"
    assert [point.eps for point in found.curves["dense"]] == [0.0, radii["dense"]]
    assert found.dense.summary is not None and found.dense.summary.robust_accuracy == np.mean(held["dense"])
    with pytest.raises(InvalidRequest, match="witnesses at eps"):
        comparisons.compare(dense.id, pruned.id, "4/255")


@pytest.mark.parametrize("eps", ["0", "-1", "eight", "1/0", float("nan"), 8])
def test_compare_impossible_eps_is_refused(ready: Path, tmp_path: Path, eps: object) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    done = evaluate(family["dense"], dataset, measured["dense"])
    with pytest.raises(InvalidRequest):
        comparisons.compare(done.id, done.id, eps)


def test_compare_l2_without_any_eps_takes_the_median_margin_and_says_so(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name], norm="L2") for name in ("dense", "pruned-95"))
    found = comparisons.compare(dense.id, pruned.id)
    margins = sorted(value for value in measured["dense"].margin.tolist() if 0 < value < float("inf"))
    middle = (margins[(len(margins) - 1) // 2] + margins[len(margins) // 2]) / 2
    assert found.eps_text == f"{middle:.2g}" and comparisons.is_median_eps(found)
    at_eps = comparisons.compare(dense.id, pruned.id, found.eps_text)
    assert at_eps.robust == found.robust and not comparisons.is_median_eps(at_eps), "given is not chosen"
    assert comparisons.paired_samples(dense.id, pruned.id) == comparisons.paired_samples(
        dense.id, pruned.id, found.eps_text
    )
    assert comparisons.compare(dense.id, pruned.id, 0.05).eps_text == "0.05"


def test_compare_linf_median_is_written_in_steps(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=N, default_norm="L2", default_eps="0.5")
    _, labels = make_pixels(N)
    measured = measure(labels, 1)
    measured.margin[measured.margin > 0] = 9.437 / 255
    dense = evaluate(add_checkpoint(dataset.id, "dense"), dataset, measured, norm="Linf")
    found = comparisons.compare(dense.id, dense.id)
    assert found.eps_text == "9.4/255" and comparisons.is_median_eps(found)


def test_compare_l2_without_any_eps_or_margin_asks_for_one(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    measured["dense"].margin[measured["dense"].margin > 0] = np.inf
    dense, pruned = (evaluate(family[name], dataset, measured[name], norm="L2") for name in ("dense", "pruned-95"))
    with pytest.raises(InvalidRequest, match="Give an eps"):
        comparisons.compare(dense.id, pruned.id)
    found = comparisons.compare(dense.id, pruned.id, 0.05)
    assert found.eps_text == "0.05" and not comparisons.is_median_eps(found)


def test_compare_eps_differs_falls_back_to_the_dataset(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense = evaluate(family["dense"], dataset, measured["dense"], eps="8/255")
    same = evaluate(family["pruned-95"], dataset, measured["pruned-95"], eps="8/255")
    other = evaluate(family["pruned-80"], dataset, measured["pruned-95"], eps="4/255")
    assert comparisons.compare(dense.id, same.id).eps_text == "8/255"
    found = comparisons.compare(dense.id, other.id)
    assert found.eps_text == "25.5/255" and found.equal_effort


def test_paired_samples_of_a_set_are_sorted_by_dense_margin(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, labels = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    everything = comparisons.paired_samples(dense.id, pruned.id)
    flipped = comparisons.paired_samples(dense.id, pruned.id, set="S10")
    assert len(everything) == N and 20 <= len(flipped) < N
    is_lost = (measured["dense"].predictions == labels) & (measured["pruned-95"].predictions != labels)
    assert {sample.index for sample in flipped} == set(np.flatnonzero(is_lost).tolist())
    for samples in (everything, flipped):
        margins = [np.inf if sample.dense_margin is None else sample.dense_margin for sample in samples]
        assert margins == sorted(margins)
    for sample in everything:
        assert sample.label == labels[sample.index]
        assert sample.pruned_found == bool(np.isfinite(measured["pruned-95"].margin[sample.index]))
        held = [measured[name].margin[sample.index] > 0.1 for name in ("dense", "pruned-95")]
        assert sample.robust_set == f"S{int(held[0])}{int(held[1])}"


def test_paired_samples_unknown_set_is_refused(ready: Path) -> None:
    with pytest.raises(InvalidRequest, match="S10"):
        comparisons.paired_samples(str(uuid4()), str(uuid4()), set="lost")


def test_compare_answer_survives_json(ready: Path, tmp_path: Path) -> None:
    dataset, family, measured, _ = evaluate_pair(tmp_path)
    dense, pruned = (evaluate(family[name], dataset, measured[name]) for name in ("dense", "pruned-95"))
    found = comparisons.compare(dense.id, pruned.id)
    assert ComparisonOut.model_validate_json(found.model_dump_json()) == found
