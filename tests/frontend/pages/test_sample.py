"""Sample on the real services: what is shown of each kind of sample, and where the arrows lead."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dash.development.base_component import Component

from backend.errors import InvalidRequest, NotFound
from backend.schemas.evaluations import MarginRow
from backend.services import comparisons, samples
from frontend.figures.units import L2, LINF
from frontend.pages import sample as page
from frontend.pages.sample.harder import cold_bound_words
from frontend.pages.sample.layout import choose_shown, find_sample, walked
from frontend.pages.sample.side import change_text
from frontend.pages.sample.strip import StripMark, margin_strip, tick_values
from frontend.pages.sample.words import distance_text, margin_text, verdict_at_eps, why_no_adversarial
from frontend.review.walk import load_pair
from tests.frontend.pairs import CHANGE, GAINED, KEPT, LOST, MISSED, WRONG_ON_BOTH, MadePair, make_pair
from tests.frontend.words import by_id, hrefs, text_of, walk


@pytest.fixture(scope="module")
def pair(made_pair: MadePair) -> MadePair:
    return made_pair


def shown(pair: MadePair, index: int, **more: str) -> Component:
    return page.layout(**pair.query(index=index, **more))


def pictures(content: Any) -> dict[str, str]:
    """Source by kind of the frames below."""
    figures = [part for part in walk(content) if type(part).__name__ == "Figure"]
    found = {}
    for figure in figures:
        for part in walk(figure):
            if type(part).__name__ == "Img":
                assert part.alt, "an image without words"
                found[figure.className] = part.src
    return found


def keyed(content: Any) -> dict[str, Any]:
    """Components by the key that presses them."""
    parts = [part.to_plotly_json()["props"] for part in walk(content) if isinstance(part, Component)]
    return {props["data-key"]: props for props in parts if "data-key" in props}


# --- the two rows ----------------------------------------------------------------------------------------------------
def test_layout_kept_sample_shows_three_images_per_side(pair: MadePair) -> None:
    content = shown(pair, KEPT)
    for side, evaluation in (("dense", pair.dense), ("pruned", pair.pruned)):
        row = by_id(content, f"sample-{side}")
        address = f"/api/v1/evaluations/{evaluation.id}/samples/{KEPT}"
        found = pictures(row)
        assert found.pop("sample-perturbation").startswith(f"{address}/perturbation.png?limit=")
        assert found == {
            "sample-clean": f"/api/v1/datasets/{pair.dataset.id}/samples/{KEPT}.png",
            "sample-adversarial": f"{address}/adversarial.png",
        }
        assert {f"{address}/adversarial.npy", f"/jobs?evaluation={evaluation.id}"} <= set(hrefs(row))
        assert "25.50/255" in text_of(row), "the margin with its unit"


def test_layout_lost_sample_says_why_the_pruned_side_has_no_adversarial(pair: MadePair) -> None:
    content = shown(pair, LOST)
    pruned = by_id(content, "sample-pruned")
    dense_adversarial = f"/api/v1/evaluations/{pair.dense.id}/samples/{LOST}/adversarial.png"
    assert pictures(pruned) == {
        "sample-clean": f"/api/v1/datasets/{pair.dataset.id}/samples/{LOST}.png",
        "sample-borrowed": dense_adversarial,
    }
    assert answers_in(pruned) == ["pruned:dense"], "what it says of the dense adversarial"
    assert set(pictures(by_id(content, "sample-dense"))) == {
        "sample-clean",
        "sample-adversarial",
        "sample-perturbation",
    }
    words = text_of(pruned)
    assert "already wrong" in words and "No attack was needed" in words
    assert "0.00/255" not in words and "0/255" not in words, "a missing distance is no number"
    assert not [address for address in hrefs(pruned) if "adversarial" in address], "a link to a file that is not there"
    frames = [part for part in walk(pruned) if getattr(part, "className", "") == "frame"]
    assert len(frames) == 3, "a frame of the same size holds the words"


def test_layout_sample_without_adversarial_says_not_found(pair: MadePair) -> None:
    dense = by_id(shown(pair, MISSED), "sample-dense")
    words = text_of(dense)
    assert "none found" in words and "does not prove" in words and "not found" in words
    assert set(pictures(dense)) == {"sample-clean", "sample-borrowed"}


@pytest.mark.parametrize(
    ("row", "name"), [(KEPT, "kept"), (LOST, "lost"), (GAINED, "gained"), (WRONG_ON_BOTH, "wrong on both")]
)
def test_layout_names_the_set(pair: MadePair, row: int, name: str) -> None:
    words = text_of(shown(pair, row))
    assert f" {name} " in words and f"#{row}" in words


def test_layout_scale_is_one_for_both_rows_but_stretched_where_a_change_would_look_white(pair: MadePair) -> None:
    content = shown(pair, KEPT)
    limits = {side: limit_of(by_id(content, f"sample-{side}")) for side in CHANGE}
    assert limits == {"dense": pytest.approx(0.1), "pruned": pytest.approx(CHANGE["pruned"], abs=1e-6)}
    assert "stretched" not in text_of(by_id(content, "sample-dense"))
    assert "stretched 5×" in text_of(by_id(content, "sample-pruned"))
    stretched = shown(pair, KEPT, scale="change")
    for side in CHANGE:
        assert limit_of(by_id(stretched, f"sample-{side}")) == pytest.approx(max(CHANGE.values()))
    assert "stretched" not in text_of(by_id(stretched, "sample-pruned"))


def limit_of(row: Any) -> float:
    return float(pictures(row)["sample-perturbation"].split("=")[1])


def answers_in(content: Any) -> list[str]:
    """Network and point of each place that the slice's script fills."""
    parts = [part.to_plotly_json()["props"] for part in walk(content) if isinstance(part, Component)]
    return [props["data-answer"] for props in parts if "data-answer" in props]


def test_layout_says_what_each_network_makes_of_the_others_adversarial(pair: MadePair) -> None:
    content = shown(pair, KEPT)
    assert answers_in(by_id(content, "sample-dense")) == ["dense:pruned"]
    assert answers_in(by_id(content, "sample-pruned")) == ["pruned:dense"]
    neither = shown(pair, WRONG_ON_BOTH)
    assert answers_in(neither) == [] and "nothing spans a plane" in text_of(neither)


def test_layout_folds_the_attempts(pair: MadePair) -> None:
    row = by_id(shown(pair, KEPT), "sample-dense")
    folds = [part for part in walk(row) if type(part).__name__ == "Details"]
    assert len(folds) == 1 and not getattr(folds[0], "open", False)
    assert text_of(folds[0]).startswith("Attempts: 1 of 1 found an adversarial")


def test_layout_l2_scale_is_the_largest_change_of_a_pixel(ready: Path, tmp_path: Path) -> None:
    made = make_pair(tmp_path, norm="L2")
    query = made.query(index=KEPT, eps="0.5")
    loaded = load_pair(query)
    common = choose_shown(loaded, find_sample(loaded, str(KEPT)), "eps")
    assert common.scale == common.changes["dense"] == pytest.approx(0.05, abs=1e-6)
    assert "/255" not in text_of(by_id(page.layout(**query), "sample-dense").children[1].children[1])


def test_layout_verdict_follows_the_eps_of_the_address(pair: MadePair) -> None:
    for eps, words in (("20/255", "holds at 20/255"), ("30/255", "broken within 30/255")):
        assert words in text_of(by_id(shown(pair, KEPT, eps=eps), "sample-dense"))


def test_layout_of_witnesses_calls_no_distance_a_margin(ready: Path, tmp_path: Path) -> None:
    made = make_pair(tmp_path, is_witness=True)
    content = page.layout(**made.query(index=KEPT))
    words = text_of(content)
    assert "The dense model is broken within 25.5/255, and the pruned model is broken within 25.5/255." in words
    assert "no margins, no thin ice" in words and "is broken at" not in words
    margins = [text_of(part) for part in walk(content) if getattr(part, "className", "") == "side-margin"]
    assert margins == ["broken within 25.5/255"] * 2
    missed = text_of(page.layout(**made.query(index=MISSED)))
    assert "The dense model holds at 25.5/255" in missed


def test_layout_lists_every_attempt(pair: MadePair) -> None:
    attempts = samples.side(pair.dense.id, KEPT).attempts
    row = by_id(shown(pair, KEPT), "sample-dense")
    tables = [part for part in walk(row) if type(part).__name__ == "Tbody"]
    assert len(tables) == 1 and len(tables[0].children) == len(attempts) == 1
    assert text_of(tables[0]) == "Minimum norm, untargetedyes25.50"


@pytest.mark.parametrize("index", ["", "-1", "one"])
def test_layout_of_no_number_is_refused(pair: MadePair, index: str) -> None:
    with pytest.raises(InvalidRequest):
        page.layout(**pair.query(index=index))


def test_layout_of_a_sample_that_was_not_evaluated_is_not_found(pair: MadePair) -> None:
    with pytest.raises(NotFound, match="not among the 200"):
        page.layout(**pair.query(index=4000))


def test_layout_without_any_pair_says_how_to_get_one(ready: Path) -> None:
    assert page.complete({}) is None
    assert "/upload" in hrefs(page.layout())


# --- the walk --------------------------------------------------------------------------------------------------------
def lost_rows(pair: MadePair) -> list[int]:
    """By dense margin, the missing ones last, equals by row."""
    lost = comparisons.paired_samples(pair.dense.id, pair.pruned.id, set="S10")
    return [one.index for one in sorted(lost, key=lambda one: (one.dense_margin or np.inf, one.index))]


def test_arrows_walk_the_set_by_dense_margin(pair: MadePair) -> None:
    lost = lost_rows(pair)
    assert len(lost) > 4
    row = lost[0]
    for following in lost[1:5]:
        address = keyed(shown(pair, row, set="S10"))["ArrowRight"]["href"]
        assert "set=S10" in address and f"index={following}" in address.split("&")
        back = keyed(shown(pair, following, set="S10"))["ArrowLeft"]["href"]
        assert f"index={row}" in back.split("&")
        row = following


def test_arrows_of_the_ends_lead_nowhere(pair: MadePair) -> None:
    lost = lost_rows(pair)
    assert "ArrowLeft" not in keyed(shown(pair, lost[0], set="S10"))
    assert "ArrowRight" not in keyed(shown(pair, lost[-1], set="S10"))


def test_arrows_without_a_set_walk_the_samples_own(pair: MadePair) -> None:
    loaded = load_pair(pair.query())
    lost = find_sample(loaded, str(LOST))
    assert walked(loaded, lost, {}).set == "S10"
    assert walked(loaded, lost, {"list": "all"}).set is None
    robust = load_pair(pair.query(view="robust"))
    assert walked(robust, lost, {}).set == lost.robust_set


def test_versions_answer_to_up_and_down_by_sparsity(pair: MadePair) -> None:
    keys = keyed(shown(pair, LOST, eps="20/255", set="S10"))
    assert "ArrowDown" not in keys and str(pair.milder.id) in keys["ArrowUp"]["href"]
    assert {"eps=20/255", "set=S10", f"index={LOST}"} <= set(keys["ArrowUp"]["href"].split("?")[1].split("&"))


def test_versions_stand_behind_the_name_of_their_method(pair: MadePair) -> None:
    versions = next(part for part in walk(shown(pair, LOST)) if type(part).__name__ == "Nav")
    groups = [text_of(part) for part in versions.children]
    assert len(groups) == 1 and groups[0].startswith("lwm") and groups[0].count("%") == 2


def test_escape_leads_to_the_same_comparison(pair: MadePair) -> None:
    state = {"eps": "20/255", "delta": "9/255", "view": "robust", "set": "S10", "class": "1"}
    content = shown(pair, LOST, **state, thin="1", sort="index")
    assert "Escape" in keyed(content)
    address = next(one for one in hrefs(content) if one.startswith("/compare?"))
    query = dict(part.split("=") for part in address.split("?")[1].split("&"))
    assert query == {"dense": str(pair.dense.id), "pruned": str(pair.pruned.id), **state}


def test_complete_fills_in_the_thinnest_lost_sample(pair: MadePair) -> None:
    lost = comparisons.paired_samples(pair.dense.id, pair.pruned.id, set="S10")
    assert page.complete(pair.query()) == pair.query(index=lost[0].index)
    assert page.complete(pair.query(index=3)) is None


# --- words and scales ------------------------------------------------------------------------------------------------
def make_row(**changes: Any) -> MarginRow:
    values: dict[str, Any] = {
        "index": 0, "sample_id": "0", "label": 1, "prediction": 1, "correct": True, "margin": 0.05, "margin_pred": 0.05,
        "distance_kind": "minimum", "found": True, "robust": False, "attack": "fmn-untargeted",
        "adversarial_prediction": 2, "logit_gap": 1.0, "max_probability": 0.9, "loss": 0.1, "survives_8bit": True,
        "slack_to_flip": None, "best_known": 0.1, "best_known_found": True, "best_known_robust": None,
        "best_known_source": "fmn", "has_evidence": False,
    }  # fmt: skip
    return MarginRow(**(values | changes))


def test_distance_text_never_rounds_to_nothing() -> None:
    assert distance_text(0.00001, LINF) == "< 0.01/255"
    assert distance_text(31.38 / 255, LINF) == "31.38/255"
    assert distance_text(0.0001, L2) == "< 0.001"
    assert distance_text(None, LINF) == "none found"


def test_margin_text_of_a_wrong_or_missed_sample_is_words() -> None:
    assert margin_text(make_row(correct=False, margin=0.0), LINF) == "already wrong"
    assert margin_text(make_row(found=False, margin=None), LINF) == "none found"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "same as the margin: nothing nearer is known"),
        ({"distance_kind": "witness"}, "as found: the attack did not look for a nearer one"),
        ({"distance_kind": "witness", "found": False, "margin": None}, "none found within 8/255"),
    ],
)
def test_cold_bound_words_call_no_witness_a_margin(changes: dict[str, Any], words: str) -> None:
    assert cold_bound_words(make_row(**changes), "8/255") == words


def test_why_no_adversarial_tells_three_reasons_apart() -> None:
    wrong = why_no_adversarial(make_row(correct=False, margin=0.0, margin_pred=0.1), "one", "two", LINF)
    missed = why_no_adversarial(make_row(found=False, margin=None), "one", "one", LINF)
    lost = why_no_adversarial(make_row(), "one", "one", LINF)
    assert [short for short, _ in (wrong, missed, lost)] == ["none: already wrong", "none found", "not here yet"]
    assert "classifies the clean image of one as two" in wrong[1] and "25.50/255" in wrong[1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"robust": None}, "holds at 8/255"),
        ({"correct": False, "margin": 0.0}, "wrong before any attack"),
        ({"margin": 0.02}, "broken within 8/255"),
        ({"margin": None, "found": False, "robust": None}, "holds at 8/255"),
    ],
)
def test_verdict_at_eps_says_what_is_known(changes: dict[str, Any], words: str) -> None:
    assert verdict_at_eps(make_row(**changes), 8 / 255, "8/255") == words


def test_change_text_is_exact_where_it_can_be() -> None:
    assert change_text(25.5 / 255, LINF) == "25.5/255"
    assert change_text(0.103 / 255, LINF) == "0.10/255"
    assert change_text(None, LINF) == ""
    assert change_text(0.03137, L2) == "0.031"


# --- the axis --------------------------------------------------------------------------------------------------------
def strip_of(*marks: StripMark) -> Component:
    return margin_strip(list(marks), LINF, eps=25.5, eps_text="25.5/255", delta=13.0, limit=80.0)


def left_of(content: Component, kind: str) -> float:
    dots = [part for part in walk(content) if f"strip-{kind}" in (getattr(part, "className", "") or "").split()]
    assert len(dots) == 1
    return float(dots[0].style["left"].removesuffix("%"))


def test_margin_strip_places_marks_and_zones_on_one_axis() -> None:
    content = strip_of(StripMark("dense", "dense", 40 / 255, False), StripMark("pruned", "pruned", 200 / 255, False))
    assert left_of(content, "dense") == pytest.approx(50)
    assert left_of(content, "pruned") == 100, "beyond the axis it stands at its end"
    assert left_of(content, "eps") == pytest.approx(100 * 25.5 / 80, abs=0.01)


def test_margin_strip_keeps_words_off_the_axis() -> None:
    content = strip_of(StripMark("dense", "dense", None, False), StripMark("pruned", "pruned", 0.0, True))
    wrong, axis, missing = content.children
    assert "pruned" in text_of(wrong) and "dense" in text_of(missing)
    assert "dense" not in text_of(axis) and "pruned" not in text_of(axis)
    label = content.to_plotly_json()["props"]["aria-label"]
    assert "dense none found" in label and "pruned already wrong" in label


def test_tick_values_end_within_the_axis() -> None:
    assert tick_values(80) == [0, 20, 40, 60, 80]
    assert tick_values(75)[-1] == 60
