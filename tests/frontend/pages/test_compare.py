"""Compare on the real services: the address as state, and every part against what was stored."""

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from backend.schemas.comparisons import Auroc
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationOut
from backend.services import comparisons
from frontend.figures.scatter import Point
from frontend.figures.units import LINF
from frontend.pages import compare, sample, samples
from frontend.pages.compare import ids
from frontend.pages.compare.callbacks import fill, pair_panels
from frontend.pages.compare.evidence import forest
from frontend.pages.compare.numbers import p_value
from frontend.pages.compare.panels import scatter_table
from frontend.review.cut import Cut, choose_flips, read_cut
from frontend.review.walk import load_pair
from frontend.theme import DARK, LIGHT
from tests.frontend.pairs import KEPT, make_pair
from tests.frontend.words import by_id, hrefs, text_of
from tests.services.fabrication import CLASSES, add_checkpoint, add_dataset, evaluate, make_pixels, measure

N = 200


@pytest.fixture
def pair(ready: Path, tmp_path: Path) -> tuple[EvaluationOut, EvaluationOut, DatasetOut]:
    """A dense and a pruned evaluation; the pruned one loses what lay near the boundary, and a few others."""
    dataset = add_dataset(tmp_path, "digits", n=N)
    _, labels = make_pixels(N)
    dense_result, pruned_result = measure(labels, 1), measure(labels, 2, wrong=0.1)
    is_thin = (dense_result.margin > 0) & (dense_result.margin < 0.04)
    pruned_result.predictions[is_thin] = (labels[is_thin] + 1) % CLASSES
    pruned_result.margin[is_thin] = 0.0
    dense = add_checkpoint(dataset.id, "parent")
    pruned = add_checkpoint(dataset.id, "child", role="pruned", parent_id=dense.id, declared_sparsity=0.95)
    return evaluate(dense, dataset, dense_result), evaluate(pruned, dataset, pruned_result), dataset


def cut_of(pair: tuple[EvaluationOut, EvaluationOut, DatasetOut], **changes: Any) -> Cut:
    return Cut(str(pair[0].id), str(pair[1].id), **changes)


def drawn(figure: Any) -> dict[str, list[int]]:
    return {trace.name: list(trace.customdata) for trace in figure.data}


# --- the address -----------------------------------------------------------------------------------------------------


def test_browser_carries_the_same_state_into_a_sample() -> None:
    script = (Path(compare.__file__).parents[2] / "assets" / "compare.js").read_text(encoding="utf-8")
    keys = re.search(r"const SAMPLE_KEYS = (\[.*?\]);", script)
    assert keys is not None
    asked = parse_qs(Cut("d", "p", "8/255", "robust", "S10", 3, "9/255").sample_address(7).split("?")[1])
    assert set(json.loads(keys[1])) | {"dense", "pruned", "index"} == set(asked) <= {*sample.KEYS}


# --- the page --------------------------------------------------------------------------------------------------------
def test_complete_of_an_empty_query_takes_the_first_pair(pair: Any) -> None:
    assert compare.complete({}) == {"dense": str(pair[0].id), "pruned": str(pair[1].id)}
    assert compare.complete({"dense": "d", "pruned": "p"}) is None


def test_layout_without_any_pair_says_what_is_missing(ready: Path) -> None:
    assert compare.complete({}) is None
    shown = str(compare.layout())
    assert "Upload a checkpoint" in shown and "/upload" in shown


def test_layout_of_a_pair_names_both_and_states_the_effort(pair: Any) -> None:
    shown = str(compare.layout(dense=str(pair[0].id), pruned=str(pair[1].id)))
    assert "parent" in shown and "child" in shown and f"n {N}" in shown
    comparison = comparisons.compare(pair[0].id, pair[1].id)
    assert ("equal effort" in shown) is True
    assert all(item.sentence in shown for item in comparison.mismatches if item.severity == "differs")


def state_of(pair: Any, **query: str) -> dict[str, Any]:
    """What the page gives to the browser for an address."""
    content = compare.layout(dense=str(pair[0].id), pruned=str(pair[1].id), **query)
    state: dict[str, Any] = by_id(content, ids.PAIR).data
    return state


def test_page_state_starts_the_sliders_where_the_address_says(pair: Any) -> None:
    state = state_of(pair, eps="8/255", delta="5/255")
    assert (state["eps"], state["delta"]) == (pytest.approx(8), pytest.approx(5))
    assert state["limit"] >= 8 and state["suffix"] == "/255"


@pytest.mark.parametrize("eps", ["4/255", "8/255", "100/255"])
def test_default_delta_is_the_pairs_own_on_all_three_pages_whatever_eps_says(pair: Any, eps: str) -> None:
    own, moved = state_of(pair), state_of(pair, eps=eps)
    assert own["default_eps"] == moved["default_eps"] == pytest.approx(25.5)
    assert own["default_delta"] == moved["default_delta"] == own["delta"] == moved["delta"] == 13.0
    loaded = load_pair({"dense": str(pair[0].id), "pruned": str(pair[1].id), "eps": eps})
    assert (loaded.delta, loaded.sliders.limit) == (moved["delta"], moved["limit"])


# --- an L2 pair that names no eps ------------------------------------------------------------------------------------
@pytest.fixture
def euclidean(ready: Path, tmp_path: Path) -> tuple[EvaluationOut, EvaluationOut]:
    made = make_pair(tmp_path, norm="L2")
    return made.dense, made.pruned


@pytest.mark.parametrize("page", [compare, samples, sample], ids=["compare", "samples", "sample"])
def test_layout_of_an_l2_pair_without_eps_says_where_it_comes_from(euclidean: Any, page: Any) -> None:
    dense, pruned = (str(row.id) for row in euclidean)
    comparison = comparisons.compare(dense, pruned)
    query = {"dense": dense, "pruned": pruned} | ({"index": str(KEPT)} if page is sample else {})
    for more in ({}, {"eps": "0.3"}):
        words = text_of(page.layout(**query, **more))
        assert f"initial ε {comparison.eps_text} (median dense margin)" in words
        assert "/255" not in words


def test_fill_of_an_l2_pair_writes_plain_numbers(euclidean: Any) -> None:
    shown = fill(Cut(str(euclidean[0].id), str(euclidean[1].id)), LIGHT, 0.05)
    assert "/255" not in str([shown[name] for name in ("numbers", "wall", "scatter", "curve", "notes", "predictive")])
    assert "median dense margin" in str(shown["notes"])


def test_context_of_a_pair_with_an_eps_claims_no_choice(pair: Any) -> None:
    assert "median dense margin" not in text_of(compare.layout(dense=str(pair[0].id), pruned=str(pair[1].id)))


# --- the cut ---------------------------------------------------------------------------------------------------------
def test_fill_draws_every_sample_once_in_its_set(pair: Any) -> None:
    shown = fill(cut_of(pair, eps="8/255"), LIGHT, 13.0)
    samples = comparisons.paired_samples(pair[0].id, pair[1].id, "8/255")
    for name, indices in drawn(shown["scatter"]).items():
        real = {s.index for s in samples if s.set == name and not (s.dense_margin == 0 and s.pruned_margin == 0)}
        assert set(indices) == real and len(indices) == len(real)
    assert sorted(shown["points"]["index"]) == list(range(N))


def test_fill_moves_samples_between_sets_when_eps_moves(pair: Any) -> None:
    results = [fill(cut_of(pair, eps=eps, view="robust"), LIGHT, 13.0) for eps in ("4/255", "40/255")]
    kept = [set(drawn(shown["scatter"])["S11"]) for shown in results]
    assert kept[1] < kept[0]
    samples = {s.index: s for s in comparisons.paired_samples(pair[0].id, pair[1].id, "40/255")}
    for index in kept[1]:
        margins = (samples[index].dense_margin, samples[index].pruned_margin)
        assert all(margin is None or margin > 40 / 255 for margin in margins)


def test_fill_of_a_class_and_set_shows_only_those(pair: Any) -> None:
    shown = fill(cut_of(pair, set="S10", label=2), DARK, 13.0)
    traces = drawn(shown["scatter"])
    samples = comparisons.paired_samples(pair[0].id, pair[1].id)
    expected = {sample.index for sample in samples if sample.set == "S10" and sample.label == 2}
    assert set(traces["S10"]) == expected and not any(traces[name] for name in ("S11", "S01", "S00"))
    assert {row["index"] for row in shown["rows"]} == expected
    assert set(shown["points"]["index"]) == set(range(N))


def test_fill_lists_flips_lost_first_and_thinnest_first(pair: Any) -> None:
    rows = fill(cut_of(pair), LIGHT, 13.0)["rows"]
    lost = [row["dense_margin"] for row in rows if row["set"] == "▼ lost"]
    known = [margin for margin in lost if margin is not None]
    assert known == sorted(known) and lost[: len(known)] == known
    words = [row["set"] for row in rows]
    assert words == sorted(words, key=["▼ lost", "▲ gained"].index)


def test_fill_writes_a_missing_margin_as_null(pair: Any) -> None:
    shown = fill(cut_of(pair, set="S11"), LIGHT, 13.0)
    samples = {s.index: s for s in comparisons.paired_samples(pair[0].id, pair[1].id)}
    missing = [row for row in shown["rows"] if samples[row["index"]].dense_margin is None]
    assert missing and all(row["dense_margin"] is None and row["change"] is None for row in missing)


def test_fill_gives_no_change_of_a_margin_where_a_model_is_wrong_already(pair: Any) -> None:
    lost = fill(cut_of(pair, set="S10"), LIGHT, 13.0)["rows"]
    assert lost and all(row["pruned_margin"] == 0 and row["change"] is None for row in lost)
    kept = [row for row in fill(cut_of(pair, set="S11"), LIGHT, 13.0)["rows"] if row["dense_margin"]]
    assert any(row["change"] is not None for row in kept)


def test_fill_headline_says_what_it_does_not_follow(pair: Any) -> None:
    plain = text_of(fill(cut_of(pair), LIGHT, 13.0)["headline"])
    assert "These are clean flips" not in plain and "The class filter" not in plain
    robust = comparisons.compare(pair[0].id, pair[1].id).robust
    shown = text_of(fill(cut_of(pair, view="robust", label=1), LIGHT, 13.0)["headline"])
    assert f"{robust.n10:,} of {robust.n11 + robust.n10:,} are lost" in shown
    assert "cover all classes" in shown


def test_fill_number_cards_hold_the_counts_of_the_view(pair: Any) -> None:
    comparison = comparisons.compare(pair[0].id, pair[1].id, "8/255")
    for view in ("clean", "robust"):
        counts = getattr(comparison, view)
        text = str(fill(cut_of(pair, eps="8/255", view=view), LIGHT, 13.0)["numbers"][:4])
        assert all(f"'{count}'" in text for count in (counts.n11, counts.n10, counts.n01, counts.n00))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, f"all {N} samples, every set and class"),
        ({"label": 2}, f"all {N} samples, every set and class"),
        ({"view": "robust", "set": "S10"}, f"all {N} samples, every set and class"),
        ({"set": "S10"}, "{lost} lost, as listed"),
        ({"set": "S10", "label": 2}, "{lost} lost, every class"),
    ],
)
def test_downloads_say_what_the_file_holds(pair: Any, changes: dict[str, Any], words: str) -> None:
    shown = fill(cut_of(pair, **changes), LIGHT, 13.0)
    content = shown["downloads"]
    counts = comparisons.compare(pair[0].id, pair[1].id).clean
    assert words.format(lost=counts.n10) in text_of(content)
    links = [parse_qs(link.split("?")[1]) for link in hrefs(content)]
    assert [link["format"] for link in links] == [["csv"], ["json"]]
    held = [
        comparisons.paired_samples(pair[0].id, pair[1].id, set=link["set"][0] if "set" in link else None)
        for link in links
    ]
    assert {len(rows) for rows in held} == {int(re.findall(r"\d+", text_of(content))[0])}
    if "as listed" in words:
        assert {row.index for row in held[0]} == {row["index"] for row in shown["rows"]}


def test_fill_without_controls_gives_the_reason(pair: Any) -> None:
    comparison = comparisons.compare(pair[0].id, pair[1].id)
    assert comparison.controls == []
    assert comparison.controls_reason in str(fill(cut_of(pair), LIGHT, 13.0)["controls"])


def test_pair_panels_draw_the_shares_of_the_service(pair: Any) -> None:
    comparison = comparisons.compare(pair[0].id, pair[1].id)
    line = pair_panels(str(pair[0].id), str(pair[1].id), LIGHT, 13.0)["share"].data[-1]
    assert list(line.y) == [item.share for item in comparison.bins if item.high is not None]


def test_wall_shows_labels_of_both_models_and_the_margin(pair: Any) -> None:
    samples = comparisons.paired_samples(pair[0].id, pair[1].id)
    _, flips = choose_flips(samples, cut_of(pair))
    shown = str(fill(cut_of(pair), LIGHT, 13.0)["wall"])
    first = flips[0]
    assert f"/api/v1/datasets/{pair[2].id}/samples/{first.index}.png" in shown
    assert f"index={first.index}" in shown and f"{255 * first.dense_margin:.1f}/255" in shown


def test_fill_of_witnesses_draws_no_margins_and_says_why(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", n=60)
    _, labels = make_pixels(60)
    made = [measure(labels, seed) for seed in (1, 2)]
    for result in made:
        result.kind = "witness"
        result.margin[np.isfinite(result.margin) & (result.margin > 8 / 255)] = 8 / 255
    dense = add_checkpoint(dataset.id, "parent")
    pruned = add_checkpoint(dataset.id, "child", role="pruned", parent_id=dense.id)
    both = [
        evaluate(row, dataset, result, preset="autoattack", eps="8/255", record={"distance_kind": "witness"})
        for row, result in zip((dense, pruned), made, strict=True)
    ]
    shown = fill(Cut(str(both[0].id), str(both[1].id)), LIGHT, 4.0)
    shown |= pair_panels(str(both[0].id), str(both[1].id), LIGHT, 4.0)
    for name in ("scatter", "histogram", "curve", "share"):
        assert len(shown[name].data) == 0 and "verdicts at one ε" in shown[name].layout.annotations[0].text
    assert state_of(both)["has_margins"] is False


def test_fill_of_witnesses_shows_verdicts_where_margins_would_stand(ready: Path, tmp_path: Path) -> None:
    made = make_pair(tmp_path, is_witness=True)
    query = made.query()
    shown = fill(read_cut(query | {"view": "robust"}), LIGHT, 13.0)
    lost = {row["index"]: row for row in shown["rows"] if row["set"] == "▼ lost"}
    assert lost and all(row["dense_verdict"] == "holds" and row["pruned_verdict"] != "holds" for row in lost.values())
    assert not any("margin" in key or key == "change" for row in shown["rows"] for key in row)
    words = text_of(shown["wall"])
    assert "holds → broken" in words and "/255" not in words and "thinnest" not in words
    assert list(lost) == sorted(lost), "by index"
    assert set(shown["points"]["dense"]) == {None}
    page = compare.layout(**query)
    assert "not how far away the nearest one is" in text_of(page)
    assert "margin" not in str([one["headerName"] for one in by_id(page, ids.TABLE).columnDefs])


# --- words -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("p", "text"), [(0.04, "p = 0.040"), (1.0, "p = 1.000"), (0.001, "p = 0.001")])
def test_p_value_of_an_ordinary_p_has_three_digits(p: float, text: str) -> None:
    assert p_value(p) == text


@pytest.mark.parametrize(("p", "power"), [(0.0009, "−3"), (3e-12, "−11"), (1e-5, "−4"), (0.0, "−299")])
def test_p_value_of_a_tiny_p_is_below_a_power_that_holds(p: float, power: str) -> None:
    words, sup = p_value(p)
    assert (words, sup.children) == ("p < 10", power)
    assert p < 10.0 ** int(power.replace("−", "-"))


@pytest.mark.parametrize(
    ("margins", "words"),
    [
        ([0.1, None, 0.2], "51.0/255"),
        ([0.1, 0.3], "51.0/255"),
        ([0.1, None], "none found"),
        ([0.1, None, None], "none found"),
    ],
    ids=["odd", "even", "one of two not found", "most not found"],
)
def test_scatter_table_writes_the_median_with_missing_margins_as_infinite(
    margins: list[float | None], words: str
) -> None:
    marks = [Point(place, "S11", margin, 0.0) for place, margin in enumerate(margins)]
    kept = scatter_table(marks, LINF).children.children[2].children[0].children
    assert [cell.children for cell in kept][1:3] == [str(len(margins)), words]


def test_scatter_table_median_is_that_of_the_summary(pair: Any) -> None:
    samples = comparisons.paired_samples(pair[0].id, pair[1].id)
    held = [Point(sample.index, "S11", sample.dense_margin, 0.0) for sample in samples if sample.set in ("S11", "S10")]
    assert pair[0].summary is not None and pair[0].summary.median_margin is not None
    assert LINF.text(pair[0].summary.median_margin) in text_of(scatter_table(held, LINF))


def test_forest_places_value_and_interval_between_half_and_one() -> None:
    span, tick = forest(Auroc(value=0.9, low=0.75, high=1.0, positives=30, n=100)).children
    assert (span.style, tick.style) == ({"left": "50.0%", "width": "50.0%"}, {"left": "80.0%"})
    below = forest(Auroc(value=0.3, low=0.2, high=0.4, positives=30, n=100)).children[1]
    assert below.style == {"left": "0.0%"}
