"""The page's frame, and the parts of it that are made anew when something ends or begins."""

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import ACTIVE
from backend.services import claims
from frontend.claim_words import claims_sentence, read_claims
from frontend.components import Content, aria, card, empty_state, plot
from frontend.figures.dumbbell import Dumbbell, DumbbellGroup, figure_height
from frontend.pages.overview import ids
from frontend.pages.overview.holdings import (
    HeldFamily,
    Holdings,
    Standing,
    claim_words,
    effort_words,
    read_holdings,
)
from frontend.shipped import ways_in
from frontend.words import count_words, sentence_list


def layout(**_query: str) -> Component:
    """The page; without a checkpoint, how to get one."""
    holdings = read_holdings()
    heading = html.H1("Overview", className="page-title")
    if not holdings.standings:
        sentence = "There are no checkpoints yet. Upload a dense checkpoint and one pruned from it."
        return html.Div([heading, empty_state(sentence, ways=ways_in())], className="page-stack")
    parts = [
        dcc.Store(id=ids.STATE),
        dcc.Store(id=ids.FOUND),
        html.Div(context_line(holdings), id=ids.CONTEXT),
        heading,
        html.Section(skeleton(), id=ids.FINDING, className="finding", **aria(label="Finding")),
        html.P(holding_words(holdings), id=ids.SENTENCE, className="headline"),
        checkpoints_card(),
        claims_card(holdings),
    ]
    return html.Div(parts, id=ids.PAGE, className="page-stack overview")


def skeleton() -> Component:
    """What stands in the finding's place until it is read."""
    kinds = ("title", "line", "card")
    bars = [html.Div(className=f"skeleton skeleton-{kind}") for kind in kinds]
    return html.Div(bars, className="finding-skeleton", role="status", **aria(label="Loading the finding"))


def checkpoints_card() -> Component:
    return card(
        "Checkpoints",
        html.Div(
            html.Div(id=ids.CHECKPOINTS),
            className="table-scroll",
            tabIndex=0,
            role="region",
            **aria(label="Checkpoints and their evaluations"),
        ),
        note="clean / robust at the data set's ε; click a number to open its evaluation",
        tools=dcc.Link("Upload another checkpoint", href="/upload", className="button"),
    )


def claims_card(holdings: Holdings) -> Component:
    label = "Claimed and re-evaluated robust accuracy"
    return card(
        label,
        plot(ids.CLAIMS, ids.CLAIMS_TABLE, height=dumbbell_height(holdings), label=label),
        tools=[key(), dcc.Link("Compare with parents and controls", href="/claims", className="button")],
        kind="claims-card",
    )


def dumbbell_height(holdings: Holdings) -> int:
    return figure_height(dumbbell_groups(holdings))


def key() -> Component:
    """What the marks of the dumbbell mean; the words stand for themselves without colour."""
    return html.Span(
        [
            html.Span([html.Span(className="key-claim", **aria(hidden="true")), "claimed"], className="key-item"),
            html.Span(
                [html.Span(className="key-measured", **aria(hidden="true")), "re-evaluated, 95 % interval"],
                className="key-item",
            ),
            html.Span("▼ claim too high by more than chance", className="is-lost key-item"),
        ],
        className="key claims-key",
    )


def context_line(holdings: Holdings) -> Component:
    """Data sets with norm and eps, and how far the work is."""
    details: list[Content] = []
    sets = {family.dataset.id: family.dataset for family in holdings.families}
    details.extend(f"{row.name} · {row.default_norm} · ε {row.default_eps_text}" for row in sets.values())
    details.append(count_words(len(holdings.standings), "checkpoint"))
    states = [row.state for row in holdings.evaluations]
    details.append(f"{count_words(states.count('succeeded'), 'evaluation')} done")
    active = sum(state in ACTIVE for state in states)
    if active:
        details.append(html.Span([f"{active:,} queued or running: ", dcc.Link("view jobs", href="/jobs")]))
    if states.count("failed"):
        failed = dcc.Link(count_words(states.count("failed"), "failed evaluation"), href="/jobs?state=failed")
        details.append(html.Span(failed, className="is-warning strong"))
    return html.Ul([html.Li(detail) for detail in details], className="context")


def headline(holdings: Holdings) -> list[Content]:
    """What this server holds, and what became of its claims."""
    return [f"{holding_words(holdings)} ", *claims_sentence(read_claims())]


def holding_words(holdings: Holdings) -> str:
    places = [standing.place for standing in holdings.standings]
    parts = [
        count_words(places.count("dense"), "dense checkpoint") if places.count("dense") else "",
        count_words(places.count("control"), "control") if places.count("control") else "",
        count_words(places.count("pruned"), "pruned checkpoint") if places.count("pruned") else "",
    ]
    names = sentence_list(sorted({family.dataset.name for family in holdings.families}))
    return f"Stored here: {sentence_list([part for part in parts if part])} on {names}."


def is_above(standing: Standing) -> bool:
    """Whether the claim exceeds the re-evaluation by more than chance, by the rule of the Claims page."""
    if standing.claim is None or standing.verdict is None:
        return False
    return claims.answer_claim(standing.checkpoint, standing.dataset, standing.verdict) == "yes"


def dumbbell_groups(holdings: Holdings) -> list[DumbbellGroup]:
    """The figure's rows; groups are named where there is more than one."""
    several = len(holdings.families) > 1
    return [
        DumbbellGroup(family_title(family) if several else "", [dumbbell(standing) for standing in family.members])
        for family in holdings.families
    ]


def family_title(family: HeldFamily) -> str:
    return f"Family of {family.name} · {family.dataset.name}"


def dumbbell(standing: Standing) -> Dumbbell:
    summary = None if standing.verdict is None else standing.verdict.summary
    interval = None if summary is None else summary.robust_accuracy_interval
    claim = standing.claim
    return Dumbbell(
        name=standing.checkpoint.name,
        place=standing.place,
        claimed=None if claim is None else claim.robust_accuracy,
        measured=None if summary is None else summary.robust_accuracy,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        claim="" if claim is None else claim_words(claim),
        effort="" if standing.verdict is None else effort_words(standing.verdict),
        evaluation_id=None if standing.verdict is None else str(standing.verdict.id),
        is_too_high=is_above(standing),
    )
