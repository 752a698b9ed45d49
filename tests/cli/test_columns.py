"""Tables at every width: whole cells in columns, or a paragraph for each row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cli.columns import print_columns, stack
from backend.cli.output import out

TITLES = ("network", "claimed", "note")
ROWS = [("cnn-harp-99", "73.60 % (n 2,000)", "a"), ("cnn-lwm-5", "7.00 % (n 20)", "")]


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int) -> list[str]:
    monkeypatch.setattr(out, "width", width)
    print_columns(TITLES, ROWS, numbers=("claimed",))
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_print_columns_with_room_aligns_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed(capsys, monkeypatch, 36) == [
        "network                claimed  note",
        "cnn-harp-99  73.60 % (n 2,000)  a",
        "cnn-lwm-5        7.00 % (n 20)",
    ]


def test_print_columns_without_room_writes_paragraphs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed(capsys, monkeypatch, 35) == [
        "cnn-harp-99",
        "  claimed 73.60 % (n 2,000); note a",
        "cnn-lwm-5",
        "  claimed 7.00 % (n 20)",
    ]


def test_stack_breaks_between_cells_first_and_keeps_the_indent_of_a_name() -> None:
    lines = stack(("who", "what", "why"), ("  parent", "one two three", "a b"), 16)
    assert lines == ["  parent", "    what one two", "      three;", "    why a b"]


WORDS = st.text("abc", min_size=1, max_size=8)


@given(st.lists(st.lists(WORDS, min_size=1, max_size=6), min_size=1, max_size=5), st.integers(24, 90))
def test_stack_keeps_every_word_in_order_and_no_line_is_too_long(cells: list[list[str]], width: int) -> None:
    row = ["name", *(" ".join(words) for words in cells)]
    lines = stack(["x"] * len(row), row, width)
    assert max(map(len, lines)) <= width
    read = [word.rstrip(";") for line in lines for word in line.split()]
    assert read == ["name", *(word for words in cells for word in ("x", *words))]
