"""Where the sliders stand."""

from frontend.review.sliders import default_delta


def test_default_delta_is_half_of_eps_on_a_step() -> None:
    assert default_delta(25.5, 0.5) == 13.0
    assert default_delta(0.3, 0.5) == 0.5
