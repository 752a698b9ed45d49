"""The pages of the dashboard: one row each. A page module has `PATH`, `TITLE`, `layout` and `register`.

`layout(**query) -> Component` gets the first value of every key in the URL's query, as text, and runs in a thread;
it may raise `ThinIceError`, which is shown in the page's place. `register(app)` adds the page's callbacks, once.
Two optional names: `KEYS`, the query keys whose change builds the page anew (the others are live state that the page's
own callbacks read from `ids.URL`), and `complete(query) -> dict | None`, the query to go to when the given one lacks
something (answered by a redirect that leaves no entry in the history).
"""

import importlib
import importlib.util
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class PageRow:
    """A page: its module under `frontend.pages`, its path, and where it stands in the rail (None: not there)."""

    module: str
    path: str
    label: str
    place: str | None

    @property
    def module_name(self) -> str:
        return f"frontend.pages.{self.module}"

    def is_present(self) -> bool:
        found = importlib.util.find_spec(self.module_name)
        return found is not None and found.origin is not None  # a folder without __init__.py has no origin

    def load(self) -> ModuleType:
        return importlib.import_module(self.module_name)


PAGES: tuple[PageRow, ...] = (
    PageRow("overview", "/", "Overview", "top"),
    PageRow("claims", "/claims", "Claims", "top"),
    PageRow("methods", "/methods", "Methods", "top"),
    PageRow("compare", "/compare", "Compare", "top"),
    PageRow("samples", "/samples", "Samples", "top"),
    PageRow("sample", "/sample", "Sample", None),
    PageRow("jobs", "/jobs", "Jobs", "top"),
    PageRow("upload", "/upload", "Upload", "top"),
    PageRow("prune", "/prune", "Prune", "top"),
    PageRow("help", "/help", "Help", "foot"),
)


def load_pages() -> dict[str, ModuleType]:
    """The modules that exist, by path."""
    return {row.path: row.load() for row in PAGES if row.is_present()}
