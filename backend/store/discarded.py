"""What a user deleted of what is shipped: a start brings back none of it, until the user asks for it."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from backend.store.tables import Checkpoint, Discarded, Evaluation


def list_discarded(session: Session) -> set[str]:
    """Ids of shipped evaluations, and SHA-256 of the files of shipped checkpoints."""
    return set(session.scalars(select(Discarded.key)))


def discard_evaluation(session: Session, row: Evaluation) -> None:
    """Note that an evaluation is deleted; only a shipped one could come back."""
    imported = row.record.imported
    if imported is not None and imported.is_shipped:
        session.merge(Discarded(key=str(row.id)))


def discard_checkpoint(session: Session, row: Checkpoint) -> None:
    """Note that a checkpoint is deleted; only a shipped one could come back."""
    if row.origin == "zoo":
        session.merge(Discarded(key=row.source_sha256))


def forget_discarded(session: Session) -> None:
    """Let everything that is shipped come back."""
    session.execute(delete(Discarded))
