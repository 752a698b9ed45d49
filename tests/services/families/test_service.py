"""A family's table and answers on stored evaluations: every number by hand, every answer from its intervals."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from backend.analysis.statistics import paired_difference
from backend.errors import InvalidRequest, NotFound
from backend.services import comparisons
from backend.services.claims.service import list_claims
from backend.services.families.service import get_family
from tests.services.families.fabrication import auroc_by_hand, count_by_hand
from tests.services.families.made_family import MadeFamily, N, answer_to, held, home_with_family, row_of, verdict_of


@pytest.fixture(scope="module")
def made(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeFamily]:
    """One family for all tests of this module: they only read."""
    with home_with_family(template, tmp_path_factory.mktemp("family")) as family:
        yield family


def test_family_rows_stand_in_order_and_in_groups(made: MadeFamily) -> None:
    family = made.family()
    assert [(row.name, row.place, row.group) for row in family.rows] == [
        ("dense", "dense", "nothing pruned"),
        ("control", "finetuned", "nothing pruned"),
        ("seed", "seed", "nothing pruned"),
        ("lwm-80", "pruned", "weights, 80 %"),
        ("harp-95", "pruned", "weights, 95 %"),
        ("lwm-95", "pruned", "weights, 95 %"),
        ("thin-ice-95", "pruned", "weights, 95 %"),
    ]
    assert (family.norm, family.eps_text, family.dataset_name) == ("Linf", "25.5/255", "digits")


def test_family_row_agrees_with_a_recount_and_with_the_comparison(made: MadeFamily) -> None:
    row = row_of(made.family(), "lwm-95")
    dense, pruned = made.measured["dense"], made.measured["lwm-95"]
    is_right = {name: made.measured[name].predictions == made.labels for name in ("dense", "lwm-95", "control")}
    assert row.clean_accuracy.rate is not None and row.clean_accuracy.evaluation_id == made.done["lwm-95"].id
    assert (row.clean_accuracy.rate.count, row.clean_accuracy.rate.n) == (int(is_right["lwm-95"].sum()), N)
    robust = verdict_of(row, "margin").rate
    assert robust is not None and robust.count == int(held(pruned, made.labels).sum())
    margins = pruned.margin[is_right["lwm-95"]]
    assert row.margin is not None and row.margin.n == len(margins)
    assert row.margin.median == pytest.approx(float(np.median(margins)))
    assert row.margin.censored == int(np.isinf(margins).sum())
    flips = row.flips
    assert flips is not None and flips.clean.model_dump() == count_by_hand(is_right["dense"], is_right["lwm-95"])
    at_eps = [held(side, made.labels) for side in (dense, pruned)]
    assert flips.robust.model_dump() == count_by_hand(*at_eps)
    assert flips.robust_negative_flip_rate.count == flips.robust.n10
    rows = np.flatnonzero(is_right["dense"])
    expected = auroc_by_hand(list(dense.margin[rows]), list(~is_right["lwm-95"][rows]))
    assert flips.auroc is not None and flips.auroc.value == pytest.approx(expected)
    both = comparisons.compare(made.done["dense"].id, made.done["lwm-95"].id)
    assert flips.auroc == both.auroc and flips.bins == both.bins
    assert flips.beyond is not None and flips.beyond.clean is not None
    lost = [is_right["dense"] & ~is_right[name] for name in ("lwm-95", "control")]
    n = int(is_right["dense"].sum())
    counts = [int((lost[0] & lost[1]).sum()), int((lost[0] & ~lost[1]).sum()), int((~lost[0] & lost[1]).sum())]
    by_hand = paired_difference(*counts, n - sum(counts))
    assert flips.beyond.clean.value == pytest.approx(by_hand.value)
    assert (flips.beyond.clean.interval.low, flips.beyond.clean.n) == (pytest.approx(by_hand.low), n)
    assert flips.beyond.control_name == "control"


def test_claims_are_answered_as_the_claims_service_measures_them(made: MadeFamily) -> None:
    answer = answer_to(made.family(), "claims")
    assert [one.checkpoint_name for one in answer.findings] == ["harp-95", "lwm-95", "thin-ice-95"], "80 % is not high"
    assert (answer.asked, answer.confidence) == (6, pytest.approx(1 - 0.05 / 6))
    lwm = answer.findings[1]
    (claim,) = list_claims(checkpoint_id=made.rows["lwm-95"].id).items
    excess = {one.relation: one.excess for one in claim.against}
    for part, relation in zip(lwm.parts, ("parent", "finetuned"), strict=True):
        found = excess[relation]
        assert found is not None and part.value == pytest.approx(found.value)
        assert part.interval.low < found.interval.low and part.interval.high > found.interval.high
        assert part.interval.confidence == answer.confidence
    assert [part.name for part in lwm.parts] == ["beyond the dense parent", "beyond the control"]
    assert lwm.answer == "yes" and {one.method: one.answer for one in answer.methods}["lwm"] == "yes"
    assert answer.reimplemented == "all" and answer.counts.startswith("Of 3 checkpoints: yes for 1")
    assert answer.sentence == f"{answer.answer.capitalize()}, for our re-implementations. {answer.counts}"


def test_thin_ice_needs_prediction_and_more_losses_than_the_control(made: MadeFamily) -> None:
    answer = answer_to(made.family(), "thin ice")
    found = {one.checkpoint_name: one for one in answer.findings}
    strong, weak = found["lwm-95"], found["thin-ice-95"]
    assert [part.name for part in strong.parts] == ["small dense margin", "losses beyond the control"]
    assert [part.answer for part in strong.parts] == ["yes", "yes"] and strong.answer == "yes"
    assert strong.parts[0].interval.low > 0.5 and strong.parts[0].unit == "auroc"
    assert weak.answer == "cannot tell" and weak.reason is not None and "20 needed" in weak.reason
    additional = {part.name: part for part in strong.additional}
    assert set(additional) >= {"logit gap", "margin over logit gap", "lost on thinnest ice", "lost on thickest ice"}
    assert additional["lost on thinnest ice"].value > additional["lost on thickest ice"].value
    assert {part.name for part in strong.additional if part.answer} == {"margin over logit gap"}
    leads = [part.answer for one in answer.findings for part in one.additional if part.name == "margin over logit gap"]
    said = answer.sentence.partition("better than the cheap logit gap? ")[2].lower()
    assert all(f"{given} for {leads.count(given)}" in said for given in leads if given)


def test_rivals_are_those_of_the_same_level_and_counted_by_hand(made: MadeFamily) -> None:
    family = made.family()
    answer = answer_to(family, "rivals")
    assert [(one.checkpoint_name, one.rival_name) for one in answer.findings] == [
        ("thin-ice-95", "harp-95"),
        ("thin-ice-95", "lwm-95"),
    ]
    lwm = answer.findings[1]
    is_right = made.measured["dense"].predictions == made.labels
    lost = [is_right & (made.measured[name].predictions != made.labels) for name in ("lwm-95", "thin-ice-95")]
    assert lwm.parts[0].value == pytest.approx((lost[0].sum() - lost[1].sum()) / is_right.sum())
    assert [part.name for part in lwm.parts] == ["fewer lost, clean", "fewer lost at eps"]
    assert lwm.parts[0].answer == "yes" and lwm.parts[0].interval.low > 0
    assert set(lwm.parts[0].evaluation_ids) == {made.done[name].id for name in ("thin-ice-95", "lwm-95", "dense")}
    turned = answer_to(made.family(method="lwm"), "rivals")
    assert turned.asks.startswith("Does lwm lose fewer") and turned.findings[-1].answer == "no"


@pytest.mark.parametrize(
    ("name", "words"), [("lwm-95", "ask for its parent"), ("control", "ask for its parent")], ids=["pruned", "control"]
)
def test_family_of_what_is_no_root_names_the_parent(made: MadeFamily, name: str, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as caught:
        get_family(made.rows[name].id)
    assert caught.value.details["parent_id"] == str(made.rows["dense"].id)


def test_family_of_nothing_and_at_no_eps_is_refused(made: MadeFamily) -> None:
    with pytest.raises(NotFound):
        get_family(uuid4())
    with pytest.raises(InvalidRequest, match="Give an eps for L2"):
        made.family(norm="L2")
    assert made.family(norm="L2", eps=1.0).rows[0].verdicts[0].rate is None
    ids: list[UUID] = [row.checkpoint_id for row in get_family(made.rows["seed"].id).rows]
    assert ids == [made.rows["seed"].id, made.rows["dense"].id], "another seed has the first as its own"
