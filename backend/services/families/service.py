"""Families: everything that was made from one dense checkpoint as a table, and the paper's claims answered for it."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from uuid import UUID

from backend.schemas import OURS, Page
from backend.schemas.families import FamilyOut, FamilyRoot, FamilyRow
from backend.services.checkpoints.trainings import are_alike
from backend.services.claims.service import read_norm
from backend.services.families.answers import RULE, write_answer
from backend.services.families.members import Family, read_family
from backend.services.families.questions import ask_claims, ask_rivals, ask_thin_ice
from backend.services.families.rows import show_row
from backend.services.shared.arguments import check_page
from backend.store.checkpoints import all_checkpoints
from backend.store.database import reading
from models.pruning.plans import THIN_ICE

T = TypeVar("T")
OWN_METHOD = THIN_ICE
NOTES = (
    "One checkpoint stands for a method at a level: intervals are over samples, and the variation between training "
    "seeds is not included.",
    "Flips, margins and losses beyond the control rest on the margins of both sides, attacked in the same way; a cell "
    "without an evaluation is empty. A claim is compared with the evaluation of most samples, at the claim's own eps.",
)
BUDGETS = (
    "It is not known how uploaded networks were trained: one method may lose fewer samples than another because it "
    "was trained longer, on more images or at another eps."
)
DIFFERENT_TRAININGS = (
    "Not all pruned networks were trained alike: a method is compared only with methods of its own budget."
)
OUR_NETWORKS = (
    "Networks made by Thin Ice are our re-implementations: the results were not measured on the authors' own networks."
)


def list_families(limit: int = 50, offset: int = 0) -> Page[FamilyRoot]:
    """A page of dense checkpoints that are nobody's control, those with most pruned ones first, then by name."""
    check_page(limit, offset)
    with reading() as session:
        rows = all_checkpoints(session)
        pruned = [row.parent_id for row in rows if row.role == "pruned"]
        roots = [
            FamilyRoot(checkpoint_id=row.id, name=row.name, dataset_id=row.dataset_id, pruned=pruned.count(row.id))
            for row in rows
            if row.role == "dense" and row.parent_id is None
        ]
    roots.sort(key=lambda root: (-root.pruned, root.name))
    return Page(items=roots[offset : offset + limit], total=len(roots), limit=limit, offset=offset)


def get_family(
    checkpoint_id: UUID, *, norm: str | None = None, eps: str | float | None = None, method: str = OWN_METHOD
) -> FamilyOut:
    """The table of a dense checkpoint and the three answers.

    Args:
        norm, eps: where robustness is judged; by default those of the data set.
        method: whose losses are held against those of all other methods.

    Raises:
        NotFound: no such checkpoint.
        InvalidRequest: it is not the dense root of a family, or no eps is known for the norm.
    """
    return write_family(read_family(checkpoint_id, norm, eps), method)


def write_family(family: Family, method: str, tell: Callable[[], None] = lambda: None) -> FamilyOut:
    """The same of a family that was read; calls `tell` after each row and after each of the three answers."""

    def told(part: T) -> T:
        tell()
        return part

    rows = [told(show_row(family, member)) for member in family.members]
    claims, thin_ice = told(ask_claims(family)), told(ask_thin_ice(family, rows))
    rivals, terms = told(ask_rivals(family, method)), family.terms
    return FamilyOut(
        checkpoint_id=family.dense.row.id,
        name=family.dense.row.name,
        dataset_id=terms.dataset.id,
        dataset_name=terms.dataset.name,
        norm=read_norm(terms.norm),
        eps=terms.eps,
        eps_text=terms.eps_text,
        rows=rows,
        answers=[
            write_answer("claims", claims),
            write_answer("thin ice", thin_ice),
            write_answer("rivals", rivals, method=method),
        ],
        rule=RULE,
        notes=write_notes(family, rows),
    )


def write_notes(family: Family, rows: Sequence[FamilyRow]) -> list[str]:
    """What the reader must know: seeds, what the numbers rest on, whose networks they are."""
    notes = list(NOTES)
    if any(member.row.origin in OURS for member in family.pruned):
        notes.append(OUR_NETWORKS)
    known = [family.snapshot.trainings.get(member.row.id) for member in family.pruned]
    if None in known:
        notes.append(BUDGETS)
    if any(are_alike(known[0], one) is False for one in known):
        notes.append(DIFFERENT_TRAININGS)
    sizes = {row.flips.n for row in rows if row.flips is not None}
    if len(sizes) > 1:
        shown = ", ".join(f"{size:,}" for size in sorted(sizes))
        notes.append(f"Rows rest on different numbers of samples ({shown}): only rows with the same number are ranked.")
    return notes
