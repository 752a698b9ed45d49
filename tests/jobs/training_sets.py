"""A small home for pruning: images that judge, others that train, and the shipped dense network on them."""

from pathlib import Path

import numpy as np

from backend.datasets import catalogue
from backend.datasets.samples import load
from backend.jobs import queue
from backend.schemas.checkpoints import CheckpointIn
from backend.services import checkpoints, datasets, system
from backend.settings import get_settings
from backend.store import database

TEST_IMAGES, TRAINING_IMAGES = 60, 320
ZOO = Path("models/zoo")


def write_images(path: Path, first: int, count: int, change: int = 0) -> Path:
    """Some of the shipped images as an .npz; a `change` of the lowest bits, 0 to 255, makes them other images."""
    samples = load(catalogue.find_dataset("fashion-mnist-test"))
    rows = slice(first, first + count)
    np.savez(path, x=samples.images[rows] ^ np.uint8(change), y=samples.labels[rows])
    return path


def stock(scratch: Path) -> None:
    """Fill the home of the settings: `judging` and `training`, and `dense`, which is evaluated on the first."""
    system.home_check(get_settings())
    database.migrate()
    queue.prepare()
    names = [str(number) for number in range(10)]
    for name, first, count in (("judging", 0, TEST_IMAGES), ("training", 100, TRAINING_IMAGES)):
        path = write_images(scratch / f"{name}.npz", first, count)
        datasets.add_dataset(path, name=name, default_eps="25.5/255", classes=names)
    form = CheckpointIn(name="dense", role="dense", dataset_id="judging")
    checkpoints.add_checkpoint(ZOO / "cnn-dense.safetensors", form, filename="cnn-dense.safetensors")
