"""A dense and a pruned evaluation with every kind of sample, their adversarials in real shards."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.jobs import queue
from backend.schemas import DatasetOut, EvaluationOut
from backend.settings import get_settings
from backend.store import database
from tests.services.fabrication import (
    CLASSES,
    Measured,
    add_checkpoint,
    add_dataset,
    evaluate,
    make_pixels,
    measure,
)

N = 200
KEPT, LOST, GAINED, WRONG_ON_BOTH, MISSED = 10, 11, 12, 13, 14
EPS = 25.5 / 255
CHANGE = {"dense": 0.05, "pruned": 0.02}


@dataclass(frozen=True)
class MadePair:
    """`milder` is another pruned version, evaluated like the first."""

    dense: EvaluationOut
    pruned: EvaluationOut
    milder: EvaluationOut
    dataset: DatasetOut

    def query(self, **more: str | int) -> dict[str, str]:
        """The query of the pair's pages."""
        values = {"dense": str(self.dense.id), "pruned": str(self.pruned.id)}
        return values | {key: str(value) for key, value in more.items()}


@pytest.fixture(scope="module")
def made_pair(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MadePair]:
    """One home with the pair in it for all tests of a module: they only read."""
    with home_with_pair(template, tmp_path_factory.mktemp("pair")) as made:
        yield made


@contextmanager
def home_with_pair(template: Path, folder: Path) -> Iterator[MadePair]:
    """A home of its own in that folder, with the pair in it."""
    shutil.copytree(template, folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINICE_HOME", str(folder / "home"))
        patch.setenv("THINICE_CHUNK_SAMPLES", "50")
        get_settings.cache_clear()
        yield make_pair(folder)
        queue.close()
        database.dispose_engines()
    get_settings.cache_clear()


def make_pair(folder: Path, norm: str = "Linf", *, is_witness: bool = False) -> MadePair:
    """Rows KEPT, LOST, GAINED and WRONG_ON_BOTH are what they are called; for row MISSED the dense side found nothing.

    `is_witness`: AutoAttack's verdicts at EPS on the same networks, with the distances that its witnesses have.
    """
    dataset = add_dataset(folder, "digits", n=N, classes=["zero", "one", "two", "three"])
    images, labels = make_pixels(N)
    dense, pruned = measure(labels, 1), measure(labels, 2)
    milder = measure(labels, 3)
    for measured, right in ((dense, (KEPT, LOST, MISSED)), (pruned, (KEPT, GAINED, MISSED))):
        for row in (KEPT, LOST, GAINED, WRONG_ON_BOTH, MISSED):
            is_right = row in right
            measured.predictions[row] = labels[row] if is_right else (labels[row] + 1) % CLASSES
            measured.margin[row] = 0.1 if is_right else 0.0
    dense.margin[LOST], dense.margin[MISSED] = 0.02, np.inf
    store_adversarials(dense, images, CHANGE["dense"])
    store_adversarials(pruned, images, CHANGE["pruned"])
    fields: dict[str, Any] = {"norm": norm}
    if is_witness:
        fields = {"preset": "autoattack", "eps": "25.5/255", "record": {"distance_kind": "witness"}}
        for measured in (dense, pruned, milder):
            is_broken = (measured.margin > 0) & (measured.margin <= EPS)
            measured.margin = np.where(is_broken, EPS, np.where(measured.margin > EPS, np.inf, measured.margin))
            measured.kind, measured.attack = "witness", "apgd-ce"
    parent = add_checkpoint(dataset.id, "parent")
    made = {"role": "pruned", "parent_id": parent.id, "method": "lwm"}
    child = add_checkpoint(dataset.id, "child-95", declared_sparsity=0.95, **made)
    other = add_checkpoint(dataset.id, "child-80", declared_sparsity=0.8, **made)
    return MadePair(
        evaluate(parent, dataset, dense, **fields),
        evaluate(child, dataset, pruned, **fields),
        evaluate(other, dataset, milder, **fields),
        dataset,
    )


def store_adversarials(measured: Measured, images: np.ndarray, change: float) -> None:
    """An adversarial for every sample that has a margin, `change` away from the clean image in every pixel."""
    for row in np.flatnonzero(np.isfinite(measured.margin) & (measured.margin > 0)):
        clean = images[row].transpose(2, 0, 1).astype(np.float32) / np.float32(255)
        measured.adversarials[int(row)] = np.where(clean < 0.5, clean + np.float32(change), clean - np.float32(change))
