"""Drafts of evaluations: checks and rows share one transaction; what is refused is tested with the service."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from backend.errors import InvalidRequest
from backend.jobs import queue
from backend.jobs.drafts import queue_evaluations
from backend.schemas.evaluations import EvaluationIn
from backend.services import evaluations
from backend.store.database import get_engine
from tests.services.conftest import ready, template
from tests.services.fabrication import add_checkpoint, add_dataset

__all__ = ["ready", "template"]


@pytest.fixture
def wish(ready: Path, tmp_path: Path) -> EvaluationIn:
    dataset = add_dataset(tmp_path, "digits")
    checkpoint = add_checkpoint(dataset.id, "net")
    return EvaluationIn(checkpoint_id=checkpoint.id, dataset_id=dataset.slug, samples=20, seed=5, repeat=3)


@pytest.fixture
def transactions(wish: EvaluationIn) -> Iterator[list[object]]:
    """One entry for each transaction that began since."""
    begun: list[object] = []

    @event.listens_for(get_engine(), "begin")
    def remember(connection: object) -> None:
        begun.append(connection)

    yield begun
    event.remove(get_engine(), "begin", remember)


def test_queue_evaluations_with_repeat_checks_and_writes_in_one_transaction(
    wish: EvaluationIn, transactions: list[object]
) -> None:
    rows = queue_evaluations(wish)
    assert len(transactions) == 1
    assert [(row.seed, row.record.seed, row.repeat_of) for row in rows] == [
        (seed, seed, rows[0].id) for seed in (5, 6, 7)
    ]
    jobs = [f"evaluate-{row.id}-0" for row in rows]
    found = queue.client().list_workflows(workflow_ids=jobs)
    assert {job.workflow_id for job in found} == set(jobs)


def test_queue_evaluations_refused_writes_nothing(wish: EvaluationIn) -> None:
    with pytest.raises(InvalidRequest, match="seeds"):
        queue_evaluations(wish.model_copy(update={"seed": 2**31 - 2}))
    with pytest.raises(InvalidRequest, match="autoattack"):
        queue_evaluations(wish.model_copy(update={"preset": "autoattack", "norm": "L2"}))
    assert evaluations.list_evaluations().total == 0
