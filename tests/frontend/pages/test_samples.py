"""Samples on the real services: chips count what they show, and tiles lead into the same list."""

import json
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from backend.errors import InvalidRequest
from backend.services import comparisons
from frontend.pages import samples as page
from frontend.pages.samples.layout import FILLED, fill, read_shown
from frontend.review.walk import load_pair
from tests.frontend.pairs import GAINED, KEPT, LOST, MISSED, WRONG_ON_BOTH, MadePair, make_pair
from tests.frontend.words import hrefs, text_of, walk


@pytest.fixture(scope="module")
def pair(made_pair: MadePair) -> MadePair:
    return made_pair


def tiles(filled: dict[str, Any]) -> list[int]:
    """Rows of the thumbnails, in order."""
    return [int(one.split("index=")[1].split("&")[0]) for one in hrefs(filled["list"]) if one.startswith("/sample?")]


def chips(filled: dict[str, Any]) -> dict[str, tuple[int, bool, dict[str, Any]]]:
    """Count, whether it holds, and what it changes, by the chip's name."""
    found = {}
    for part in walk(filled["chips"]):
        props = part.to_plotly_json()["props"] if isinstance(part, Component) else {}
        if "filter-chip" in (props.get("className") or ""):
            count = next(one for one in props["children"] if getattr(one, "className", "") == "chip-count").children
            pressed = props["aria-pressed"] == "true"
            found[props["data-focus"]] = (int(count.replace(",", "")), pressed, json.loads(props["data-go"]))
    return found


def follow(query: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    """What the browser makes of a chip: the query with these changes."""
    return {key: value for key, value in {**query, **changes}.items() if value is not None}


def test_fill_without_filters_lists_everything(pair: MadePair) -> None:
    filled = fill(pair.query(shown=400))
    assert sorted(tiles(filled)) == list(range(200))
    assert "all 200" in text_of(filled["sentence"])


@pytest.mark.parametrize("start", [{}, {"class": "1"}, {"thin": "1"}, {"set": "S11", "view": "robust"}])
def test_every_chip_leads_to_as_many_samples_as_it_says(pair: MadePair, start: dict[str, str]) -> None:
    query = pair.query(shown=400, **start)
    for name, (count, pressed, changes) in chips(fill(query)).items():
        shown = tiles(fill(follow(query, changes) | {"shown": "400"}))
        if not pressed:
            assert len(shown) == count, name
        else:
            assert len(shown) >= count, f"{name} removes itself"


def test_set_chips_hold_the_comparisons_counts(pair: MadePair) -> None:
    comparison = comparisons.compare(pair.dense.id, pair.pruned.id, "20/255")
    found = chips(fill(pair.query(eps="20/255")))
    for view, counts in (("clean", comparison.clean), ("robust", comparison.robust)):
        for name in ("S11", "S10", "S01", "S00"):
            assert found[f"{view}-{name}"][0] == getattr(counts, name.replace("S", "n"))


def test_thin_ice_holds_what_the_dense_model_gets_right_up_to_delta(pair: MadePair) -> None:
    loaded = load_pair(pair.query(delta="10/255"))
    thin = {one.index for one in loaded.samples if loaded.is_on_thin_ice(one)}
    expected = {
        one.index
        for one in loaded.samples
        if one.dense_prediction == one.label and one.dense_margin is not None and one.dense_margin <= 10 / 255
    }
    assert thin == expected and LOST in thin
    assert not thin & {KEPT, GAINED, WRONG_ON_BOTH, MISSED}


@pytest.mark.parametrize("sort", ["dense", "pruned", "index"])
def test_sort_puts_missing_distances_last(pair: MadePair, sort: str) -> None:
    loaded = load_pair(pair.query(sort=sort, set="S11"))
    listed = loaded.listed()
    values = [one.index if sort == "index" else getattr(one, f"{sort}_margin") for one in listed]
    numbers = [value for value in values if value is not None]
    assert numbers == sorted(numbers) and values[: len(numbers)] == numbers
    if sort == "dense":
        assert None in values, "row 14 has no dense margin"


def test_sort_of_an_unknown_kind_is_refused(pair: MadePair) -> None:
    with pytest.raises(InvalidRequest, match="dense, pruned, index"):
        load_pair(pair.query(sort="beauty"))


def test_tiles_carry_the_list_into_the_sample(pair: MadePair) -> None:
    links = hrefs(fill(pair.query(set="S10", view="robust", eps="20/255", sort="index"))["list"])
    assert links and all("set=S10" in one and "view=robust" in one and "sort=index" in one for one in links)
    assert all("list=all" not in one for one in links)
    assert all("list=all" in one for one in hrefs(fill(pair.query())["list"]))


def test_tiles_have_words_and_a_margin(pair: MadePair) -> None:
    lost = fill(pair.query(set="S10"))["list"]
    words = text_of(lost)
    assert f"#{LOST}" in words and "▼ lost" in words and "5.1/255" in words
    images = [part for part in walk(lost) if type(part).__name__ == "Img"]
    assert images and all(image.alt for image in images)


def test_wall_shows_more_on_request(pair: MadePair) -> None:
    first = fill(pair.query())
    assert len(tiles(first)) == 120 and "80 not shown" in text_of(first["list"])
    more = [
        part.to_plotly_json()["props"].get("data-go-replace")
        for part in walk(first["list"])
        if isinstance(part, Component)
    ]
    assert [json.loads(one) for one in more if one] == [{"shown": "240"}]
    assert len(tiles(fill(pair.query(shown=240)))) == 200
    assert [read_shown(text) for text in (None, "x", "-5", "7", "240", "9" * 40)] == [120, 120, 120, 120, 240, 120]


def test_wall_of_nothing_says_so_and_offers_the_way_back(pair: MadePair) -> None:
    filled = fill(pair.query(set="S00", thin="1"))
    assert "No sample matches the filters: wrong on both (clean images), on thin ice" in text_of(filled["list"])
    assert "Show all samples" in text_of(filled["list"])


def test_delta_stays_where_it_is_while_eps_moves(pair: MadePair) -> None:
    assert load_pair(pair.query()).delta == load_pair(pair.query(eps="60/255")).delta == 13.0
    assert load_pair(pair.query(delta="9/255")).delta == pytest.approx(9)


def test_witnesses_have_no_thin_ice_and_no_margins(ready: Path, tmp_path: Path) -> None:
    made = make_pair(tmp_path, is_witness=True)
    loaded = load_pair(made.query(sort="dense"))
    assert not loaded.has_margins and not any(loaded.is_on_thin_ice(one) for one in loaded.samples)
    filled = fill(made.query(shown=400))
    assert tiles(filled) == sorted(tiles(filled)), "by index: there is nothing else to sort by"
    words = text_of(filled["list"])
    assert "broken → broken" in words and "holds → broken" in words and "25.5" not in words
    assert filled["sort"] is None and "sorted by index" in text_of(filled["sentence"])
    assert "no margins, no thin ice" in text_of(page.layout(**made.query()))


def test_complete_takes_the_first_pair(pair: MadePair) -> None:
    assert page.complete({"set": "S10"}) == pair.query(set="S10")
    assert page.complete(pair.query()) is None


def test_layout_without_any_pair_says_how_to_get_one(ready: Path) -> None:
    assert page.complete({}) is None
    assert "/upload" in hrefs(page.layout())


def test_layout_holds_a_place_for_everything_that_is_filled(pair: MadePair) -> None:
    ids = {getattr(part, "id", None) for part in walk(page.layout(**pair.query()))}
    assert {output.component_id for output in FILLED.values()} <= ids
