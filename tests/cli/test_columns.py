"""Tables at every width: whole cells in columns, or a paragraph for each row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cli.columns import print_columns, stack
from backend.cli.output import describe_summary, out

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


def test_describe_summary_of_few_samples_says_the_intervals_alone() -> None:
    summary = {
        "n": 10, "clean_accuracy": 1.0, "clean_accuracy_interval": {"low": 0.7225, "high": 1.0},
        "robust_accuracy": 0.9, "robust_accuracy_interval": {"low": 0.5958, "high": 0.9821}, "median_margin": None,
        "broken_by_fallbacks": 0,
    }  # fmt: skip
    few = describe_summary({"summary": summary, "norm": "Linf"})
    assert few == "clean / robust accuracy 72 to 100 % / 60 to 98 % (95 % intervals of 10 samples), n = 10"
    many = describe_summary({"summary": summary | {"n": 100}, "norm": "Linf"})
    assert many == "clean / robust accuracy 100.00 % / 90.00 % (95 %: 59.58 % to 98.21 %), n = 100"
