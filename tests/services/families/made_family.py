"""A whole family with made-up networks: dense, control, another seed, and pruned ones that lose more or less."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.jobs import queue
from backend.schemas.datasets import DatasetOut
from backend.schemas.families import FamilyAnswer, FamilyOut, FamilyRow
from backend.services.families.service import get_family
from backend.settings import get_settings
from backend.store import database
from backend.store.tables import Checkpoint
from tests.services.fabrication import (
    Measured,
    add_checkpoint,
    add_dataset,
    compare_weights,
    evaluate,
    make_pixels,
    measure,
)
from tests.services.families.fabrication import thin_ice_losses

N, EPS = 400, 0.1
# method, sparsity, strength of the losses near the boundary
PRUNED = (("lwm", 0.95, 0.9), ("harp", 0.95, 0.9), ("thin-ice", 0.95, 0.1), ("lwm", 0.8, 0.5))


def claim_of(share: float, n: int = N) -> dict[str, Any]:
    named = {"attack": "PGD-10", "norm": "Linf", "eps_text": "25.5/255", "n": n, "source": "card: a test"}
    return {"robust_accuracy": share} | named


def held(measured: Measured, labels: np.ndarray, eps: float = EPS) -> np.ndarray:
    return (measured.predictions == labels) & (measured.margin > eps)


class MadeFamily:
    """A home with a family: what each network does, and the evaluation of its margins."""

    def __init__(self, folder: Path) -> None:
        self.dataset: DatasetOut = add_dataset(folder, "digits", n=N)
        self.labels = make_pixels(N)[1]
        self.measured = {"dense": measure(self.labels, 1)}
        dense = self.measured["dense"]
        root = add_checkpoint(self.dataset.id, "dense", origin="zoo", claim=self.claim("dense", 2))
        self.rows: dict[str, Checkpoint] = {"dense": root}
        self.measured["control"] = thin_ice_losses(dense, self.labels, 90, 0.05)
        self.measured["seed"] = measure(self.labels, 91)
        for seed, (method, sparsity, strength) in enumerate(PRUNED, 2):
            name = f"{method}-{100 * sparsity:.0f}"
            self.measured[name] = thin_ice_losses(dense, self.labels, seed, strength)
            self.rows[name] = add_checkpoint(
                self.dataset.id,
                name,
                role="pruned",
                origin="zoo",
                parent_id=root.id,
                method=method,
                declared_sparsity=sparsity,
                structure={"kind": "weight", "rate": sparsity},
                claim=self.claim(name, 60 if method == "lwm" else 2),
            )
        self.rows["control"] = add_checkpoint(
            self.dataset.id,
            "control",
            origin="zoo",
            parent_id=root.id,
            method="control",
            claim=self.claim("control", 1),
        )
        self.rows["seed"] = add_checkpoint(self.dataset.id, "seed", origin="zoo", inspection=compare_weights(root))
        self.done = {name: evaluate(row, self.dataset, self.measured[name]) for name, row in self.rows.items()}

    def claim(self, name: str, images: int) -> dict[str, Any]:
        """That many images more than hold."""
        return claim_of((held(self.measured[name], self.labels).sum() + images) / N)

    def family(self, **terms: Any) -> FamilyOut:
        return get_family(self.rows["dense"].id, **terms)


@contextmanager
def home_with_family(template: Path, folder: Path) -> Iterator[MadeFamily]:
    """A home of its own in that folder, with the family in it: one chunk an evaluation, which is written faster."""
    shutil.copytree(template, folder / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THINICE_HOME", str(folder / "home"))
        patch.setenv("THINICE_CHUNK_SAMPLES", str(N))
        get_settings.cache_clear()
        yield MadeFamily(folder)
        queue.close()
        database.dispose_engines()
    get_settings.cache_clear()


def row_of(family: FamilyOut, name: str) -> FamilyRow:
    return next(row for row in family.rows if row.name == name)


def answer_to(family: FamilyOut, question: str) -> FamilyAnswer:
    return next(one for one in family.answers if one.question == question)


def verdict_of(row: FamilyRow, preset: str) -> Any:
    return next(one for one in row.verdicts if one.preset == preset)
