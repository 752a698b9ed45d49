"""Attacks on a group of samples, and each candidate verified on the network itself."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from backend.attacks.assembly import nearest
from backend.attacks.presets.fallbacks import propose_fallbacks
from backend.attacks.runs import Run, SampleGroup
from backend.attacks.verify import Candidate, Verified, verify


def attack_group(run: Run, group: SampleGroup) -> list[Verified]:
    """The preset's attacks on a group of samples, one outcome for each.

    A verdict ends at the first break within eps. A sample that a prepared copy called broken, and the network does
    not, was left too early and is attacked once more, along the network itself.
    """
    candidates, verified = propose_and_verify(run, group, run.classifier.exploring())
    if run.task.preset.promises == "verdict" and run.task.prepared is not None:
        lost = find_lost(run, group, candidates, verified).nonzero()[:, 0]
        if len(lost):
            _, others = propose_and_verify(run, group.select(lost), nullcontext())
            verified = replace_rows(verified, lost, others)
    return verified


def propose_and_verify(
    run: Run, group: SampleGroup, followed: AbstractContextManager[None]
) -> tuple[list[Candidate], list[Verified]]:
    """Candidates of the preset's attacks while `followed` says which network they follow, and what holds of them."""
    run.classifier.stage = run.task.preset.name
    with followed:
        candidates = run.attack(run, group)
    eps = None if run.task.preset.goes_beyond_eps else run.task.eps
    return candidates, verify_all(run, group, candidates, eps, is_randomised=run.is_randomised)


def attack_by_fallbacks(run: Run, group: SampleGroup, primary: list[Verified]) -> list[Verified]:
    """What the flags call for, on the samples that the primary run left standing."""
    standing = nearest(primary)[1] > (run.task.eps if run.task.eps is not None else 0.0)
    run.classifier.stage = "fallbacks"
    candidates = propose_fallbacks(run, group, standing)
    return verify_all(run, group, candidates, None, is_randomised="randomised" in run.flags)


def verify_all(
    run: Run, group: SampleGroup, candidates: list[Candidate], eps: float | None, *, is_randomised: bool
) -> list[Verified]:
    """Every candidate, classified and measured by `verify`."""
    run.classifier.stage = "verification"
    return [
        verify(
            run.classifier,
            run.task.norm,
            group.images,
            group.labels,
            candidate,
            run.batches,
            eps,
            is_randomised=is_randomised,
        )
        for candidate in candidates
    ]


def find_lost(run: Run, group: SampleGroup, candidates: list[Candidate], verified: list[Verified]) -> Tensor:
    """Samples (bool (B,)) that were left because the copy called them broken within eps, and the network does not."""
    eps = run.task.eps
    assert eps is not None  # a verdict has one
    distances = [run.task.norm.distance(group.images, candidate.images).double() for candidate in candidates]
    within = [candidate.proposed & (far <= eps) for candidate, far in zip(candidates, distances, strict=True)]
    return torch.stack(within).any(0) & (nearest(verified)[1].double() > eps)


def replace_rows(verified: list[Verified], rows: Tensor, others: list[Verified]) -> list[Verified]:
    """The outcomes with those of some samples replaced, attack by attack."""
    replaced = []
    for outcome, other in zip(verified, others, strict=True):
        columns = {}
        for name in ("images", "found", "distance", "tried", "prediction"):
            columns[name] = getattr(outcome, name).clone()
            columns[name][rows] = getattr(other, name)
        replaced.append(replace(outcome, **columns))
    return replaced
