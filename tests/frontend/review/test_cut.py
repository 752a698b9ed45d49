"""The choices in an address, and the samples that they leave."""

from uuid import uuid4

import pytest

from backend.errors import InvalidRequest
from backend.services import comparisons
from frontend.review.cut import Cut, choose_flips, complete_pair, read_cut, set_of
from tests.frontend.pairs import MadePair


def test_read_cut_reads_every_choice() -> None:
    query = {"dense": "d", "pruned": "p", "eps": "8/255", "view": "robust", "set": "S10", "class": "3", "delta": "9"}
    assert read_cut(query) == Cut("d", "p", "8/255", "robust", "S10", 3, "9")


def test_read_cut_without_choices_shows_all_clean() -> None:
    assert read_cut({"dense": "d", "pruned": "p", "eps": "", "set": ""}) == Cut("d", "p")


@pytest.mark.parametrize("wrong", [{"view": "blurred"}, {"set": "S12"}, {"class": "shirt"}, {"class": "-1"}])
def test_read_cut_of_an_unknown_choice_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        read_cut({"dense": "d", "pruned": "p"} | wrong)


def test_sample_address_carries_the_whole_state() -> None:
    cut = Cut("d", "p", "8/255", "robust", "S10", 3, "9/255")
    assert cut.sample_address(7) == (
        "/sample?dense=d&pruned=p&index=7&eps=8/255&delta=9/255&view=robust&class=3&set=S10"
    )
    assert Cut("d", "p", label=0).sample_address(7) == "/sample?dense=d&pruned=p&index=7&class=0"


def test_choose_flips_counts_agree_with_the_service(made_pair: MadePair) -> None:
    samples = comparisons.paired_samples(made_pair.dense.id, made_pair.pruned.id)
    counts = comparisons.compare(made_pair.dense.id, made_pair.pruned.id).clean
    name, lost = choose_flips(samples, Cut(str(made_pair.dense.id), str(made_pair.pruned.id)))
    assert name == "S10" and len(lost) == counts.n10 and {set_of(sample, "clean") for sample in lost} == {"S10"}


def test_complete_pair_fills_in_the_most_telling_pair_only_where_one_is_missing(made_pair: MadePair) -> None:
    dense, pruned = comparisons.default_pairs()[0]
    assert complete_pair({"view": "robust"}) == {"view": "robust", "dense": str(dense.id), "pruned": str(pruned.id)}
    assert complete_pair({"dense": "d", "pruned": "p"}) is None


def test_complete_pair_opens_what_the_visitor_saw_last_if_it_is_still_there(made_pair: MadePair) -> None:
    seen = {"dense": str(made_pair.dense.id), "pruned": str(made_pair.milder.id)}
    first = {"dense": str(made_pair.dense.id), "pruned": str(made_pair.pruned.id)}
    assert complete_pair({}) == first
    assert complete_pair({"set": "S10"}, seen) == {"set": "S10"} | seen
    assert complete_pair({}, {"dense": seen["dense"], "pruned": str(uuid4())}) == first
    assert complete_pair({}, {}) == first
