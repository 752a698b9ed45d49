"""Runs an evaluation chunk by chunk.

A chunk is the durable step. Its rows, its progress and the name of its shard of adversarials commit together; running
it twice writes it once. Randomness is derived from the seed and each sample's content, never from the order.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from uuid import UUID

import torch

from backend import attacks
from backend.attacks.catalogue import ENGINE, FLAGS, PRESETS
from backend.attacks.catalogue.attacks import BLACK_BOX
from backend.attacks.contract import AttackResult, OnStep
from backend.attacks.flags import tells_masking
from backend.attacks.network.classifier import find_device
from backend.attacks.network.prepared import Prepared
from backend.attacks.network.widths import tune_width
from backend.counts import count_words
from backend.eps import parse_eps
from backend.jobs import importing, lifecycle
from backend.jobs.kinds import EVALUATION
from backend.jobs.parents import count_outcomes, decide_source, take_adversarials
from backend.jobs.rows import refuse_contradictions, write_rows
from backend.jobs.subjects import SampleBatch, Subject, device_title, load_subject, take_samples
from backend.schemas.records import RunRecord, RunSettings
from backend.settings import get_settings
from backend.store import evaluations, results
from backend.store.database import reading, writing
from backend.store.tables import Chunk, Evaluation

CPU_WIDTH = 64  # within a few per cent of the fastest for the small networks that a CPU can evaluate


@dataclass(frozen=True)
class AttackPlan:
    """How some samples are attacked: a preset with its seed, and what all parts of an evaluation share.

    batch_size: fixed for all chunks of an evaluation, because arithmetic depends on it; None suits few samples.
    transferred: the parent's adversarials, float32 (B, C, H, W). early_flags: those of the whole evaluation.
    """

    preset: str
    seed: int
    on_step: OnStep
    batch_size: int | None = None
    transferred: torch.Tensor | None = None
    early_flags: Sequence[str] = ()


def start(evaluation_id: UUID, run_number: int, device: str) -> int:
    """Mark an evaluation as running and give the number of its chunks; raises as `lifecycle.start`."""
    with writing() as session:
        evaluation = lifecycle.start(session, EVALUATION, evaluation_id, run_number)
        if evaluation.record.imported is None:
            evaluation.record = evaluation.record.merge(decide_source(session, evaluation))
        EVALUATION.log(session, evaluation, f"started on {device}")
        return -(-evaluation.n // evaluation.chunk_size)


def run_chunk(evaluation_id: UUID, run_number: int, number: int, *, worker_id: str, device: str) -> None:
    """Attack one chunk of samples and store what was found; does nothing when the chunk is stored already.

    Raises:
        Stopped: the evaluation was cancelled meanwhile, or resumed as a newer run.
    """
    with reading() as session:
        if number in evaluations.finished_chunks(session, evaluation_id):
            return
        evaluation = lifecycle.find_wanted(session, EVALUATION, evaluation_id, run_number, locks=False)
    if evaluation.record.imported is not None:
        importing.run_chunk(evaluation, number, device, stage_reporter(evaluation, number))
        return
    subject = load_subject(evaluation.checkpoint_id, evaluation.dataset_id, device)
    samples = take_chunk(evaluation, subject, number)
    began = time.monotonic()
    attack = plan_attack(evaluation, subject, samples, number)
    result = attack_samples(evaluation, subject, samples, attack)
    refuse_contradictions(result, samples.labels)
    limit = float("inf") if PRESETS[evaluation.preset].distance_kind == "minimum" else eps_of(evaluation)
    attempts, found = write_rows(evaluation_id, samples, result, limit)
    chunk = {
        "evaluation_id": evaluation_id,
        "number": number,
        "samples": len(samples.indices),
        "worker_id": worker_id,
        "device": device_title(device)[:80],
        "seconds": time.monotonic() - began,
        "forwards": result.forwards,
        "backwards": result.backwards,
        "flags": list(result.flags),
    }
    with writing() as session:
        outcome = evaluations.store_chunk(
            session, chunk, evaluations.as_columns(attempts), evaluations.as_columns(found), of_run=run_number
        )
        if outcome == "stored" and evaluation.record.settings is None:
            update_record(session.get_one(Evaluation, evaluation_id), result, attack.early_flags)
    if outcome == "stopped":
        raise lifecycle.stopped(EVALUATION, evaluation_id, run_number)


def take_chunk(evaluation: Evaluation, subject: Subject, number: int) -> SampleBatch:
    """The samples of one chunk."""
    low = number * evaluation.chunk_size
    return take_samples(subject, evaluation.indices[low : low + evaluation.chunk_size])


def plan_attack(evaluation: Evaluation, subject: Subject, samples: SampleBatch, number: int) -> AttackPlan:
    """How a chunk of the evaluation is attacked: like all its chunks, from the adversarials of its own samples."""
    batch_size = choose_batch_size(evaluation, subject, samples.images)
    return AttackPlan(
        evaluation.preset,
        evaluation.seed,
        stage_reporter(evaluation, number),
        batch_size,
        take_adversarials(evaluation, samples.numbers, samples.images),
        find_early_flags(evaluation, subject, batch_size),
    )


def attack_samples(evaluation: Evaluation, subject: Subject, samples: SampleBatch, attack: AttackPlan) -> AttackResult:
    """Attack some samples of an evaluation, in its norm and at its eps."""
    result: AttackResult = attacks.run(
        attack.preset,
        subject.network,
        samples.images,
        samples.labels,
        norm=evaluation.norm,
        eps=None if evaluation.eps is None else eps_of(evaluation),
        seed=attack.seed,
        batch_size=attack.batch_size,
        on_step=attack.on_step,
        pool_images=subject.pool_images,
        transfer_images=attack.transferred,
        prepared=choose_prepared(evaluation, subject),
        early_flags=attack.early_flags,
    )
    return result


def stage_reporter(evaluation: Evaluation, number: int) -> OnStep:
    """Tell at most once a second what the chunk in hand is doing; ends it when the evaluation was cancelled."""
    chunks = -(-evaluation.n // evaluation.chunk_size)
    return lifecycle.reporter(evaluation, lambda text: f"{text} in chunk {number + 1} of {chunks}")


def eps_of(evaluation: Evaluation) -> float:
    """The eps of an evaluation that has one."""
    return float(parse_eps(str(evaluation.eps)))


def choose_batch_size(evaluation: Evaluation, subject: Subject, images: torch.Tensor) -> int:
    """The width that the record of the first chunk names, else the setting's, else the fastest of a few.

    Arithmetic depends on it, so that all chunks of an evaluation keep the one of the first, also after a kill; where
    memory ran out that is the width which fitted.
    """
    device = find_device(subject.network)
    wished = get_settings().batch_samples
    if wished is None and device.type == "cpu":
        wished = CPU_WIDTH
    known: int = evaluation.record.batch_samples or wished or 0
    walked = subject.network if subject.prepared is None else subject.prepared.network
    return known or tune_width(walked, images.to(device))


def find_early_flags(evaluation: Evaluation, subject: Subject, batch_size: int) -> list[str]:
    """The flags that the record of the first chunk names, else those that images of the data set raise.

    Empty also where the first chunk was attacked without looking for them: an evaluation keeps those of its start.
    """
    if evaluation.record.settings is not None:
        return list(evaluation.record.early_flags or ())
    return list(attacks.find_early_flags(subject.network, subject.pool_images, batch_size=batch_size))


def choose_prepared(evaluation: Evaluation, subject: Subject) -> Prepared | None:
    """The subject's copy, in the precision that the record of the first chunk names, else in the setting's.

    None where the first chunk was attacked without any copy: an evaluation keeps one way of walking.
    """
    known = evaluation.record.prepared
    if evaluation.record.settings is not None and known is None:
        return None
    if subject.prepared is None or known is None or known.precision is None:
        return subject.prepared
    return replace(subject.prepared, precision=known.precision)


def update_record(evaluation: Evaluation, result: AttackResult, early_flags: Sequence[str]) -> None:
    """Add to the record what only the run knows: attacks, versions, steps, dtype; `finish` adds the devices."""
    settings = RunSettings.model_validate(result.settings)
    found = RunRecord(
        attacks=tuple(attempt.attack for attempt in result.attempts),
        steps=result.steps,
        settings=settings,
        early_flags=tuple(early_flags),
        prepared=settings.prepared,
        distance_kind=PRESETS[evaluation.preset].distance_kind,
        dtype="float32",
        torch=torch.__version__,
        thinice=version("thinice"),
        engine=ENGINE,
        batch_samples=settings.batch_size_used,
    )
    evaluation.record = evaluation.record.merge(found)


def describe_devices(chunks: list[Chunk]) -> RunRecord:
    """Every device that attacked a chunk, and a note where there was more than one."""
    devices = sorted({chunk.device for chunk in chunks})
    described = RunRecord(device=", ".join(devices))
    if len(devices) < 2:
        return described
    counts = [f"{sum(chunk.device == device for chunk in chunks)} on {device}" for device in devices]
    return described.merge(RunRecord(device_note=f"The chunks ran on different devices: {', '.join(counts)}."))


def finish(evaluation_id: UUID, run_number: int) -> None:
    """Mark an evaluation as succeeded once every chunk is stored; adds the totals and the flags of all chunks."""
    with writing() as session:
        evaluation = lifecycle.find_wanted(session, EVALUATION, evaluation_id, run_number)
        chunks = evaluations.chunks_of(session, evaluation_id)
        assert sum(chunk.samples for chunk in chunks) == evaluation.n, "a chunk is missing"
        raised = {flag for chunk in chunks for flag in chunk.flags}
        if PRESETS[evaluation.preset].distance_kind == "witness":
            raised.discard("masking")  # a question to the whole evaluation: in one chunk a lucky break looks large
            counts = [results.count_attempts(session, evaluation_id, BLACK_BOX)]
            counts.append(results.count_fallbacks(session, evaluation_id, eps_of(evaluation)))
            if any(tells_masking(found, tried) for found, tried in counts):
                raised.add("masking")
        seconds = round(sum(chunk.seconds for chunk in chunks), 3)
        totals = RunRecord(
            forwards=sum(chunk.forwards for chunk in chunks),
            backwards=sum(chunk.backwards for chunk in chunks),
            seconds=seconds,
        )
        for found in (totals, describe_devices(chunks), count_outcomes(session, evaluation)):
            evaluation.record = evaluation.record.merge(found)
        evaluation.flags = [code for code in FLAGS if code in raised]
        lifecycle.end(evaluation, "succeeded")
        evaluations.add_log(session, evaluation_id, f"done: {count_words(evaluation.n, 'sample')} in {seconds:.1f} s")
