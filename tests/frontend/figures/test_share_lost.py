"""The share lost by dense margin."""

import pytest

from frontend.figures.share_lost import LostShare, share_lost
from frontend.figures.units import LINF
from frontend.theme import LIGHT
from tests.frontend.figures.drawing import SHARES


def test_share_lost_draws_bins_in_the_middle_with_their_band() -> None:
    figure = share_lost([*SHARES, LostShare(0.2, 0.3, 0, 0, 0.0, 0.0, 1.0)], LIGHT, LINF, delta=14.0, limit=60.0)
    band, line = figure.data
    assert list(line.x) == pytest.approx([5, 20]) and list(line.y) == [0.5, 0.0]
    assert list(band.y) == [0.65, 0.07, 0.0, 0.35]


def test_share_lost_without_bins_draws_no_line() -> None:
    assert len(share_lost([], LIGHT, LINF, delta=14.0, limit=60.0).data[-1].x) == 0
