"""The parts that say something by themselves."""

from frontend.components import accuracy
from tests.frontend.words import text_of


def test_accuracy_of_few_samples_is_a_warning_with_its_interval() -> None:
    assert accuracy(0.8, 50) == "80.00 %" and accuracy(0.8, 2000, unit=False) == "80.00"
    few = accuracy(0.8, 5)
    assert text_of(few) == "38 to 96 % (95 % interval of only 5 samples)"
    assert "is-warning" in few.className and few.title.startswith("80.00 % of only 5 samples")


def test_accuracy_without_a_number_is_a_dash() -> None:
    assert accuracy(None, 5) == accuracy(None, None) == accuracy(0.5, 0) == "–"
