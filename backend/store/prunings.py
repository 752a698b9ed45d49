"""Questions about prunings."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.schemas import ACTIVE
from backend.store.tables import Pruning

DENSE_MARGINS = "dense_margins"
"""In the record of a pruning: the evaluation that its dense margins come from."""


def prunings_among(session: Session, ids: Sequence[UUID]) -> Sequence[Pruning]:
    return session.scalars(select(Pruning).where(Pruning.id.in_(ids))).all()


def pending_pruning_named(session: Session, name: str, *, other_than: UUID | None = None) -> Pruning | None:
    """The waiting or running pruning, not `other_than`, whose result will have this name."""
    question = select(Pruning).where(Pruning.name == name, Pruning.state.in_(ACTIVE))
    return session.scalar((question if other_than is None else question.where(Pruning.id != other_than)).limit(1))
