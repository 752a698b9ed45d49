"""Neighbours in a list of samples."""

from frontend.pages.sample.layout import find_sample, place_words
from frontend.review.walk import Place, find_place, load_pair
from tests.frontend.pairs import KEPT, LOST, MISSED, MadePair


def test_find_place_of_a_sample_outside_the_list_lies_between_its_neighbours(made_pair: MadePair) -> None:
    loaded = load_pair(made_pair.query(set="S10"))
    listed, kept = loaded.listed(), find_sample(loaded, str(KEPT))
    place = find_place(listed, kept, "thinnest")
    margins = {one.index: one.dense_margin or 0 for one in listed}
    assert place.number is None and place.total == len(listed)
    assert place.before is None or margins[place.before] <= (kept.dense_margin or 0)
    assert place.after is None or margins[place.after] >= (kept.dense_margin or 0)
    assert find_place([], kept, "thinnest") == Place(None, 0, None, None)
    assert place_words(loaded, loaded.filters, place) == f"not among the {len(listed)} lost, by dense margin"


def test_pick_of_both_sides_holds_what_lies_in_both_ranges(made_pair: MadePair) -> None:
    loaded = load_pair(made_pair.query(pick="dense_0_13/255_pruned_wrong_wrong"))
    expected = {
        one.index
        for one in loaded.samples
        if one.dense_margin is not None and 0 < one.dense_margin <= 13 / 255 and one.pruned_margin == 0
    }
    assert {one.index for one in loaded.listed()} == expected and LOST in expected


def test_pick_of_rows_lists_these_and_keeps_the_other_filters(made_pair: MadePair) -> None:
    assert {one.index for one in load_pair(made_pair.query(pick="rows_a-4")).listed()} == set(range(10, 15))
    kept = {one.index for one in load_pair(made_pair.query(pick="rows_a-4", set="S11")).listed()}
    assert kept == {KEPT, MISSED}
    assert "pick=rows_a-4" in load_pair(made_pair.query(pick="rows_a-4")).address("/compare")
