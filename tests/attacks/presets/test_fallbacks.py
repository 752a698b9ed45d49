"""Another network's adversarial examples, tried once a flag says that gradients may not be trusted: known answers on a
network of four pixels that hides its gradient."""

from functools import cache

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.contract import AttackAttempt, AttackResult
from backend.attacks.presets import fallbacks
from backend.attacks.presets.fallbacks import seek_hidden
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import AttackedSample

COUNT, CLEAN, PARENTS, OWN = 4, 0.75, 0.5, 0.45  # levels of grey: the clean images, and two boundaries
WITHOUT = 0


class Dark(nn.Module):
    """Class 0 where the pixels are brighter than `OWN` on average; nothing leads there."""

    def forward(self, images: Tensor) -> Tensor:
        level = images.detach().flatten(1).mean(1)
        return torch.stack([level - OWN, torch.zeros_like(level)], 1)


@cache
def run(preset: str, level: float, eps: float | None) -> tuple[AttackResult, AttackAttempt]:
    """Attack with examples of one grey level, which one sample lacks; the result and the fallback's attempt."""
    images = torch.full((COUNT, 1, 2, 2), CLEAN)
    given = torch.full_like(images, level)
    given[WITHOUT] = images[WITHOUT]
    labels = torch.zeros(COUNT, dtype=torch.long)
    result = attacks.run(preset, Dark(), images, labels, eps=eps, transfer_images=given)
    assert "zero-gradients" in result.flags
    return result, next(attempt for attempt in result.attempts if attempt.attack == "transfer")


@pytest.mark.parametrize(
    ("preset", "level", "eps"),
    [("fast", PARENTS, 0.35), ("margin", PARENTS, None), ("margin", 0.3, None)],
    ids=["to-eps", "twice-as-far", "pulled-in"],
)
def test_anothers_examples_are_pulled_to_the_boundary_even_from_behind_it(
    preset: str, level: float, eps: float | None
) -> None:
    _, transfer = run(preset, level, eps)
    assert transfer.series == 1
    assert int(transfer.tried.sum()) >= COUNT // 2
    assert torch.equal(transfer.found, transfer.tried)
    torch.testing.assert_close(
        transfer.distance[transfer.found],
        torch.full_like(transfer.distance, CLEAN - OWN)[transfer.found],
        rtol=0,
        atol=1e-3,
    )


def test_a_sample_without_anothers_example_is_not_tried_and_the_primary_run_stays_as_it_was() -> None:
    result, transfer = run("fast", PARENTS, 0.35)
    assert not transfer.tried[WITHOUT]
    assert "transfer" not in result.primary.attack
    assert "transfer" in result.attack


class Level(nn.Module):
    """Class 0 where the pixels are brighter than `OWN` on average, with a gradient."""

    def forward(self, images: Tensor) -> Tensor:
        level = images.flatten(1).mean(1)
        return torch.stack([level - OWN, torch.zeros_like(level)], 1)


@pytest.mark.parametrize(("code", "gives_up"), [("partial-gradients", True), ("probabilities", False)])
def test_squares_give_up_only_where_gaps_are_those_of_logits(
    monkeypatch: pytest.MonkeyPatch, code: str, gives_up: bool
) -> None:
    seen: list[bool] = []

    def note(sample: AttackedSample, eps: float, gives_up: bool) -> Script:
        seen.append(gives_up)
        return seek_hidden(sample, eps, gives_up)

    monkeypatch.setattr(fallbacks, "seek_hidden", note)
    images, labels = torch.full((COUNT, 1, 2, 2), CLEAN), torch.zeros(COUNT, dtype=torch.long)
    attacks.run("fast", Level(), images, labels, eps=0.1, early_flags=(code, "masking"))
    assert seen == [gives_up] * COUNT
