"""Selections in an address: what they hold, and what is no selection."""

import pytest

from backend.errors import InvalidRequest
from backend.services.comparisons.selection import Pick, is_inside, read_pick, read_rows


def test_rows_are_gaps_in_base_36_with_neighbours() -> None:
    assert read_rows("5.3-2.k") == [5, 9, 10, 11, 32]
    assert read_rows("") == [] and read_rows("0-9") == list(range(10))


@pytest.mark.parametrize(
    ("margin", "low", "high", "is_held"),
    [
        (0.0, "wrong", "7/255", True),
        (0.0, "0", "7/255", False),
        (7 / 255, "5/255", "7/255", True),
        (5 / 255, "5/255", "7/255", False),
        (0.3, "0.2", "found", True),
        (None, "0.2", "found", False),
        (None, "0.2", "none", True),
        (0.3, "none", "none", False),
        (0.3, "wrong", "wrong", False),
    ],
)
def test_range_holds_what_lies_above_its_low_end_and_up_to_its_high_one(
    margin: float | None, low: str, high: str, is_held: bool
) -> None:
    assert is_inside(margin, low, high) is is_held


@pytest.mark.parametrize(
    "text", ["rows_A", "rows_1-2-3", "dense_1", "dense_x_7/255", "both_0_1", "dense_0_1/0", "rows"]
)
def test_text_that_is_no_selection_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        read_pick(text)


def test_rows_beyond_any_data_set_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="1,000,000"):
        read_pick("rows_0-zzzzzz")


def test_no_text_is_no_selection() -> None:
    assert read_pick(None) is None and read_pick("") is None
    assert read_pick("rows_0") == Pick(rows=frozenset({0}))
