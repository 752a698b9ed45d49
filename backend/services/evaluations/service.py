"""Evaluations: queue, follow, cancel, resume, read the rows."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pyarrow as pa
from sqlalchemy.orm import Session

from backend.attacks.catalogue import Preset, get_preset
from backend.eps import check_eps, eps_text
from backend.errors import Conflict, InvalidRequest, NotFound
from backend.jobs import queue
from backend.schemas import Page, State
from backend.schemas.evaluations import EvaluationIn, EvaluationOut, MarginRow
from backend.services.datasets.service import find_dataset
from backend.services.evaluations.measurements import eps_of, summarise
from backend.services.evaluations.views import show_evaluation, show_margin
from backend.services.shared.arguments import MAX_MARGINS, check_page, read_id
from backend.services.shared.queueing import hand_over
from backend.settings import get_settings
from backend.store import checkpoints, datasets, results
from backend.store import evaluations as store
from backend.store.database import reading, writing
from backend.store.tables import Checkpoint, Dataset, Evaluation, now

STATES: tuple[State, ...] = ("queued", "running", "succeeded", "failed", "cancelled")
ENDED = ("failed", "cancelled")
LARGEST_SEED = 2**31 - 1

MARGIN_TYPES: dict[str, pa.DataType] = {
    "index": pa.int64(),
    "sample_id": pa.string(),
    "label": pa.int64(),
    "prediction": pa.int64(),
    "correct": pa.bool_(),
    "margin": pa.float64(),
    "margin_pred": pa.float64(),
    "distance_kind": pa.string(),
    "found": pa.bool_(),
    "robust": pa.bool_(),
    "attack": pa.string(),
    "adversarial_prediction": pa.int64(),
    "logit_gap": pa.float64(),
    "max_probability": pa.float64(),
    "loss": pa.float64(),
    "survives_8bit": pa.bool_(),
    "slack_to_flip": pa.float64(),
    "best_known": pa.float64(),
    "best_known_found": pa.bool_(),
    "best_known_robust": pa.bool_(),
    "best_known_source": pa.string(),
    "has_evidence": pa.bool_(),
}


def list_evaluations(
    limit: int = 50,
    offset: int = 0,
    *,
    checkpoint_id: UUID | str | None = None,
    state: str | None = None,
    repeat_of: UUID | str | None = None,
) -> Page[EvaluationOut]:
    """A page of evaluations, newest first: of one checkpoint, in one state, or queued together as repeats."""
    check_page(limit, offset)
    check_state(state)
    wanted = None if checkpoint_id is None else read_id(checkpoint_id, "checkpoint")
    first = None if repeat_of is None else read_id(repeat_of, "evaluation")
    with reading() as session:
        rows, total = store.page_of_evaluations(
            session, limit, offset, checkpoint_id=wanted, state=state, repeat_of=first
        )
        items = show_all(session, rows)
    return Page(items=items, total=total, limit=limit, offset=offset)


def check_state(state: str | None) -> None:
    """Refuse a state that no job is ever in."""
    if state is not None and state not in STATES:
        raise InvalidRequest(f"There is no state {state!r}. Known: {', '.join(STATES)}.", state=state)


def get_evaluation(evaluation_id: UUID | str) -> EvaluationOut:
    """One evaluation with its progress, or its summary once it succeeded."""
    with reading() as session:
        return show_all(session, [load_evaluation(session, evaluation_id)])[0]


def load_evaluation(session: Session, evaluation_id: UUID | str) -> Evaluation:
    """The row of an evaluation.

    Raises:
        NotFound: there is none of that id.
    """
    row = store.find_evaluation(session, read_id(evaluation_id, "evaluation"))
    if row is None:
        raise NotFound(f"There is no evaluation {evaluation_id}.", evaluation_id=str(evaluation_id))
    return row


def show_all(session: Session, rows: Sequence[Evaluation]) -> list[EvaluationOut]:
    """Rows as callers see them; the checkpoints' names are asked for once."""
    names = checkpoints.names_of(session, [row.checkpoint_id for row in rows])
    return [
        show_evaluation(
            row,
            checkpoint_name=names[row.checkpoint_id],
            chunks=store.chunks_of(session, row.id) if row.state == "running" else [],
            queue_position=store.queue_position(session, row),
            summary=summarise(row),
        )
        for row in rows
    ]


def queue_evaluation(request: EvaluationIn, purpose: str = "user") -> EvaluationOut:
    """Check a request, write it down and queue it; with `repeat` once for each seed, and the first is answered.

    Raises:
        NotFound: no such checkpoint or data set.
        UnknownName: no such preset.
        InvalidRequest: the preset does not take the norm or needs an eps, the samples are out of range, or the data
            set does not fit the checkpoint; or the seeds of the repeats would be too large.
    """
    last = request.seed + request.repeat - 1
    if last > LARGEST_SEED:
        raise InvalidRequest(f"The seeds would go up to {last:,}; the largest is {LARGEST_SEED:,}.", seed=request.seed)
    rows = [
        draft_evaluation(request.model_copy(update={"seed": request.seed + place}), purpose)
        for place in range(request.repeat)
    ]
    with writing() as session:
        session.add_all(rows)
        session.flush()
        if len(rows) > 1:
            for row in rows:
                row.repeat_of = rows[0].id
    for row in rows:
        hand_over(row, queue.enqueue_evaluation)
    return get_evaluation(rows[0].id)


def draft_evaluation(request: EvaluationIn, purpose: str) -> Evaluation:
    """A checked request as a row that is not written down yet; raises as `queue_evaluation`."""
    preset = get_preset(request.preset)
    dataset = find_dataset(request.dataset_id)
    with reading() as session:
        checkpoint = checkpoints.find_checkpoint(session, request.checkpoint_id)
        if checkpoint is None:
            raise NotFound(f"There is no checkpoint {request.checkpoint_id}.", checkpoint_id=str(request.checkpoint_id))
        check_fit(session, checkpoint, dataset)
        indices, content_ids = _choose_samples(session, dataset, request.samples)
    norm = request.norm or dataset.default_norm
    check_preset_fits(preset, norm)
    eps = _choose_eps(request, preset, dataset, norm)
    return Evaluation(
        checkpoint_id=checkpoint.id,
        dataset_id=dataset.id,
        preset=preset.name,
        norm=norm,
        eps=eps,
        indices=indices,
        explicit=isinstance(request.samples, list),
        n=len(indices),
        seed=request.seed,
        priority=request.priority,
        purpose=purpose,
        chunk_size=get_settings().chunk_samples,
        record=_start_record(checkpoint, dataset, content_ids, preset, norm, eps, request.seed),
    )


def cancel_evaluation(evaluation_id: UUID | str) -> EvaluationOut:
    """Take a waiting evaluation out of the queue, or end a running one; finished chunks stay for a resume.

    Raises:
        NotFound: no such evaluation.
        Conflict: it ended already; says how.
    """
    with writing() as session:
        row = load_evaluation(session, evaluation_id)
        if not store.move_state(session, row.id, store.ACTIVE, state="cancelled", stage="cancelled", finished_at=now()):
            raise Conflict(f"This evaluation is {row.state} already; there is nothing to cancel.", state=row.state)
        store.add_log(session, row.id, f"cancelled after {row.done} of {row.n} samples")
    queue.cancel_evaluation(row.id, row.attempt_number)
    return get_evaluation(row.id)


def resume_evaluation(evaluation_id: UUID | str) -> EvaluationOut:
    """Queue a failed or cancelled evaluation again; it goes on after its finished chunks.

    Raises:
        NotFound: no such evaluation.
        Conflict: it waits, runs or succeeded.
    """
    with writing() as session:
        row = load_evaluation(session, evaluation_id)
        fresh: dict[str, Any] = {"state": "queued", "stage": "waiting", "error": None, "finished_at": None}
        if not store.move_state(session, row.id, ENDED, attempt_number=row.attempt_number + 1, **fresh):
            raise Conflict(
                f"This evaluation is {row.state}; only failed and cancelled ones can be resumed.", state=row.state
            )
        store.add_log(session, row.id, f"resumed with {row.done} of {row.n} samples done")
        session.refresh(row)
    hand_over(row, queue.enqueue_evaluation)
    return get_evaluation(row.id)


def margins(evaluation_id: UUID | str, limit: int = MAX_MARGINS, offset: int = 0) -> Page[MarginRow]:
    """Per-sample rows by index; of an unfinished evaluation those stored so far."""
    check_page(limit, offset, MAX_MARGINS)
    with reading() as session:
        evaluation = load_evaluation(session, evaluation_id)
        total = results.count_results(session, evaluation.id)
        columns = results.result_columns(session, evaluation.id, limit, offset)
    eps = eps_of(evaluation)
    items = [show_margin(row, eps) for row in _split_columns(columns)]
    return Page(items=items, total=total, limit=limit, offset=offset)


def margins_table(evaluation_id: UUID | str) -> pa.Table:
    """Every stored row as a table with the columns of `MarginRow`; missing values are null."""
    with reading() as session:
        evaluation = load_evaluation(session, evaluation_id)
        columns = results.result_columns(session, evaluation.id)
    eps = eps_of(evaluation)
    rows = [show_margin(row, eps).model_dump() for row in _split_columns(columns)]
    schema = pa.schema([pa.field(name, kind) for name, kind in MARGIN_TYPES.items()])
    return pa.Table.from_pylist(rows, schema=schema)


def log_tail(evaluation_id: UUID | str, lines: int = 50) -> list[dict[str, Any]]:
    """The last `lines` of the log, oldest first: `at` (UTC) and `text`."""
    with reading() as session:
        row = load_evaluation(session, evaluation_id)
        return [{"at": at, "text": text} for at, text in store.log_tail(session, row.id, lines)]


def check_preset_fits(preset: Preset, norm: str) -> None:
    """Refuse a norm that the preset does not attack in."""
    if norm not in preset.norms:
        raise InvalidRequest(
            f"The preset {preset.name} takes {' and '.join(preset.norms)}; got {norm}.",
            preset=preset.name,
            norms=list(preset.norms),
        )


def requeue_waiting() -> None:
    """Hand every waiting evaluation to the queue again: a process may have died between writing it down and that."""
    with reading() as session:
        waiting = store.evaluations_in(session, ["queued"])
    for row in waiting:
        queue.enqueue_evaluation(row.id, row.attempt_number, row.priority)


def _split_columns(columns: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Rows by name from columns by name."""
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))


def check_fit(session: Session, checkpoint: Checkpoint, dataset: Dataset) -> None:
    """Refuse a data set that the network cannot take: other shape, or other number of classes."""
    own = session.get(Dataset, checkpoint.dataset_id)
    assert own is not None
    if own.id == dataset.id:
        return
    if own.shape != dataset.shape:
        raise InvalidRequest(
            f"{checkpoint.name} takes images of {_show_shape(own.shape)}; {dataset.slug} has "
            f"{_show_shape(dataset.shape)}.",
            expected=own.shape,
            got=dataset.shape,
        )
    if len(own.classes) != len(dataset.classes):
        raise InvalidRequest(
            f"{checkpoint.name} tells {len(own.classes)} classes apart; {dataset.slug} has {len(dataset.classes)}.",
            expected=len(own.classes),
            got=len(dataset.classes),
        )


def _show_shape(shape: Sequence[int]) -> str:
    return " x ".join(str(size) for size in shape)


def _choose_samples(session: Session, dataset: Dataset, samples: int | list[int]) -> tuple[list[int], list[str]]:
    """(rows of the data set in the order of the chunks, their content ids).

    A number means the first n in id order, so that smaller sets are nested in larger ones.
    """
    size = dataset.size
    if isinstance(samples, int):
        if not 1 <= samples <= size:
            raise InvalidRequest(
                f"samples must be within 1..{size:,}, the size of {dataset.slug}; got {samples:,}.",
                size=size,
                samples=samples,
            )
        indices = datasets.first_indices(session, dataset.id, samples)
    else:
        _check_indices(samples, dataset)
        indices = samples
    contents = {index: content for index, _, content, _ in datasets.dataset_rows(session, dataset.id)}
    return indices, [contents[index] for index in indices]


def _check_indices(indices: list[int], dataset: Dataset) -> None:
    """Explicit rows: at least one, each once, each inside the data set."""
    if not indices:
        raise InvalidRequest("samples is an empty list; name at least one row, or give a number.")
    outside = [index for index in indices if not 0 <= index < dataset.size]
    if outside:
        raise InvalidRequest(
            f"{dataset.slug} has {dataset.size:,} samples, rows 0 to {dataset.size - 1:,}; "
            f"outside: {', '.join(map(str, outside[:8]))}.",
            size=dataset.size,
            outside=outside[:100],
        )
    repeated = sorted(index for index, times in Counter(indices).items() if times > 1)
    if repeated:
        raise InvalidRequest(
            f"Each row may be named once; repeated: {', '.join(map(str, repeated[:8]))}.", repeated=repeated[:100]
        )


def _choose_eps(request: EvaluationIn, preset: Preset, dataset: Dataset, norm: str) -> str | None:
    """The exact text of eps: as asked for, else the data set's in its own norm, else none where none is needed."""
    if request.eps is not None:
        check_eps(request.eps, norm, math.prod(dataset.shape))
        return eps_text(request.eps, norm)
    if norm == dataset.default_norm:
        return dataset.default_eps
    if preset.needs_eps:
        raise InvalidRequest(
            f"The preset {preset.name} needs an eps, and {dataset.slug} has no default for {norm}.",
            preset=preset.name,
            norm=norm,
        )
    return None


def _start_record(
    checkpoint: Checkpoint,
    dataset: Dataset,
    content_ids: list[str],
    preset: Preset,
    norm: str,
    eps: str | None,
    seed: int,
) -> dict[str, Any]:
    """What is known before the run (protocol 4.9); the worker adds what only the run knows."""
    return {
        "checkpoint": checkpoint.name,
        "source_sha256": checkpoint.source_sha256,
        "weights_sha256": checkpoint.weights_sha256,
        "architecture": checkpoint.architecture,
        "normalization": checkpoint.normalization,
        "measured_sparsity": checkpoint.measured_sparsity,
        "dataset": dataset.slug,
        "split": dataset.split,
        "n": len(content_ids),
        "samples": hash_samples(content_ids),
        "norm": norm,
        "eps": eps,
        "preset": preset.name,
        "distance_kind": preset.distance_kind,
        "seed": seed,
    }


def hash_samples(content_ids: Sequence[str]) -> str:
    """SHA-256 (hex) over the sorted sample ids, one a line: the same set in any order has the same hash."""
    return hashlib.sha256("\n".join(sorted(content_ids)).encode()).hexdigest()
