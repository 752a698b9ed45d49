"""What stands around every page: the rail, the main landmark, notifications and the stores that callbacks share."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from frontend import ids
from frontend.components import aria, icon, page_skeleton
from frontend.pages import PAGES, PageRow

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


def rail_link(row: PageRow) -> Component:
    """A page's link in the rail; Jobs carries the number of jobs queued or running."""
    parts: list[Component] = [icon(row.module), html.Span(row.label, className="rail-label")]
    if row.module == "jobs":
        parts.append(html.Span(id=ids.JOBS_COUNT, className="rail-count", title="Jobs queued or running"))
    return dcc.Link(parts, href=row.path, id=ids.rail(row.module), className="rail-link", title=row.label)


def rail() -> Component:
    """The navigation: a column, a strip of icons under 1100 px, a bar at the bottom under 600 px."""
    brand = dcc.Link([icon("brand"), html.Span("Thin Ice", className="rail-label")], href="/", className="rail-brand")
    toggle = html.Button(
        [icon("theme"), html.Span("Theme", className="rail-label")],
        id=ids.THEME_TOGGLE,
        className="rail-link rail-toggle",
        title="Switch between the light and the dark theme",
    )
    return html.Nav(
        [
            brand,
            html.Div([rail_link(row) for row in PAGES if row.place == "top"], className="rail-group"),
            html.Div([*(rail_link(row) for row in PAGES if row.place == "foot"), toggle], className="rail-group foot"),
        ],
        className="rail",
        **aria(label="Pages"),
    )


def shell(page_keys: dict[str, list[str]]) -> Component:
    """The whole document. `page_keys`: for each path the query keys whose change builds the page anew."""
    stores = [
        dcc.Location(id=ids.URL, refresh=False),
        dcc.Store(id=ids.PAGE_KEYS, data=page_keys),
        dcc.Store(id=ids.ROUTE),
        dcc.Store(id=ids.REDIRECT),
        dcc.Store(id=ids.SEEN, storage_type="local"),
        dcc.Store(id=ids.TITLE),
        dcc.Store(id=ids.THEME),
        dcc.Store(id=ids.CHANGED),
    ]
    page: Component = dmc.MantineProvider(
        [
            *stores,
            html.A("Skip to main content", href=f"#{ids.PAGE}", className="skip-link"),
            html.Div([rail(), html.Main(page_skeleton(), id=ids.PAGE, className="page", tabIndex=-1)], className="app"),
            dmc.NotificationContainer(id=ids.NOTIFICATIONS, position="bottom-right", limit=4),
        ],
        theme=MANTINE_THEME,
        defaultColorScheme="auto",
    )
    return page
