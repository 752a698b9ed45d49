"""Contrast of the tokens, computed by the formula of WCAG 2, and the style sheet made of them."""

import pytest

from frontend.theme import DARK, LIGHT, Theme, css_variables, style_block, theme_named

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


@pytest.mark.parametrize("theme", THEMES)
def test_pruned_colours_are_five_readable_and_apart_from_lost_and_gained(theme: Theme) -> None:
    assert len(set(theme.pruned)) == 5
    assert all(contrast(colour, theme.card) >= 4.5 for colour in theme.pruned)
    assert not {theme.lost, theme.gained, theme.dense} & set(theme.pruned)


def test_style_block_holds_both_themes_with_the_same_variables() -> None:
    names = [{part.split(":")[0] for part in css_variables(theme).split(";")} for theme in (LIGHT, DARK)]
    assert names[0] == names[1]
    assert {"--page", "--accent-soft", "--pruned-5", "color-scheme"} <= names[0]
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
