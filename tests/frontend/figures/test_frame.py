"""The frame of every figure: its colours are those of the theme."""

import json

from frontend.figures.share_lost import share_lost
from frontend.figures.units import LINF
from frontend.theme import DARK, LIGHT
from tests.frontend.figures.drawing import SHARES, draw


def test_figures_in_dark_hold_no_colour_of_light() -> None:
    text = draw(theme=DARK).to_json() + share_lost(SHARES, DARK, LINF, delta=14.0, limit=60.0).to_json()
    assert not [colour for colour in (LIGHT.card, LIGHT.ink, LIGHT.muted, LIGHT.lost, LIGHT.kept) if colour in text]
    json.loads(draw(theme=DARK).to_json())
