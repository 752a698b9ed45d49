"""What stands around every page: the rail, the main landmark, notifications and the stores that callbacks share."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from frontend import ids
from frontend.components import aria, data, icon, page_skeleton
from frontend.pages import GROUPS, PAGES, PageRow, Place
from frontend.review.keys import ALL_KEYS, EVERYWHERE_KEYS, PAGE_KEYS, key_words

FONT = 'Inter, "Inter Display", "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", system-ui, sans-serif'
ICE = [
    "#eef6fc",
    "#e3f1fa",
    "#c3e0f3",
    "#93c8ea",
    "#5cb2ee",
    "#2f8fd4",
    "#0b6fb8",
    "#0a619f",
    "#084f83",
    "#063d66",
]
MANTINE_THEME: dict[str, Any] = {
    "fontFamily": FONT,
    "primaryColor": "ice",
    "primaryShade": {"light": 6, "dark": 4},
    "colors": {"ice": ICE},
    "defaultRadius": 8,
    "respectReducedMotion": True,
    "cursorType": "pointer",
}


PHONE = ("overview", "compare", "samples", "jobs")
"""What the bar of a phone shows; the other pages are behind its button More."""


def rail_link(row: PageRow) -> Component:
    """A page's link in the rail; Jobs carries the number of jobs that wait or run."""
    parts: list[Component] = [icon(row.module), html.Span(row.label, className="rail-label")]
    if row.module == "jobs":
        parts.append(html.Span(id=ids.JOBS_COUNT, className="rail-count", title="Jobs queued or running"))
    kind = "rail-link" if row.module in PHONE else "rail-link rail-further"
    return dcc.Link(parts, href=row.path, id=ids.rail(row.module), className=kind, title=row.label)


def rail_group(place: Place, title: str) -> Component:
    links = [rail_link(row) for row in PAGES if row.place == place]
    heading = html.Span(title, className="rail-heading", **aria(hidden="true"))
    return html.Div([heading, *links], className="rail-group", role="group", **aria(label=title))


def rail_button(name: str, words: str, title: str, kind: str, **values: Any) -> Component:
    parts = [icon(name), html.Span(words, className="rail-label")]
    return html.Button(parts, className=f"rail-link rail-toggle {kind}".strip(), title=title, **values)


def rail() -> Component:
    """The navigation: a column in groups, a strip of icons under 1100 px, a bar at the bottom under 600 px."""
    brand = dcc.Link([icon("brand"), html.Span("Thin Ice", className="rail-label")], href="/", className="rail-brand")
    keys = rail_button(
        "keyboard", "Keys", "What the keyboard does (?)", "rail-further rail-keys", **data(opens=ids.KEYS)
    )
    theme = rail_button(
        "theme", "Theme", "Switch between the light and the dark theme", "rail-further", id=ids.THEME_TOGGLE
    )
    more = rail_button(
        "more", "More", "The other pages", "rail-more", id=ids.MORE, **aria(expanded="false", controls=ids.RAIL)
    )
    foot = [*(rail_link(row) for row in PAGES if row.place == "foot"), keys, theme, more]
    groups = [rail_group(place, title) for place, title in GROUPS.items()]
    return html.Nav(
        [brand, *groups, html.Div(foot, className="rail-group foot")],
        id=ids.RAIL,
        className="rail",
        **aria(label="Pages"),
    )


def skip_links() -> list[Component]:
    """Ways past the rail, and past the controls of a page to its images (base.css hides the second without any)."""
    return [
        html.A("Skip to main content", href=f"#{ids.PAGE}", className="skip-link"),
        html.A("Skip to the samples", href=f"#{ids.PAGE}", className="skip-link skip-samples", **data(skip=".tile")),
    ]


def keys_dialog() -> Component:
    """What the keyboard does, everywhere and on the page that is shown (shell_keys.js opens it)."""
    lists = [html.Section([html.H3(ALL_KEYS), key_words(EVERYWHERE_KEYS)])]
    for path, (title, keys) in PAGE_KEYS.items():
        lists.append(html.Section([html.H3(title), key_words(keys)], hidden=True, **data(path=path)))
    close = html.Button(["Close ", html.Kbd("Esc")], className="button", **data(closes=ids.KEYS))
    head = html.Div([html.H2("Keys", id=f"{ids.KEYS}-title"), close], className="keys-head")
    return html.Dialog([head, *lists], id=ids.KEYS, className="keys-dialog", **aria(labelledby=f"{ids.KEYS}-title"))


def shell(page_keys: dict[str, list[str]]) -> Component:
    """The whole document. `page_keys`: for each path the query keys whose change builds the page anew."""
    stores = [
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(id=ids.PAGE_KEYS, data=page_keys),
        dcc.Store(id=ids.ROUTE),
        dcc.Store(id=ids.ARRIVAL),
        dcc.Store(id=ids.SEEN, storage_type="local"),
        dcc.Store(id=ids.TITLE),
        dcc.Store(id=ids.THEME),
        dcc.Store(id=ids.CHANGED),
    ]
    page: Component = dmc.MantineProvider(
        [
            *stores,
            *skip_links(),
            html.Div([rail(), html.Main(page_skeleton(), id=ids.PAGE, className="page", tabIndex=-1)], className="app"),
            keys_dialog(),
            dmc.NotificationContainer(id=ids.NOTIFICATIONS, position="bottom-right", limit=4),
        ],
        theme=MANTINE_THEME,
        defaultColorScheme="auto",
    )
    return page
