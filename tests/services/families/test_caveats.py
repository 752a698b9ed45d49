"""What keeps a family's answers from saying more than the evidence: caveats of descent, attacks, claims, levels."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.analysis.controls import compare_losses
from backend.analysis.statistics import Estimate
from backend.schemas.families import FamilyFinding
from backend.schemas.inspections import Descent, InspectionOut, StructureOut
from backend.services.claims.service import list_claims
from backend.services.families import questions
from backend.services.families.tables import lay_out
from backend.store.database import writing
from backend.store.tables import Checkpoint, Evaluation, Result
from tests.services.fabrication import Measured, add_checkpoint, evaluate
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

ROBUST = "fewer lost at eps"


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Iterator[MadeFamily]:
    """A family that the test may change."""
    with home_with_family(template, tmp_path) as family:
        yield family


def change(kind: type, id: Any, **values: Any) -> None:
    with writing() as session:
        row = session.get(kind, id)
        for name, value in values.items():
            setattr(row, name, value)


def change_claim(made: MadeFamily, name: str, **values: Any) -> None:
    change(Checkpoint, made.rows[name].id, claim=dict(made.rows[name].claim or {}) | values)


def find(made: MadeFamily, question: str, name: str, rival: str | None = None) -> FamilyFinding:
    found = answer_to(made.family(), question).findings
    return next(one for one in found if (one.checkpoint_name, one.rival_name) == (name, rival))


def weaken(made: MadeFamily, name: str) -> None:
    """An AutoAttack that breaks every third sample which the margins of that checkpoint call robust."""
    before = made.measured[name]
    is_broken = held(before, made.labels) & (np.arange(N) % 3 == 0)
    distance = np.where(is_broken, EPS / 2, np.where(before.margin > EPS, np.inf, before.margin))
    verdicts = Measured(before.predictions, distance, before.logit_gap, kind="witness")
    terms: dict[str, Any] = {"preset": "autoattack", "eps": "25.5/255", "record": {"distance_kind": "witness"}}
    evaluate(made.rows[name], made.dataset, verdicts, **terms)


def test_families_without_caveats_answer(made: MadeFamily) -> None:
    assert find(made, "claims", "lwm-95").answer == "yes"
    assert find(made, "thin ice", "lwm-95").answer == "yes"
    assert ROBUST in [part.name for part in find(made, "rivals", "thin-ice-95", "lwm-95").parts]


def test_claims_of_unknown_n_decide_nothing(made: MadeFamily) -> None:
    change_claim(made, "lwm-95", n=None)
    one = find(made, "claims", "lwm-95")
    assert (one.answer, one.parts) == ("cannot tell", [])
    assert one.reason == "The claim of lwm-95 or dense does not say how many samples it counts."
    (check,) = list_claims(checkpoint_id=made.rows["lwm-95"].id).items
    assert {each.excess.answer for each in check.against if each.excess} == {"cannot tell"}


@pytest.mark.parametrize(("attack", "told"), [("AutoAttack", "AutoAttack"), (None, "an unknown attack")])
def test_claims_by_incompatible_attacks_are_not_compared(made: MadeFamily, attack: str | None, told: str) -> None:
    change_claim(made, "dense", attack=attack)
    one = find(made, "claims", "lwm-95")
    assert (one.answer, one.parts) == ("cannot tell", [])
    start = f"Claims by PGD-10 and by {told} are not compared, because the attacks "
    assert one.reason == f"{start}are not known to be the same."


def test_claims_by_the_same_attack_written_otherwise_are_compared(made: MadeFamily) -> None:
    change_claim(made, "dense", attack="pgd -10")
    assert find(made, "claims", "lwm-95").answer == "yes"


def test_claims_are_not_held_against_rows_that_somebody_picked(made: MadeFamily) -> None:
    lost = np.flatnonzero(~held(made.measured["lwm-95"], made.labels)).tolist()
    change(Evaluation, made.done["lwm-95"].id, n=len(lost) - 1)
    evaluate(made.rows["lwm-95"], made.dataset, made.measured["lwm-95"], lost)
    (check,) = list_claims(checkpoint_id=made.rows["lwm-95"].id).items
    assert check.reevaluation is not None and check.reevaluation.evaluation_id == made.done["lwm-95"].id


def test_rows_that_somebody_picked_decide_nothing_where_there_are_no_others(made: MadeFamily) -> None:
    lost = np.flatnonzero(~held(made.measured["harp-95"], made.labels)).tolist()
    picked = add_checkpoint(
        made.dataset.id,
        "picked",
        role="pruned",
        origin="zoo",
        parent_id=made.rows["dense"].id,
        method="harp",
        declared_sparsity=0.95,
        claim=made.claim("harp-95", 2),
    )
    evaluate(picked, made.dataset, made.measured["harp-95"], lost)
    told = "Only hand-picked rows of picked were evaluated; they say nothing about the others."
    found = [find(made, "claims", "picked"), find(made, "thin ice", "picked")]
    found.append(find(made, "rivals", "thin-ice-95", "picked"))
    assert [(one.answer, one.parts, one.reason) for one in found] == [("cannot tell", [], told)] * 3


@pytest.mark.parametrize("name", ["dense", "control"])
def test_claims_are_not_held_against_a_relative_that_may_be_called_too_robust(made: MadeFamily, name: str) -> None:
    change(Evaluation, made.done[name].id, flags=["zero-gradients"])
    one = find(made, "claims", "lwm-95")
    deciding, additional = ([part.name for part in parts] for parts in (one.parts, one.additional))
    part = "beyond the dense parent" if name == "dense" else "beyond the control"
    assert part not in deciding and part in additional
    assert (one.answer == "cannot tell") is (name == "dense"), "without a control the parent decides"


def test_claim_of_no_descendant_is_not_denied_either(made: MadeFamily) -> None:
    change_claim(made, "harp-95", robust_accuracy=held(made.measured["harp-95"], made.labels).mean() - 0.2)
    assert find(made, "claims", "harp-95").answer == "no"
    change(Checkpoint, made.rows["harp-95"].id, inspection=inspect(made))
    assert find(made, "claims", "harp-95").answer == "cannot tell"


def test_typed_claim_over_a_shipped_one_is_not_of_the_same_samples(made: MadeFamily) -> None:
    change_claim(made, "lwm-95", source="a talk")
    (check,) = list_claims(checkpoint_id=made.rows["lwm-95"].id).items
    assert check.gap is not None and check.gap.basis == "unpaired"


def test_control_of_another_budget_is_next_to_a_claim_and_does_not_decide(
    made: MadeFamily, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.services.claims.checks.describe_training_difference", lambda *_: "Not as long.")
    one = find(made, "claims", "lwm-95")
    assert [part.name for part in one.parts] == ["beyond the dense parent"] and one.answer == "yes"
    assert "beyond the control" in [part.name for part in one.additional]


@pytest.mark.parametrize("question", ["claims", "thin ice"])
def test_network_that_is_not_the_parents_descendant_answers_nothing(made: MadeFamily, question: str) -> None:
    row = made.rows["lwm-95"]
    change(Checkpoint, row.id, inspection=inspect(made))
    one = find(made, question, "lwm-95")
    assert one.answer == "cannot tell" and one.reason is not None and "dense" in one.reason


def inspect(made: MadeFamily) -> dict[str, Any]:
    """What an inspection says of weights that do not come from the named parent."""
    structure = dict.fromkeys(StructureOut.model_fields, 0) | {"kind": "weight", "pattern": None, "layers": []}
    descent = dict.fromkeys(Descent.model_fields, 0) | {"answer": "no", "norms": [], "layers": []}
    found = {"structure": structure, "descent": descent, "parent_id": made.rows["dense"].id, "likely_parent": None}
    return InspectionOut.model_validate(found).model_dump(mode="json")


@pytest.mark.parametrize("name", ["thin-ice-95", "dense"])
def test_flagged_margins_decide_no_robust_losses(made: MadeFamily, name: str) -> None:
    change(Evaluation, made.done[name].id, flags=["masking"])
    one = find(made, "rivals", "thin-ice-95", "lwm-95")
    assert ROBUST not in [part.name for part in one.parts] and ROBUST in [part.name for part in one.additional]
    assert one.answer == "cannot tell"
    assert one.reason == f"The attack on {name} raised flags (masking): it may overestimate robustness."


def find_rival(made: MadeFamily, method: str, name: str, rival: str) -> FamilyFinding:
    found = answer_to(made.family(method=method), "rivals").findings
    return next(one for one in found if (one.checkpoint_name, one.rival_name) == (name, rival))


def test_flagged_rival_loses_more_than_is_seen_so_that_it_denies_nothing(made: MadeFamily) -> None:
    terms = ("harp", "harp-95", "thin-ice-95")
    before = find_rival(made, *terms)
    assert before.parts[0].answer == "no" and before.answer == "no"
    change(Evaluation, made.done["thin-ice-95"].id, flags=["masking"])
    after = find_rival(made, *terms)
    assert after.parts == before.parts and after.answer == "no", "clean losses need no attack"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(questions, "compare_losses", robust_alone)
        alone = find_rival(made, *terms)
    assert alone.answer == "cannot tell" and alone.reason is not None and "thin-ice-95 raised flags" in alone.reason


def robust_alone(*pairs: Any, eps: float | None) -> Any:
    """As if fewer were lost without an attack, and more at eps."""
    found = compare_losses(*pairs, eps=eps)
    sign = 1 if eps is None else -1
    low, high = sorted((0.4 * sign, 0.6 * sign))
    return replace(found, difference=Estimate(0.5 * sign, low, high, found.n))


def test_margins_that_a_stronger_attack_undercuts_decide_no_robust_losses(made: MadeFamily) -> None:
    weaken(made, "thin-ice-95")
    one = find(made, "rivals", "thin-ice-95", "lwm-95")
    assert one.answer == "cannot tell" and ROBUST not in [part.name for part in one.parts]
    assert one.reason is not None and one.reason.startswith("AutoAttack breaks")


def test_flagged_re_evaluation_denies_no_claim(made: MadeFamily) -> None:
    assert find(made, "claims", "harp-95").answer != "yes"
    change_claim(made, "harp-95", robust_accuracy=held(made.measured["harp-95"], made.labels).mean() - 0.2)
    assert find(made, "claims", "harp-95").answer == "no"
    change(Evaluation, made.done["harp-95"].id, flags=["zero-gradients"])
    one = find(made, "claims", "harp-95")
    assert one.answer == "cannot tell" and one.reason is not None and "(zero-gradients)" in one.reason


def test_level_is_what_was_measured_where_the_weights_contradict_what_is_declared(made: MadeFamily) -> None:
    fields = {"role": "pruned", "parent_id": made.rows["dense"].id, "declared_sparsity": 0.95, "measured_sparsity": 0.5}
    add_checkpoint(made.dataset.id, "said-95", **fields)
    row = next(row for row in made.family().rows if row.name == "said-95")
    assert (row.level, row.group) == (0.5, "weights, 50 %")


def test_columns_that_the_dense_network_lacks_are_not_ranked(made: MadeFamily) -> None:
    terms: dict[str, Any] = {"preset": "autoattack", "eps": "25.5/255", "record": {"distance_kind": "witness"}}
    for name in ("lwm-95", "harp-95", "dense"):
        before = made.measured[name]
        distance = np.where(before.margin > EPS, np.inf, before.margin)
        verdicts = Measured(before.predictions, distance, before.logit_gap, kind="witness")
        if name == "dense":
            assert not any("autoattack" in best for best in ranked(made))
        evaluate(made.rows[name], made.dataset, verdicts, **terms)
    assert any("autoattack" in best for best in ranked(made))


def ranked(made: MadeFamily) -> list[frozenset[str]]:
    return [line.best for _, lines in lay_out(made.family()).groups for line in lines]


def test_flagged_figures_are_never_the_best(made: MadeFamily) -> None:
    before = {line.row.name: line.best for _, lines in lay_out(made.family()).groups for line in lines}
    (best,) = (name for name, keys in before.items() if "robust_flips" in keys and name.endswith("95"))
    change(Evaluation, made.done[best].id, flags=["masking"])
    after = {line.row.name: line.best for _, lines in lay_out(made.family()).groups for line in lines}
    flagged = {"margin", "median", "robust_flips", "beyond_robust"}
    assert not after[best] & flagged and after[best] == before[best] - flagged
    assert any("robust_flips" in keys for name, keys in after.items() if name.endswith("95"))


def test_verdicts_count_fallback_attacks_and_comparisons_do_not(made: MadeFamily) -> None:
    before = made.family()
    primary = made.measured["lwm-95"]
    robust = np.flatnonzero(held(primary, made.labels))
    found = {int(row): EPS / 2 for row in robust[:3]} | {int(robust[3]): EPS * 2}
    evaluate(made.rows["lwm-95"], made.dataset, replace(primary, fallbacks=found))
    after = made.family()
    one, other = (verdict_of(row_of(family, "lwm-95"), "margin") for family in (before, after))
    assert (one.broken_by_fallbacks, other.broken_by_fallbacks, other.broken_by_evidence) == (0, 3, 0)
    assert other.rate.count == one.rate.count - 3
    assert row_of(after, "lwm-95").flips.robust == row_of(before, "lwm-95").flips.robust
    lines = [line for _, lines in lay_out(after).groups for line in lines if line.row.name.endswith("95")]
    assert any("margin" in line.best for line in lines), "it ranks next to the others"


def test_claims_count_fallback_attacks_on_their_own_and_not_next_to_others(made: MadeFamily) -> None:
    primary = made.measured["lwm-95"]
    robust = np.flatnonzero(held(primary, made.labels))
    (before,) = list_claims(checkpoint_id=made.rows["lwm-95"].id).items
    evaluate(made.rows["lwm-95"], made.dataset, replace(primary, fallbacks={int(row): EPS / 2 for row in robust[:5]}))
    (after,) = list_claims(checkpoint_id=made.rows["lwm-95"].id).items
    assert after.gap.value == pytest.approx(before.gap.value + 5 / N)
    assert [one.excess for one in after.against] == [one.excess for one in before.against]
    assert any("5 more samples" in note for note in after.notes)
    assert not any("Fallback attacks" in note for note in before.notes)


@pytest.mark.parametrize("is_attacked_again", [False, True])
def test_stronger_attacks_count_with_their_fallback_attacks(made: MadeFamily, is_attacked_again: bool) -> None:
    before = made.measured["thin-ice-95"]
    robust = np.flatnonzero(held(before, made.labels))
    verdicts = replace(before, kind="witness", margin=np.where(before.margin > EPS, np.inf, before.margin))
    if is_attacked_again:
        verdicts.fallbacks.update({int(row): EPS / 2 for row in robust[::3]})
    terms: dict[str, Any] = {"preset": "autoattack", "eps": "25.5/255", "record": {"distance_kind": "witness"}}
    evaluate(made.rows["thin-ice-95"], made.dataset, verdicts, **terms)
    reason = find(made, "rivals", "thin-ice-95", "lwm-95").reason or ""
    assert reason.startswith("AutoAttack breaks") == is_attacked_again


def test_verdicts_say_what_later_evidence_breaks(made: MadeFamily) -> None:
    done = made.done["lwm-95"]
    with writing() as session:
        rows = session.query(Result).filter(Result.evaluation_id == done.id, Result.correct).all()
        robust = [row for row in rows if row.margin is None or row.margin > EPS]
        for row in robust[:3]:
            row.best_known, row.best_known_series = EPS / 2, 2
        robust[3].best_known, robust[3].best_known_series = EPS * 2, 2
        broken = next(row for row in rows if row.margin is not None and EPS / 2 < row.margin <= EPS)
        broken.best_known, broken.best_known_series = EPS / 4, 2
    family = made.family()
    assert verdict_of(row_of(family, "lwm-95"), "margin").broken_by_evidence == 3
    assert verdict_of(row_of(family, "harp-95"), "margin").broken_by_evidence == 0
    cells = [
        cell.detail for _, lines in lay_out(family).groups for line in lines for cell in line.cells
        if line.row.name == "lwm-95"
    ]  # fmt: skip
    assert f"n {N}; later evidence breaks 3 more" in cells
