"""The marks of methods: a known one keeps its own, and up to eight checkpoints differ."""

from frontend.review.methods import METHODS, order_methods, place_checkpoints, place_method


def test_order_methods_names_each_once_the_known_ones_first() -> None:
    assert order_methods(["own", METHODS[2], None, METHODS[0], "own"]) == [METHODS[0], METHODS[2], "own", "unnamed"]


def test_place_method_of_a_known_one_is_its_own_whoever_else_is_there() -> None:
    assert [place_method(name, [METHODS[3]]) for name in METHODS] == list(range(len(METHODS)))
    assert place_method("own", [METHODS[0], "own"]) == len(METHODS)


def test_place_checkpoints_gives_the_first_of_a_method_its_mark_and_others_free_ones() -> None:
    first, second = METHODS[:2]
    places = place_checkpoints([first, second, first, first])
    assert places[:2] == [0, 1] and places[2:] == [7, 6]
    for methods in ([first] * 8, [*METHODS, *METHODS][:8], ["own", "other", "own"], [*METHODS, "a", "b", "c"]):
        assert len(set(place_checkpoints(methods))) == len(methods)
    assert place_checkpoints([]) == []
