"""The page's frame: the sentence, the table of claims with its notes, and the published figures apart from it."""

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.claims import ClaimCheck
from backend.services.catalogues import PRESETS
from backend.services.claims import references
from frontend.claim_words import claims_sentence, read_claims
from frontend.components import Content, aria, card, empty_state
from frontend.lists import read_list
from frontend.pages.claims.table import claims_table, read_families
from frontend.references import references_table
from frontend.rows import scrolling
from frontend.shipped import nothing_evaluated, ways_in


def layout(preset: str | None = None, **_query: str) -> Component:
    """The page; `?preset=` holds claims against evaluations with that preset alone."""
    rows = read_claims(preset)
    heading = html.H1("Claims", className="page-title")
    if not rows:
        sentence = "No checkpoint has a claimed robust accuracy yet. Add the claim during an upload, or later."
        return html.Div([heading, empty_state(sentence, ways=ways_in())], className="page-stack")
    parts = [
        heading,
        html.P(claims_sentence(rows), className="headline"),
        html.P(
            [
                "Claims holds each stated robust accuracy against what was measured here; ",
                dcc.Link("Methods", href="/methods"),
                " compares everything made from one dense checkpoint with each other, stated or not.",
            ],
            className="muted page-difference",
        ),
        *nothing_evaluated(),
        card(
            "Claimed → re-evaluated",
            claims_table(read_families(rows)),
            notes(rows),
            tools=choices(preset),
            kind="claims-table-card",
        ),
        card(
            "Published figures, for reference",
            html.P(
                "Not measured here and never mixed with the figures above: they come from other networks, other data "
                "and another ε. Quoted as printed in their sources.",
                className="reference-mark",
            ),
            scrolling(references_table(read_list(references.list_references)), "Published figures"),
            kind="references-card",
        ),
    ]
    return html.Div(parts, className="page-stack claims")


def choices(preset: str | None) -> Component:
    """Which evaluations claims are held against: those of most samples, or of one preset, the strongest first."""
    presets = sorted(PRESETS.values(), key=lambda row: -row.rank)
    links: list[Content] = [
        dcc.Link(
            words,
            href="/claims" if name is None else f"/claims?preset={name}",
            className=f"chip chip-choice {'is-chosen' if name == preset else ''}".strip(),
        )
        for words, name in [("Most samples", None), *((row.short_title, row.name) for row in presets)]
    ]
    return html.Div(links, className="chips", role="group", **aria(label="Evaluations to check the claims against"))


def notes(rows: list[ClaimCheck]) -> Component:
    """What the numbers rest on, each sentence once, and what the answers mean."""
    meaning = (
        "Differences are in percentage points, with 95 % intervals; they are positive if the claim is above the "
        "re-evaluation. Yes: the interval lies above 0. No: it lies below +1 point. The intervals cover the choice of "
        "images; they leave out what another training seed would change."
    )
    said = dict.fromkeys(note for row in rows for note in row.notes)
    return html.Ul([html.Li(note) for note in (meaning, *said)], className="claims-notes")
