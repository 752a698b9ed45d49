"""What became of the claims, in one sentence that every page says alike."""

from collections.abc import Sequence

from dash import html

from backend.schemas import OURS, Answer
from backend.schemas.claims import ClaimCheck
from backend.services import claims
from frontend.components import Content
from frontend.lists import read_list
from frontend.words import count_words

ANSWERS: tuple[Answer, ...] = ("yes", "no", "cannot tell")


def read_claims(preset: str | None = None) -> list[ClaimCheck]:
    """Every claim, held against the evaluation of most samples, or of one preset."""
    return read_list(lambda limit, offset: claims.list_claims(limit, offset, preset=preset))


def claims_sentence(rows: Sequence[ClaimCheck]) -> list[Content]:
    """Whether the claims are too high, and whether by more than the dense parent's, which is the paper's question.

    Only the second answer is coloured: a claim that is as much too high as its parent's says nothing about pruning.
    """
    if not rows:
        return []
    judged = [row for row in rows if row.gap is not None]
    if not judged:
        return [f"{count_words(len(rows), 'claim')}, none re-evaluated at its ε yet."]
    given = [row.gap.answer for row in judged if row.gap is not None]
    parts: list[Content] = ["Is the claim too high? ", *count_answers(given), "."]
    answers = [
        other.excess.answer
        for row in judged
        if row.role == "pruned"
        for other in row.against
        if other.relation == "parent" and other.excess is not None
    ]
    if not answers:
        return parts
    end = ". These networks are our re-implementations." if all(row.origin in OURS for row in judged) else "."
    return [*parts, " By more than the dense parent's claim? ", *count_answers(answers, marks_yes=True), end]


def count_answers(given: Sequence[Answer], *, marks_yes: bool = False) -> list[Content]:
    """`yes for 5 of 7; cannot tell for 2`; a yes in red and with a shape where `marks_yes`."""
    parts: list[Content] = []
    for answer in ANSWERS:
        if answer not in given:
            continue
        count = f"{given.count(answer):,}" + ("" if parts else f" of {len(given):,}")
        is_marked = marks_yes and answer == "yes"
        words = f"{'▼ ' if is_marked else ''}{answer} for {count}"
        parts.extend(["; "] if parts else [])
        parts.append(html.Span(words, className="is-lost strong" if is_marked else "strong"))
    return parts
