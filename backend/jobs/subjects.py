"""What jobs attack: a checkpoint's network and the samples of its data set, loaded once per worker."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import numpy as np
import torch
from numpy.typing import NDArray

from backend.attacks.catalogue.attacks import ATTACKS
from backend.attacks.network.prepared import Prepared, build_prepared
from backend.datasets import catalogue
from backend.datasets.samples import SampleArrays, load
from backend.errors import NotFound
from backend.registry.networks import load_network
from backend.settings import get_settings
from backend.store import datasets
from backend.store.artefacts import artefact_path
from backend.store.database import reading
from backend.store.tables import Checkpoint, Dataset

logger = logging.getLogger("thinice.jobs")

PROBES = 8
POOL_IMAGES: int = ATTACKS["segment"].parameters["pool"]


@dataclass(frozen=True)
class Subject:
    """What is attacked, loaded once per worker: the network, all samples, and the store's numbers of them.

    `prepared` is the network's copy that our own attacks walk on, None where nothing can be prepared. `pool_images`
    float32 (P, C, H, W) in [0, 1] are the first samples by id: every chunk starts its segments from them, so that a
    margin depends neither on the chunk it falls into nor on the samples chosen with it.
    """

    network: torch.nn.Module
    samples: SampleArrays
    sample_numbers: NDArray[np.int64]
    pool_images: torch.Tensor
    prepared: Prepared | None = None


@dataclass(frozen=True)
class DatasetFile:
    """Where a stored data set lies."""

    path: Any


def dataset_file(dataset: Dataset) -> DatasetFile:
    """The .npz of a data set: shipped with the product, or in the artefact store."""
    return DatasetFile(catalogue.find_dataset(dataset.file).path if dataset.builtin else artefact_path(dataset.file))


@lru_cache(maxsize=2)
def load_subject(checkpoint_id: UUID, dataset_id: UUID, device: str) -> Subject:
    """Load a checkpoint's network onto `device`, and the data set it is attacked on.

    Raises:
        NotFound: the checkpoint or the data set is gone.
    """
    with reading() as session:
        checkpoint = session.get(Checkpoint, checkpoint_id)
        dataset = session.get(Dataset, dataset_id)
        if checkpoint is None or dataset is None:
            raise NotFound("The checkpoint or the data set of this job no longer exists.")
        rows = datasets.dataset_rows(session, dataset_id)
    network = load_checkpoint(checkpoint, dataset, device)
    samples = load(dataset_file(dataset))
    pool_images, _ = take_images(samples, np.argsort(np.asarray(samples.ids), kind="stable")[:POOL_IMAGES])
    numbers = np.asarray([number for _, number, _, _ in rows], dtype=np.int64)
    is_rough = get_settings().low_precision and device.startswith("cuda")
    prepared, reason = build_prepared(network, pool_images[:PROBES], "bfloat16" if is_rough else "float32")
    if prepared is None:
        logger.info("attacks on checkpoint %s use the network itself, not a prepared copy: %s", checkpoint_id, reason)
    return Subject(network, samples, numbers, pool_images, prepared)


def load_checkpoint(checkpoint: Checkpoint, dataset: Dataset, device: str) -> torch.nn.Module:
    """A network of the caller's own, frozen, in `eval()` mode, with its normalisation as the first layer."""
    return load_network(
        artefact_path(checkpoint.file),
        architecture=checkpoint.architecture,
        normalization=checkpoint.normalization,
        classes=len(dataset.classes),
        channels=dataset.shape[2],
        device=device,
    )


def take_images(samples: SampleArrays, indices: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
    """Images float32 (B, C, H, W) in [0, 1] and labels int64 (B,) of the given rows."""
    pixels = samples.images[indices].astype(np.float32) / np.float32(255)
    images = torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))
    return images, torch.from_numpy(samples.labels[indices].astype(np.int64))


@dataclass(frozen=True)
class SampleBatch:
    """Some samples of a data set, B of them.

    indices: their rows int64 (B,). numbers: what the store calls each. images: float32 (B, C, H, W) in [0, 1]. labels:
    int64 (B,).
    """

    indices: NDArray[np.int64]
    numbers: list[int]
    images: torch.Tensor
    labels: torch.Tensor


def take_samples(subject: Subject, rows: Sequence[int]) -> SampleBatch:
    """The given rows of the subject's data set."""
    indices = np.asarray(rows, dtype=np.int64)
    images, labels = take_images(subject.samples, indices)
    return SampleBatch(indices, subject.sample_numbers[indices].tolist(), images, labels)


def device_title(device: str) -> str:
    """`cpu`, or the name of the GPU."""
    return f"{device} ({torch.cuda.get_device_name(device)})" if device.startswith("cuda") else device
