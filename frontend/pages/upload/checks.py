"""Checks with their results, each marked as fine, a warning, a problem or plain information."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dash import html
from dash.development.base_component import Component

from frontend.components import Content, icon

Outcome = Literal["ok", "warn", "fail", "info"]
MARKS: dict[Outcome, tuple[str, str, str]] = {
    "ok": ("check", "is-gained", "OK"),
    "warn": ("warning", "is-warning", "warning"),
    "fail": ("close", "is-lost", "problem"),
    "info": ("help", "muted", ""),
}


@dataclass(frozen=True)
class FieldCheck:
    """One check (`title`) and its result."""

    outcome: Outcome
    title: str
    sentence: Content


def check_list(checks: Sequence[FieldCheck]) -> Component:
    """The checks with their marks; the mark's word is said too, for those who do not see it."""
    items = []
    for check in checks:
        name, tone, word = MARKS[check.outcome]
        said = [html.Span(f" ({word})", className=f"small {tone}")] if word else []
        head = html.Span([check.title, *said], className="strong")
        items.append(html.Li([html.Span(icon(name), className=tone), html.Div([head, html.P(check.sentence)])]))
    return html.Ul(items, className="checks")
