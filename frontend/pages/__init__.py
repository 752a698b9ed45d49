"""The pages of the dashboard: one row each, and a package (or a module) with `TITLE` and `layout`.

`layout(**query) -> Component` gets the first value of every key in the URL's query, as text, and runs in a thread; it
may raise `ThinIceError`, which is shown in the page's place. Three optional names: `register(app)`, which adds the
page's callbacks, once; `KEYS`, the query keys whose change builds the page anew (the others are live state that the
page's own callbacks read from the address); and `complete(query, seen) -> dict | None`, the whole query where the given
one lacks something (the page is built for it, and it becomes the address without an entry in the history; `seen` is the
pair that the visitor looked at last, kept in the browser).
"""

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

Place = Literal["look", "decide", "do", "foot"]
GROUPS: dict[Place, str] = {"look": "Look", "decide": "Decide", "do": "Do"}
"""The groups of the rail above its foot, with their headings."""


@dataclass(frozen=True)
class PageRow:
    """A page: its module under `frontend.pages`, its path, and its link in the rail (`place` None: it has none).

    The icon of the link is frontend/assets/icons/<module>.svg.
    """

    module: str
    path: str
    label: str = ""
    place: Place | None = None

    def load(self) -> ModuleType:
        """The page's module. ImportError where there is none, AttributeError where it is no page."""
        page = importlib.import_module(f"frontend.pages.{self.module}")
        for name in ("TITLE", "layout"):
            if not hasattr(page, name):
                raise AttributeError(f"frontend.pages.{self.module} has no {name}; every page has TITLE and layout.")
        return page


PAGES: tuple[PageRow, ...] = (
    PageRow("overview", "/", "Overview", "look"),
    PageRow("methods", "/methods", "Methods", "look"),
    PageRow("compare", "/compare", "Compare", "look"),
    PageRow("several", "/several"),
    PageRow("samples", "/samples", "Samples", "look"),
    PageRow("sample", "/sample"),
    PageRow("claims", "/claims", "Claims", "decide"),
    PageRow("upload", "/upload", "Upload", "do"),
    PageRow("prune", "/prune", "Prune", "do"),
    PageRow("jobs", "/jobs", "Jobs", "do"),
    PageRow("help", "/help", "Help", "foot"),
    PageRow("help.reading", "/help/reading"),
    PageRow("help.protocol", "/help/protocol"),
    PageRow("help.glossary", "/help/glossary"),
    PageRow("help.flags", "/help/flags"),
    PageRow("help.attacks", "/help/attacks"),
    PageRow("help.rest", "/help/rest"),
)


def load_pages() -> dict[str, ModuleType]:
    """The module of each page, by path."""
    return {row.path: row.load() for row in PAGES}
