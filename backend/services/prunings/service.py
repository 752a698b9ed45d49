"""Prunings: queue, follow, cancel, resume, forget."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from backend.errors import Conflict
from backend.jobs import kinds
from backend.jobs.lifecycle import hand_over
from backend.jobs.pruning_results import forget_training
from backend.jobs.registration.checkpoints import refuse_taken_name
from backend.schemas import Page
from backend.schemas.evaluations import ErrorOut
from backend.schemas.prunings import PruningIn, PruningOut, PruningProgress
from backend.services.prunings.plans import Draft, describe_draft, draft_pruning, read_radius
from backend.services.shared.arguments import read_id
from backend.services.shared.forecasts import UNKNOWN, Forecast, forecast_waiting
from backend.services.shared.jobs import Jobs
from backend.store import checkpoints, datasets
from backend.store import prunings as store
from backend.store.database import reading, writing
from backend.store.tables import Pruning
from models.pruning.plans import CONTROL, read_plan

MOST_NAMES = 1000  # tried for a result without a name of its own


def show_pruning(row: Pruning, *, parent_name: str, training_dataset: str, forecast: Forecast) -> PruningOut:
    """A pruning with its progress; the record is the card of what it made once that is there."""
    plan, passes = read_plan(row.plan), row.record.passes
    assert passes is not None  # known before the run
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
            "passes": passes.total,
            "progress": PruningProgress(
                done=row.done,
                total=row.total,
                stage=row.stage,
                eta_seconds=row.eta_seconds if row.state == "running" else forecast.ends,
            ),
            "starts_in_seconds": forecast.starts,
            "warnings": list(row.record.warnings or ()),
            "record": row.record,
            "error": None if row.error is None else ErrorOut(**row.error),
        }
    )


def _show_all(session: Session, rows: Sequence[Pruning]) -> list[PruningOut]:
    names = checkpoints.names_of(session, [row.parent_id for row in rows])
    slugs = datasets.slugs_of(session, [row.training_dataset_id for row in rows])
    forecasts = forecast_waiting(session, rows)
    return [
        show_pruning(
            row,
            parent_name=names[row.parent_id],
            training_dataset=slugs[row.training_dataset_id],
            forecast=forecasts.get(row.id, UNKNOWN),
        )
        for row in rows
    ]


def refuse_made(_session: Session, row: Pruning) -> None:
    """Keep a pruning whose checkpoint is there."""
    if row.checkpoint_id is not None:
        raise Conflict(
            f"This pruning records how the checkpoint {row.name} was made. Delete the checkpoint first.",
            checkpoint_id=str(row.checkpoint_id),
        )


JOBS = Jobs(
    kinds.PRUNING,
    _show_all,
    check_resume=lambda session, row: refuse_taken_name(session, row.name, made_by=row.id),
    check_delete=refuse_made,
    after_delete=forget_training,
)
get_pruning = JOBS.get
cancel_pruning, resume_pruning, delete_pruning = JOBS.cancel, JOBS.resume, JOBS.delete


def list_prunings(
    limit: int = 50, offset: int = 0, *, state: str | None = None, parent_id: UUID | str | None = None
) -> Page[PruningOut]:
    """A page of prunings, newest first: in one state, or of one parent."""
    conditions = [] if parent_id is None else [Pruning.parent_id == read_id(parent_id, "checkpoint")]
    return JOBS.page(limit, offset, *conditions, state=state)


def queue_pruning(request: PruningIn) -> PruningOut:
    """Check a request, write it down and queue it.

    Raises:
        Conflict: the name is taken, by a checkpoint or by a pruning that waits or runs.
        NotFound, UnknownName, TrainsOnTest, InvalidRequest: see `plans.draft_pruning`.
    """
    draft = draft_pruning(request)
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
        record=describe_draft(draft, request.seed),
    )
    with writing() as session:
        row.name = (request.name or "").strip() or _find_free_name(session, draft)
        refuse_taken_name(session, row.name)
        session.add(row)
    hand_over(row)
    return get_pruning(row.id)


def suggest_name(request: PruningIn) -> str:
    """A free name for what a request would make; raises as `queue_pruning`."""
    draft = draft_pruning(request)
    with reading() as session:
        return _find_free_name(session, draft)


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
    raise Conflict(f"Too many checkpoints are called {name}; choose a name.", name=name)
