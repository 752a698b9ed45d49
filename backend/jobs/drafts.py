"""A request for an evaluation, checked and made into rows, then handed to the queue. No torch: the web queues too."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from sqlalchemy.orm import Session

from backend.attacks.catalogue import Preset, get_preset
from backend.counts import count_words
from backend.eps import check_eps, eps_text
from backend.errors import InvalidRequest, NotFound
from backend.jobs.lifecycle import hand_over
from backend.schemas import Norm
from backend.schemas.evaluations import Draw, EvaluationIn, Samples
from backend.schemas.records import RunRecord
from backend.settings import get_settings
from backend.store import checkpoints, datasets
from backend.store.database import writing
from backend.store.tables import CONTENT, FIRST, PICKED, Checkpoint, Dataset, Evaluation

LARGEST_SEED = 2**31 - 1


def queue_evaluations(request: EvaluationIn, purpose: str = "user") -> list[Evaluation]:
    """Check a request and write it down in one transaction, then queue it; with `repeat` once for each seed.

    Raises:
        NotFound: no such checkpoint or data set.
        UnknownName: no such preset.
        InvalidRequest: the preset does not take the norm or needs an eps, the samples are out of range, or the data
            set does not fit the checkpoint; or the seeds of the repeats would be too large.
    """
    with writing() as session:
        rows = draft_evaluations(session, request, purpose)
        session.add_all(rows)
        session.flush()
        if len(rows) > 1:
            for row in rows:
                row.repeat_of = rows[0].id
    hand_over(*rows)
    return rows


def draft_evaluations(session: Session, request: EvaluationIn, purpose: str) -> list[Evaluation]:
    """A checked request as rows that are not written down yet, one for each seed; raises as `queue_evaluations`."""
    last = request.seed + request.repeat - 1
    if last > LARGEST_SEED:
        raise InvalidRequest(f"The seeds would go up to {last:,}; the limit is {LARGEST_SEED:,}.", seed=request.seed)
    preset = get_preset(request.preset)
    dataset = datasets.need_dataset(session, request.dataset_id)
    checkpoint = checkpoints.find_checkpoint(session, request.checkpoint_id)
    if checkpoint is None:
        raise NotFound(f"There is no checkpoint {request.checkpoint_id}.", checkpoint_id=str(request.checkpoint_id))
    check_fit(checkpoint, dataset)
    indices, content_ids = _choose_samples(session, dataset, request.samples)
    norm = request.norm or dataset.default_norm
    check_preset_fits(preset, norm)
    eps = _choose_eps(request, preset, dataset, norm)
    record = start_record(checkpoint, dataset, content_ids, preset, norm, eps)
    return [
        Evaluation(
            checkpoint_id=checkpoint.id,
            dataset_id=dataset.id,
            preset=preset.name,
            norm=norm,
            eps=eps,
            indices=indices,
            selection=name_selection(request.samples),
            n=len(indices),
            seed=seed,
            priority=request.priority,
            purpose=purpose,
            chunk_size=get_settings().chunk_samples,
            record=record.merge(RunRecord(seed=seed)),
        )
        for seed in range(request.seed, last + 1)
    ]


def check_preset_fits(preset: Preset, norm: str) -> None:
    """Refuse a norm that the preset does not attack in."""
    if norm not in preset.norms:
        raise InvalidRequest(
            f"The preset {preset.name} supports {' and '.join(preset.norms)}; got {norm}.",
            preset=preset.name,
            norms=list(preset.norms),
        )


def check_fit(checkpoint: Checkpoint, dataset: Dataset) -> None:
    """Refuse a data set that the network cannot take: other shape, or other number of classes."""
    own = checkpoint.dataset
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
            f"{checkpoint.name} has {len(own.classes)} classes, but {dataset.slug} has {len(dataset.classes)}.",
            expected=len(own.classes),
            got=len(dataset.classes),
        )


def _show_shape(shape: Sequence[int]) -> str:
    return " x ".join(str(size) for size in shape)


def name_selection(samples: Samples) -> str:
    """How the rows were chosen, as the row of the evaluation keeps it; a range from row 0 is the first n."""
    if isinstance(samples, Draw):
        return f"seed {samples.seed}"
    if isinstance(samples, int) or (isinstance(samples, str) and _read_range(samples)[0] == 0):
        return FIRST
    return PICKED


def tell_selection(indices: Sequence[int], content_ids: Sequence[str], claimed: str) -> str:
    """How rows were chosen, as far as they bear out what is claimed; else they count as picked.

    Args:
        content_ids: of every row of the data set.
    """
    n, size = len(indices), len(content_ids)
    orders: dict[str, Callable[[], Iterable[int]]] = {
        FIRST: lambda: range(n),
        CONTENT: lambda: sorted(range(size), key=content_ids.__getitem__)[:n],
    }
    if (found := re.fullmatch(r"seed (\d{1,10})", claimed)) is not None:
        orders[claimed] = lambda: np.random.default_rng(int(found[1])).permutation(size)[:n].tolist()
    return claimed if claimed in orders and list(indices) == list(orders[claimed]()) else PICKED


def _read_range(text: str) -> tuple[int, int]:
    first, last = text.split("-")
    return int(first), int(last)


def _choose_samples(session: Session, dataset: Dataset, samples: Samples) -> tuple[list[int], list[str]]:
    """(rows of the data set in the order of the chunks, their content ids)."""
    if isinstance(samples, int):
        _check_count(samples, dataset)
        indices = list(range(samples))
    elif isinstance(samples, Draw):
        _check_count(samples.draw, dataset)
        indices = np.random.default_rng(samples.seed).permutation(dataset.size)[: samples.draw].tolist()
    elif isinstance(samples, str):
        first, last = _read_range(samples)
        if not first <= last < dataset.size:
            raise InvalidRequest(
                f"{samples} is not a range of rows of {dataset.slug}, which has rows 0 to {dataset.size - 1:,}.",
                size=dataset.size,
                samples=samples,
            )
        indices = list(range(first, last + 1))
    else:
        _check_indices(samples, dataset)
        indices = samples
    contents = {index: content for index, _, content, _ in datasets.dataset_rows(session, dataset.id)}
    return indices, [contents[index] for index in indices]


def _check_count(samples: int, dataset: Dataset) -> None:
    if not 1 <= samples <= dataset.size:
        raise InvalidRequest(
            f"samples must be within 1..{dataset.size:,}, the size of {dataset.slug}; got {samples:,}.",
            size=dataset.size,
            samples=samples,
        )


def _check_indices(indices: list[int], dataset: Dataset) -> None:
    """Explicit rows: at least one, each once, each inside the data set."""
    if not indices:
        raise InvalidRequest("samples is an empty list; name at least one row, or give a number.")
    outside = [index for index in indices if not 0 <= index < dataset.size]
    if outside:
        raise InvalidRequest(
            f"{dataset.slug} has {count_words(dataset.size, 'sample')}, rows 0 to {dataset.size - 1:,}; "
            f"outside these are {', '.join(map(str, outside[:8]))}.",
            size=dataset.size,
            outside=outside[:100],
        )
    repeated = sorted(index for index, times in Counter(indices).items() if times > 1)
    if repeated:
        raise InvalidRequest(
            f"Each row may be named only once; repeated: {', '.join(map(str, repeated[:8]))}.", repeated=repeated[:100]
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
            f"Give an eps: the preset {preset.name} needs one, and {dataset.slug} has no default for {norm}.",
            preset=preset.name,
            norm=norm,
        )
    return None


def start_record(
    checkpoint: Checkpoint,
    dataset: Dataset,
    content_ids: list[str],
    preset: Preset,
    norm: Norm,
    eps: str | None,
) -> RunRecord:
    """What is known before the run (protocol 4.9) and holds for every seed; the worker adds what only the run knows."""
    return RunRecord(
        checkpoint=checkpoint.name,
        source_sha256=checkpoint.source_sha256,
        weights_sha256=checkpoint.weights_sha256,
        architecture=checkpoint.architecture,
        normalization=checkpoint.normalization,
        measured_sparsity=checkpoint.measured_sparsity,
        dataset=dataset.slug,
        split=dataset.split,
        n=len(content_ids),
        samples=hash_samples(content_ids),
        norm=norm,
        eps=eps,
        preset=preset.name,
        distance_kind=preset.distance_kind,
    )


def hash_ordered(content_ids: Sequence[str]) -> str:
    """SHA-256 (hex) over sample ids in the order given, one a line."""
    return hashlib.sha256("\n".join(content_ids).encode()).hexdigest()


def hash_samples(content_ids: Sequence[str]) -> str:
    """SHA-256 (hex) over the sorted sample ids, one a line: the same set in any order has the same hash."""
    return hash_ordered(sorted(content_ids))
