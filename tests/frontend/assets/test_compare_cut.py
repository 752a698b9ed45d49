"""What the browser makes of a cut, against what the services say of the same samples at the same eps."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from backend.analysis.statistics import find_middle, mcnemar, wilson
from backend.eps import eps_text
from backend.schemas.comparisons import PairedSample
from backend.services import comparisons, datasets
from frontend.components import SET_WORDS, SYMBOLS
from frontend.figures.histogram import bin_words, count_margins
from frontend.figures.scatter import Point
from frontend.figures.units import LINF
from frontend.review.cut import Cut, choose_flips, set_of
from frontend.review.headline import headline_words
from frontend.review.state import margin_scales
from frontend.review.walk import load_pair
from frontend.review.words import class_name, margins_text, verdict_words, verdicts_text
from tests.frontend.assets.cuts import (
    cards_of,
    counted_of,
    cut_of,
    elements,
    shown_of,
    state_of,
    tiles_of,
    with_class,
    words_of,
)
from tests.frontend.assets.scripts import call
from tests.frontend.pairs import MadePair, N, make_pair
from tests.frontend.words import text_of

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
def test_cards_write_the_numbers_of_the_samples_that_the_cut_covers(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    found, cut = comparisons.compare(query["dense"], query["pruned"], query.get("eps")), python_cut(query)
    covered = [one for one in samples_of(query) if cut.label in (None, one.label)]
    counts = [sum(set_of(one, cut.view) == name for one in covered) for name in ("S11", "S10", "S01", "S00")]
    cards = cards_of(query)
    values = [words_of(with_class(card, "number-value")) for card in cards]
    assert values[:4] == [f"{count:,}" for count in counts]
    held = [100 * sum(name[2] == "1" for name in names) / len(covered) for names in sets_of(covered)]
    assert values[4] == f"{held[0]:.2f} / {held[1]:.2f} %"
    assert found.eps_text in words_of(cards[4])
    low, high = (100 * end for end in interval_of(counts[1], len(covered)))
    rate = f"{100 * counts[1] / len(covered):.2f} % of {len(covered):,} [{low:.2f}, {high:.2f}]"
    assert words_of(with_class(cards[1], "number-detail")) == rate
    p = mcnemar(counts[1], counts[2])
    assert values[5] == (f"p = {p:.3f}" if p >= 0.001 else values[5])
    assert ("one class, not corrected" in words_of(cards[5])) == (cut.label is not None)
    assert [card["attributes"].get("aria-pressed") for card in cards[:4]] == [
        str(name == cut.set).lower() for name in ("S11", "S10", "S01", "S00")
    ]


def sets_of(samples: list[PairedSample]) -> tuple[list[str], list[str]]:
    return [one.set for one in samples], [one.robust_set for one in samples]


def interval_of(part: int, n: int) -> tuple[float, float]:
    found = wilson(part, n)
    assert found.low is not None and found.high is not None
    return found.low, found.high


def test_cards_of_picked_samples_give_no_interval_and_no_test(made_pair: MadePair) -> None:
    cards = cards_of(made_pair.query(pick="dense_0_13/255"))
    words = words_of(cards)
    assert "[" not in words and "p =" not in words and "no test on picked samples" in words


@pytest.mark.parametrize("keys", [{}, {"view": "robust"}, {"view": "robust", "eps": "8/255"}], ids=str)
def test_first_sentence_is_that_of_the_server_where_nothing_is_filtered(
    made_pair: MadePair, keys: dict[str, str]
) -> None:
    query = made_pair.query(**keys)
    found = comparisons.compare(query["dense"], query["pruned"], query.get("eps"))
    parts = found.headline if "view" not in keys else found.robust_headline
    whole = text_of(headline_words(parts))
    first = words_of(call("compareSentences.flips", counted_of(query), shown_of(query)))
    assert first.endswith(".") and whole.startswith(first)
    assert call("compareSentences.scope", counted_of(query), shown_of(query)) == []
    assert call("compareSentences.whole", shown_of(query)) == []


def test_sentences_of_a_class_say_what_they_cover_and_what_does_not_follow(made_pair: MadePair) -> None:
    query = made_pair.query(view="robust", **{"class": "1"})
    counted, shown = counted_of(query), shown_of(query)
    robust = comparisons.compare(query["dense"], query["pruned"]).robust
    covered = [one for one in samples_of(query) if one.label == 1]
    lost, held = (sum(one.robust_set in names for one in covered) for names in (["S10"], ["S11", "S10"]))
    first = words_of(call("compareSentences.flips", counted, shown))
    assert f" of {held} samples (class one) that the dense model holds at 25.5/255" in first
    assert f"loses ▼ {lost or 'none'} of" in first
    assert f"cover these {len(covered)} samples" in words_of(call("compareSentences.scope", counted, shown))
    whole = words_of(call("compareSentences.whole", shown))
    assert f"Of all {N} samples, {robust.n10} of {robust.n11 + robust.n10} are lost." in whole


def test_chips_name_every_choice_and_lead_to_exactly_these_samples(made_pair: MadePair) -> None:
    query = made_pair.query(pick="dense_0_40/255", set="S11", **{"class": "0"})
    chips = call("compareSentences.chips", shown_of(query))
    assert [words_of(chip) for chip in chips[:-1]] == ["dense margin 0.0–40.0/255", "class zero", "● kept"]
    link = chips[-1]["attributes"]["href"]
    assert link.startswith("/samples?") and "pick=dense_0_40/255" in link and "set=S11" in link and "class=0" in link
    listed = load_pair(query).listed()
    assert listed and words_of(chips[-1]) == f"Open {len(listed)} sample{'s' * (len(listed) != 1)} in Samples"
    assert call("compareSentences.chips", shown_of(made_pair.query())) == []


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
    assert call("sampleLists.address", "/sample", cut_of(query), {"index": 7}) == python_cut(query).sample_address(7)


# --- the wall --------------------------------------------------------------------------------------------------------
@every_cut
def test_tiles_show_the_samples_of_the_cut_thinnest_first(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    cut, dataset = python_cut(query), datasets.get_dataset(str(made_pair.dataset.id))
    name, expected = choose_flips(samples_of(query), cut)
    tiles = tiles_of(query, name)
    assert [tile["attributes"]["data-sample"] for tile in tiles] == [str(one.index) for one in expected]
    assert [words_of(with_class(tile, "tile-margin")) for tile in tiles] == [
        margins_text(one, LINF) for one in expected
    ]
    for tile, one in zip(tiles, expected, strict=True):
        wrong = one.pruned_prediction if one.pruned_prediction != one.label else one.dense_prediction
        said = class_name(dataset, one.label) + (f" → {class_name(dataset, wrong)}" if wrong != one.label else "")
        assert words_of(with_class(tile, "tile-labels")) == f"{said} #{one.index}"
        assert words_of(with_class(tile, "tile-set")) == f"{SYMBOLS[name]} {SET_WORDS[name]}"
    delta = float(query.get("delta", "13/255").split("/")[0]) / 255
    thin = [one for one in expected if one.dense_margin and one.dense_margin <= delta]
    assert len(with_class(tiles, "is-thin")) == len(thin)


@pytest.mark.parametrize("name", ["S10", "S00", "S11"])
def test_head_of_the_wall_counts_and_leads_to_all_of_the_set(made_pair: MadePair, name: str) -> None:
    query = made_pair.query(view="robust")
    count = sum(one.robust_set == name for one in samples_of(query))
    head = call("compareRows.wallHead", shown_of(query), name, count)
    assert f"{SYMBOLS[name]} {count}" in words_of(head) and f"Open all {count} in Samples" in words_of(head)
    links = [one["attributes"]["href"] for one in elements(head) if isinstance(one, dict) and one["tag"] == "a"]
    assert links == [f"/samples?dense={query['dense']}&pruned={query['pruned']}&view=robust&set={name}"]
    assert "No sample" in words_of(call("compareRows.wallHead", shown_of(query), name, 0))


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
    "keys",
    [
        {},
        {"class": "2"},
        {"set": "S10"},
        {"view": "robust", "set": "S10", "eps": "8/255"},
        {"set": "S10", "class": "2", "eps": "8/255"},
        {"thin": "1", "delta": "12"},
        {"pick": "dense_wrong_20/255_pruned_wrong_wrong"},
        {"pick": "rows_5.3-2.1", "view": "robust"},
    ],
)
def test_downloads_hold_the_samples_that_are_shown(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    content = call("compareRows.downloads", shown_of(query), "some-samples")
    links = [one["attributes"] for one in elements(content) if isinstance(one, dict) and one["tag"] == "a"]
    assert [link["download"] for link in links] == ["some-samples.csv", "some-samples.parquet", "some-samples.json"]
    sent = {name: values[0] for name, values in parse_qs(urlsplit(links[0]["href"]).query).items()}
    label = int(sent["label"]) if "label" in sent else None
    view = "robust" if sent.get("view") == "robust" else "clean"
    choice = comparisons.SampleFilter(sent.get("set"), view, label, sent.get("pick"), sent.get("thin"))
    rows = choice.narrow(comparisons.paired_samples(sent["dense"], sent["pruned"], sent.get("eps")))
    assert {row.index for row in rows} == {one.index for one in load_pair(query).listed()}
    words = f"all {N} samples" if len(rows) == N else f"{len(rows)} of {N} samples, as shown"
    assert words in words_of(content) and len(rows) > 0 and (len(rows) < N) == bool(keys)


# --- the numbers behind the pictures ---------------------------------------------------------------------------------
@every_cut
def test_histogram_counts_what_the_figure_counts(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    view = python_cut(query).view
    points = [Point(one.index, set_of(one, view), one.dense_margin, one.pruned_margin) for one in chosen_of(query)]
    limit = margin_scales(samples_of(query), LINF)[0].limit
    edges, expected = count_margins(points, LINF, limit)
    assert call("compareTables.histogram", shown_of(query)) == expected
    lines = [one for one in elements(call("compareTables.histogramTable", shown_of(query))) if is_row(one)][1:]
    filled = [words for place, words in enumerate(bin_words(edges)) if any(row[place] for row in expected.values())]
    assert [words_of(line["children"][0]) for line in lines] == filled


def is_row(one: Any) -> bool:
    return isinstance(one, dict) and one["tag"] == "tr"


@every_cut
def test_scatter_table_writes_sizes_medians_and_what_has_no_distance(made_pair: MadePair, keys: dict[str, str]) -> None:
    query = made_pair.query(**keys)
    chosen, view = chosen_of(query), python_cut(query).view
    lines = [one for one in elements(call("compareTables.scatterTable", shown_of(query))) if is_row(one)][1:]
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
    rows, tiles = call("compareRows.rows", shown), tiles_of(query)
    lost = sorted(one.index for one in samples.values() if one.robust_set == "S10")
    assert lost and [row["index"] for row in rows] == lost, "by index"
    for row in rows:
        assert (row["dense_verdict"], row["pruned_verdict"]) == verdict_words(samples[row["index"]])
        assert not any("margin" in key or key == "change" for key in row)
    assert [words_of(with_class(tile, "tile-margin")) for tile in tiles] == [
        verdicts_text(samples[row]) for row in lost
    ]
    assert "/255" not in words_of(tiles) and call("samplesParts.sortChoice", cut_of(query), state_of(query)) == []


def test_cut_of_an_l2_pair_writes_plain_numbers(ready: Path, tmp_path: Path) -> None:
    query = make_pair(tmp_path, norm="L2").query()
    assert "/255" not in words_of(tiles_of(query))
    assert "/255" not in words_of(cards_of(query))
    assert comparisons.compare(query["dense"], query["pruned"]).eps_text in words_of(cards_of(query))
