"""Data sets, checkpoints and evaluation rows as the product's own parts write them, small enough for a test."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from backend.datasets.child import write_canonical
from backend.datasets.samples import sample_ids
from backend.schemas import ACTIVE
from backend.schemas.datasets import DatasetOut
from backend.schemas.evaluations import EvaluationIn, EvaluationOut
from backend.schemas.records import RunRecord
from backend.services import datasets, evaluations
from backend.store import datasets as dataset_store
from backend.store import evaluations as store
from backend.store.artefacts import put_bytes
from backend.store.database import reading, writing
from backend.store.jobs import move_state
from backend.store.tables import Checkpoint, Dataset, Evaluation, now

CLASSES = 4
SIDE = 6


def make_pixels(n: int, seed: int = 0, channels: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Random images uint8 (n, 6, 6, channels) and labels int64 (n,), 0..3, every label present."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (n, SIDE, SIDE, channels), dtype=np.uint8)
    labels = generator.permutation(np.arange(n) % CLASSES).astype(np.int64)
    return images, labels


def write_npz(path: Path, images: np.ndarray, labels: np.ndarray) -> Path:
    np.savez(path, x=images, y=labels)
    return path


def add_dataset(folder: Path, name: str, n: int = 60, seed: int = 0, order: Any = None, **fields: Any) -> DatasetOut:
    """A stored data set, its file written by the import's own code but without a child process.

    `order` permutes the rows of the same images.
    """
    images, labels = make_pixels(n, seed)
    if order is not None:
        images, labels = images[order], labels[order]
    made = folder / f"{name}-canonical.npz"
    write_canonical(str(write_npz(folder / f"{name}.npz", images, labels)), 10**9, str(made))
    values: dict[str, Any] = {
        "split": "upload",
        "classes": [str(label) for label in range(CLASSES)],
        "default_norm": "Linf",
        "default_eps": "25.5/255",
        "source": "a test",
    }
    file = put_bytes(made.read_bytes(), ".npz")
    values |= {"shape": list(images.shape[1:])} | fields
    row = Dataset(slug=name, name=name, size=n, file=file, **values)
    with writing() as session:
        dataset_store.add_dataset(session, row, sample_ids(images), labels.tolist())
    return datasets.get_dataset(name)


def add_checkpoint(dataset_id: UUID, name: str, **fields: Any) -> Checkpoint:
    """A checkpoint's row as an import leaves it; its file is not needed where nothing loads it."""
    values: dict[str, Any] = {
        "role": "dense",
        "source_sha256": f"{hash(name) & 0xFFFF:064x}",
        "weights_sha256": f"{hash(name) & 0xFFFFF:064x}",
        "file": put_bytes(name.encode(), ".safetensors"),
        "architecture": "small-cnn",
        "normalization": "none",
        "measured_sparsity": fields.get("declared_sparsity") or 0.0,
        "parameters": 100,
        "prunable": 80,
        "layers": [{"name": "conv1.weight", "shape": [8, 1, 3, 3], "weights": 72, "zeros": 0, "sparsity": 0.0}],
        "warnings": [],
        "preflight": {"state": "queued", "checks": []},
        "origin": "upload",
    }
    row = Checkpoint(name=name, dataset_id=dataset_id, **(values | fields))
    with writing() as session:
        session.add(row)
    return row


def change_checkpoint(checkpoint: Checkpoint, **fields: Any) -> None:
    """Set columns of a stored checkpoint."""
    with writing() as session:
        row = session.get(Checkpoint, checkpoint.id)
        assert row is not None
        for name, value in fields.items():
            setattr(row, name, value)


def compare_weights(*others: Checkpoint, answer: str = "no", correlation: float | None = 0.01) -> dict[str, Any]:
    """The inspection of a dense checkpoint that was compared with these, all with one answer."""
    counts = ("zero_filters", "filters", "zero_channels", "channels")
    structure = {"kind": "dense", "pattern": None, "layers": []} | dict.fromkeys(counts, 0)
    kin = [
        {"checkpoint_id": str(row.id), "name": row.name, "answer": answer, "correlation": correlation} for row in others
    ]
    return {"structure": structure, "kin": kin}


@dataclass
class Measured:
    """What a made-up network does on each row of a data set: arrays by row, distances inf where nothing is found."""

    predictions: np.ndarray
    margin: np.ndarray
    logit_gap: np.ndarray
    kind: str = "minimum"
    attack: str = "fmn-untargeted"
    adversarials: dict[int, np.ndarray] = field(default_factory=dict)
    fallbacks: dict[int, float] = field(default_factory=dict)  # what fallback attacks of the run found, by row


def measure(labels: np.ndarray, seed: int, wrong: float = 0.2, missing: float = 0.1, scale: float = 0.2) -> Measured:
    """Random outcomes: a share is wrong (margin 0), a share of the right ones is never found (inf)."""
    generator = np.random.default_rng(seed)
    n = len(labels)
    is_wrong = generator.random(n) < wrong
    predictions = np.where(is_wrong, (labels + 1) % CLASSES, labels)
    margin = generator.uniform(0.001, scale, n)
    margin = np.where(generator.random(n) < missing, np.inf, margin)
    margin = np.where(is_wrong, 0.0, margin)
    return Measured(predictions, margin, np.where(is_wrong, -1.0, 1.0) * generator.uniform(0.1, 3, n))


def queue(checkpoint: Checkpoint, dataset: DatasetOut, samples: Any = None, **fields: Any) -> EvaluationOut:
    purpose = fields.pop("purpose", "user")
    request = EvaluationIn(
        checkpoint_id=checkpoint.id,
        dataset_id=dataset.slug,
        samples=dataset.size if samples is None else samples,
        **fields,
    )
    return evaluations.queue_evaluation(request, purpose)


def begin(evaluation_id: UUID) -> None:
    """What a worker writes first."""
    with writing() as session:
        assert move_state(
            session, Evaluation, evaluation_id, ACTIVE, state="running", stage="loading", started_at=now()
        )


def write_chunk(evaluation_id: UUID, number: int, measured: Measured, seconds: float = 2.0) -> None:
    """One chunk of rows with its shard, through the store as the worker does it."""
    with reading() as session:
        row = session.get(Evaluation, evaluation_id)
        assert row is not None
        numbered = dataset_store.dataset_rows(session, row.dataset_id)
    indices = row.indices[number * row.chunk_size : (number + 1) * row.chunk_size]
    kept = [index for index in indices if index in measured.adversarials]
    shard = None
    if kept:
        buffer = io.BytesIO()
        np.save(buffer, np.stack([measured.adversarials[index] for index in kept]).astype(np.float32))
        shard = put_bytes(buffer.getvalue(), ".npy")
    results = [_result(row, measured, numbered[index], shard if index in kept else None, kept) for index in indices]
    attempts = [
        {
            "evaluation_id": evaluation_id,
            "sample_id": result["sample_id"],
            "series": 0,
            "attack": measured.attack,
            "found": result["found"] and result["correct"],
            "distance": result["margin"] if result["correct"] else None,
            "kind": measured.kind,
            "artefact": result["shard"],
        }
        for result in results
    ]
    primary = list(zip(indices, attempts, strict=True))
    attempts += [
        attempt
        | {
            "series": 1,
            "attack": "precise",
            "found": True,
            "distance": measured.fallbacks[index],
            "artefact": None,
        }
        for index, attempt in primary
        if index in measured.fallbacks
    ]
    chunk = {
        "evaluation_id": evaluation_id,
        "number": number,
        "samples": len(indices),
        "worker_id": "test",
        "device": "cpu",
        "seconds": seconds,
        "forwards": 10,
        "backwards": 5,
        "flags": [],
    }
    with writing() as session:
        assert store.store_chunk(session, chunk, store.as_columns(attempts), store.as_columns(results)) == "stored"


def _result(row: Evaluation, measured: Measured, sample: Any, shard: str | None, kept: list[int]) -> dict[str, Any]:
    index, number, _, label = sample
    margin, prediction = float(measured.margin[index]), int(measured.predictions[index])
    found = bool(np.isfinite(margin))
    return {
        "evaluation_id": row.id,
        "sample_id": number,
        "index": index,
        "label": label,
        "prediction": prediction,
        "correct": prediction == label,
        "found": found,
        "margin": margin if found else None,
        "kind": measured.kind,
        "margin_pred": margin if found and prediction == label else None,
        "attack": measured.attack if found and margin > 0 else "",
        "adversarial_prediction": (label + 1) % CLASSES if shard else None,
        "logit_gap": float(measured.logit_gap[index]),
        "max_probability": 0.9,
        "loss": 0.5,
        "survives_8bit": True if shard else None,
        "shard": shard,
        "shard_row": kept.index(index) if shard else None,
    }


def finish(evaluation_id: UUID, measured: Measured, **record: Any) -> None:
    """What a worker writes last."""
    with writing() as session:
        row = session.get(Evaluation, evaluation_id)
        assert row is not None
        found = {
            "attacks": [measured.attack],
            "steps": 30,
            "distance_kind": measured.kind,
            "dtype": "float32",
            "device": "cpu",
            "settings": {"versions": {"torch": "2.13.0", "pyautoattack": "0.2.0"}},
            "torch": "2.13.0",
            "thinice": "0.1.0",
            **record,
        }
        row.record = row.record.merge(RunRecord.model_validate(found))
        row.state, row.stage, row.finished_at = "succeeded", "done", now()


def evaluate(
    checkpoint: Checkpoint, dataset: DatasetOut, measured: Measured, samples: Any = None, **fields: Any
) -> EvaluationOut:
    """A succeeded evaluation: queued by the service, its rows written as the worker writes them."""
    record = fields.pop("record", {})
    queued = queue(checkpoint, dataset, samples, **fields)
    begin(queued.id)
    with reading() as session:
        row = session.get(Evaluation, queued.id)
        assert row is not None
    for number in range(-(-row.n // row.chunk_size)):
        write_chunk(queued.id, number, measured)
    finish(queued.id, measured, **record)
    return evaluations.get_evaluation(queued.id)
