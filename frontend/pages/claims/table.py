"""The table of claims, each with its dumbbell, and that of published figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from dash import dcc, html
from dash.development.base_component import Component

from backend.schemas import Interval
from backend.schemas.claims import ClaimAgainst, ClaimCheck, ClaimDifference, Reevaluation
from backend.services.catalogues import short_title
from frontend.components import Content, aria, dot, icon
from frontend.rows import Column, Group, row_table, scrolling
from frontend.words import percent, points
from models.pruning.plans import CONTROL

RELATION_WORDS = {"parent": "parent", "finetuned": "control", "seed": "other seed"}
AIR = 0.02  # of the share's axis, on either side of what is shown


@dataclass(frozen=True)
class ClaimFamily:
    """Claims of one dense parent, itself first, then what was not pruned, then the pruned ones by sparsity."""

    title: str
    rows: list[ClaimCheck]


@dataclass(frozen=True)
class BarScale:
    """The part of 0..1 that every dumbbell of the table shows."""

    low: float
    high: float

    def place(self, share: float) -> str:
        """How far from the left, for CSS."""
        return f"{100 * (share - self.low) / (self.high - self.low):.2f}%"


def read_families(rows: Sequence[ClaimCheck]) -> list[ClaimFamily]:
    """Claims under the dense network they belong to; another training seed stands with the one it is a seed of."""
    roots = {row.checkpoint_id: row.parent_id for row in rows if row.parent_id is not None}
    for row in rows:
        for other in row.against:
            if other.relation == "seed" and row.parent_id is not None:
                roots.setdefault(other.checkpoint_id, row.parent_id)
    names = {row.checkpoint_id: row.checkpoint_name for row in rows}
    names |= {other.checkpoint_id: other.checkpoint_name for row in rows for other in row.against}
    grouped: dict[UUID, list[ClaimCheck]] = {}
    for row in sorted(rows, key=order):
        grouped.setdefault(roots.get(row.checkpoint_id, row.checkpoint_id), []).append(row)
    return [ClaimFamily(f"Family of {names.get(root, 'unknown')}", each) for root, each in grouped.items()]


def order(row: ClaimCheck) -> tuple[bool, bool, float, str]:
    is_pruned = row.role == "pruned"
    return is_pruned, row.parent_id is not None, row.sparsity if is_pruned else 0.0, row.checkpoint_name


def claims_table(families: list[ClaimFamily]) -> Component:
    """One row a claim; a heading over each family where there are several."""
    scale = choose_scale([row for family in families for row in family.rows])
    rows: list[list[Content] | Group] = []
    for family in families:
        if len(families) > 1:
            rows.append(Group(family.title))
        rows.extend(cells(row, scale) for row in family.rows)
    columns = [
        Column("Checkpoint"),
        Column("Claimed → re-evaluated (%)", kind="dumbbell-cell"),
        Column("Claim too high by", kind="answer-cell"),
        Column("More than the dense parent", kind="answer-cell"),
        Column("More than the control", kind="answer-cell"),
        Column("More than another seed", kind="answer-cell"),
    ]
    caption = "Claims and their re-evaluations"
    return scrolling(row_table(caption, columns, rows), caption)


def choose_scale(rows: Sequence[ClaimCheck]) -> BarScale:
    """Everything that any row shows, with air."""
    marks = [row.claim.robust_accuracy for row in rows]
    for row in rows:
        if row.reevaluation is not None:
            interval = row.reevaluation.robust_accuracy_interval
            marks.extend((interval.low, interval.high))
    return BarScale(max(0.0, min(marks) - AIR), min(1.0, max(marks) + AIR))


def cells(row: ClaimCheck, scale: BarScale) -> list[Content]:
    shown = [name_cell(row), dumbbell_cell(row, scale), gap_cell(row)]
    return [*shown, *(relatives_cell(row, name) for name in RELATION_WORDS)]


def relatives_cell(row: ClaimCheck, relation: str) -> Content:
    """Every relative of that kind; nothing where there is none."""
    found = [other for other in row.against if other.relation == relation]
    if not found:
        return None
    if row.gap is None:
        return html.Span("–", className="muted")
    return html.Span([relative_part(other) for other in found])


def name_cell(row: ClaimCheck) -> Component:
    place = "pruned" if row.role == "pruned" else "dense"
    words = f"{row.method or place} · {percent(row.sparsity, digits=0)}" if place == "pruned" else row.method or place
    name = dcc.Link(row.checkpoint_name, href=f"/upload?checkpoint={row.checkpoint_id}", className="checkpoint-name")
    kind = "pruned-1" if place == "pruned" else "control" if row.method == CONTROL else "dense"
    return html.Span([dot(kind), html.Span([name, html.Span(words, className="under")])], className="named")


def dumbbell_cell(row: ClaimCheck, scale: BarScale) -> Component:
    """A diamond, a dot with its interval and the way between them; under it the numbers in words."""
    claim, found = row.claim, row.reevaluation
    marks: list[Component] = []
    if found is not None:
        low, high = found.robust_accuracy_interval.low, found.robust_accuracy_interval.high
        marks.append(html.Span(className="db-interval", style=span_between(scale, low, high)))
        ends = sorted((found.robust_accuracy, claim.robust_accuracy))
        marks.append(html.Span(className="db-way", style=span_between(scale, ends[0], ends[1])))
        marks.append(html.Span(className="db-measured", style={"left": scale.place(found.robust_accuracy)}))
    marks.append(html.Span(className="db-claim", style={"left": scale.place(claim.robust_accuracy)}))
    kind = "pruned" if row.role == "pruned" else "dense"
    track = html.Span(marks, className=f"db-track db-{kind}", **aria(hidden="true"))
    measured: Content = html.Span("not re-evaluated at this ε", className="muted") if found is None else link(found)
    figures = html.Span([percent(claim.robust_accuracy, unit=False), " → ", measured], className="db-figures")
    terms = "" if row.is_at_default else f", {row.norm} {row.eps_text}"
    told = f"{claim.attack or 'attack unknown'}{terms}, {count_words_of(claim.n)}"
    efforts = f"{told} → {effort(found)}" if found is not None else told
    source = claim.source or "no source given"
    parts = [track, figures, html.Span(efforts, className="under", title=source)]
    if found is not None and found.flags:
        parts.append(html.Span([html.Span([icon("warning"), code], className="flag") for code in found.flags]))
    return html.Span(parts, className="db")


def span_between(scale: BarScale, low: float, high: float) -> dict[str, str]:
    return {"left": scale.place(low), "width": f"{100 * (high - low) / (scale.high - scale.low):.2f}%"}


def link(found: Reevaluation) -> Component:
    """A re-evaluated share that leads to its evaluation, with its interval."""
    return html.Span(
        [
            dcc.Link(
                percent(found.robust_accuracy, unit=False),
                href=f"/jobs?evaluation={found.evaluation_id}",
                title=effort(found),
            ),
            f" {points_range(found.robust_accuracy_interval, signed=False)}",
        ]
    )


def gap_cell(row: ClaimCheck) -> Component:
    if row.gap is None:
        return html.Span("–", title=row.reason or "", className="muted")
    return html.Span([answer_part(row.gap), difference_part(row.gap)])


def relative_part(other: ClaimAgainst) -> Component:
    """The excess over one relative, and under it the relative's own difference, which leads to its evaluation."""
    name = f"{RELATION_WORDS[other.relation]} {other.checkpoint_name}"
    if other.excess is None or other.gap is None or other.reevaluation is None:
        return html.Span([html.Span("–", className="muted"), html.Span(other.reason or "", className="under reason")])
    own = dcc.Link(
        points(other.gap.value),
        href=f"/jobs?evaluation={other.reevaluation.evaluation_id}",
        title=f"{name}: {effort(other.reevaluation)}",
    )
    under = html.Span([f"{name} ", own], className="under")
    return html.Span([answer_part(other.excess), difference_part(other.excess), under])


def answer_part(difference: ClaimDifference) -> Component:
    """The answer as a word and a shape; colour says nothing that these do not."""
    mark, kind = {"yes": ("▼ ", "is-lost"), "no": ("", "is-kept"), "cannot tell": ("", "muted")}[difference.answer]
    return html.Span(f"{mark}{difference.answer}", className=f"answer {kind}")


def difference_part(difference: ClaimDifference) -> Component:
    basis = f"n {difference.n:,}; {difference.basis}"
    return html.Span(
        [f" {points(difference.value)} ", points_range(difference.interval)], className="nowrap", title=basis
    )


def points_range(interval: Interval, *, signed: bool = True) -> str:
    low, high = (f"{100 * end:{'+' if signed else ''}.2f}".replace("-", "−") for end in (interval.low, interval.high))
    return f"[{low}, {high}]"


def effort(found: Reevaluation) -> str:
    return f"{short_title(found.preset)}, n {found.n:,}"


def count_words_of(n: int | None) -> str:
    return "n unknown" if n is None else f"n {n:,}"
