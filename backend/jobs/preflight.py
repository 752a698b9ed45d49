"""Runs the pre-flight of a checkpoint: a few hundred samples, what any user would ask before an attack."""

import logging
import traceback
from uuid import UUID

import numpy as np

from backend.jobs.subjects import load_subject, take_images
from backend.registry.preflight import preflight
from backend.store import checkpoints, datasets
from backend.store.database import reading, writing

SAMPLES = 300

logger = logging.getLogger("thinice.jobs")


def run(checkpoint_id: UUID, device: str) -> None:
    """Check a checkpoint and store the report; a check that cannot run is stored as the state "error"."""
    with writing() as session:
        checkpoint = checkpoints.find_checkpoint(session, checkpoint_id)
        if checkpoint is None:
            return
        classes = len(checkpoint.dataset.classes)
        checkpoints.set_preflight(session, checkpoint_id, {"state": "running", "checks": []})
    try:
        subject = load_subject(checkpoint_id, checkpoint.dataset_id, device)
        with reading() as session:
            first = datasets.spread_indices(session, checkpoint.dataset_id, SAMPLES)
        images, labels = take_images(subject.samples, np.asarray(first, dtype=np.int64))
        report = preflight(subject.network, images, labels, classes=classes).model_dump()
    except Exception as error:  # a network that cannot be run fails the check, not the worker
        logger.error("pre-flight of %s failed\n%s", checkpoint_id, traceback.format_exc())
        store_error(checkpoint_id, f"The network could not be run: {type(error).__name__}: {error}")
        return
    with writing() as session:
        checkpoints.set_preflight(session, checkpoint_id, report)


def store_error(checkpoint_id: UUID, sentence: str) -> None:
    """Say that the check could not be made, and why."""
    check = {"code": "runs", "title": "Runs at all", "outcome": "fail", "sentence": sentence}
    with writing() as session:
        checkpoints.set_preflight(session, checkpoint_id, {"state": "error", "checks": [check]})
