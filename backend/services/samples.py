"""One sample of an evaluation: its row, its images, its perturbation."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from backend.eps import eps_text
from backend.errors import InvalidRequest, NotFound
from backend.jobs import queue
from backend.schemas.evaluations import MarginRow, SampleSide
from backend.services.datasets.service import load_samples
from backend.services.evaluations.measurements import eps_of
from backend.services.evaluations.service import load_evaluation
from backend.services.evaluations.views import show_margin
from backend.services.shared.pixels import colour_signed, encode_png, to_bytes
from backend.store import checkpoints, evidence, results
from backend.store.artefacts import artefact_path
from backend.store.database import reading
from backend.store.tables import Dataset, Evaluation, Result


class SampleImages(TypedDict):
    """float32 (H, W, C) in [0, 1]; `adversarial` is None where there is none. `eps` in the norm's unit."""

    clean: NDArray[np.float32]
    adversarial: NDArray[np.float32] | None
    eps: float | None
    norm: str


@dataclass(frozen=True)
class StoredSample:
    """A sample's row with what surrounds it."""

    evaluation: Evaluation
    dataset: Dataset
    result: Result
    content_id: str


def side(evaluation_id: UUID | str, index: int) -> SampleSide:
    """One checkpoint's view of one sample: its row and every attempt, best known first."""
    with reading() as session:
        stored = _find(evaluation_id, index)
        names = checkpoints.names_of(session, [stored.evaluation.checkpoint_id])
        attempts = results.attempts_of(session, stored.evaluation.id, stored.result.sample_id)
        sources = evidence.sources_of(session, stored.evaluation.id)
    eps = eps_of(stored.evaluation)
    return SampleSide(
        evaluation_id=stored.evaluation.id,
        checkpoint_name=names[stored.evaluation.checkpoint_id],
        row=show_margin({**vars(stored.result), "sample_id": stored.content_id}, eps),
        has_adversarial=stored.result.shard is not None,
        attempts=[
            {
                "attack": attempt.attack,
                "series": attempt.series,
                "source": sources[attempt.series].credit if attempt.series in sources else None,
                "found": attempt.found,
                "distance": attempt.distance,
                "kind": attempt.kind,
            }
            for attempt in attempts
        ],
    )


def rows_in(evaluation_ids: Sequence[UUID], sample_id: str) -> dict[UUID, MarginRow]:
    """The row of one sample in each of some evaluations that hold it, by evaluation, without verdicts at an eps."""
    with reading() as session:
        found = results.rows_of_sample(session, evaluation_ids, sample_id)
    return {row.evaluation_id: show_margin({**vars(row), "sample_id": sample_id}, None) for row in found}


def images(evaluation_id: UUID | str, index: int) -> SampleImages:
    """The clean and the adversarial image of a sample.

    Raises:
        NotFound: no such evaluation, or it has no row of that index (yet).
    """
    stored = _find(evaluation_id, index)
    pixels = load_samples(stored.dataset).images[index]
    clean = pixels.astype(np.float32) / np.float32(255)
    return {
        "clean": clean,
        "adversarial": _read_adversarial(stored.result),
        "eps": eps_of(stored.evaluation),
        "norm": stored.evaluation.norm,
    }


def adversarial_npy(evaluation_id: UUID | str, index: int, *, of_bound: bool = False) -> bytes:
    """The adversarial as an .npy file, float32 (C, H, W) in [0, 1], as the network takes it.

    Args:
        of_bound: that of the best-known bound, from whatever evidence, instead of the margin's.

    Raises:
        NotFound: there is no adversarial; says why.
    """
    _, adversarial = _need_adversarial(evaluation_id, index, of_bound=of_bound)
    buffer = io.BytesIO()
    np.save(buffer, np.ascontiguousarray(adversarial.transpose(2, 0, 1)), allow_pickle=False)
    return buffer.getvalue()


def adversarial_png(evaluation_id: UUID | str, index: int, scale: int = 1) -> bytes:
    """The adversarial for eyes: rounded to 8 bits, which may undo it (`survives_8bit` of the row)."""
    _, adversarial = _need_adversarial(evaluation_id, index)
    return encode_png(to_bytes(adversarial), scale, {"Description": "Adversarial example, rounded to 8 bits"})


def restore_adversarial(evaluation_id: UUID | str, index: int) -> bool:
    """Queue the computation of an adversarial that an imported evaluation came without; asked twice it is done once.

    Returns:
        Whether the adversarial is stored now.

    Raises:
        NotFound: no such sample, or no adversarial was found.
    """
    stored = _find(evaluation_id, index)
    if results.lacks_adversarial(stored.result):
        queue.enqueue(queue.RESTORE, queue.RESTORE_PRIORITY, stored.evaluation.id, index)
        return False
    _need_adversarial(evaluation_id, index)
    return True


def perturbation_png(evaluation_id: UUID | str, index: int, scale: int = 1, limit: float | None = None) -> bytes:
    """Adversarial minus clean: red where brighter, blue where darker, white where unchanged.

    Args:
        scale: every pixel `scale` x `scale` times.
        limit: pixel change at the ends of the colours; by default the larger of eps and the margin under Linf, and
            the largest pixel change under L2. It is written into the file's text, key `Limit`.

    Raises:
        NotFound: there is no adversarial; says why.
    """
    stored, adversarial = _need_adversarial(evaluation_id, index)
    clean = images(evaluation_id, index)["clean"]
    change = (adversarial - clean).astype(np.float32)
    if limit is None:
        limit = _choose_limit(stored, change)
    if not 0 < limit <= 1:
        raise InvalidRequest(f"limit, a pixel change, must be above 0 and at most 1; got {limit}.", limit=str(limit))
    shown = eps_text(limit, "Linf")
    texts = {
        "Limit": f"{limit!r}",
        "Description": f"Adversarial minus clean; blue -{shown}, white 0, red +{shown}; pixels in [0, 1]",
    }
    return encode_png(colour_signed(change, limit), scale, texts)


def _choose_limit(stored: StoredSample, change: NDArray[np.float32]) -> float:
    if stored.evaluation.norm != "Linf":
        return float(np.abs(change).max()) or 1.0
    eps, margin = eps_of(stored.evaluation), stored.result.margin
    return min(1.0, max(eps or 0.0, margin or 0.0)) or 1.0


def _find(evaluation_id: UUID | str, index: int) -> StoredSample:
    """The row of a sample; NotFound where the evaluation has none of that index."""
    with reading() as session:
        evaluation = load_evaluation(session, evaluation_id)
        found = results.find_result(session, evaluation.id, index)
        dataset = evaluation.dataset
    if found is None:
        raise NotFound(
            f"Evaluation {evaluation.id} has no sample of index {index} ({evaluation.done} of {evaluation.n} done).",
            index=index,
        )
    return StoredSample(evaluation, dataset, found[0], found[1])


def _read_adversarial(result: Result) -> NDArray[np.float32] | None:
    """The sample's row of its shard, float32 (H, W, C); None where no adversarial is stored."""
    if result.shard is None or result.shard_row is None:
        return None
    return _read_place(result.shard, result.shard_row)


def _read_bound(result: Result) -> NDArray[np.float32] | None:
    """The same of the best-known bound."""
    with reading() as session:
        place = results.bound_place(session, result)
    return None if place is None else _read_place(*place)


def _read_place(shard: str, row: int) -> NDArray[np.float32]:
    images = np.load(artefact_path(shard), mmap_mode="r", allow_pickle=False)
    return np.array(images[row], dtype=np.float32).transpose(1, 2, 0)


def _need_adversarial(
    evaluation_id: UUID | str, index: int, *, of_bound: bool = False
) -> tuple[StoredSample, NDArray[np.float32]]:
    stored = _find(evaluation_id, index)
    adversarial = _read_bound(stored.result) if of_bound else _read_adversarial(stored.result)
    if adversarial is None:
        if not stored.result.correct:
            reason = "the clean image is already classified wrong"
        else:
            reason = "none was kept" if stored.result.found else "none was found"
        raise NotFound(f"There is no adversarial for sample {index}: {reason}.", index=index, reason=reason)
    return stored, adversarial
