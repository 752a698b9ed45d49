"""Neighbours in a list of samples."""

from frontend.pages.sample.layout import find_sample, place_words
from frontend.review.walk import Place, find_place, load_pair
from tests.frontend.pairs import KEPT, MadePair


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
