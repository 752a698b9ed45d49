"""Tables as text in the browser: read back by the csv module, and rows in their order."""

import csv
import io

import pytest

from tests.frontend.assets.scripts import call

ROWS = [
    ["checkpoint", "lost", "note"],
    ["cnn-lwm_95", "−1,234", 'says "no", then yes'],
    ["50 % | ε", "+0.5", "=SUM(A1)"],
    ["−", "–", "two\nlines"],
]
NUMERIC = [False, True, False]


def test_csv_is_read_back_as_it_was_shown_and_no_cell_is_a_formula() -> None:
    read = list(csv.reader(io.StringIO(call("tableTexts.csv", ROWS), newline="")))
    assert read[0] == ROWS[0]
    assert read[1] == ["cnn-lwm_95", "-1,234", 'says "no", then yes']
    assert read[2] == ["50 % | ε", "+0.5", "'=SUM(A1)"]
    assert read[3] == ROWS[3]


def test_markdown_aligns_numbers_and_escapes_bars() -> None:
    lines = call("tableTexts.markdown", ROWS[:3], NUMERIC).splitlines()
    assert lines[:2] == ["| checkpoint | lost | note |", "|---|---:|---|"]
    assert lines[3].startswith("| 50 % \\| ε | +0.5 |") and len(lines) == 4


def test_latex_escapes_what_tex_reads_as_a_command() -> None:
    lines = call("tableTexts.latex", ROWS[:3], NUMERIC).splitlines()
    assert lines[0] == "\\begin{tabular}{lrl}" and lines[-1] == "\\end{tabular}"
    assert lines[4] == 'cnn-lwm\\_95 & $-$1,234 & says "no", then yes \\\\'
    assert lines[5].startswith("50 \\% | $\\varepsilon$ & +0.5 &")
    assert call("tableTexts.latex", [["a\\b{c}"]], [False]).splitlines()[2] == "a\\textbackslash{}b\\{c\\} \\\\"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("76", 76),
        ("1,729 of 2,000", 1729),
        ("84.00 %", 84.0),
        ("−0.04 [−0.06, −0.02]", -0.04),
        ("▼ 76", 76),
        ("0.93 [0.91, 0.95]", 0.93),
        ("13/255", 13),
        ("–", None),
        ("", None),
        ("cnn-lwm-95", "cnn-lwm-95"),
        ("90th percentile", "90th percentile"),
    ],
)
def test_key_of_a_cell_is_its_first_number_else_its_words(text: str, key: float | str | None) -> None:
    assert call("tableTexts.keyOf", text) == key


def test_order_keeps_equal_rows_and_puts_cells_without_a_value_last() -> None:
    cells = ["3", "–", "10", "−2", "3", "none"]
    assert call("tableTexts.order", cells, False) == [3, 0, 4, 2, 5, 1]
    assert call("tableTexts.order", cells, True) == [2, 0, 4, 3, 5, 1]
    assert call("tableTexts.order", ["cnn-lwm-9", "cnn-lwm-95", "cnn-harp-90"], False) == [2, 0, 1]


def test_fits_asks_for_every_word_in_any_order() -> None:
    assert call("tableTexts.fits", "cnn-lwm-95 pruned 84.00", "PRUNED lwm")
    assert not call("tableTexts.fits", "cnn-lwm-95 pruned", "pruned harp")


def test_slug_is_a_name_that_every_system_takes() -> None:
    assert call("tableTexts.slug", "Margins before and after: ε 25.5/255?") == "margins-before-and-after-ε-25.5-255"
    assert call("tableTexts.slug", "../..") == ""
