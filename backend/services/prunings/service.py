"""Prunings: queue, follow, cancel, resume, forget."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from backend.errors import Conflict, NotFound
from backend.jobs import queue
from backend.schemas import Page
from backend.schemas.evaluations import ErrorOut
from backend.schemas.prunings import PruningIn, PruningOut, PruningProgress
from backend.services.checkpoints.service import refuse_taken_name
from backend.services.evaluations.service import ENDED, check_state
from backend.services.prunings.plans import Draft, describe_draft, draft_pruning, read_radius
from backend.services.prunings.results import forget_training
from backend.services.shared.arguments import check_page, read_id
from backend.services.shared.queueing import hand_over
from backend.store import checkpoints, datasets
from backend.store import prunings as store
from backend.store.database import reading, writing
from backend.store.evaluations import ACTIVE, move_state
from backend.store.tables import Pruning, now
from models.pruning.plans import CONTROL, read_plan

MOST_NAMES = 1000  # tried for a result without a name of its own


def list_prunings(
    limit: int = 50, offset: int = 0, *, state: str | None = None, parent_id: UUID | str | None = None
) -> Page[PruningOut]:
    """A page of prunings, newest first: in one state, or of one parent."""
    check_page(limit, offset)
    check_state(state)
    wanted = None if parent_id is None else read_id(parent_id, "checkpoint")
    with reading() as session:
        rows, total = store.page_of_prunings(session, limit, offset, state=state, parent_id=wanted)
        items = _show_all(session, rows)
    return Page(items=items, total=total, limit=limit, offset=offset)


def get_pruning(pruning_id: UUID | str) -> PruningOut:
    """One pruning with its progress and its record."""
    with reading() as session:
        return _show_all(session, [_load(session, pruning_id)])[0]


def queue_pruning(request: PruningIn) -> PruningOut:
    """Check a request, write it down and queue it.

    Raises:
        Conflict: the name is taken, by a checkpoint or by a pruning that waits or runs.
        NotFound, UnknownName, TrainsOnTest, InvalidRequest: see `pruning_plans.draft_pruning`.
    """
    draft = draft_pruning(request)
    record, warnings = describe_draft(draft)
    row = Pruning(
        parent_id=draft.parent.id,
        dataset_id=draft.dataset.id,
        training_dataset_id=draft.training.id,
        method=draft.plan.method,
        rate=draft.plan.rate,
        granularity=draft.plan.granularity,
        schedule=request.schedule,
        plan=draft.plan.to_json(),
        seed=request.seed,
        evaluate=request.evaluate,
        priority=request.priority,
        total=draft.plan.count_steps(draft.training.size),
        record=record | {"seed": request.seed, "warnings": warnings},
    )
    with writing() as session:
        row.name = (request.name or "").strip() or _find_free_name(session, draft)
        refuse_taken_name(session, row.name)
        session.add(row)
    hand_over(row, queue.enqueue_pruning)
    return get_pruning(row.id)


def suggest_name(request: PruningIn) -> str:
    """A free name for what a request would make; raises as `queue_pruning`."""
    draft = draft_pruning(request)
    with reading() as session:
        return _find_free_name(session, draft)


def cancel_pruning(pruning_id: UUID | str) -> PruningOut:
    """Take it out of the queue or end its training; the state of the training stays for a resume.

    Raises:
        NotFound: none of that id. Conflict: it ended already.
    """
    with writing() as session:
        row = _load(session, pruning_id)
        values: dict[str, Any] = {"state": "cancelled", "step": "cancelled", "eta_seconds": None}
        if not move_state(session, row.id, ACTIVE, of=Pruning, finished_at=now(), **values):
            raise Conflict(f"This pruning is {row.state} already; there is nothing to cancel.", state=row.state)
    queue.cancel_pruning(row.id, row.attempt_number)
    return get_pruning(row.id)


def resume_pruning(pruning_id: UUID | str) -> PruningOut:
    """Queue a failed or cancelled pruning again; it goes on from its last state, or anew where there is none.

    Raises:
        NotFound: none of that id. Conflict: it waits, runs or succeeded, or its name was taken meanwhile.
    """
    with writing() as session:
        row = _load(session, pruning_id)
        fresh: dict[str, Any] = {"state": "queued", "step": "waiting", "error": None, "finished_at": None}
        if row.state not in ENDED:
            raise Conflict(
                f"This pruning is {row.state}; only failed and cancelled ones can be resumed.", state=row.state
            )
        refuse_taken_name(session, row.name)
        move_state(session, row.id, ENDED, of=Pruning, attempt_number=row.attempt_number + 1, **fresh)
        session.refresh(row)
    hand_over(row, queue.enqueue_pruning)
    return get_pruning(row.id)


def delete_pruning(pruning_id: UUID | str) -> None:
    """Forget an ended pruning that left no checkpoint, and the state of its training.

    Raises:
        NotFound: none of that id. Conflict: it waits or runs, or its checkpoint is there and came from it.
    """
    with writing() as session:
        row = _load(session, pruning_id)
        if row.state in ACTIVE:
            raise Conflict(f"This pruning is {row.state}; cancel it first.", state=row.state)
        if row.checkpoint_id is not None:
            raise Conflict(
                f"The checkpoint {row.name} came from this pruning, which says how it was made. Delete that first.",
                checkpoint_id=str(row.checkpoint_id),
            )
        session.delete(row)
    forget_training(row.id)


def _load(session: Session, pruning_id: UUID | str) -> Pruning:
    row = store.find_pruning(session, read_id(pruning_id, "pruning"))
    if row is None:
        raise NotFound(f"There is no pruning {pruning_id}.", pruning_id=str(pruning_id))
    return row


def _find_free_name(session: Session, draft: Draft) -> str:
    """`cnn-dense-lwm-95`, with a number behind it where that is taken."""
    plan = draft.plan
    parts = [draft.parent.name[:80], plan.method]
    if plan.method != CONTROL:
        parts += [*([] if plan.granularity == "weight" else [plan.granularity]), f"{100 * plan.rate:g}"]
    name = "-".join(parts)
    for number in range(1, MOST_NAMES):
        tried = name if number == 1 else f"{name}-{number}"
        if not checkpoints.checkpoint_named(session, tried) and not store.pending_pruning_named(session, tried):
            return tried
    raise Conflict(f"Too many checkpoints are called {name}; give a name.", name=name)


def _show_all(session: Session, rows: Sequence[Pruning]) -> list[PruningOut]:
    names = checkpoints.names_of(session, [row.parent_id for row in rows])
    slugs = datasets.slugs_of(session, [row.training_dataset_id for row in rows])
    return [
        show_pruning(row, parent_name=names[row.parent_id], training_dataset=slugs[row.training_dataset_id])
        for row in rows
    ]


def show_pruning(row: Pruning, *, parent_name: str, training_dataset: str) -> PruningOut:
    """A pruning with its progress; the record is the card of what it made once that is there."""
    plan = read_plan(row.plan)
    same = "id name parent_id dataset_id training_dataset_id method granularity schedule seed evaluate priority state"
    names = f"{same} checkpoint_id created_at started_at finished_at".split()
    return PruningOut.model_validate(
        {
            **{name: getattr(row, name) for name in names},
            "parent_name": parent_name,
            "training_dataset": training_dataset,
            "sparsity": row.rate,
            "loss": plan.finetuning.loss,
            "epochs": plan.epochs,
            "eps": read_radius(plan),
            "eps_text": plan.finetuning.eps_text,
            "passes": row.record["passes"]["total"],
            "progress": PruningProgress(
                done=row.done,
                total=row.total,
                step=row.step,
                eta_seconds=row.eta_seconds if row.state == "running" else None,
            ),
            "warnings": list(row.record.get("warnings", [])),
            "record": dict(row.record),
            "error": None if row.error is None else ErrorOut(**row.error),
        }
    )
