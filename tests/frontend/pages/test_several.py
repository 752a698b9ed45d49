"""The page that compares several checkpoints, on real services; what its scripts draw is asked of them in Node."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.errors import InvalidRequest
from backend.services import comparisons
from frontend.pages import several as page
from frontend.pages.several import ids
from frontend.pages.several.callbacks import DRAWN, draw_all
from frontend.theme import DARK
from tests.frontend.assets.cuts import elements, with_class, words_of
from tests.frontend.assets.scripts import call
from tests.frontend.words import by_id, hrefs, text_of
from tests.services.fabrication import evaluate
from tests.services.families.made_family import MadeFamily, home_with_family

NAMES = ("harp-95", "lwm-95", "thin-ice-95")


@pytest.fixture(scope="module")
def made(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadeFamily]:
    with home_with_family(template, tmp_path_factory.mktemp("family")) as family:
        yield family


def query_of(made: MadeFamily, *names: str, **more: str) -> dict[str, str]:
    ids = ",".join(str(made.done[name].id) for name in names or NAMES)
    return {"dense": str(made.done["dense"].id), "pruned": ids, "view": "robust", **more}


def shown_of(query: dict[str, str]) -> dict[str, Any]:
    """The argument of a call in Node: the page at the cut that the query names."""
    state = by_id(page.layout(**query), ids.STATE).data
    sent = comparisons.several_columns(state["dense"], state["pruned_list"]).model_dump(mode="json")
    columns = call("severalLosses.decode", sent)
    cut = call("severalLosses.readCut", {"map": query}, state)
    decoded = {"call": ["severalLosses.decode", [sent]]}
    eps = cut["eps"] if cut["view"] == "robust" else None
    pairs = [{"call": ["outcomes.decode", [{**sent, "pruned": one}]]} for one in sent["pruned"]]
    clean, robust = ([{"call": ["outcomes.summarise", [pair, at]]} for pair in pairs] for at in (None, cut["eps"]))
    found = comparisons.compare_several(state["dense"], state["pruned_list"], query.get("eps"))
    held = (found.robust if cut["view"] == "robust" else found.clean).held
    masks = {"call": ["severalLosses.masks", [decoded, eps]]}
    choice = {"call": ["severalLosses.readChoice", [query.get("lost"), len(columns)]]}
    losses = {"call": ["severalLosses.tally", [masks, len(columns), held]]}
    shown = {"several": state, "columns": pairs, "cut": cut, "choice": choice, "clean": clean, "robust": robust}
    return {**shown, "masks": masks, "losses": losses}


def test_complete_fills_in_what_is_pruned_alike_and_keeps_the_cut(made: MadeFamily) -> None:
    found = page.complete({"eps": "8/255"})
    assert found == query_of(made, eps="8/255")
    assert page.complete(found) is None
    like = page.complete({"dense": str(made.done["dense"].id), "like": str(made.done["lwm-80"].id)})
    assert like == query_of(made, "lwm-80")
    strangers = {"dense": str(made.done["lwm-95"].id), "like": str(made.done["lwm-80"].id)}
    found = page.complete(strangers)
    assert found is not None
    assert (found["dense"], found["pruned"]) == tuple(strangers.values()), "no family, so the two named ones"


def test_layout_of_a_home_without_margins_says_how_to_get_some(ready: Path) -> None:
    assert page.complete({}) is None
    assert "/upload" in hrefs(page.layout())


def test_layout_names_every_checkpoint_with_a_way_to_leave_it_out(made: MadeFamily) -> None:
    shown = page.layout(**query_of(made, eps="13/255"))
    text, links = text_of(shown), hrefs(shown)
    assert "dense and 3 pruned checkpoints" in text and "n 400, shared by all" in text and "equal effort" in text
    assert "Methods shows a whole family" in text
    without = f"/several?dense={made.done['dense'].id}&pruned={made.done['harp-95'].id},{made.done['lwm-95'].id}"
    assert f"{without}&eps=13/255&view=robust" in links
    assert f"/methods?family={made.rows['dense'].id}" in links
    assert "weights, 95 %" in text and "lwm at each level" in text, "usual choices"
    groups = {group["group"]: [item["label"] for item in group["items"]] for group in by_id(shown, ids.ADD).data}
    assert groups["weights, 80 %"] == ["lwm-80, n 400"] and any("control" in name for name in groups["nothing pruned"])
    alone = page.layout(**query_of(made, "lwm-95"))
    assert "Without lwm-95" not in text_of(alone), "the last one stays"


def test_layout_gives_each_checkpoint_a_mark_of_its_own(made: MadeFamily) -> None:
    state = by_id(page.layout(**query_of(made, "lwm-95", "lwm-80", "harp-95", "control")), ids.STATE).data
    assert json.loads(json.dumps(state)) == state
    assert len({one["glyph"] for one in state["networks"]}) == 4
    assert state["networks"][0]["kind"] == "key-1", "the first of a method has the method's mark"
    assert [one["level"] for one in state["networks"]] == [0.95, 0.8, 0.95, None]
    assert state["default_eps_text"] == "25.5/255" and len(state["pruned_list"]) == 4


def test_layout_warns_of_flags_and_of_another_effort(made: MadeFamily) -> None:
    weaker = evaluate(made.rows["lwm-80"], made.dataset, made.measured["lwm-80"], preset="fast")
    query = query_of(made, "lwm-95")
    shown = page.layout(**{**query, "pruned": f"{query['pruned']},{weaker.id}"})
    assert "different effort" in text_of(shown) and "Not all evaluations used the settings" in text_of(shown)


def test_layout_of_an_eps_that_is_none_is_refused(made: MadeFamily) -> None:
    with pytest.raises(InvalidRequest):
        page.layout(**query_of(made, eps="wide"))


def test_draw_all_draws_every_picture_and_the_tables_behind_them(made: MadeFamily) -> None:
    drawn = draw_all(query_of(made, "lwm-95", "lwm-80", "control"), DARK)
    assert set(drawn) == set(DRAWN)
    names = [trace.name for trace in drawn[ids.CURVE].data if trace.name]
    assert names == ["dense", "lwm-95", "lwm-80", "control"]
    assert [trace.name for trace in drawn[ids.STANDING].data] == names
    assert [list(trace.customdata) for trace in drawn[ids.LOST_LEVELS].data] == [[1, 0]], "the control has no level"
    for table in drawn["tables"].values():
        assert all(name in words_of(table) for name in names)


def test_sentence_and_counts_agree_with_rest(made: MadeFamily) -> None:
    query = query_of(made, eps="20/255")
    found = comparisons.compare_several(query["dense"], query["pruned"].split(","), "20/255").robust
    words = words_of(call("severalParts.sentence", shown_of(query)))
    assert f"{found.at_least[-1].count} of 400 samples are lost by all 3 checkpoints at ε 20/255" in words
    best = max(found.overlaps, key=lambda one: one.jaccard.value if one.jaccard else 0.0)
    assert best.jaccard is not None and best.by_chance is not None
    assert f"both lose {best.jaccard.value:.2f} [{best.jaccard.interval.low:.2f}, " in words
    assert f"at random would share {best.by_chance:.2f}" in words
    counts = call("severalParts.counts", shown_of(query))
    numbers = [
        words_of(one["children"]) for one in elements(counts) if isinstance(one, dict) and one["tag"] == "strong"
    ]
    assert numbers == [f"{share.count:,}" for share in reversed(found.at_least)]
    assert f"{found.lost_by[0]:,} are lost by none" in words_of(counts)


def test_matrix_has_shares_above_the_diagonal_numbers_below_and_a_button_in_each_cell(made: MadeFamily) -> None:
    query = query_of(made, lost="both-1-3")
    found = comparisons.compare_several(query["dense"], query["pruned"].split(",")).robust
    matrix = call("severalParts.matrix", shown_of(query))
    cells = [one for one in elements(matrix) if isinstance(one, dict) and one["tag"] == "button"]
    texts = [words_of(one["children"]) for one in cells]
    shares = {(0, 1): found.overlaps[0], (0, 2): found.overlaps[1], (1, 2): found.overlaps[2]}
    for (first, second), one in shares.items():
        assert one.jaccard is not None
        assert texts[3 * first + second] == f"{one.jaccard.value:.2f}"
        assert texts[3 * second + first] == str(one.both)
    pressed = [
        json.loads(one["attributes"]["data-go"])["lost"] for one in cells if one["attributes"]["aria-pressed"] == "true"
    ]
    assert pressed == ["both-1-3", "both-1-3"], "the cell and its mirror"


@pytest.mark.parametrize("view", ["clean", "robust"])
def test_table_says_what_rest_says_and_sorts(made: MadeFamily, view: str) -> None:
    query = query_of(made, view=view)
    found = comparisons.compare_several(query["dense"], query["pruned"].split(","))
    shown = shown_of(query)
    table = call("severalTable.table", shown, {"key": "robust-lost", "isDown": True})
    rows = [one for one in elements(table) if isinstance(one, dict) and one["tag"] == "tr"][1:]
    assert "dense" in words_of(rows[0]), "the reference stays on top"
    by_lost = sorted(found.pruned, key=lambda row: -row.robust.n10)
    for row, tree in zip(by_lost, rows[1:], strict=True):
        words = words_of(tree)
        assert row.name in words and f"{row.robust.n10} / {row.robust.n01}" in words
        assert f"{100 * row.robust_accuracy.value:.2f}" in words and f"{row.clean.n10} / {row.clean.n01}" in words
        links = [one["attributes"]["href"] for one in elements(tree) if isinstance(one, dict) and one["tag"] == "a"]
        assert f"/jobs?evaluation={row.evaluation_id}" in links
        assert any(link.startswith("/compare?") and str(row.evaluation_id) in link for link in links)
    sorted_by = [
        one for one in elements(table) if isinstance(one, dict) and one["attributes"].get("aria-sort") == "descending"
    ]
    assert len(sorted_by) == 1


@pytest.mark.parametrize(
    ("lost", "title"), [("least-3", "all 3"), ("by-2", "lwm-95"), ("only-1", "alone"), ("both-1-2", "both")]
)
def test_wall_shows_the_chosen_samples_and_leads_to_samples(made: MadeFamily, lost: str, title: str) -> None:
    query = query_of(made, lost=lost, view="clean")
    shown = shown_of(query)
    places = call("severalLosses.choose", shown["columns"][0], shown["masks"], shown["choice"])
    wall = call("severalWall.wall", shown, True)
    words = words_of(wall)
    assert words.startswith("Lost by") and title in words and f"▼ {len(places)}" in words
    tiles = with_class(wall, "tile")
    assert len(tiles) == len(places)
    assert "lie on thin ice" in words or not places
    for tile in tiles:
        assert tile["attributes"]["href"].startswith("/sample?") and "set=S10" in tile["attributes"]["href"]
        assert "lost by" in words_of(tile)
    links = [one["attributes"]["href"] for one in elements(wall) if isinstance(one, dict) and one["tag"] == "a"]
    leading = [link for link in links if link.startswith("/samples?")]
    assert len(leading) == bool(places)
    assert all(
        ("set=S10" in link) == (lost == "by-2") and ("pick=rows_" in link) == (lost != "by-2") for link in leading
    )
