"""Contrast of the tokens, computed by the formula of WCAG 2, and the style sheet made of them."""

from itertools import combinations

import numpy as np
import pytest

from frontend.theme import DARK, LIGHT, METHOD_MARKS, Theme, css_variables, mark_of, style_block, theme_named

THEMES = [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")]


def luminance(colour: str) -> float:
    channels = [int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_of_black_on_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["card", "page"])
@pytest.mark.parametrize("name", ["ink", "muted", "accent", "lost", "gained", "warning", "dense"])
def test_text_on_card_and_page_keeps_four_and_a_half(theme: Theme, ground: str, name: str) -> None:
    assert contrast(getattr(theme, name), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "accent_soft"),
        ("ice_label", "ice"),
        ("ice_label", "card"),
        ("on_accent", "accent"),
        ("ink", "warning_soft"),
        ("lost", "lost_soft"),
        ("gained", "gained_soft"),
        ("warning", "warning_soft"),
    ],
)
def test_text_on_its_coloured_ground_keeps_four_and_a_half(theme: Theme, text: str, ground: str) -> None:
    assert contrast(getattr(theme, text), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["kept", "wrong_on_both", "lost", "gained", "dense", "accent", "edge"])
def test_marks_on_card_keep_three(theme: Theme, name: str) -> None:
    assert contrast(getattr(theme, name), theme.card) >= 3


# What eyes without one kind of cone see of linear RGB (Machado, Oliveira and Fernandes 2009, severity 1).
SIGHTS = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def oklab(colour: str, sight: str) -> np.ndarray:
    """The colour as those eyes see it, in OKLab (Ottosson 2020), where equal distances look alike."""
    channels = np.array([int(colour[position : position + 2], 16) / 255 for position in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SIGHTS[sight]) @ linear, 0, 1)
    cones = [[0.41222, 0.53633, 0.05145], [0.2119, 0.6807, 0.1074], [0.0883, 0.28172, 0.62998]]
    axes = [[0.21045, 0.79362, -0.00407], [1.978, -2.42859, 0.45059], [0.0259, 0.78277, -0.80868]]
    found: np.ndarray = np.array(axes) @ np.cbrt(np.array(cones) @ seen)
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_method_colours_are_eight_and_readable(theme: Theme) -> None:
    assert len(set(theme.pruned)) == len(METHOD_MARKS) == 8
    assert all(contrast(colour, ground) >= 4.5 for colour in theme.pruned for ground in (theme.card, theme.page))


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sight", SIGHTS)
def test_method_colours_are_told_apart_whatever_the_eyes(theme: Theme, sight: str) -> None:
    seen = [oklab(colour, sight) for colour in theme.pruned]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 0.08  # 0.02 is just visible
    roles = [oklab(colour, sight) for colour in (theme.lost, theme.gained, theme.dense)]
    assert min(np.linalg.norm(a - b) for a in seen for b in roles) > (0.1 if sight == "all cones" else 0.05)


def test_marks_of_methods_differ_in_shape_and_in_dash_and_leave_triangles_to_flips() -> None:
    for name in ("symbol", "glyph", "dash"):
        assert len({getattr(mark, name) for mark in METHOD_MARKS}) == 8
    assert not {"triangle-up", "triangle-down"} & {mark.symbol for mark in METHOD_MARKS}
    assert {(LIGHT.of_method(place), mark_of(place)) for place in range(8, 16)}.isdisjoint(
        (LIGHT.of_method(place), mark_of(place)) for place in range(8)
    )


def test_style_block_holds_both_themes_with_the_same_variables() -> None:
    names = [{part.split(":")[0] for part in css_variables(theme).split(";")} for theme in (LIGHT, DARK)]
    assert names[0] == names[1]
    assert {"--page", "--accent-soft", "--pruned-8", "color-scheme"} <= names[0]
    assert f":root[data-theme=dark]{{color-scheme:dark;--page:{DARK.page}" in style_block()


@pytest.mark.parametrize(("name", "theme"), [("dark", DARK), ("light", LIGHT), (None, LIGHT), ("odd", LIGHT)])
def test_theme_named_falls_back_to_light(name: str | None, theme: Theme) -> None:
    assert theme_named(name) is theme


def test_of_set_knows_the_four_sets_only() -> None:
    assert [LIGHT.of_set(name) for name in ("S11", "S10", "S01", "S00")] == [
        LIGHT.kept,
        LIGHT.lost,
        LIGHT.gained,
        LIGHT.wrong_on_both,
    ]
    with pytest.raises(KeyError):
        LIGHT.of_set("S12")
