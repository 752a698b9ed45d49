"""The page's frame: which checkpoints, the controls, and the places that the browser fills at every cut."""

from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.errors import InvalidRequest
from backend.services import comparisons, families
from frontend.components import Content, aria, card, empty_state, icon, plot
from frontend.help.addresses import help_address
from frontend.pages.several import ids
from frontend.pages.several.chosen import Chosen, read_chosen
from frontend.pages.several.picker import picker
from frontend.review.sliders import delta_slider, slider
from frontend.theme import METHOD_MARKS, mark_of
from frontend.words import count_words, percent

HEADING = "Compare several"
HOW = (
    "Compare shows one pruned checkpoint next to its dense one, Methods shows a whole family in figures; this page "
    "shows up to eight of them sample by sample: who loses which."
)


def complete(query: dict[str, str], _seen: dict[str, str] | None = None) -> dict[str, str] | None:
    """The query with what is pruned alike at one level filled in, where it names nothing to compare."""
    if query.get("dense") and query.get("pruned"):
        return None
    dense, pruned = choose(query.get("dense") or None, query.get("like") or None)
    if dense is None:
        return None
    kept = {key: value for key, value in query.items() if key not in ("dense", "pruned", "like")}
    return {"dense": dense, "pruned": ",".join(pruned), "view": "robust", **kept}


def choose(dense: str | None, like: str | None) -> tuple[str | None, list[str]]:
    """What is pruned alike; the two named ones where they are no family."""
    try:
        found = families.choose_several(dense, like)
    except InvalidRequest:
        if like is None:
            raise
        return dense, [like]
    return (None, []) if found is None else (str(found[0]), [str(one) for one in found[1]])


def layout(dense: str | None = None, pruned: str | None = None, **rest: str) -> Component:
    """The page for these evaluations; without any, how to get some."""
    if not (dense and pruned):
        sentence = "Several checkpoints can be compared once a dense one and some pruned from it have margins."
        heading = html.H1(HEADING, className="page-title")
        return html.Div([heading, empty_state(sentence, "Upload a checkpoint", "/upload")], className="page-stack")
    chosen = read_chosen({"dense": dense, "pruned": pruned, **rest})
    state = page_state(chosen)
    parts = [
        dcc.Store(id=ids.STATE, data=state),
        dcc.Store(id=ids.DRAWN),
        context_line(chosen),
        title(chosen),
        html.P(HOW, className="muted several-how"),
        caution(chosen),
        picker(chosen),
        html.P(id=ids.SENTENCE, className="headline", **aria(live="polite")),
        bar(chosen, state),
        numbers_card(chosen),
        overlap_cards(),
        html.Section(id=ids.WALL, className="card"),
        pictures(),
        standing_cards(),
        notes_card(chosen),
    ]
    return html.Div([part for part in parts if part is not None], id=ids.PAGE, className="page-stack several compare")


def page_state(chosen: Chosen) -> dict[str, Any]:
    """What the browser needs to cut the checkpoints, with their columns; lengths in shown units."""
    found, unit = chosen.found, chosen.unit
    pruned = chosen.pruned_ids
    dense = str(found.dense.evaluation_id)
    return {
        "dense": dense,
        "pruned_list": pruned,
        "version": comparisons.several_version(dense, pruned),
        "scale": unit.scale,
        "suffix": "/255" if unit.counts_steps else "",
        "has_margins": True,
        "limit": chosen.limit,
        "step": chosen.step,
        "default_eps": chosen.own_eps,
        "default_eps_text": chosen.own_eps_text,
        "default_delta": chosen.own_delta,
        "dataset": str(found.dataset_id),
        "classes": chosen.dataset.classes,
        "query": chosen.query,
        "dense_network": {"evaluation": dense, "name": found.dense.name, "words": "dense", "level": None, "method": ""}
        | {"glyph": "", "kind": "", "not_found": found.dense.not_found, "flags": found.dense.flags},
        "networks": network_states(chosen),
    }


def network_states(chosen: Chosen) -> list[dict[str, Any]]:
    """The pruned checkpoints with their marks."""
    states = []
    for row, look, method in zip(chosen.found.pruned, chosen.looks, chosen.methods, strict=True):
        place, level = look.place or 0, chosen.level_of(row.evaluation_id)
        known = chosen.candidates.get(row.evaluation_id)
        group = known.group if known is not None and level is not None else percent(row.sparsity, digits=1)
        states.append(
            {
                "evaluation": str(row.evaluation_id),
                "name": row.name,
                "words": f"{method}, {group}" if level is not None else method,
                "level": level,
                "method": method,
                "glyph": mark_of(place).glyph,
                "kind": f"key-{1 + place % len(METHOD_MARKS)}",
                "not_found": row.not_found,
                "flags": row.flags,
            }
        )
    return states


def context_line(chosen: Chosen) -> Component:
    found = chosen.found
    alike = not any(one.severity == "differs" for row in found.pruned for one in row.mismatches)
    effort = [icon("check"), " equal effort"] if alike else [icon("warning"), " different effort"]
    details: list[Any] = [chosen.dataset.name, f"n {found.n:,}, shared by all", found.norm, effort]
    return html.Ul([html.Li(detail) for detail in details], className="context")


def title(chosen: Chosen) -> Component:
    words = f"{chosen.found.dense.name} and {count_words(len(chosen.found.pruned), 'pruned checkpoint')}"
    methods = dcc.Link("Methods", href=f"/methods?family={chosen.found.dense.checkpoint_id}", className="button")
    return html.Div([html.H1(words, className="page-title"), methods], className="pair")


def caution(chosen: Chosen) -> Component | None:
    """Flags of the evaluations, and what differs between their attacks; None where nothing that matters does."""
    rows = [chosen.found.dense, *chosen.found.pruned]
    flagged = [
        html.Li(
            [f"{row.name}: ", *intersperse([dcc.Link(code, href=help_address("flag", code)) for code in row.flags])]
        )
        for row in rows
        if row.flags
    ]
    differing = [
        html.Li(f"{row.name}: {one.sentence}") for row in rows for one in row.mismatches if one.severity == "differs"
    ]
    parts = [
        html.Div([html.Strong(words), html.Ul(items)])
        for words, items in (
            ("Reliability flags were raised: these margins may be too large.", flagged),
            ("Not all evaluations used the settings of the dense one.", differing),
        )
        if items
    ]
    return html.Div([icon("warning"), html.Div(parts)], className="notice", role="note") if parts else None


def intersperse(links: list[Component]) -> list[Content]:
    """The links with a comma between each two."""
    return [part for link in links for part in (", ", link)][1:]


def bar(chosen: Chosen, state: dict[str, Any]) -> Component:
    """The controls that stay in sight."""
    views: Any = [{"value": "clean", "label": "clean"}, {"value": "robust", "label": "robust at ε"}]
    eps = chosen.unit.shown(chosen.found.eps)
    view = "robust" if chosen.query.get("view") == "robust" else "clean"
    parts = [
        slider(ids.EPS, ids.EPS_TEXT, "ε", "perturbation size ε", eps, state, chosen.unit),
        delta_slider(ids.DELTA, ids.DELTA_TEXT, chosen.delta, state, chosen.unit),
        html.Div(
            [
                html.Span("Losses", className="control-label"),
                dmc.SegmentedControl(id=ids.VIEW, data=views, value=view, size="xs"),
            ],
            className="control",
        ),
    ]
    return html.Div(parts, className="bar", role="group", **aria(label="What the page shows"))


def numbers_card(chosen: Chosen) -> Component:
    return card(
        "The checkpoints in numbers",
        html.Div(id=ids.TABLE),
        note=f"n {chosen.found.n:,}; 95 % intervals over samples; a heading sorts",
        kind="several-numbers",
    )


def overlap_cards() -> Component:
    matrix = card(
        "Are the same samples lost?",
        html.Div(id=ids.MATRIX),
        html.P(
            "Above the diagonal: of the samples that either of two loses, the share that both lose (Jaccard). Below: "
            "how many both lose. On it: how many each loses. Press a cell to see its samples.",
            className="footnote",
        ),
    )
    counts = card("Lost by how many?", html.Div(id=ids.COUNTS), note="press one to see its samples")
    return html.Div([matrix, counts], className="several-overlap")


def pictures() -> Component:
    curve = card(
        "Robustness curves",
        plot(ids.CURVE, ids.CURVE_TABLE, height=320, label="Robust accuracy by eps, one line per checkpoint"),
        note="bands: 95 % intervals; the thick line is the dense checkpoint",
    )
    histogram = card(
        "Margins",
        plot(ids.HISTOGRAM, ids.HISTOGRAM_TABLE, height=320, label="Histogram of margins, one line per checkpoint"),
        note="filled: dense; without the samples that are already wrong or have no adversarial",
    )
    return html.Div([curve, histogram], className="grid two")


def standing_cards() -> Component:
    cards = [
        card(title, plot(id, height=260, label=label), note="95 % intervals")
        for id, title, label in (
            (ids.STANDING, "Clean against robust", "Robust against clean accuracy, one mark per checkpoint"),
            (ids.LOST_LEVELS, "Lost at ε by sparsity", "Share of all samples lost at eps by share pruned"),
            (ids.ROBUST_LEVELS, "Robust accuracy by sparsity", "Robust accuracy by share pruned"),
        )
    ]
    return html.Div(cards, className="grid three")


def notes_card(chosen: Chosen) -> Component:
    notes = [
        "A sample is lost where the dense checkpoint gets it right and the pruned one does not; robust at ε: where the "
        "dense margin is above ε and the pruned one is not.",
        "The p value asks whether as many samples are gained as lost (McNemar, exact). At random means: if each "
        "checkpoint lost as many samples, drawn from those that the dense one holds.",
        *chosen.found.notes,
    ]
    return card("What to keep in mind", html.Ul([html.Li(note) for note in notes], className="notes"))
