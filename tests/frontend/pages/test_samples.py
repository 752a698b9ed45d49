"""The frame of Samples; what the browser draws into it is in tests/frontend/assets/test_samples_cut.py."""

from pathlib import Path

import pytest

from backend.errors import InvalidRequest
from frontend.pages import samples as page
from frontend.pages.samples import ids
from frontend.review.walk import load_pair
from tests.frontend.pairs import MadePair, make_pair
from tests.frontend.words import by_id, hrefs, text_of, walk


def test_sort_of_an_unknown_kind_is_refused(made_pair: MadePair) -> None:
    with pytest.raises(InvalidRequest, match="thinnest, drop, thickest, index"):
        load_pair(made_pair.query(sort="beauty"))


def test_delta_stays_where_it_is_while_eps_moves(made_pair: MadePair) -> None:
    assert load_pair(made_pair.query()).delta == load_pair(made_pair.query(eps="60/255")).delta == 13.0
    assert load_pair(made_pair.query(delta="9/255")).delta == pytest.approx(9)


def test_witnesses_have_no_thin_ice_and_no_margins(ready: Path, tmp_path: Path) -> None:
    made = make_pair(tmp_path, is_witness=True)
    loaded = load_pair(made.query(sort="drop"))
    assert not loaded.has_margins and not any(loaded.is_on_thin_ice(one) for one in loaded.samples)
    assert loaded.sort == "index"
    assert "no margins, no thin ice" in text_of(page.layout(**made.query()))


def test_complete_takes_the_first_pair(made_pair: MadePair) -> None:
    assert page.complete({"set": "S10"}) == made_pair.query(set="S10")
    assert page.complete(made_pair.query()) is None


def test_layout_without_any_pair_says_how_to_get_one(ready: Path) -> None:
    assert page.complete({}) is None
    assert "/upload" in hrefs(page.layout())


def test_layout_gives_the_browser_the_pair_and_a_place_for_every_part(made_pair: MadePair) -> None:
    content = page.layout(**made_pair.query(eps="20/255", delta="9/255"))
    state = by_id(content, ids.PAIR).data
    assert (state["eps"], state["delta"], state["default_eps"]) == (pytest.approx(20), pytest.approx(9), 25.5)
    assert state["meanings"]["lost"].startswith("Right before pruning")
    found = {getattr(part, "id", None) for part in walk(content)}
    assert {ids.SENTENCE, ids.LINKS, ids.SORT, ids.CHIPS, ids.NOTHING, ids.WALL} <= found
