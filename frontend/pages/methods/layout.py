"""The page's frame: the family, the three answers, the panels, the table with its downloads, and the notes."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.families import FamilyOut, FamilyRoot
from backend.services import families
from backend.services.families.measuring import Measuring, measure_family
from backend.services.shared.arguments import read_id
from frontend.components import GRAPH_CONFIG, Content, aria, blank_figure, card, data, empty_state, icon
from frontend.figures.sparsity import HEIGHT
from frontend.lists import read_list
from frontend.pages.methods import ids
from frontend.pages.methods.answers import answer_cards, evidence
from frontend.pages.methods.panels import STANDING, list_methods, list_panels, make_standing
from frontend.pages.methods.spread import spread_card
from frontend.pages.methods.table import MOST, family_table, gaps
from frontend.review.methods import method_glyph, place_method
from frontend.shipped import nothing_evaluated, ways_in
from frontend.words import count_words, time_left

HEADING = html.H1("Methods", className="page-title")
POLL_MILLISECONDS = 700
FORMATS = {"csv": "CSV", "markdown": "Markdown", "latex": "LaTeX"}


def complete(query: dict[str, str], _seen: dict[str, str] | None = None) -> dict[str, str] | None:
    """The query with the largest family filled in, where it names none."""
    if query.get("family"):
        return None
    roots = list_roots()
    return {**query, "family": str(roots[0].checkpoint_id)} if roots else None


def list_roots() -> list[FamilyRoot]:
    """Dense checkpoints that something was pruned from."""
    return [root for root in read_list(families.list_families) if root.pruned]


def layout(
    family: str | None = None,
    eps: str | None = None,
    norm: str | None = None,
    method: str | None = None,
    pick: str | None = None,
    **_query: str,
) -> Component:
    """The page of a family; without one, how to get one."""
    if not family:
        sentence = "There are no pruned checkpoints yet. Upload one and choose its dense parent."
        return html.Div([HEADING, empty_state(sentence, ways=ways_in())], className="page-stack")
    query = {"family": family, "eps": eps, "norm": norm, "method": method, "pick": pick}
    parts, is_whole = show_family(query)
    return html.Div(
        [
            html.Div(parts, id=ids.PAGE, className="page-stack methods"),
            dcc.Store(id=ids.QUERY, data=query),
            dcc.Interval(id=ids.POLL, interval=POLL_MILLISECONDS, max_intervals=0 if is_whole else -1),
        ]
    )


def show_family(query: dict[str, str | None], patience: float | None = None) -> tuple[list[Component], bool]:
    """The page's parts and True, or how far the measuring is that they wait for and False.

    `patience` and errors as in `measure_family`.
    """
    family, eps, norm, method = (query[name] for name in ("family", "eps", "norm", "method"))
    own = method or families.OWN_METHOD
    id = read_id(family or "", "checkpoint")
    found = measure_family(id, norm=norm, eps=eps, method=own, patience=patience)
    if isinstance(found, Measuring):
        return show_progress(found), False
    terms = {key: value for key, value in (("eps", eps), ("norm", norm), ("method", method)) if value}
    panels = list_panels(found)
    parts: list[Component] = [
        dcc.Store(id=ids.PANELS, data=[*panels, make_standing(found)]),
        context_line(found),
        html.Div([HEADING, family_choices(found, terms), controls(found, eps, own)], className="methods-head"),
        html.P(
            [
                "Methods compares everything made from one dense checkpoint with each other; ",
                dcc.Link("Claims", href="/claims"),
                " holds each stated robust accuracy against what was measured here.",
            ],
            className="muted page-difference",
        ),
        *nothing_evaluated(),
        answer_cards(found, own),
        panels_card(found, panels),
        html.Div([standing_card(), spread_card(found)], className="grid two"),
        table_card(found, terms, (query.get("pick") or "").split(",")),
        card(
            "What the answers are based on",
            html.P(found.rule, className="rule"),
            *evidence(found, own),
            html.Ul([html.Li(note) for note in found.notes], className="claims-notes"),
        ),
    ]
    return parts, True


def show_progress(measuring: Measuring) -> list[Component]:
    """A bar with the time left."""
    bar = html.Progress(
        value=str(measuring.done), max=str(measuring.total), className="measuring", **aria(label="measured")
    )
    words = f"Measured {measuring.done} of {count_words(measuring.total, 'part')}, {time_left(measuring.seconds_left)}."
    return [HEADING, card("Measuring the family", bar, html.P(words, role="status"))]


def panels_card(family: FamilyOut, panels: list[dict[str, Any]]) -> Component:
    graphs = [panel_graph(panel["key"], panel["title"], panel["x_title"]) for panel in panels]
    return card(
        "Results by share pruned",
        html.Div(graphs, className="panels"),
        tools=key(family),
        note="95 % intervals over samples; click a mark to open its evaluation",
    )


def standing_card() -> Component:
    """All checkpoints as marks, drawn with the panels."""
    return card(
        "Clean against robust",
        panel_graph(STANDING, "Robust at ε, from margins", "Clean accuracy (%)"),
        note="one mark per checkpoint; ○ dense, ◇ control and other seeds; click a mark to open its evaluation",
    )


def table_card(family: FamilyOut, terms: dict[str, str], picked: Sequence[str]) -> Component:
    address = f"&{urlencode({'eps': family.eps_text}, safe='/')}"
    return card(
        "All checkpoints",
        picked_line(family, picked),
        family_table(family, address, picked),
        gaps(family),
        note="bold: best among those of the same kind and level, with the same number of samples and no flags",
        tools=downloads(family, terms),
        kind="family-card",
    )


def picked_line(family: FamilyOut, picked: Sequence[str]) -> Component:
    """How many checkpoints are chosen, with the way to see them side by side; methods.js says it from then on."""
    flips = [row.flips for row in family.rows if row.flips is not None and str(row.flips.evaluation_id) in picked]
    parts: list[Content] = [f"Tick up to {MOST} checkpoints to compare them sample by sample."]
    if flips:
        pruned = ",".join(str(one.evaluation_id) for one in flips)
        query = {"dense": str(flips[0].dense_evaluation_id), "pruned": pruned, "view": "robust", "eps": family.eps_text}
        words = "Show the chosen one" if len(flips) == 1 else f"Compare the {len(flips)} chosen"
        address = f"/several?{urlencode(query, safe='/,')}"
        # No link of Dash: methods.js changes its address, and Dash would go on leading to the first one.
        parts = [
            html.A(words, href=address, className="button button-primary", **data(visit="")),
            html.Button("Clear", className="button button-quiet", **data(unpick="")),
        ]
    return html.Div(parts, id=ids.PICKED, className="picked", role="status", **data(eps=family.eps_text))


def context_line(family: FamilyOut) -> Component:
    pruned = sum(row.place == "pruned" for row in family.rows)
    details = [
        family.dataset_name,
        family.norm,
        f"ε {family.eps_text}",
        f"{count_words(pruned, 'pruned checkpoint')} of {family.name}",
        f"{count_words(len(family.rows) - pruned, 'checkpoint')} not pruned",
    ]
    return html.Ul([html.Li(detail) for detail in details], className="context")


def family_choices(family: FamilyOut, terms: dict[str, str]) -> Component | None:
    """Links to the other families; nothing where there is one only."""
    roots = list_roots()
    if len(roots) < 2:
        return None
    links: list[Content] = [
        dcc.Link(
            root.name,
            href=f"/methods?{urlencode({'family': str(root.checkpoint_id)} | terms, safe='/')}",
            className=f"chip chip-choice {'is-chosen' if root.checkpoint_id == family.checkpoint_id else ''}".strip(),
        )
        for root in roots
    ]
    return html.Div(links, className="chips", role="group", **aria(label="Dense checkpoint"))


def controls(family: FamilyOut, eps: str | None, method: str) -> Component:
    """At which eps margins are cut, and whose losses are held against the others'; the address keeps both."""
    methods: Any = sorted({*list_methods(family), method})
    eps_input = dmc.TextInput(
        id=ids.EPS,
        value=eps or "",
        placeholder=family.eps_text,
        debounce=True,
        size="xs",
        w=96,
        **aria(label="ε"),
    )
    method_select = dmc.Select(
        id=ids.METHOD,
        data=methods,
        value=method,
        allowDeselect=False,
        size="xs",
        w=128,
        **aria(label="Method in question"),
    )
    return html.Div(
        [
            html.Span("ε", className="control-label"),
            eps_input,
            html.Span("Method in question", className="control-label"),
            method_select,
        ],
        className="methods-controls",
        role="group",
        **aria(label="What the page shows"),
    )


def panel_graph(key: str, title: str, x_title: str) -> Component:
    graph = dcc.Graph(
        id={"type": ids.PANEL, "key": key},
        config=GRAPH_CONFIG,
        style={"height": f"{HEIGHT}px"},
        figure=blank_figure(),
    )
    label = f"{title} against {x_title}, one line per method"
    return html.Div([html.H3(title), html.Div(graph, role="figure", className="plot", **aria(label=label))])


def key(family: FamilyOut) -> Component:
    """Colour and shape of every method, and what the horizontal bands are."""
    methods = list_methods(family)
    marks = [html.Span([method_glyph(place_method(method, methods)), f" {method}"]) for method in methods]
    bands = [html.Span("━ dense", className="key-dense"), html.Span("╍ control", className="key-dense")]
    return html.Span([*marks, *bands], className="key methods-key")


def downloads(family: FamilyOut, terms: dict[str, str]) -> Component:
    links = [
        html.A(
            [icon("download"), words],
            href=f"/api/v1/families/{family.checkpoint_id}?{urlencode({'format': name} | terms, safe='/')}",
            className="button button-quiet",
            download="",
        )
        for name, words in FORMATS.items()
    ]
    return html.Div(links, className="downloads")
