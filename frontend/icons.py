"""The icons: every SVG in frontend/assets/icons is one, by the name of its file."""

from pathlib import Path
from urllib.parse import quote

FOLDER = Path(__file__).parent / "assets" / "icons"


def list_icons() -> list[str]:
    """The names of the icons."""
    return sorted(path.stem for path in FOLDER.glob("*.svg"))


def icon_rules() -> str:
    """The rules of CSS that give each icon its picture: in the page's head, so that none is a request of its own."""
    return "".join(f'.icon-{name}{{--icon:url("{picture_of(name)}")}}' for name in list_icons())


def picture_of(name: str) -> str:
    """The icon itself as an address (`data:image/svg+xml,...`)."""
    return f"data:image/svg+xml,{quote((FOLDER / f'{name}.svg').read_text().strip(), safe=' =;,')}"
