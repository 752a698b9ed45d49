"""The scale of colours of a perturbation."""

import numpy as np
import pytest

from frontend.figures.perturbation import choose_scale, largest_change


def test_choose_scale_never_clips_and_never_invents() -> None:
    assert choose_scale("eps", eps=0.1, change=0.02) == 0.1
    assert choose_scale("eps", eps=0.1, change=0.3) == 0.3
    assert choose_scale("change", eps=0.1, change=0.02) == 0.02
    assert choose_scale("eps", eps=None, change=0.02) == 0.02
    assert choose_scale("change", eps=0.1, change=1e-9) == 1e-6, "the REST call refuses less"
    assert choose_scale("eps", eps=0.1, change=None) is None
    assert choose_scale("change", eps=0.1, change=0.0) is None


def test_largest_change_is_over_all_pairs() -> None:
    clean = np.full((2, 2, 1), 0.5, dtype=np.float32)
    assert largest_change([(clean, clean + 0.1), (clean, clean - 0.3)]) == pytest.approx(0.3)
    assert largest_change([]) is None
