"""The page's frame: the sentence, the table of claims with its notes, and the published figures apart from it."""

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import OURS, Answer
from backend.schemas.claims import ClaimCheck
from backend.services import claims
from backend.services.catalogues import PRESETS
from backend.services.claims import references
from frontend.components import Content, aria, card, empty_state
from frontend.lists import read_list
from frontend.pages.claims.table import claims_table, order, read_families
from frontend.references import references_table
from frontend.words import count_words, sentence_list

ANSWERS: tuple[Answer, ...] = ("yes", "no", "cannot tell")


def layout(preset: str | None = None, **_query: str) -> Component:
    """The page; `?preset=` holds claims against evaluations with that preset alone."""
    rows = read_claims(preset)
    heading = html.H1("Claims", className="page-title")
    if not rows:
        sentence = "No checkpoint has a claimed robust accuracy yet. Add the claim during an upload, or later."
        return html.Div([heading, empty_state(sentence, "Upload a checkpoint", "/upload")], className="page-stack")
    parts = [
        heading,
        html.P(headline(rows), className="headline"),
        card(
            "Claimed → re-evaluated",
            scrolling(claims_table(read_families(rows)), "Claims and their re-evaluations"),
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


def read_claims(preset: str | None) -> list[ClaimCheck]:
    """Every claim."""
    return read_list(lambda limit, offset: claims.list_claims(limit, offset, preset=preset))


def scrolling(table: Component, label: str) -> Component:
    return html.Div(table, className="table-scroll", tabIndex=0, role="region", **aria(label=label))


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


def headline(rows: list[ClaimCheck]) -> list[Content]:
    """The two questions and their answers, for the checkpoints there are."""
    judged = sorted((row for row in rows if row.gap is not None), key=order)
    if not judged:
        return [f"{count_words(len(rows), 'claim')}, none re-evaluated at its ε yet."]
    parts: list[Content] = ["Is the claim too high? ", *count_answers(judged), "."]
    answers = [
        (row.checkpoint_name, other.excess.answer)
        for row in judged
        if row.role == "pruned"
        for other in row.against
        if other.relation == "parent" and other.excess is not None
    ]
    if not answers:
        return parts
    said = [
        f"{answer} for {sentence_list([name for name, given in answers if given == answer])}"
        for answer in ANSWERS
        if any(given == answer for _, given in answers)
    ]
    end = ". These networks are our re-implementations." if all(row.origin in OURS for row in judged) else "."
    return [*parts, " By more than the dense parent's claim? ", html.Span("; ".join(said), className="strong"), end]


def count_answers(rows: list[ClaimCheck]) -> list[Content]:
    """`▼ yes for 5 of 7; cannot tell for 2`."""
    given = [row.gap.answer for row in rows if row.gap is not None]
    parts: list[Content] = []
    for answer in ANSWERS:
        if answer not in given:
            continue
        count = f"{given.count(answer):,}" + ("" if parts else f" of {len(given):,}")
        mark, kind = ("▼ ", "is-lost strong") if answer == "yes" else ("", "strong")
        parts.extend(["; "] if parts else [])
        parts.append(html.Span(f"{mark}{answer} for {count}", className=kind))
    return parts


def notes(rows: list[ClaimCheck]) -> Component:
    """What the numbers rest on, each sentence once, and what the answers mean."""
    meaning = (
        "Differences are in percentage points, with 95 % intervals; they are positive if the claim is above the "
        "re-evaluation. Yes: the interval lies above 0. No: it lies below +1 point. The intervals cover the choice of "
        "images; they leave out what another training seed would change."
    )
    said = dict.fromkeys(note for row in rows for note in row.notes)
    return html.Ul([html.Li(note) for note in (meaning, *said)], className="claims-notes")
