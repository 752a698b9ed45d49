"""On how many samples a new checkpoint is evaluated at once: as many as its parent, so that both can be compared."""

from pathlib import Path

from backend.jobs.registration.checkpoints import queue_first_evaluation, samples_at_defaults
from backend.services import evaluations
from backend.services.datasets.service import find_dataset
from backend.store.database import reading
from tests.services.fabrication import add_checkpoint, add_dataset, evaluate, make_pixels, measure


def test_queue_first_evaluation_takes_the_samples_of_the_parent(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", 60)
    _, labels = make_pixels(60)
    parent = add_checkpoint(dataset.id, "parent")
    child = add_checkpoint(dataset.id, "child", role="pruned", parent_id=parent.id)
    row = find_dataset("digits")

    def queued(preset: str, samples: int | None = None) -> int:
        queue_first_evaluation(child, row, preset, samples)
        return evaluations.list_evaluations(checkpoint_id=child.id).items[0].n

    assert queued("margin") == 60, "500, but the data set has no more"
    evaluate(parent, dataset, measure(labels, 1), samples=50)
    evaluate(parent, dataset, measure(labels, 1), samples=20)
    assert queued("margin") == 20, "the newest"
    assert (queued("fast"), queued("margin", 7)) == (60, 7)


def test_samples_at_defaults_leave_out_what_no_plain_request_repeats(ready: Path, tmp_path: Path) -> None:
    dataset = add_dataset(tmp_path, "digits", 60)
    _, labels = make_pixels(60)
    parent = add_checkpoint(dataset.id, "parent")
    for fields in ({"samples": 10, "seed": 3}, {"samples": 10, "eps": "1/255"}, {"samples": [1, 2, 3]}):
        evaluate(parent, dataset, measure(labels, 1), **fields)
    with reading() as session:
        assert samples_at_defaults(session, [parent.id]) == {}
