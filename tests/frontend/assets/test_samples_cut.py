"""Lists, selections, chips and orders in the browser, against what the server lists for the same address."""

import json
from typing import Any

import numpy as np
import pytest

from backend.services import comparisons
from backend.services.comparisons.selection import read_pick
from frontend.review.walk import SORT_WORDS, load_pair
from tests.frontend.assets.cuts import columns_at, elements, shown_of, tiles_of, words_of
from tests.frontend.assets.scripts import call, call_all
from tests.frontend.pairs import GAINED, KEPT, LOST, MISSED, WRONG_ON_BOTH, MadePair

PICKS = [
    "dense_0_13/255",
    "dense_wrong_7/255",
    "dense_20/255_none",
    "dense_20/255_found_pruned_wrong_none",
    "pruned_wrong_wrong",
    "dense_none_none",
    "rows_a-4.3.1-k",
    "rows_",
]
FILTERS: list[dict[str, str]] = [
    {},
    {"set": "S10"},
    {"set": "S11", "view": "robust", "eps": "20/255"},
    {"class": "1", "thin": "1"},
    {"thin": "1", "delta": "30/255", "set": "S10"},
    *({"pick": pick} for pick in PICKS),
    {"pick": "dense_0_40/255", "class": "2", "view": "robust", "set": "S00"},
]
every_filter = pytest.mark.parametrize("keys", FILTERS, ids=lambda keys: " ".join(keys.values()) or "none")


def indices_of(query: dict[str, str]) -> list[int]:
    return [int(tile["attributes"]["data-sample"]) for tile in tiles_of(query, query.get("set"))]


@every_filter
@pytest.mark.parametrize("sort", [None, *SORT_WORDS])
def test_wall_lists_what_the_arrows_of_a_sample_walk(
    made_pair: MadePair, keys: dict[str, str], sort: str | None
) -> None:
    query = made_pair.query(**keys, **({} if sort is None else {"sort": sort}))
    assert indices_of(query) == [one.index for one in load_pair(query).listed()]


def test_orders_have_a_button_each_and_no_order_puts_a_missing_distance_first(made_pair: MadePair) -> None:
    assert list(call("sampleLists.SORTS")) == list(SORT_WORDS)
    for sort in ("drop", "thickest"):
        query = made_pair.query(sort=sort)
        listed = load_pair(query).listed()
        values = [
            None if one.dense_margin is None else one.dense_margin - (one.pruned_margin or 0) * (sort == "drop")
            for one in listed
            if sort == "thickest" or one.pruned_margin is not None
        ]
        found = [value for value in values if value is not None]
        assert found == sorted(found, reverse=True) and values[: len(found)] == found


def test_biggest_drop_begins_with_the_worst_robust_loss(made_pair: MadePair) -> None:
    query = made_pair.query(sort="drop", view="robust", set="S10")
    samples = comparisons.paired_samples(made_pair.dense.id, made_pair.pruned.id)
    lost = [one for one in samples if one.robust_set == "S10"]
    worst = max(lost, key=lambda one: (one.dense_margin or 0) - (one.pruned_margin or 0))
    assert indices_of(query)[0] == worst.index


@pytest.mark.parametrize("count", [0, 1, 37, 500, 2000])
def test_rows_that_the_browser_writes_are_read_back_by_both(count: int) -> None:
    generator = np.random.default_rng(count)
    rows = sorted(generator.choice(10_000, count, replace=False).tolist())
    text = call("selection.writeRows", rows)
    found = read_pick(text)
    assert found is not None and found.rows is not None and sorted(found.rows) == rows
    assert call("selection.writeRows", rows[::-1]) == text
    assert len(text) < 8 + 3 * count


@pytest.mark.parametrize("pick", PICKS)
def test_mask_holds_what_the_server_holds(made_pair: MadePair, pick: str) -> None:
    query = made_pair.query()
    mask = call("selection.mask", columns_at(query), {"call": ["selection.parse", [pick]]})
    samples, found = comparisons.paired_samples(made_pair.dense.id, made_pair.pruned.id), read_pick(pick)
    assert found is not None
    assert mask == [int(found.holds(one)) for one in samples]


@pytest.mark.parametrize(
    ("pick", "words"),
    [
        ("dense_5/255_7/255", "dense margin 5.0–7.0/255"),
        ("dense_wrong_wrong", "dense wrong"),
        ("dense_none_none", "dense not found"),
        ("dense_55/255_found", "dense margin over 55.0/255"),
        (
            "dense_wrong_7/255_pruned_0_none",
            "dense wrong or margin up to 7.0/255, pruned margin over 0.0/255 or not found",
        ),
        ("rows_0-3", "4 selected in the scatter"),
    ],
)
def test_selection_in_words_has_its_ends_and_its_unit(pick: str, words: str) -> None:
    unit = {"scale": 255, "suffix": "/255"}
    assert call("selection.words", {"call": ["selection.parse", [pick]]}, unit) == words


@pytest.mark.parametrize("text", ["", "rows_A", "rows_1-2-3", "dense_1", "dense_x_7/255", "both_0_1", "rows_0-zzzzzz"])
def test_text_that_is_no_selection_selects_nothing(text: str) -> None:
    assert call("selection.parse", text) is None


def chips_of(query: dict[str, str]) -> dict[str, tuple[int, bool, dict[str, Any]]]:
    """Count, whether it holds, and what it changes, by the chip's name."""
    found = {}
    for one in elements(call("samplesParts.chipRows", shown_of(query))):
        if isinstance(one, dict) and "filter-chip" in (one["attributes"].get("class") or ""):
            count = next(
                part
                for part in elements(one)
                if isinstance(part, dict) and part["attributes"].get("class") == "chip-count"
            )
            attributes = one["attributes"]
            number = int(words_of(count).replace(",", ""))
            found[attributes["data-focus"]] = (
                number,
                attributes["aria-pressed"] == "true",
                json.loads(attributes["data-go"]),
            )
    return found


@pytest.mark.parametrize(
    "start",
    [{}, {"class": "1"}, {"thin": "1"}, {"set": "S11", "view": "robust"}, {"pick": "dense_0_40/255", "set": "S10"}],
)
def test_every_chip_leads_to_as_many_samples_as_it_says(made_pair: MadePair, start: dict[str, str]) -> None:
    query = made_pair.query(**start)
    for name, (count, is_on, changes) in chips_of(query).items():
        followed = {key: str(value) for key, value in {**query, **changes}.items() if value is not None}
        listed = load_pair(followed).listed()
        assert len(listed) >= count if is_on else len(listed) == count, name


def test_set_chips_hold_the_counts_of_the_comparison(made_pair: MadePair) -> None:
    comparison = comparisons.compare(made_pair.dense.id, made_pair.pruned.id, "20/255")
    found = chips_of(made_pair.query(eps="20/255"))
    for view, counts in (("clean", comparison.clean), ("robust", comparison.robust)):
        for name in ("S11", "S10", "S01", "S00"):
            assert found[f"{view}-{name}"][0] == getattr(counts, name.replace("S", "n"))


def test_sentence_says_how_many_in_what_order_and_by_which_filters(made_pair: MadePair) -> None:
    def said(count: int, **keys: str) -> str:
        return words_of(call("samplesParts.sentence", shown_of(made_pair.query(**keys)), count))

    assert said(200) == "Showing all 200 samples, sorted by dense margin."
    words = said(7, set="S10", view="robust", thin="1", pick="dense_0_9/255", sort="drop", **{"class": "3"})
    assert words == (
        "Showing 7 of 200 samples, sorted by drop of the margin, largest first. Filters: lost at ε 25.5/255; "
        "class three; on thin ice (dense margin up to 13/255); dense margin 0.0–9.0/255."
    )


def test_thin_ice_holds_what_the_dense_model_gets_right_up_to_delta(made_pair: MadePair) -> None:
    thin = set(indices_of(made_pair.query(thin="1", delta="10/255")))
    samples = comparisons.paired_samples(made_pair.dense.id, made_pair.pruned.id)
    expected = {one.index for one in samples if one.dense_margin is not None and 0 < one.dense_margin <= 10 / 255}
    assert thin == expected and LOST in thin
    assert not thin & {KEPT, GAINED, WRONG_ON_BOTH, MISSED}


def test_tiles_carry_the_list_into_the_sample(made_pair: MadePair) -> None:
    query = made_pair.query(set="S10", view="robust", eps="20/255", sort="index", pick="dense_wrong_none")
    shown = shown_of(query)
    tile, of_all = call_all([("sampleTiles.tile", [shown, 0]), ("sampleTiles.tile", [shown, 0, "all"])])
    href = tile["attributes"]["href"]
    for part in ("set=S10", "view=robust", "sort=index", "eps=20/255", "pick=dense_wrong_none"):
        assert part in href
    assert "list=all" not in href and "list=all" in of_all["attributes"]["href"]


@pytest.mark.parametrize("bin", [0, 1, 7, 35, 36])
def test_bar_of_the_histogram_picks_as_many_samples_as_it_counts(made_pair: MadePair, bin: int) -> None:
    query = made_pair.query()
    shown, counts = shown_of(query), call("compareTables.histogram", shown_of(query))
    pair = call("sampleLists.shownAt", *shown["call"][1])["pair"]
    pick = call("compareTables.pickOf", pair, bin)
    assert len(load_pair(made_pair.query(pick=pick)).listed()) == sum(row[bin] for row in counts.values())
