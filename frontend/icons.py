"""The icons: every SVG in frontend/assets/icons is one, by the name of its file."""

from pathlib import Path

FOLDER = Path(__file__).parent / "assets" / "icons"


def list_icons() -> list[str]:
    """The names of the icons."""
    return sorted(path.stem for path in FOLDER.glob("*.svg"))


def icon_rules() -> str:
    """The rules of CSS that give each icon its picture, to be put into the page's head."""
    return "".join(f'.icon-{name}{{--icon:url("/assets/icons/{name}.svg")}}' for name in list_icons())
