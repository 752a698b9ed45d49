"""Which checkpoints stand side by side: a chip for each, one more to add, and usual choices."""

from collections.abc import Iterator
from urllib.parse import urlencode

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from backend.services.comparisons.several import MOST
from backend.services.families import FamilyCandidate
from frontend.components import aria, icon
from frontend.pages.several import ids
from frontend.pages.several.chosen import Chosen
from frontend.review.methods import method_glyph

KEPT = ("eps", "delta", "view")
FEWEST = 2  # checkpoints of a usual choice


def picker(chosen: Chosen) -> Component:
    """The chips, and under them what else can be chosen."""
    chips: list[Component] = [chip(chosen, place) for place in range(len(chosen.found.pruned))]
    usual = list(usual_choices(list(chosen.candidates.values())))
    parts = [html.Div([*chips, add_select(chosen)], className="chips", role="group", **aria(label="Checkpoints"))]
    if usual:
        links = [choice_link(chosen, words, rows) for words, rows in usual]
        parts.append(
            html.Div(
                [html.Span("Usual choices", className="control-label"), html.Div(links, className="chips")],
                className="chip-row",
            )
        )
    return html.Div(parts, className="several-picker")


def chip(chosen: Chosen, place: int) -> Component:
    """A checkpoint with its mark; the cross takes it away while another one stays."""
    row, look = chosen.found.pruned[place], chosen.looks[place]
    name = dcc.Link(row.name, href=f"/upload?checkpoint={row.checkpoint_id}")
    parts = [method_glyph(look.place or 0), name]
    others = [one for one in chosen.pruned_ids if one != str(row.evaluation_id)]
    if others:
        close = dcc.Link(icon("close"), href=address(chosen, others), title=f"Without {row.name}")
        close.children = [icon("close"), html.Span(f"Without {row.name}", className="hidden-label")]
        parts.append(close)
    return html.Span(parts, className="chip several-chip")


def add_select(chosen: Chosen) -> Component:
    """A list of the candidates that are not there yet, by what was pruned."""
    groups: dict[str, list[dict[str, str]]] = {}
    for one in chosen.candidates.values():
        if str(one.evaluation_id) not in chosen.pruned_ids:
            label = f"{one.name}, n {one.n:,}"
            groups.setdefault(one.group, []).append({"value": str(one.evaluation_id), "label": label})
    is_full = len(chosen.pruned_ids) >= MOST
    made: Component = dmc.Select(
        id=ids.ADD,
        data=[{"group": name, "items": items} for name, items in groups.items()],
        placeholder=f"{MOST} is the most" if is_full else "Add a checkpoint",
        disabled=is_full or not groups,
        searchable=True,
        nothingFoundMessage="No such checkpoint",
        size="xs",
        w=200,
        comboboxProps={"withinPortal": False},
        **aria(label="Add a checkpoint"),
    )
    return made


def usual_choices(candidates: list[FamilyCandidate]) -> Iterator[tuple[str, list[FamilyCandidate]]]:
    """Everything at one level, and one method at all of its levels."""
    pruned = [one for one in candidates if one.place == "pruned"]
    for group in dict.fromkeys(one.group for one in pruned):
        rows = [one for one in pruned if one.group == group]
        if len(rows) >= FEWEST:
            yield group, rows
    for method in dict.fromkeys(one.method for one in pruned):
        rows = [one for one in pruned if one.method == method and one.structure == "weight"]
        if len({one.level for one in rows}) >= FEWEST:
            yield f"{method} at each level", rows


def choice_link(chosen: Chosen, words: str, rows: list[FamilyCandidate]) -> Component:
    wanted = [str(one.evaluation_id) for one in rows[:MOST]]
    is_on = set(wanted) == set(chosen.pruned_ids)
    return dcc.Link(
        words, href=address(chosen, wanted), className=f"chip chip-choice {'is-chosen' if is_on else ''}".strip()
    )


def address(chosen: Chosen, pruned: list[str]) -> str:
    """The page with other checkpoints at the same cut."""
    kept = {key: chosen.query[key] for key in KEPT if chosen.query.get(key)}
    query = {"dense": str(chosen.found.dense.evaluation_id), "pruned": ",".join(pruned)} | kept
    return f"/several?{urlencode(query, safe='/,')}"
