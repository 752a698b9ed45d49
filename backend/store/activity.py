"""What changed lately, asked in a few small questions: for pages that wait for news."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.store.tables import Checkpoint, Dataset, Job


def stamp_jobs(session: Session, table: type[Job]) -> str:
    """Differs once a job of this kind came, began, waited again, ended or went; its progress changes nothing."""
    columns = (
        func.count(),
        func.max(table.created_at),
        func.max(table.started_at),
        func.max(table.finished_at),
        func.sum(table.run_number),
    )
    states = select(table.state, *columns).group_by(table.state).order_by(table.state)
    return str([tuple(row) for row in session.execute(states)])


def stamp_checkpoints(session: Session) -> str:
    """Differs once a checkpoint or a data set came, went, got another name, claim or parent, or was checked."""
    columns = (Checkpoint.id, Checkpoint.name, Checkpoint.parent_id, Checkpoint.claim, Checkpoint.preflight)
    rows: Sequence[object] = session.execute(select(*columns).order_by(Checkpoint.id)).all()
    return str([*rows, session.scalar(select(func.count()).select_from(Dataset))])
