"""Gathers additional evidence: checks what was uploaded or replayed, spends budgets on chosen samples, looks closer.

The work is a row of steps whose position is stored with what they found, in one transaction. A worker that takes over
goes on there, so that a step which was cut off is done again and no other. Nothing here touches the primary run.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any
from uuid import UUID

import numpy as np
import torch
from numpy.typing import NDArray

from backend.attacks.contract import AttackResult
from backend.counts import count_words
from backend.errors import NotFound
from backend.jobs import layers, lifecycle, slices
from backend.jobs.evaluate import AttackPlan, attack_samples
from backend.jobs.gathering import EvidenceWork, keep, step_reporter
from backend.jobs.kinds import EVIDENCE
from backend.jobs.rows import finite_or_none, refuse_contradictions
from backend.jobs.shards import read_shard_row, store_shard
from backend.jobs.subjects import SampleBatch, device_title, load_subject, take_images, take_samples
from backend.jobs.verification import Checked, check_adversarials, checked_at_once
from backend.schemas.evidence import LOOKS
from backend.schemas.records import EvidenceRecord
from backend.store import checkpoints, evaluations, results
from backend.store import evidence as store
from backend.store.artefacts import artefact_path
from backend.store.database import reading, writing
from backend.store.tables import Result


@dataclass(frozen=True)
class Candidates:
    """Some samples of the work with a candidate adversarial for each, B each; `origin` names shard and row of each."""

    rows: list[Result]
    adversarials: torch.Tensor
    origin: list[tuple[str, int]] | None = None


def run(evidence_id: UUID, run_number: int, device: str, gives_way: Callable[[], bool]) -> bool:
    """Do what is left of an evidence; gives whether nothing is left.

    Between two layers, which take long, it asks `gives_way` whether a job that goes first has the device now.

    Raises:
        Stopped: it was cancelled meanwhile, or resumed as a newer run.
    """
    with writing() as session:
        lifecycle.start(session, EVIDENCE, evidence_id, run_number)
    while True:
        work = find_work(evidence_id, run_number, device)
        if is_over(work):
            break
        if work.evidence.kind == "layers" and gives_way():
            return False
        STEPS[work.evidence.kind](work)
    finish(work)
    return True


def find_work(evidence_id: UUID, run_number: int, device: str) -> EvidenceWork:
    """The rows as they are; Stopped where this run is no longer wanted."""
    with reading() as session:
        row = lifecycle.find_wanted(session, EVIDENCE, evidence_id, run_number, locks=False)
        evaluation = row.evaluation
    return EvidenceWork(row, evaluation, load_subject(evaluation.checkpoint_id, evaluation.dataset_id, device), device)


def is_over(work: EvidenceWork) -> bool:
    """Whether all samples are checked, or the next round of an attack would go beyond the budget."""
    evidence = work.evidence
    if evidence.kind != "harder":
        return evidence.done >= evidence.steps
    rounds, begun = divmod(evidence.done, work.chunks)
    if begun or not rounds:
        return False  # every sample gets as many rounds as the others
    assert evidence.budget is not None
    return evidence.spent * (rounds + 1) / rounds > evidence.budget


def check_upload(work: EvidenceWork) -> None:
    """Check the next samples' adversarials of an uploaded file."""
    indices = next_indices(work)
    assert work.evidence.file is not None
    file = np.load(artefact_path(work.evidence.file), mmap_mode="r", allow_pickle=False)
    part = np.array(file[work.evidence.done : work.evidence.done + len(indices)], dtype=np.float32)
    found = find_rows(work, indices)
    check_candidates(work, Candidates([found[index] for index in indices.tolist()], torch.from_numpy(part)))


def check_replay(work: EvidenceWork) -> None:
    """Check the next samples' adversarials of another evaluation's primary run."""
    indices = next_indices(work)
    found = find_rows(work, indices)
    rows = [found[index] for index in indices.tolist()]
    assert work.evidence.source_evaluation_id is not None
    with reading() as session:
        numbers = [row.sample_id for row in rows]
        origin = results.shards_of(session, work.evidence.source_evaluation_id, numbers)
    images = [read_shard_row(*origin[number]) for number in numbers]
    check_candidates(work, Candidates(rows, torch.from_numpy(np.stack(images)), [origin[number] for number in numbers]))


def check_candidates(work: EvidenceWork, candidates: Candidates) -> None:
    """Verify some candidates and store what holds, with its adversarials and the reasons against the others."""
    began = time.monotonic()
    images, labels = take_images(
        work.subject.samples, np.asarray([row.index for row in candidates.rows], dtype=np.int64)
    )
    checked = check_adversarials(
        work.subject.network,
        work.evaluation.norm,
        images,
        labels,
        candidates.adversarials,
        torch.tensor([row.correct for row in candidates.rows]),
        eps=work.eps,
        batch_size=checked_at_once(),
        on_step=step_reporter(work),
    )
    keep(
        work,
        candidate_rows(work, candidates, checked),
        [work.evidence.credit] * sum(checked.is_tried),
        steps=len(candidates.rows),
        checked=len(candidates.rows),
        refused=dict(checked.count_reasons()),
        seconds=work.evidence.seconds + time.monotonic() - began,
    )


def candidate_rows(work: EvidenceWork, candidates: Candidates, checked: Checked) -> list[dict[str, Any]]:
    """One row per candidate that the network classified; replayed adversarials stay in the shard they came from."""
    places: list[tuple[str | None, int | None]] = [(None, None)] * len(candidates.rows)
    if candidates.origin is not None:
        places = [
            origin if found else (None, None) for origin, found in zip(candidates.origin, checked.found, strict=True)
        ]
    else:
        shard, shard_rows = store_shard(checked.images.numpy(), checked.found.numpy())
        places = [(shard if row is not None else None, row) for row in shard_rows]
    return [
        attempt_row(work, row, work.evidence.kind, float(distance), "witness", place)
        for row, distance, place, tried in zip(candidates.rows, checked.distance, places, checked.is_tried, strict=True)
        if tried
    ]


def attack_harder(work: EvidenceWork) -> None:
    """One more run of a preset on the next chunk of the chosen samples, with a seed that was not spent yet."""
    began = time.monotonic()
    attack, samples = plan_round(work)
    result = attack_samples(work.evaluation, work.subject, samples, attack)
    refuse_contradictions(result, samples.labels)
    attempts = harder_rows(work, samples, attack, result)
    seconds = time.monotonic() - began
    evidence = work.evidence
    keep(
        work,
        attempts,
        [evidence.credit_of(attempt["attack"]) for attempt in attempts],
        steps=1,
        checked=len(attempts),
        refused={},
        seconds=evidence.seconds + seconds,
        spent=evidence.spent + (seconds if evidence.budget_unit == "seconds" else count_gradients(result) / evidence.n),
        record=record_round(evidence.record, attack.seed, result),
    )


def plan_round(work: EvidenceWork) -> tuple[AttackPlan, SampleBatch]:
    """The preset with the seed of this round, and the chunk that is attacked next; every round goes over all chunks."""
    evidence = work.evidence
    round_number, chunk = divmod(evidence.done, work.chunks)
    first_seed = next_seed(work) if evidence.record.first_seed is None else evidence.record.first_seed
    seed = first_seed + round_number
    low = chunk * work.evaluation.chunk_size
    samples = take_samples(work.subject, evidence.indices[low : low + work.evaluation.chunk_size])
    early_flags = work.evaluation.record.early_flags or ()  # a few samples would not raise them
    assert evidence.preset is not None
    return AttackPlan(evidence.preset, seed, step_reporter(work, f"seed {seed}, "), early_flags=early_flags), samples


def harder_rows(
    work: EvidenceWork, samples: SampleBatch, attack: AttackPlan, result: AttackResult
) -> list[dict[str, Any]]:
    """One row per sample; kept are the adversarials that are nearer than all that is known of a sample."""
    found = find_rows(work, samples.indices)
    rows = [found[index] for index in samples.indices.tolist()]
    limit = torch.inf if work.eps is None else work.eps
    is_found = result.found & (result.distance.double() <= limit) & (result.distance > 0)
    bounds = torch.tensor([torch.inf if row.best_known is None else row.best_known for row in rows], dtype=torch.double)
    is_nearer = is_found & (result.distance.double() < bounds)
    shard, shard_rows = store_shard(result.adversarial.numpy(), is_nearer.numpy())
    attempts = []
    for place, row in enumerate(rows):
        name = result.attack[place] if is_found[place] else attack.preset
        distance = float(result.distance[place]) if is_found[place] else np.inf
        kept = (None if shard_rows[place] is None else shard, shard_rows[place])
        attempts.append(attempt_row(work, row, f"{name}@{attack.seed}", distance, result.kind, kept))
    return attempts


def count_gradients(result: AttackResult) -> float:
    """What an attack cost, in gradients: a backward pass takes as long as two forward ones."""
    return (result.forwards + 2 * result.backwards) / 3


def record_round(record: EvidenceRecord, seed: int, result: AttackResult) -> EvidenceRecord:
    """The record with the seed and the passes of one more step."""
    return record.merge(
        EvidenceRecord(
            first_seed=seed if record.first_seed is None else record.first_seed,
            last_seed=seed,
            forwards=(record.forwards or 0) + result.forwards,
            backwards=(record.backwards or 0) + result.backwards,
        )
    )


STEPS: dict[str, Callable[[EvidenceWork], None]] = {
    "upload": check_upload,
    "replay": check_replay,
    "harder": attack_harder,
    "slice": slices.draw_slice,
    "layers": layers.restore_layer,
}


def next_indices(work: EvidenceWork) -> NDArray[np.int64]:
    """Rows of the data set that are checked next."""
    done = work.evidence.done
    return np.asarray(work.evidence.indices[done : done + work.evaluation.chunk_size], dtype=np.int64)


def next_seed(work: EvidenceWork) -> int:
    """The first seed that neither the evaluation nor earlier evidence spent on its samples."""
    assert work.evidence.preset is not None
    with reading() as session:
        last = store.last_seed(session, work.evaluation.id, work.evidence.preset)
    return 1 + (work.evaluation.seed if last is None else last)


def find_rows(work: EvidenceWork, indices: NDArray[np.int64]) -> dict[int, Result]:
    """The evaluation's rows by index; NotFound where one is gone."""
    with reading() as session:
        found = results.results_of(session, work.evaluation.id, indices.tolist())
    if len(found) != len(set(indices.tolist())):
        raise NotFound("The evaluation no longer has all the samples of this evidence.")
    return found


def attempt_row(
    work: EvidenceWork, row: Result, attack: str, distance: float, kind: str, place: tuple[str | None, int | None]
) -> dict[str, Any]:
    """A row of `attempt` in the evidence's own series; an infinite distance is none found."""
    is_found = bool(np.isfinite(distance))
    return {
        "evaluation_id": work.evaluation.id,
        "sample_id": row.sample_id,
        "series": work.evidence.series,
        "attack": attack[:60],
        "found": is_found,
        "distance": finite_or_none(distance),
        "kind": kind,
        "artefact": place[0],
        "shard_row": place[1],
    }


def finish(work: EvidenceWork) -> None:
    """Mark it as succeeded and say on the evaluation's log what came of it."""
    with reading() as session:
        names = checkpoints.names_of(session, [work.evaluation.checkpoint_id])
    known = EvidenceRecord(
        device=device_title(work.device),
        torch=torch.__version__,
        thinice=version("thinice"),
        checkpoint=names[work.evaluation.checkpoint_id],
    )
    with writing() as session:
        row = lifecycle.find_wanted(session, EVIDENCE, work.evidence.id, work.evidence.run_number)
        row.record = row.record.merge(known)
        lifecycle.end(row, "succeeded")
        if row.kind not in LOOKS:
            text = f"{row.kind} ({row.source}): {row.checked} checked, {row.held} held, "
            text += f"{count_words(row.improved, 'bound')} lowered"
            evaluations.add_log(session, row.evaluation_id, text)
