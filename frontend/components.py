"""The parts that every page is made of. Style: frontend/assets/components.css."""

from collections.abc import Sequence
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from backend.analysis.statistics import wilson
from backend.counts import is_few, share_words
from frontend.words import SET_WORDS as SET_WORDS  # pages take shape, word and class of a set from here
from frontend.words import count_words, percent

Content = Any  # what Dash takes as children: a component, a string, a number, None, or a list of these

SYMBOLS = {"S11": "●", "S10": "▼", "S01": "▲", "S00": "□"}
SET_CLASSES = {"S11": "is-kept", "S10": "is-lost", "S01": "is-gained", "S00": "is-wrong-on-both"}

GRAPH_CONFIG: Any = {
    "displayModeBar": False,  # the menu "Save" exports what is drawn, and pages have their own tools
    "responsive": True,
    "plotlyServerURL": "",
    "showSendToCloud": False,
    "showEditInChartStudio": False,
}


def aria(**values: str) -> dict[str, Any]:
    """ARIA attributes for a component of Dash: `aria(label="Pages")` stands for aria-label="Pages"."""
    return {f"aria-{name}": value for name, value in values.items()}


def data(**values: str) -> dict[str, Any]:
    """Data attributes for a component of Dash: `data(go="{}")` stands for data-go="{}"."""
    return {f"data-{name}": value for name, value in values.items()}


def icon(name: str) -> Component:
    """One of our own icons (frontend/assets/icons/<name>.svg), in the colour of the text around it."""
    return html.Span(className=f"icon icon-{name}", **aria(hidden="true"))


def dot(kind: str) -> Component:
    """The colour dot before a checkpoint's name. `kind`: dense, or pruned-1 .. pruned-5."""
    return html.Span(className=f"dot dot-{kind}", **aria(hidden="true"))


def set_word(name: str, text: str | None = None) -> Component:
    """A set's shape and word in its colour: ▼ lost."""
    return html.Span(f"{SYMBOLS[name]} {text or SET_WORDS[name]}", className=f"set-word {SET_CLASSES[name]}")


def card(title: str, *children: Content, note: Content = None, tools: Content = None, kind: str = "") -> Component:
    """A titled card. `note`: muted words next to the title; `tools`: controls at its right; `kind`: a CSS class."""
    head: list[Component] = [html.H2([title, html.Span(note, className="card-note")] if note else title)]
    if tools is not None:
        head.append(html.Div(tools, className="card-tools"))
    return html.Section([html.Div(head, className="card-head"), *children], className=f"card {kind}".strip())


def accuracy(share: float | None, n: int | None, *, unit: bool = True) -> Content:
    """An accuracy of n samples in percent; of few samples a warning with its 95 % interval, which is what they say."""
    if share is None or n is None or not is_few(n):
        return percent(share, unit=unit)
    found = wilson(round(share * n), n)
    if found.low is None or found.high is None:
        return percent(None)
    words = f"{share_words(share, found.low, found.high, n)}{' %' if unit else ''}"
    told = html.Span(f" (95 % interval of only {count_words(n, 'sample')})", className="hidden-label")
    title = f"{percent(share)} of only {count_words(n, 'sample')}: the 95 % interval is shown"
    return html.Span([icon("warning"), words, told], className="few-samples is-warning", title=title)


def section(name: str, title: str, note: str, *, store: str, body: str, script: str = "") -> Component:
    """A folded section whose parts come when it is opened (assets/sections.js); `#name` leads to it.

    Args:
        store: id of the store that opening fills.
        body: id of the place for the parts.
        script: address of a library that the parts need and the page did not load.
    """
    summary = html.Summary([html.H2(title), html.Span(note, className="card-note")])
    return html.Details(
        [summary, html.Div(id=body, className="section-body")],
        className="card section",
        **data(section=name, store=store, script=script),
    )


def number_card(label: Content, value: Content, detail: Content, tone: str = "") -> Component:
    """A number with its name above and its rate, interval or reference below. `tone`: lost, gained or empty."""
    parts = [
        html.Div(label, className="number-label"),
        html.Div(value, className="number-value"),
        html.Div(detail, className="number-detail"),
    ]
    return html.Div(parts, className=f"number {f'number-{tone}' if tone else ''}".strip())


def plot(id: str, table_id: str | None = None, *, height: int, label: str) -> Component:
    """An empty plot of a fixed height (no jumps), and under it its numbers as a table that opens on request."""
    graph = dcc.Graph(id=id, config=GRAPH_CONFIG, style={"height": f"{height}px"}, figure=blank_figure())
    parts: list[Component] = [html.Div(graph, role="figure", className="plot", **aria(label=label))]
    if table_id is not None:
        parts.append(html.Details([html.Summary("Show the numbers"), html.Div(id=table_id)], className="as-table"))
    return html.Div(parts)


def blank_figure() -> Any:
    """Nothing on nothing: what a plot shows until its data is there (an empty figure would draw axes)."""
    clear = "rgba(0,0,0,0)"
    hidden = {"visible": False}
    return {"data": [], "layout": {"paper_bgcolor": clear, "plot_bgcolor": clear, "xaxis": hidden, "yaxis": hidden}}


def table(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[Content]], *, text_columns: int = 1
) -> Component:
    """A small table. The first `text_columns` columns are words (left), the others numbers (right, tabular)."""

    def cell(position: int, content: Content) -> Component:
        if position == 0:
            return html.Th(content, scope="row")
        return html.Td(content, className="" if position < text_columns else "number-cell")

    head = [
        html.Th(name, scope="col", className="" if i < text_columns else "number-cell")
        for i, name in enumerate(columns)
    ]
    body = [html.Tr([cell(position, content) for position, content in enumerate(row)]) for row in rows]
    parts = [html.Caption(caption, className="hidden-label"), html.Thead(html.Tr(head)), html.Tbody(body)]
    return html.Div(
        html.Table(parts, className="table"),
        className="table-scroll",
        tabIndex=0,
        role="region",
        **aria(label=caption),
    )


def empty_state(
    sentence: Content, action: str | None = None, href: str | None = None, ways: Sequence[Component] = ()
) -> Component:
    """What an empty place says: one sentence and the button that fills it, or several `ways` to fill it."""
    parts: list[Component] = [icon("brand"), html.P(sentence)]
    if action is not None and href is not None:
        parts.append(dcc.Link(action, href=href, className="button button-primary"))
    if ways:
        parts.append(html.Div(list(ways), className="empty-ways"))
    return html.Div(parts, className="card empty")


def error_state(
    title: str, sentence: str, *, code: str | None = None, action: str = "Back to Compare", href: str = "/compare"
) -> Component:
    """What happened, that stored results are safe, and what to try."""
    parts: list[Component] = [
        html.H1(title, className="page-title"),
        html.P(sentence),
        html.P("Stored checkpoints, evaluations and margins are not affected.", className="muted"),
        html.Div(dcc.Link(action, href=href, className="button button-primary")),
    ]
    if code is not None:
        parts.append(html.P(f"Error code: {code}", className="muted small"))
    return html.Div(parts, className="card error", role="alert")


def page_skeleton() -> Component:
    """Outlines in the places of a page's parts while it loads."""
    bars = [html.Div(className=f"skeleton skeleton-{kind}") for kind in ("line", "title", "line", "bar")]
    cards = html.Div([html.Div(className="skeleton skeleton-card") for _ in range(2)], className="grid two")
    return html.Div([*bars, cards], className="skeleton-page", role="status", **aria(label="Loading"))


def refusal(message: str, code: str, reference: str | None = None) -> Component:
    """Why a form was not taken; what was typed stays."""
    end = f"code {code}" + (f", request {reference}" if reference else "")
    return html.Div(
        [icon("warning"), html.Span([message, html.Span(f" ({end})", className="muted small")])], className="refusal"
    )
