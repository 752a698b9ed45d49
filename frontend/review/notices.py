"""What stands over a pair wherever it is shown: where its numbers come from, and their caveats."""

from datetime import datetime

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas.comparisons import ComparisonOut
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationOut
from frontend.components import Content, icon
from frontend.help.addresses import help_address
from frontend.review.cut import has_margins

CAVEATS = {"apparent-gain": "apparent-gain", "stronger-attack": "masking"}  # field of a mismatch: flag in Help

ADDITIONAL = "additional-evidence"


def context_line(comparison: ComparisonOut, dataset: DatasetOut, median_eps: str | None) -> Component:
    """Data set, n, norm, preset, seed, date, and whether both sides were attacked with equal effort.

    `median_eps` is the pair's own eps where it was chosen from the margins: nobody asked for it.
    """
    dense, pruned = comparison.dense, comparison.pruned
    details = [
        dataset.name,
        f"n {comparison.n:,}",
        dense.norm,
        *([] if median_eps is None else [f"initial ε {median_eps} (median dense margin)"]),
        both("preset", dense.preset, pruned.preset),
        both("seed", dense.seed, pruned.seed),
        both("", day(dense.finished_at), day(pruned.finished_at)),
    ]
    items = [html.Li(detail) for detail in details]
    if comparison.equal_effort:
        items.append(html.Li(["equal effort ", icon("check")], className="is-gained strong"))
    else:
        items.append(html.Li([icon("warning"), " unequal effort"], className="is-warning strong"))
    items.append(html.Li(["evaluations ", evaluation_link(dense, "dense"), " and ", evaluation_link(pruned, "pruned")]))
    return html.Ul(items, className="context")


def both(name: str, first: object, second: object) -> str:
    """One value where both sides agree, otherwise the two."""
    values = f"{first}" if first == second else f"{first} / {second}"
    return f"{name} {values}".strip()


def day(moment: datetime | None) -> str:
    return "not finished" if moment is None else f"{moment.day} {moment:%b %Y}"


def evaluation_link(evaluation: EvaluationOut, words: str) -> Component:
    return dcc.Link(words, href=f"/jobs?evaluation={evaluation.id}")


def mismatch_notice(comparison: ComparisonOut) -> Component | None:
    """What differs between the two evaluations, and their caveats; None where there is neither."""
    loud = [item for item in comparison.mismatches if item.severity == "differs"]
    flagged = [
        html.Li([f"{side.checkpoint_name}: ", dcc.Link(flag, href=help_address("flag", flag))])
        for side in (comparison.dense, comparison.pruned)
        for flag in side.flags
    ]
    if not loud and not flagged:
        return None
    parts: list[Component] = []
    if flagged:
        parts.append(html.Div([html.Strong("Reliability flags were raised."), html.Ul(flagged)]))
    for title, items in (
        ("Treat these margins with caution.", [item for item in loud if item.field in CAVEATS]),
        ("Additional evidence on one side only.", [item for item in loud if item.field == ADDITIONAL]),
        ("The dense checkpoint is not the parent.", [item for item in loud if item.field == "parent"]),
        (
            "The two evaluations used different settings.",
            [item for item in loud if item.field not in (*CAVEATS, ADDITIONAL, "parent")],
        ),
    ):
        if items:
            sentences = [html.Li([item.sentence, *caveat_link(item.field)]) for item in items]
            parts.append(html.Div([html.Strong(title), html.Ul(sentences)]))
    return html.Div([icon("warning"), html.Div(parts)], className="notice", role="note")


def caveat_link(field: str) -> list[Content]:
    """Where Help says what to do about a caveat."""
    return [" ", dcc.Link("What to do", href=help_address("flag", CAVEATS[field]))] if field in CAVEATS else []


def verdict_notice(comparison: ComparisonOut) -> Component | None:
    """What a pair of verdicts is and is not; None where both sides hold margins."""
    if has_margins(comparison):
        return None
    sentence = (
        f"The evaluations record whether an attack found an adversarial within {comparison.eps_text}, not how far away "
        "the nearest one is. This page therefore shows no margins, no thin ice and no robustness curve, and ε is "
        "fixed. Use the preset margin to measure margins."
    )
    parts: list[Content] = [html.Strong(f"Verdicts only, at ε {comparison.eps_text}. "), sentence]
    return html.Div([icon("help"), html.Div(parts)], className="notice notice-plain", role="note")
