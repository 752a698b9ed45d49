"""What the browser makes of a cut, against what the services say of the same samples at the same eps."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.analysis.statistics import find_middle
from backend.eps import eps_text
from backend.schemas.comparisons import PairedSample
from backend.services import comparisons, datasets
from frontend.components import SET_WORDS, SYMBOLS
from frontend.figures.histogram import bin_words, count_margins
from frontend.figures.scatter import Point
from frontend.figures.units import LINF
from frontend.pages.compare.panels import margin_scales
from frontend.review.cut import Cut, choose_flips, set_of
from frontend.review.words import class_name, margins_text, verdict_words, verdicts_text
from tests.frontend.assets.cuts import cards_of, columns_at, cut_of, elements, shown_of, state_of, with_class, words_of
from tests.frontend.assets.scripts import call, call_all
from tests.frontend.pairs import MadePair, N, make_pair

CUTS: list[dict[str, str]] = [
    {},
    {"eps": "8/255"},
    {"view": "robust"},
    {"eps": "0.1", "view": "robust"},
    {"eps": "12.5/255", "view": "robust", "set": "S11"},
    {"set": "S01"},
    {"view": "robust", "class": "2"},
    {"set": "S10", "class": "0", "delta": "30/255"},
    {"eps": "200/255", "view": "robust", "set": "S11"},
]
every_cut = pytest.mark.parametrize("keys", CUTS, ids=lambda keys: " ".join(keys.values()) or "no choice")


def samples_of(query: dict[str, str]) -> list[PairedSample]:
    return comparisons.paired_samples(query["dense"], query["pruned"], query.get("eps"))


def python_cut(query: dict[str, str]) -> Cut:
    label = None if "class" not in query else int(query["class"])
    view: Any = query.get("view", "clean")
    flip_set: Any = query.get("set")
    return Cut(query["dense"], query["pruned"], query.get("eps"), view, flip_set, label, query.get("delta"))


def chosen_of(query: dict[str, str]) -> list[PairedSample]:
    cut = python_cut(query)
    return [
        one for one in samples_of(query) if cut.label in (None, one.label) and cut.set in (None, set_of(one, cut.view))
    ]


# --- the numbers -----------------------------------------------------------------------------------------------------
@every_cut
def test_cards_write_the_numbers_of_the_comparison(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    found, cut = comparisons.compare(query["dense"], query["pruned"], query.get("eps")), python_cut(query)
    is_clean = cut.view == "clean"
    counts = found.clean if is_clean else found.robust
    cards = cards_of(query)
    values = [words_of(with_class(card, "number-value")) for card in cards]
    assert values[:4] == [f"{count:,}" for count in (counts.n11, counts.n10, counts.n01, counts.n00)]
    held = [100 * (one.n11 + one.n01) / found.n for one in (found.clean, found.robust)]
    assert values[4] == f"{held[0]:.2f} / {held[1]:.2f} %"
    assert found.eps_text in words_of(cards[4])
    lost = found.negative_flip_rate if is_clean else found.robust_statistics.negative_flip_rate
    interval = f"[{100 * lost.interval.low:.2f}, {100 * lost.interval.high:.2f}]"
    assert words_of(with_class(cards[1], "number-detail")) == f"{100 * lost.value:.2f} % of {lost.n:,} {interval}"
    p = found.mcnemar_p if is_clean else found.robust_statistics.mcnemar_p
    assert values[5] == (f"p = {p:.3f}" if p >= 0.001 else values[5])
    assert [card["attributes"].get("aria-pressed") for card in cards[:4]] == [
        str(name == cut.set).lower() for name in ("S11", "S10", "S01", "S00")
    ]


def test_scope_says_what_the_headline_does_not_follow(made_pair: MadePair) -> None:
    query = made_pair.query(view="robust", **{"class": "1"})
    robust = comparisons.compare(query["dense"], query["pruned"]).robust
    summary = {"call": ["outcomes.summarise", [columns_at(query), 0.1]]}
    words = words_of(call("compareNumbers.scope", summary, cut_of(query)))
    assert f"{robust.n10:,} of {robust.n11 + robust.n10:,} are lost" in words and "cover all classes" in words
    assert call("compareNumbers.scope", summary, cut_of(made_pair.query())) == []


@pytest.mark.parametrize(("p", "text"), [(0.04, "p = 0.040"), (1.0, "p = 1.000"), (0.001, "p = 0.001")])
def test_p_value_of_an_ordinary_p_has_three_digits(p: float, text: str) -> None:
    assert words_of(call("compareNumbers.pValue", p)) == text


@pytest.mark.parametrize(("p", "power"), [(0.0009, "−3"), (3e-12, "−11"), (1e-5, "−4"), (0.0, "−299")])
def test_p_value_of_a_tiny_p_is_below_a_power_that_holds(p: float, power: str) -> None:
    assert words_of(call("compareNumbers.pValue", p)) == f"p < 10{power}"
    assert p < 10.0 ** int(power.replace("−", "-"))


# --- the address -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "text", ["8/255", "25.5/255", "0.1", "0.03137254901960784", "1/3", "0.2", "8.123/255", "16/510"]
)
def test_eps_of_an_address_is_written_and_read_as_the_server_does(made_pair: MadePair, text: str) -> None:
    query = made_pair.query(eps=text)
    found, cut = comparisons.compare(query["dense"], query["pruned"], text), cut_of(query)
    assert cut["eps"] == pytest.approx(found.eps, rel=1e-15)
    if text != "8.123/255":  # a slider has no such step, and the server writes it as a long decimal
        assert cut["epsText"] == found.eps_text == eps_text(text, "Linf")


@every_cut
def test_address_of_a_sample_is_that_of_the_server(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    assert call("compareLists.address", cut_of(query), 7) == python_cut(query).sample_address(7)


# --- the wall --------------------------------------------------------------------------------------------------------
@every_cut
def test_wall_shows_the_samples_of_the_cut_thinnest_first(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    cut, dataset = python_cut(query), datasets.get_dataset(str(made_pair.dataset.id))
    name, expected = choose_flips(samples_of(query), cut)
    wall = call("compareLists.wall", shown_of(query), True)
    tiles = with_class(wall, "tile")
    assert [tile["attributes"]["data-sample"] for tile in tiles] == [str(one.index) for one in expected[:120]]
    assert [words_of(with_class(tile, "tile-margin")) for tile in tiles] == [
        margins_text(one, LINF) for one in expected[:120]
    ]
    for tile, one in zip(tiles, expected, strict=False):
        wrong = one.pruned_prediction if one.pruned_prediction != one.label else one.dense_prediction
        said = f"{class_name(dataset, one.label)} {SYMBOLS[name]} "
        assert words_of(with_class(tile, "tile-labels")) == said + (
            class_name(dataset, wrong) if wrong != one.label else ""
        )
    delta = float(query.get("delta", "13/255").split("/")[0]) / 255
    thin = [one for one in expected if one.dense_margin and one.dense_margin <= delta]
    assert len(with_class(wall, "is-thin")) == len(thin)
    if not expected:
        assert "No sample" in words_of(wall) and SET_WORDS[name] in words_of(wall)


def test_wall_builds_what_is_folded_only_when_it_is_opened(made_pair: MadePair) -> None:
    shown = shown_of(made_pair.query(set="S11"))
    closed, opened = (call("compareLists.wall", shown, is_open) for is_open in (False, True))
    count = comparisons.compare(made_pair.dense.id, made_pair.pruned.id).clean.n11
    assert (len(with_class(closed, "tile")), len(with_class(opened, "tile"))) == (18, min(120, count))
    assert f"Show {min(120, count) - 18} more" in words_of(closed)
    images = [one for one in elements(closed) if isinstance(one, dict) and one["tag"] == "img"]
    assert {image["attributes"]["loading"] for image in images} == {"lazy"}


# --- the table -------------------------------------------------------------------------------------------------------
@every_cut
def test_rows_are_the_chosen_set_or_the_lost_and_then_the_gained(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    cut, samples = python_cut(query), samples_of(query)
    names = [cut.set] if cut.set else ["S10", "S01"]
    expected = [
        (name, one)
        for name in names
        for one in choose_flips(samples, Cut(cut.dense, cut.pruned, cut.eps, cut.view, name, cut.label))[1]
    ]
    rows = call("compareRows.rows", shown_of(query))
    assert len(rows) == len(expected)
    for row, (name, one) in zip(rows, expected, strict=True):
        assert (row["index"], row["set"]) == (one.index, f"{SYMBOLS[name]} {SET_WORDS[name]}")
        assert row["logit_gap"] == one.dense_logit_gap
        shown = [None if margin is None else 255 * margin for margin in (one.dense_margin, one.pruned_margin)]
        assert [row["dense_margin"], row["pruned_margin"]] == shown
        has_both = one.dense_margin and one.pruned_margin
        assert row["change"] == (pytest.approx(shown[1] - shown[0]) if has_both else None)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, f"all {N} samples, every set and class"),
        ({"class": "2"}, f"all {N} samples, every set and class"),
        ({"view": "robust", "set": "S10"}, f"all {N} samples, every set and class"),
        ({"set": "S10"}, "{lost} lost, as listed"),
        ({"set": "S10", "class": "2", "eps": "8/255"}, "{lost} lost, every class"),
    ],
)
def test_downloads_say_what_the_file_holds(made_pair: MadePair, keys: dict[str, str], words: str) -> None:
    query = made_pair.query(**keys)
    content = call("compareRows.downloads", shown_of(query))
    lost = comparisons.compare(made_pair.dense.id, made_pair.pruned.id).clean.n10
    assert words.format(lost=lost) in words_of(content)
    links = [one["attributes"]["href"] for one in elements(content) if isinstance(one, dict) and one["tag"] == "a"]
    assert [link.rsplit("=")[-1] for link in links] == ["csv", "json"]
    has_set = keys.get("view") != "robust" and "set" in keys
    assert all(("set=S10" in link) == has_set and ("eps=8/255" in link) == ("eps" in keys) for link in links)


# --- the numbers behind the pictures ---------------------------------------------------------------------------------
@every_cut
def test_histogram_counts_what_the_figure_counts(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    view = python_cut(query).view
    points = [Point(one.index, set_of(one, view), one.dense_margin, one.pruned_margin) for one in chosen_of(query)]
    limit = margin_scales(samples_of(query), LINF)[0].limit
    edges, expected = count_margins(points, LINF, limit)
    assert call("compareRows.histogram", shown_of(query)) == expected
    lines = [one for one in elements(call("compareRows.histogramTable", shown_of(query))) if is_row(one)][1:]
    filled = [words for place, words in enumerate(bin_words(edges)) if any(row[place] for row in expected.values())]
    assert [words_of(line["children"][0]) for line in lines] == filled


def is_row(one: Any) -> bool:
    return isinstance(one, dict) and one["tag"] == "tr"


@every_cut
def test_scatter_table_writes_sizes_medians_and_what_has_no_distance(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    chosen, view = chosen_of(query), python_cut(query).view
    lines = [one for one in elements(call("compareRows.scatterTable", shown_of(query))) if is_row(one)][1:]
    for line, name in zip(lines, ("S11", "S10", "S01", "S00"), strict=True):
        of_set = [one for one in chosen if set_of(one, view) == name]
        expected = [f"{SYMBOLS[name]} {SET_WORDS[name]}", f"{len(of_set):,}"]
        for margins in ([one.dense_margin for one in of_set], [one.pruned_margin for one in of_set]):
            middle = find_middle([np.inf if margin is None else margin for margin in margins])
            zeros, missing = sum(margin == 0 for margin in margins), sum(margin is None for margin in margins)
            expected += [LINF.text(middle) if of_set else "–", f"{zeros:,}", f"{missing:,}"]
        assert [words_of(cell) for cell in line["children"]] == expected


# --- verdicts --------------------------------------------------------------------------------------------------------
def test_cut_of_witnesses_shows_verdicts_where_margins_would_stand(ready: Path, tmp_path: Path) -> None:
    query = make_pair(tmp_path, is_witness=True).query(view="robust", set="S10")
    assert state_of(query)["has_margins"] is False
    shown, samples = shown_of(query), {one.index: one for one in samples_of(query)}
    rows, wall = call_all([("compareRows.rows", [shown]), ("compareLists.wall", [shown, True])])
    lost = sorted(one.index for one in samples.values() if one.robust_set == "S10")
    assert lost and [row["index"] for row in rows] == lost, "by index"
    for row in rows:
        assert (row["dense_verdict"], row["pruned_verdict"]) == verdict_words(samples[row["index"]])
        assert not any("margin" in key or key == "change" for key in row)
    assert [words_of(tile) for tile in with_class(wall, "tile-margin")] == [verdicts_text(samples[row]) for row in lost]
    assert "thinnest" not in words_of(wall) and "/255" not in words_of(wall)


def test_cut_of_an_l2_pair_writes_plain_numbers(ready: Path, tmp_path: Path) -> None:
    query = make_pair(tmp_path, norm="L2").query()
    assert "/255" not in words_of(call("compareLists.wall", shown_of(query), True))
    assert "/255" not in words_of(cards_of(query))
    assert comparisons.compare(query["dense"], query["pruned"]).eps_text in words_of(cards_of(query))
