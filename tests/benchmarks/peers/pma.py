"""The probability margin attack, written from Xie et al. 2024 (arXiv 2411.15210).

Two PGD runs of 100 steps from random starts, in the probabilities p of the softmax. The first step raises p of the
label, to set out from elsewhere. Up to half of the steps, run one lowers it and run two raises the largest other p; the
second half raises their difference, the probability margin. The step is 2 eps on a cosine that begins anew at the half.
Broken samples leave at once.
"""

import math

import torch
from torch import Tensor, nn

from tests.benchmarks.contestants import VERDICT, Answer, Contestant, Terms

STEPS, RUNS = 100, 2


def follow_cosine(step: int, eps: float) -> float:
    """Length of a step; both halves of the run go from 2 eps towards 0."""
    half = STEPS / 2
    within = step - 1 - (half if step > half else 0)
    return eps * (1.0 + math.cos(within / half * math.pi))


def measure_loss(logits: Tensor, labels: Tensor, step: int, run: int) -> Tensor:
    """What is raised at this step; (B,)."""
    probabilities = logits.softmax(1)
    true = probabilities.gather(1, labels[:, None])[:, 0]
    other = probabilities.scatter(1, labels[:, None], -1.0).amax(1)
    if step == 0:
        return true
    if step < STEPS / 2:
        return other if run else -true
    return other - true


def run_once(
    network: nn.Module, images: Tensor, labels: Tensor, eps: float, run: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """One of the two runs on a batch. Returns points (B, C, H, W) and whether they were seen to be wrong (B,)."""
    reached = images + eps * (2.0 * torch.rand(images.shape, generator=generator) - 1.0)
    reached, left = reached.clamp(0.0, 1.0), torch.arange(len(images))
    for step in range(STEPS + 1):
        leaf = reached[left].requires_grad_(step < STEPS)
        with torch.set_grad_enabled(step < STEPS):
            logits = network(leaf)
        stands = logits.detach().argmax(1) == labels[left]
        if step < STEPS:
            (gradient,) = torch.autograd.grad(measure_loss(logits, labels[left], step, run).sum(), leaf)
            points = leaf.detach() + follow_cosine(step, eps) * gradient.sign()
            points = torch.minimum(torch.maximum(points, images[left] - eps), images[left] + eps).clamp(0.0, 1.0)
            reached[left[stands]] = points[stands]
        left = left[stands]
        if not len(left):
            break
    found = torch.ones(len(images), dtype=torch.bool)
    found[left] = False
    return reached, found


def run_pma(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms) -> Answer:
    """PMA on correctly classified samples, in batches; Linf only, as published."""
    generator = torch.Generator().manual_seed(terms.seed)
    parts = []
    for start in range(0, len(images), terms.batch):
        batch, truth = images[start : start + terms.batch], labels[start : start + terms.batch]
        reached, left = batch.clone(), torch.arange(len(batch))
        for run in range(RUNS):
            points, found = run_once(network, batch[left], truth[left], terms.radius, run, generator)
            reached[left] = points
            left = left[~found]
            if not len(left):
                break
        parts.append(reached)
    return Answer(torch.cat(parts))


CONTESTANTS = [Contestant("PMA", VERDICT, ("Linf",), run_pma, None, 450)]
