"""Distances in the browser's units and text, against `backend.eps` and the unit of the figures."""

from typing import Any

import numpy as np
import pytest

from backend.eps import eps_text, parse_eps
from frontend.figures.units import L2, LINF, Unit
from tests.frontend.assets.scripts import call_all

N = 500
UNITS = pytest.mark.parametrize(
    ("unit", "norm", "digits"), [(LINF, "Linf", 1), (L2, "L2", 3)], ids=["1/255", "plain numbers"]
)


def state_of(unit: Unit) -> dict[str, Any]:
    """What the pages tell the browser of a unit."""
    return {"scale": unit.scale, "suffix": "/255" if unit.counts_steps else ""}


def draw_lengths(unit: Unit, seed: int) -> list[float]:
    """Lengths in shown units as sliders have them, and others."""
    generator = np.random.default_rng(seed)
    steps = generator.integers(1, 200, N) * (0.5 if unit.counts_steps else 0.005)
    return [*steps.tolist(), *generator.uniform(0.06, 60, N).tolist()]


@UNITS
def test_as_text_names_the_length_that_python_reads(unit: Unit, norm: str, digits: int) -> None:
    lengths = draw_lengths(unit, 0)
    texts = call_all([("distances.asText", [length, state_of(unit)]) for length in lengths])
    for length, text in zip(lengths, texts, strict=True):
        assert float(parse_eps(text)) * unit.scale == pytest.approx(round(length, digits), rel=1e-12)
        assert text == eps_text(text, norm), "no two texts of one length"


@UNITS
def test_from_text_reads_what_python_reads(unit: Unit, norm: str, digits: int) -> None:
    written = [eps_text(length / unit.scale, norm) for length in draw_lengths(unit, 1)]
    texts = [*written, "8/255", "25.5/255", "0.1", " 3/255 ", "1e-2", ".5", "2"]
    read = call_all([("distances.fromText", [text, -1, state_of(unit)]) for text in texts])
    assert read == pytest.approx([float(parse_eps(text)) * unit.scale for text in texts], rel=1e-12)


def test_from_text_of_no_length_is_the_fallback() -> None:
    texts = [None, "", "eight", "8/", "8/0", "-1", "0", "1/2/3", "8/255/", "Infinity", "nan"]
    answers = call_all([("distances.fromText", [text, 12.5, state_of(LINF)]) for text in texts])
    assert answers == [12.5] * len(texts)


@UNITS
def test_words_of_a_margin_are_those_of_the_tables(unit: Unit, norm: str, digits: int) -> None:
    generator = np.random.default_rng(2)
    margins = [8 / 255, 12.25 / 255, 0.125, *generator.exponential(0.1, N).astype(np.float32).tolist()]
    shown = call_all([("distances.words", [unit.precise(margin), state_of(unit)]) for margin in margins])
    assert shown == [unit.text(margin, digits=1 if unit.counts_steps else 2) for margin in margins]
    assert call_all([("distances.words", [value, state_of(unit)]) for value in (None, 0)]) == [
        unit.text(None),
        "already wrong",
    ]
