"""The design tokens, light and dark: one source for the style sheet (CSS variables) and for every figure."""

from dataclasses import asdict, dataclass
from typing import Literal

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Theme:
    """Colours as #rrggbb. Text keeps 4.5:1 and marks keep 3:1 on `card` and `page` (tests/frontend/test_theme.py)."""

    name: ThemeName
    page: str
    card: str
    line: str
    grid: str
    ink: str
    muted: str
    accent: str
    accent_soft: str
    on_accent: str
    edge: str
    ice: str
    ice_label: str
    dense: str
    pruned: tuple[str, ...]
    lost: str
    lost_soft: str
    gained: str
    gained_soft: str
    kept: str
    wrong_on_both: str
    warning: str
    warning_soft: str

    def of_set(self, name: str) -> str:
        """The colour of one of the four sets, S11, S10, S01 or S00."""
        return {"S11": self.kept, "S10": self.lost, "S01": self.gained, "S00": self.wrong_on_both}[name]

    def of_method(self, place: int) -> str:
        """The colour of the method with that number, from 0; a ninth takes the first colour again."""
        return self.pruned[place % len(self.pruned)]


@dataclass(frozen=True)
class MethodMark:
    """What tells a method from the others without its colour: a shape (as Plotly and as text name it) and a dash."""

    symbol: str
    glyph: str
    dash: str


METHOD_MARKS = (
    MethodMark("circle", "●", "solid"),
    MethodMark("square", "■", "7px,3px"),
    MethodMark("diamond", "◆", "2px,3px"),
    MethodMark("star", "★", "9px,3px,2px,3px"),
    MethodMark("cross", "✚", "14px,4px"),
    MethodMark("x", "✖", "14px,3px,2px,3px,2px,3px"),
    MethodMark("triangle-right", "▶", "4px,7px"),
    MethodMark("hexagram", "✶", "1px,6px"),
)
"""In the order of `Theme.pruned`. Triangles that point up or down are left to gained and lost samples."""


def mark_of(place: int) -> MethodMark:
    """The mark of the method with that number; a ninth takes the first colour with the next shape."""
    return METHOD_MARKS[(place + place // len(METHOD_MARKS)) % len(METHOD_MARKS)]


LIGHT = Theme(
    name="light",
    page="#f6f8fa",
    card="#ffffff",
    line="#dfe5eb",
    grid="#eaeff4",
    ink="#15202b",
    muted="#586877",
    accent="#0b6fb8",
    accent_soft="#e3f1fa",
    on_accent="#ffffff",
    edge="#8494a3",
    ice="#e3f1fa",
    ice_label="#1f6d9f",
    dense="#33475b",
    pruned=("#7a5ea8", "#7d5928", "#2d65f2", "#7e1d46", "#150189", "#4c1b06", "#521dbc", "#320946"),
    lost="#bf3649",
    lost_soft="#fbe9ec",
    gained="#0f7b6f",
    gained_soft="#e2f4f1",
    kept="#8296a8",
    wrong_on_both="#87939f",
    warning="#8a5a00",
    warning_soft="#fdf1d8",
)

DARK = Theme(
    name="dark",
    page="#0f151b",
    card="#161e27",
    line="#273341",
    grid="#212c38",
    ink="#e8eef4",
    muted="#9aabbc",
    accent="#5cb2ee",
    accent_soft="#12283a",
    on_accent="#0f151b",
    edge="#66798c",
    ice="#12283a",
    ice_label="#6fb0db",
    dense="#b4c6d8",
    pruned=("#b79be6", "#fac79e", "#2a82fc", "#e7f52c", "#a0f0fe", "#9f7b8c", "#7dc820", "#729528"),
    lost="#ff7a86",
    lost_soft="#3a1f26",
    gained="#4fd1c0",
    gained_soft="#12322f",
    kept="#74899f",
    wrong_on_both="#6b7d8f",
    warning="#f0c060",
    warning_soft="#33290f",
)

THEMES: dict[str, Theme] = {"light": LIGHT, "dark": DARK}


def theme_named(name: str | None) -> Theme:
    """The theme of that name; light while the browser has not said which one it shows."""
    return THEMES.get(name or "light", LIGHT)


def css_variables(theme: Theme) -> str:
    """The tokens as CSS declarations: `accent_soft` becomes `--accent-soft`, `pruned` numbered ones."""
    declarations = []
    for name, value in asdict(theme).items():
        if name == "name":
            declarations.append(f"color-scheme:{value}")
        elif isinstance(value, tuple):
            declarations.extend(f"--{name}-{position}:{colour}" for position, colour in enumerate(value, 1))
        else:
            declarations.append(f"--{name.replace('_', '-')}:{value}")
    return ";".join(declarations)


def style_block() -> str:
    """The rules for both themes, to be put into the page's head so that the first paint has its colours.

    A method's dot is `.dot-pruned-1` and so on, its shape as text `.key-1`.
    """
    methods = "".join(
        f".dot-pruned-{number}{{background:var(--pruned-{number})}}.key-{number}{{color:var(--pruned-{number})}}"
        for number in range(1, len(METHOD_MARKS) + 1)
    )
    return f":root{{{css_variables(LIGHT)}}}:root[data-theme=dark]{{{css_variables(DARK)}}}{methods}"
