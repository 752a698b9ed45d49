"""What a user deletes of what is shipped stays deleted over a start, and comes back where it is asked for."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.errors import Conflict
from backend.jobs import queue
from backend.services import checkpoints, evaluations, system
from backend.services.bundles import import_bundle
from backend.services.bundles.shipped import find_results, load_results
from backend.settings import get_settings
from backend.store import database

LEAF = "cnn-thin-ice-99"


@pytest.fixture
def stocked(stocked_template: Path, home: Path) -> Iterator[Path]:
    """A home with the shipped checkpoints and one shipped evaluation, of the network that nothing was made from."""
    shutil.copytree(stocked_template, home)
    get_settings.cache_clear()
    yield home
    queue.close()
    database.dispose_engines()
    get_settings.cache_clear()


def find_checkpoint(name: str) -> Any:
    return next((row for row in checkpoints.list_checkpoints(limit=200).items if row.name == name), None)


def start_again() -> None:
    """What a start of the server does."""
    database.dispose_engines()
    system.bootstrap()
    system.load_shipped(lambda: False)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_deleted_shipment_stays_deleted_over_a_start_until_it_is_asked_for(
    stocked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THINICE_DEMO", "true")
    get_settings.cache_clear()
    start_again()
    whole = system.tell_shipped()
    assert whole.here == whole.total > 1 and not whole.is_coming
    leaf = find_checkpoint(LEAF)
    measured = evaluations.list_evaluations(checkpoint_id=leaf.id).items
    assert measured
    with pytest.raises(Conflict):
        checkpoints.delete_checkpoint(leaf.id)
    for row in measured:
        evaluations.delete_evaluation(row.id)
    start_again()
    assert evaluations.list_evaluations(checkpoint_id=leaf.id).total == 0, "the deleted evaluation came back"
    assert system.tell_shipped().here == whole.total - len(measured)

    checkpoints.delete_checkpoint(leaf.id)
    start_again()
    assert find_checkpoint(LEAF) is None, "the deleted checkpoint came back"
    assert system.tell_shipped().here == whole.total - len(measured)

    system.bring_shipped()
    wait_until(lambda: system.tell_shipped() == whole)
    restored = find_checkpoint(LEAF)
    back = evaluations.list_evaluations(checkpoint_id=restored.id).items
    assert {row.id for row in back} == {row.id for row in measured}


def test_deleted_evaluation_comes_back_from_the_shipped_bundle(stocked: Path) -> None:
    path = find_results()
    assert path is not None
    asked = iter([False, True])
    assert load_results(path, lambda: next(asked)) == 1
    (row,) = evaluations.list_evaluations().items
    evaluations.delete_evaluation(row.id)
    queue.enqueue(queue.EVALUATE, 1, row.id, 0)
    queue.cancel(queue.EVALUATE, row.id, 0)  # as one that was imported, cancelled and deleted before
    assert row.id in {one.evaluation_id for one in import_bundle(path).evaluations if one.outcome == "queued"}
    assert evaluations.get_evaluation(row.id).state == "queued"
    job = queue.client().list_workflows(workflow_ids=[queue.name_job(queue.EVALUATE, row.id, 0)])[0]
    assert job.status == "ENQUEUED", "a job that ended stood for the new one"
