"""Candidates put in the rows of their samples, and the nearest of several; scripts are tested by the presets' tests."""

import torch

from backend.attacks.norms import get_norm
from backend.attacks.search.plan import keep_nearest, propose_nearest
from backend.attacks.search.sequences import AttackedSample
from backend.attacks.verify import Candidate

LINF = get_norm("Linf")
IMAGES = torch.full((4, 1, 2, 2), 0.5)


def propose(lengths: list[float | None]) -> Candidate:
    """One candidate for as many samples, so far from the clean image, None where nothing was found."""
    points = torch.stack([IMAGES[0] + (length or 0.0) for length in lengths])
    proposed = torch.tensor([length is not None for length in lengths])
    return Candidate("one", "minimum", points, proposed, torch.ones(len(lengths), dtype=torch.bool))


def test_keep_nearest_takes_the_shortest_that_was_proposed_and_leaves_other_rows_alone() -> None:
    rows = torch.tensor([1, 3])
    found = keep_nearest(
        "precise", "minimum", IMAGES, [propose([0.2, None]), propose([0.1, None]), propose([0.3, 0.4])], LINF, rows
    )
    assert (found.attack, found.kind, found.series) == ("precise", "minimum", 1)
    assert found.proposed.tolist() == found.tried.tolist() == [False, True, False, True]
    torch.testing.assert_close(LINF.distance(IMAGES, found.images), torch.tensor([0.0, 0.1, 0.0, 0.4]))


def test_keep_nearest_of_nothing_proposes_nothing() -> None:
    found = keep_nearest("precise", "minimum", IMAGES, [propose([None])], LINF, torch.tensor([2]))
    assert not found.proposed.any()
    assert found.tried.tolist() == [False, False, True, False]
    assert torch.equal(found.images, IMAGES)


def test_propose_nearest_takes_the_nearest_of_each_samples_attacks() -> None:
    samples = [AttackedSample(LINF, IMAGES[0], 0, 2, 0, b"", 1.0) for _ in range(2)]
    samples[0].results = {"far": (IMAGES[0] + 0.4, 0.4), "near": (IMAGES[0] + 0.2, 0.2)}
    found = propose_nearest("hidden", "witness", IMAGES, samples, torch.tensor([0, 2]))
    assert found.proposed.tolist() == [True, False, False, False]
    assert found.tried.tolist() == [True, False, True, False]
    torch.testing.assert_close(LINF.distance(IMAGES, found.images), torch.tensor([0.2, 0.0, 0.0, 0.0]))
