"""The three answers as sentences, and under each the intervals that it rests on."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import Answer
from backend.schemas.families import FamilyAnswer, FamilyFinding, FamilyOut, FindingPart
from backend.services.families.texts import name_parts, show_ends
from frontend.components import Content
from frontend.rows import Column, row_table, scrolling

TITLES = {
    "claims": "Are the claims too high?",
    "thin ice": "Are the lost samples the ones on thin ice?",
    "rivals": "Does {method} lose fewer samples?",
}
ORIGIN_SENTENCES = {
    "all": "All these networks are our re-implementations.",
    "some": "Some of these networks are our re-implementations.",
}
MARKS: dict[Answer, str] = {"yes": "✓", "no": "✕", "cannot tell": "?"}


def answer_cards(family: FamilyOut, method: str) -> Component:
    """One card a question: the answer as a word with a shape, the sentence, and what it rests on."""
    return html.Div([answer_card(answer, method) for answer in family.answers], className="answers")


def answer_card(answer: FamilyAnswer, method: str) -> Component:
    kind = answer.answer.replace(" ", "-")
    verdict = html.P(
        [html.Span(MARKS[answer.answer], className="answer-mark"), answer.answer.capitalize()],
        className=f"answer-word answer-{kind}",
    )
    title = html.H2(TITLES[answer.question].format(method=method))
    parts = [title, verdict, html.P(answer.asks, className="muted small"), html.P(answer.counts)]
    if answer.reimplemented != "none":
        parts.append(html.P(ORIGIN_SENTENCES[answer.reimplemented], className="muted small"))
    return html.Section(parts, className="card answer-card")


def evidence(family: FamilyOut, method: str) -> list[Component]:
    """What every answer rests on, closed until it is asked for."""
    parts: list[Component] = []
    for answer in family.answers:
        told = [one for one in answer.findings if one.parts]
        title = TITLES[answer.question].format(method=method)
        inside: list[Component] = [html.P(answer.basis, className="muted small")]
        if told:
            inside.append(scrolling(findings_table(title, told), f"What the answer is based on: {title}"))
        silent = [one for one in answer.findings if not one.parts]
        if silent:
            inside.append(html.P("These have no intervals:", className="muted small"))
            inside.append(html.Ul([html.Li(sentence) for sentence in say_silent(silent)], className="muted small"))
        parts.append(html.Details([html.Summary(title), *inside], className="as-table evidence-of"))
    return parts


def say_silent(findings: Sequence[FamilyFinding]) -> list[list[Content]]:
    """Each reason once, behind the names that it holds for: `a, b: No finished evaluation with margin at Linf.`"""
    found: dict[str, dict[str, None]] = {}
    for one in findings:
        name = f"{one.checkpoint_name} against {one.rival_name}" if one.rival_name else one.checkpoint_name
        found.setdefault(one.reason or "The reason is not known.", {})[name] = None
    return [[html.Strong(", ".join(names)), f": {reason}"] for reason, names in found.items()]


def findings_table(title: str, findings: Sequence[FamilyFinding]) -> Component:
    """One row a finding: the widened intervals that decide, the answer, and what is shown in addition."""
    deciding = name_parts([one.parts for one in findings])
    additional = name_parts([one.additional for one in findings])
    has_rivals = any(one.rival_name for one in findings)
    columns = [
        Column("Checkpoint"),
        *([Column("Rival")] if has_rivals else []),
        *(Column(name[:1].upper() + name[1:], is_number=True) for name in deciding),
        Column("Answer", kind="answer-cell"),
        *(Column(name[:1].upper() + name[1:], is_number=True) for name in additional),
    ]
    rows = [
        [
            one.checkpoint_name,
            *([one.rival_name] if has_rivals else []),
            *(part_cell(one.parts, name) for name in deciding),
            html.Span(f"{MARKS[one.answer]} {one.answer}", className="answer"),
            *(part_cell(one.additional, name) for name in additional),
        ]
        for one in findings
    ]
    return row_table(title, columns, rows)


def part_cell(parts: Sequence[FindingPart], name: str) -> Content:
    """An interval that leads to what it is of; a dash where it was not measured."""
    part = next((one for one in parts if one.name == name), None)
    if part is None:
        return html.Span("–", className="muted")
    figure, interval = (text.replace("-", "−") for text in show_ends(part))
    under = html.Span(interval, className="under")
    if not part.evaluation_ids:
        return html.Span([figure, under])
    return html.Span(
        [dcc.Link(figure, href=f"/jobs?evaluation={part.evaluation_ids[0]}", title=f"n {part.n:,}"), under]
    )
