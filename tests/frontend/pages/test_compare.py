"""Compare on the real services: the address as state, and every part against what was stored."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.schemas.comparisons import Auroc
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationOut
from backend.services import comparisons
from frontend.pages import compare, sample, samples
from frontend.pages.compare import ids
from frontend.pages.compare.callbacks import draw_classes, draw_margins, draw_scatter, draw_shares, follow_cut
from frontend.pages.compare.evidence import forest
from frontend.pages.compare.panels import bins_of, pick_of
from frontend.pages.compare.sections import SECTIONS
from frontend.review.cut import Cut
from frontend.review.walk import load_pair
from frontend.theme import LIGHT
from tests.frontend.pairs import KEPT, make_pair
from tests.frontend.words import by_id, text_of, walk
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


def test_follow_and_pictures_of_an_l2_pair_write_plain_numbers(euclidean: Any) -> None:
    cut, state = cut_of(euclidean), state_of(euclidean)
    followed, margins = follow_cut(cut), draw_margins(state, LIGHT, 0.05)
    assert "/255" not in str(followed)
    assert "/255" not in str([draw_scatter(state, LIGHT, 0.05), margins[1], draw_shares(cut, LIGHT, 0.05)])
    assert "median dense margin" in str(followed["notes"])


def test_context_of_a_pair_with_an_eps_claims_no_choice(pair: Any) -> None:
    assert "median dense margin" not in text_of(compare.layout(dense=str(pair[0].id), pruned=str(pair[1].id)))


# --- the pictures and what follows a cut -----------------------------------------------------------------------------
def test_draw_scatter_draws_every_sample_once_in_its_clean_set(pair: Any) -> None:
    shown = draw_scatter(state_of(pair, eps="8/255"), LIGHT, 13.0)
    samples = comparisons.paired_samples(pair[0].id, pair[1].id, "8/255")
    for name, indices in drawn(shown).items():
        real = {s.index for s in samples if s.set == name and not (s.dense_margin == 0 and s.pruned_margin == 0)}
        assert set(indices) == real and len(indices) == len(real)


def test_follow_cut_is_of_the_eps_that_was_asked(pair: Any) -> None:
    for eps in ("4/255", "40/255"):
        shown = follow_cut(cut_of(pair, eps=eps))
        population = comparisons.compare(pair[0].id, pair[1].id, eps).robust_statistics.population
        assert shown["eps_text"] == eps and f"lost of the {population:,} that hold" in str(shown["predictive"])


def test_follow_cut_of_the_robust_view_speaks_of_robust_flips(pair: Any) -> None:
    comparison = comparisons.compare(pair[0].id, pair[1].id, "8/255")
    shown = {view: follow_cut(cut_of(pair, eps="8/255", view=view)) for view in ("clean", "robust")}
    assert [one["population"] for one in shown.values()] == ["clean flips", "robust flips at ε 8/255"]
    for view, classes in (("clean", comparison.classes), ("robust", comparison.robust_classes)):
        table = str(shown[view]["tables"][ids.CLASSES_TABLE])
        assert all(f"{100 * item.rate:.2f} %" in table for item in classes)
    assert f"AUROC {comparison.robust_statistics.auroc.value:.2f}" in str(shown["robust"]["rest"])


def test_cells_of_the_share_table_pick_as_many_samples_as_they_count(pair: Any) -> None:
    """Clean and robust: also in the first bin, which begins where the population does."""
    for view in ("clean", "robust"):
        comparison = comparisons.compare(pair[0].id, pair[1].id, "8/255")
        query = {"dense": str(pair[0].id), "pruned": str(pair[1].id), "eps": "8/255", "view": view}
        for place, item in enumerate(bins_of(comparison, view)):
            picked = query | {"pick": pick_of(comparison, view, place)}
            assert len(load_pair(picked).listed()) == item.n
            assert len(load_pair(picked | {"set": "S10"}).listed()) == item.lost


def test_browser_state_starts_from_the_pairs_own_eps_and_names_the_columns(pair: Any) -> None:
    own, moved = state_of(pair), state_of(pair, eps="8/255")
    assert own["default_eps_text"] == moved["default_eps_text"] == "25.5/255"
    assert own["version"] == comparisons.pair_columns(pair[0].id, pair[1].id).version
    assert (own["bounds"], own["unit"], len(own["classes"])) == ({}, "1/255", CLASSES)


def test_follow_cut_without_controls_gives_the_reason(pair: Any) -> None:
    comparison = comparisons.compare(pair[0].id, pair[1].id)
    assert comparison.controls == []
    assert comparison.controls_reason in str(follow_cut(cut_of(pair))["controls"])


def test_shares_and_classes_are_those_of_the_service_clean_and_robust(pair: Any) -> None:
    comparison = comparisons.compare(pair[0].id, pair[1].id, "8/255")
    for view, bins, classes in (
        ("clean", comparison.bins, comparison.classes),
        ("robust", comparison.robust_bins, comparison.robust_classes),
    ):
        cut = cut_of(pair, eps="8/255", view=view)
        line = draw_shares(cut, LIGHT, 13.0).data[-1]
        assert list(line.y) == [item.share for item in bins if item.high is not None]
        bars = draw_classes(cut, LIGHT).data[0]
        assert sorted(bars.x) == sorted(item.rate for item in classes)
        assert {row[3] for row in bars.customdata} == {item.label for item in classes}


def test_sections_hold_nothing_until_they_are_opened(pair: Any) -> None:
    content = compare.layout(dense=str(pair[0].id), pruned=str(pair[1].id))
    present = {getattr(part, "id", None) for part in walk(content)}
    comparison = comparisons.compare(pair[0].id, pair[1].id)
    for name, section in SECTIONS.items():
        inside = {getattr(part, "id", None) for part in walk(section.build(comparison))} - {None}
        assert inside and not inside & present, name
        assert by_id(content, ids.body(name)).children is None


def test_pictures_of_witnesses_draw_no_margins_and_says_why(ready: Path, tmp_path: Path) -> None:
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
    state = state_of(both)
    assert state["has_margins"] is False
    shown = [draw_scatter(state, LIGHT, 4.0), *draw_margins(state, LIGHT, 4.0), draw_shares(cut_of(both), LIGHT, 4.0)]
    for figure in shown:
        assert len(figure.data) == 0 and "verdicts at one ε" in figure.layout.annotations[0].text


def test_layout_of_witnesses_says_what_they_are_not(ready: Path, tmp_path: Path) -> None:
    query = make_pair(tmp_path, is_witness=True).query()
    page = compare.layout(**query)
    assert "not how far away the nearest one is" in text_of(page)
    comparison = comparisons.compare(query["dense"], query["pruned"])
    table = by_id(SECTIONS["table"].build(comparison), ids.TABLE)
    assert "margin" not in str([one["headerName"] for one in table.columnDefs])


def test_forest_places_value_and_interval_between_half_and_one() -> None:
    span, tick = forest(Auroc(value=0.9, low=0.75, high=1.0, positives=30, n=100)).children
    assert (span.style, tick.style) == ({"left": "50.0%", "width": "50.0%"}, {"left": "80.0%"})
    below = forest(Auroc(value=0.3, low=0.2, high=0.4, positives=30, n=100)).children[1]
    assert below.style == {"left": "0.0%"}
