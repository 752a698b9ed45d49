"""`propose_by_batch`: batches cut, points put into box and ball, only clear losses proposed, progress told."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor

from backend.attacks.catalogue import Preset
from backend.attacks.first_passes import begin, build_classifier
from backend.attacks.inputs import Request, check_request
from backend.attacks.network.batches import Batches
from backend.attacks.network.classifier import prepare
from backend.attacks.runs import Run
from backend.attacks.search.batchwise import propose_by_batch
from tests.attacks.linear_oracle import build_problem
from tests.attacks.toy_preset.rows import PRESET

PROBLEM = build_problem(2, (1, 4, 4), samples=7)
EPS = float(PROBLEM.margins["Linf"].max()) / 4


@contextmanager
def start_run(preset: Preset = PRESET, batch_size: int = 3) -> Iterator[Run]:
    task = check_request(
        Request(preset, PROBLEM.network, PROBLEM.images, PROBLEM.predictions, eps=EPS, batch_size=batch_size)
    )
    with prepare(task.network):
        batches = Batches(task.batch_size)
        classifier = build_classifier(task, None, batches)
        classifier.total = len(task.images)
        yield begin(task, classifier, batches, None, None, ())


def jump(images: Tensor, labels: Tensor) -> Tensor:
    """To the other side of the box, which changes every decision."""
    return 3.0 * (0.5 - images) + 0.5


def test_propose_by_batch_cuts_batches_and_keeps_the_order() -> None:
    seen: list[tuple[int, ...]] = []

    def note(images: Tensor, labels: Tensor) -> Tensor:
        seen.append((len(images), len(labels)))
        return images

    with start_run() as run:
        found = propose_by_batch(run, run.right, "toy-pgd", note)
        assert run.classifier.done == 7
    assert seen == [(3, 3), (3, 3), (1, 1)]
    assert torch.equal(found.images, PROBLEM.images)
    assert not found.proposed.any() and found.tried.all()


def test_propose_by_batch_puts_points_into_box_and_ball_and_proposes_what_is_lost_there() -> None:
    with start_run() as run:
        found = propose_by_batch(run, run.right, "toy-pgd", jump)
    assert (found.attack, found.kind) == ("toy-pgd", "witness")
    assert 0.0 <= float(found.images.min()) <= float(found.images.max()) <= 1.0
    assert ((found.images - PROBLEM.images).flatten(1).abs().amax(1).double() <= EPS).all()
    with torch.no_grad():
        is_lost = PROBLEM.network(found.images).argmax(1) != PROBLEM.predictions
    assert torch.equal(found.proposed, is_lost)
    assert is_lost.any() and not is_lost.all()


@pytest.mark.parametrize("name", ["right", "wrong"])
def test_run_groups_share_out_the_samples(name: str) -> None:
    with start_run() as run:
        group = getattr(run, name)
    assert len(group.rows) == (7 if name == "right" else 0)
    assert group.is_right == (name == "right")
    if name == "right":
        part = group.select(torch.tensor([4, 2]))
        assert part.rows.tolist() == [4, 2]
        assert torch.equal(part.images, PROBLEM.images[[4, 2]])
        assert torch.equal(part.labels, PROBLEM.predictions[[4, 2]])
