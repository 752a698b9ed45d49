"""The robustness curve."""

import pytest

from frontend.figures.curve import CurveLine, robustness_curve
from frontend.figures.units import LINF
from frontend.theme import LIGHT


def make_curves() -> list[CurveLine]:
    return [
        CurveLine(
            "dense", LIGHT.dense, [0.0, 0.1, 0.2], [0.8, 0.6, 0.1], [0.75, 0.55, 0.05], [0.85, 0.65, 0.15], 0.6123
        ),
        CurveLine(
            "pruned", LIGHT.pruned[0], [0.0, 0.1, 0.2], [0.7, 0.5, 0.0], [0.65, 0.45, 0.0], [0.75, 0.55, 0.1], 0.4987
        ),
    ]


def test_robustness_curve_writes_the_exact_value_at_eps_next_to_each_line() -> None:
    figure = robustness_curve(make_curves(), LIGHT, LINF, eps=0.1, eps_label="25.5/255", limit=60.0)
    texts = [note.text for note in figure.layout.annotations]
    assert "<b>dense</b> 61.23 %" in texts and "<b>pruned</b> 49.87 %" in texts
    assert [trace.name for trace in figure.data if trace.mode == "lines" and trace.name] == ["dense", "pruned"]


@pytest.mark.parametrize(("eps", "sides"), [(0.01, {"left"}), (0.1, {"left", "right"})])
def test_robustness_curve_near_the_axis_writes_both_values_to_the_right(eps: float, sides: set[str]) -> None:
    figure = robustness_curve(make_curves(), LIGHT, LINF, eps=eps, eps_label="", limit=60.0)
    assert {note.xanchor for note in figure.layout.annotations if note.text.startswith("<b>")} == sides
