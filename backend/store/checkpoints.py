"""Questions about checkpoints."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.schemas import ACTIVE
from backend.store.tables import Checkpoint, Evaluation, Pruning


def find_checkpoint(session: Session, checkpoint_id: UUID) -> Checkpoint | None:
    return session.get(Checkpoint, checkpoint_id)


def page_of_checkpoints(
    session: Session, limit: int, offset: int, *, name: str | None = None
) -> tuple[list[Checkpoint], int]:
    """(newest first, how many there are in all); with `name` only the one that has it."""
    conditions = [] if name is None else [Checkpoint.name == name]
    total = session.scalar(select(func.count()).select_from(Checkpoint).where(*conditions)) or 0
    newest = select(Checkpoint).where(*conditions).order_by(Checkpoint.created_at.desc(), Checkpoint.id.desc())
    return list(session.scalars(newest.limit(limit).offset(offset))), total


def checkpoint_from_zoo(session: Session, name: str, source_sha256: str) -> Checkpoint | None:
    """The shipped checkpoint of that name and file, if it was loaded before."""
    question = select(Checkpoint).where(
        Checkpoint.origin == "zoo", Checkpoint.name == name, Checkpoint.source_sha256 == source_sha256
    )
    return session.scalar(question)


def checkpoints_like(session: Session, dataset_id: UUID, architecture: str) -> Sequence[Checkpoint]:
    """All checkpoints of one architecture on one data set, oldest first."""
    question = select(Checkpoint).where(Checkpoint.dataset_id == dataset_id, Checkpoint.architecture == architecture)
    return session.scalars(question.order_by(Checkpoint.created_at, Checkpoint.id)).all()


def checkpoints_without_inspection(session: Session, limit: int) -> Sequence[Checkpoint]:
    """Checkpoints whose weights were not looked at, newest first."""
    question = select(Checkpoint).where(Checkpoint.inspection.is_(None))
    return session.scalars(question.order_by(Checkpoint.created_at.desc(), Checkpoint.id.desc()).limit(limit)).all()


def count_dependants(session: Session, checkpoint_id: UUID) -> tuple[int, int, int]:
    """(children, evaluations, prunings of it) that need this checkpoint."""
    children = select(func.count()).select_from(Checkpoint).where(Checkpoint.parent_id == checkpoint_id)
    evaluations = select(func.count()).select_from(Evaluation).where(Evaluation.checkpoint_id == checkpoint_id)
    prunings = select(func.count()).select_from(Pruning).where(Pruning.parent_id == checkpoint_id)
    return session.scalar(children) or 0, session.scalar(evaluations) or 0, session.scalar(prunings) or 0


def set_preflight(session: Session, checkpoint_id: UUID, preflight: dict[str, Any]) -> None:
    session.execute(update(Checkpoint).where(Checkpoint.id == checkpoint_id).values(preflight=preflight))


def checkpoints_in_preflight(session: Session) -> list[UUID]:
    """Ids of the checkpoints whose pre-flight waits or runs."""
    state = Checkpoint.preflight["state"].as_string()
    return list(session.scalars(select(Checkpoint.id).where(state.in_(ACTIVE))))


def checkpoint_named(session: Session, name: str) -> Checkpoint | None:
    return session.scalar(select(Checkpoint).where(Checkpoint.name == name).limit(1))


def checkpoints_with_weights(session: Session, weights_sha256: str) -> Sequence[Checkpoint]:
    """Checkpoints with exactly these effective weights, oldest first."""
    question = select(Checkpoint).where(Checkpoint.weights_sha256 == weights_sha256)
    return session.scalars(question.order_by(Checkpoint.created_at, Checkpoint.id)).all()


def is_file_used(session: Session, file: str) -> bool:
    """Whether any checkpoint keeps its weights in this artefact."""
    return session.scalar(select(Checkpoint.id).where(Checkpoint.file == file).limit(1)) is not None


def names_of(session: Session, checkpoint_ids: Sequence[UUID]) -> dict[UUID, str]:
    question = select(Checkpoint.id, Checkpoint.name).where(Checkpoint.id.in_(checkpoint_ids))
    return {row.id: row.name for row in session.execute(question)}


def names_by_evaluation(session: Session, evaluation_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The name of the checkpoint of each evaluation."""
    question = select(Evaluation.id, Checkpoint.name).join(Evaluation.checkpoint)
    return {row.id: row.name for row in session.execute(question.where(Evaluation.id.in_(evaluation_ids)))}


def all_checkpoints(session: Session) -> Sequence[Checkpoint]:
    """Every checkpoint, newest first."""
    return session.scalars(select(Checkpoint).order_by(Checkpoint.created_at.desc(), Checkpoint.id.desc())).all()


def dense_checkpoints(session: Session) -> Sequence[Checkpoint]:
    """Every dense checkpoint, newest first."""
    newest = select(Checkpoint).order_by(Checkpoint.created_at.desc(), Checkpoint.id.desc())
    return session.scalars(newest.where(Checkpoint.role == "dense")).all()
