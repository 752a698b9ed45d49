"""What goes on now: jobs that wait and run, and a stamp that progress leaves as it is."""

from pathlib import Path

from backend.services import activity, evaluations
from tests.services.fabrication import add_checkpoint, add_dataset, begin, queue


def test_activity_of_an_empty_home_has_no_jobs(ready: Path) -> None:
    found = activity.read_activity()
    assert (found.waiting, found.jobs) == (0, []) and found.stamp == activity.read_activity().stamp


def test_activity_names_what_waits_and_runs_and_its_stamp_follows_states(ready: Path) -> None:
    dataset = add_dataset(ready, "digits")
    dense = add_checkpoint(dataset.id, "dense")
    stamps = [activity.read_activity().stamp]
    first, second = queue(dense, dataset), queue(dense, dataset, seed=1)
    stamps.append(activity.read_activity().stamp)
    begin(first.id)
    found = activity.read_activity()
    stamps.append(found.stamp)
    assert [(row.id, row.state) for row in found.jobs] == [(first.id, "running"), (second.id, "queued")]
    evaluations.cancel_evaluation(second.id)
    found = activity.read_activity()
    stamps.append(found.stamp)
    assert (found.waiting, [row.id for row in found.jobs]) == (1, [first.id])
    assert len(set(stamps)) == len(stamps)
