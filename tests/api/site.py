"""A home with a data set, a dense and a pruned checkpoint and their evaluations, and a real server process on it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import httpx2
import numpy as np
import pytest

from backend.jobs import queue
from backend.schemas.evidence import HarderIn
from backend.schemas.prunings import PruningIn
from backend.services import evidence, prunings, system
from backend.settings import get_settings
from backend.store import database
from tests.services.fabrication import SIDE, Measured, add_checkpoint, add_dataset, evaluate, make_pixels, measure
from tests.services.fabrication import queue as queue_one

SAMPLES = 60
PATIENCE_SECONDS = 60


@dataclass
class Site:
    """What a filled home holds, by id."""

    home: Path
    dataset: str
    dense: str
    pruned: str
    dense_evaluation: str
    pruned_evaluation: str
    waiting: str
    evidence: str
    """Evidence next to the dense evaluation; it waits, as there is no worker."""
    pruning: str
    """A pruning of the dense network on `training`, another data set; it was cancelled while it waited."""
    lost: int
    """Robust samples lost at the data set's eps, counted from what was made up."""
    attacked: int
    """Index of a sample that has a stored adversarial, in both evaluations."""


@contextmanager
def environment_of(home: Path, **variables: str) -> Iterator[None]:
    """Settings of this process for that home only, and no open database at the end."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("THINICE_")]:
            patch.delenv(name)
        for name, value in {"THINICE_HOME": str(home), "THINICE_CHUNK_SAMPLES": "20", **variables}.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        try:
            yield
        finally:
            queue.close()
            database.dispose_engines()
            get_settings.cache_clear()


def fill_home(home: Path, scratch: Path) -> Site:
    """Write the site's rows through the product's own services and store; settings must point at `home`."""
    system.home_check(get_settings())
    database.migrate()
    queue.prepare()
    dataset = add_dataset(scratch, "digits", SAMPLES)
    dense = add_checkpoint(dataset.id, "dense-net")
    pruned = add_checkpoint(
        dataset.id, "pruned-net", role="pruned", parent_id=dense.id, method="lwm", declared_sparsity=0.9
    )
    labels = make_pixels(SAMPLES)[1]
    first, second = measure(labels, 1), measure(labels, 2)
    attacked = int(np.flatnonzero((first.margin > 0) & (second.margin > 0) & np.isfinite(first.margin))[0])
    for measured in (first, second):
        clean = make_pixels(SAMPLES)[0][attacked].astype(np.float32) / 255
        measured.adversarials[attacked] = np.clip(clean + np.float32(0.03), 0, 1).reshape(1, SIDE, SIDE)
    dense_evaluation = evaluate(dense, dataset, first)
    harder = evidence.queue_harder(dense_evaluation.id, HarderIn(samples=[attacked], budget=100))
    add_dataset(scratch, "training", SAMPLES, seed=5)
    wish = PruningIn(parent_id=dense.id, training_dataset_id="training", method="lwm", sparsity=0.9)
    cancelled = prunings.cancel_pruning(prunings.queue_pruning(wish).id)
    return Site(
        home=home,
        dataset=str(dataset.id),
        dense=str(dense.id),
        pruned=str(pruned.id),
        dense_evaluation=str(dense_evaluation.id),
        pruned_evaluation=str(evaluate(pruned, dataset, second).id),
        waiting=str(queue_one(dense, dataset, 20).id),
        evidence=str(harder.id),
        pruning=str(cancelled.id),
        lost=int((is_robust(first, labels) & ~is_robust(second, labels)).sum()),
        attacked=attacked,
    )


@lru_cache(maxsize=1)
def shared_site(session_folder: Path) -> Site:
    """One filled home for all tests that start servers: the first server on it takes long to load what is shipped."""
    folder = session_folder / "shared"
    folder.mkdir()
    with environment_of(folder / "home"):
        return fill_home(folder / "home", folder)


def is_robust(measured: Measured, labels: np.ndarray, eps: float = 25.5 / 255) -> np.ndarray:
    """Right and not broken within eps, bool (n,)."""
    return (measured.predictions == labels) & (measured.margin > eps)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running_server(home: Path, log: Path, **variables: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A real web process on the home; yields its URL once it responds, and kills what is left at the end."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("THINICE_")}
    environment |= {"THINICE_HOME": str(home), "THINICE_PORT": str(port), "THINICE_DEMO": "false", **variables}
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-m", "backend.server"], env=environment, stderr=output)
        try:
            wait_until_up(url, process, log)
            yield url, process
        finally:
            process.kill()
            process.wait()


def wait_until_up(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        try:
            httpx2.get(f"{url}/api/v1/health", trust_env=False)
            return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"no response within {PATIENCE_SECONDS} s: {log.read_text()}")
