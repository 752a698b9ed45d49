"""Which evaluations of a family can stand side by side, for the page that compares several of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from backend.schemas.families import Place
from backend.services.comparisons.several import MOST
from backend.services.evaluations.service import load_evaluation
from backend.services.families.members import MARGINS, Family, Member, read_family
from backend.services.families.service import list_families
from backend.store.database import reading

USUAL_LEVEL = 0.95  # where adversarial pruning is said to hold and thin ice begins to show


@dataclass(frozen=True)
class FamilyCandidate:
    """A member of the family with the evaluation of its margins, attacked like the dense one.

    `group` says what may be ranked together; `level` is the pruned share, 0..1, None where nothing was pruned.
    """

    evaluation_id: UUID
    checkpoint_id: UUID
    name: str
    place: Place
    method: str
    structure: str | None
    group: str
    level: float | None
    n: int


def list_candidates(dense_id: UUID | str) -> list[FamilyCandidate]:
    """Everything that can be held against a dense evaluation, in the order of Methods' table; not itself.

    Raises:
        NotFound: no such evaluation.
        InvalidRequest: its checkpoint has no family, because it is pruned or a control.
    """
    with reading() as session:
        row = load_evaluation(session, dense_id)
        checkpoint_id, norm = row.checkpoint_id, row.norm
    return _find_candidates(_read_at_any_eps(checkpoint_id, norm))


def choose_several(
    dense_id: UUID | str | None = None, like: UUID | str | None = None
) -> tuple[UUID, list[UUID]] | None:
    """A dense evaluation and up to eight pruned ones that are pruned alike; None where there is none yet.

    Args:
        dense_id: by default that of the family with most pruned checkpoints.
        like: the evaluation whose kind and level the others share, itself first; by default weights nearest 95 %.

    Raises:
        as `list_candidates`.
    """
    found = _find_reference() if dense_id is None else UUID(str(dense_id))
    if found is None:
        return None
    candidates = [one for one in list_candidates(found) if one.place == "pruned"]
    chosen = _choose_group(candidates, None if like is None else str(like))
    return (found, [one.evaluation_id for one in chosen[:MOST]]) if chosen else None


def _choose_group(candidates: Sequence[FamilyCandidate], like: str | None) -> list[FamilyCandidate]:
    first = next((one for one in candidates if str(one.evaluation_id) == like), None)
    if first is None:
        groups = {one.group: sum(other.group == one.group for other in candidates) for one in candidates}
        first = min(
            candidates,
            key=lambda one: (one.structure != "weight", abs((one.level or 0.0) - USUAL_LEVEL), -groups[one.group]),
            default=None,
        )
    if first is None:
        return []
    others = [one for one in candidates if one.group == first.group and one is not first]
    return [first, *others] if like is not None else [one for one in candidates if one.group == first.group]


def _find_reference() -> UUID | None:
    """The dense evaluation of the first family that has anything to compare."""
    for root in list_families().items:
        if not root.pruned:
            return None
        family = read_family(root.checkpoint_id)
        reference = family.dense.chosen[MARGINS].evaluation
        if reference is not None and any(one.place == "pruned" for one in _find_candidates(family)):
            return reference.id
    return None


def _find_candidates(family: Family) -> list[FamilyCandidate]:
    return [_show(member) for member in family.members[1:] if member.chosen[MARGINS].evaluation is not None]


def _show(member: Member) -> FamilyCandidate:
    evaluation = member.chosen[MARGINS].evaluation
    assert evaluation is not None
    return FamilyCandidate(
        evaluation_id=evaluation.id,
        checkpoint_id=member.row.id,
        name=member.row.name,
        place=member.place,
        method=member.method,
        structure=member.kind,
        group=member.group,
        level=member.level,
        n=evaluation.n,
    )


def _read_at_any_eps(checkpoint_id: UUID, norm: str) -> Family:
    """The family for its margins, which need no eps; data sets name one for one norm only."""
    return read_family(checkpoint_id, norm, "1/255")
