"""A3, the adaptive auto attack, written from Liu et al. 2022 (CVPR, arXiv 2203.05154).

Thirteen stages of PGD on the logit margin from output-diversified starts. The starts adapt (ADI): the weights of the
directions that broke samples in stage two say with which sign the label's and a wrong class's logit are pushed later,
and the wrong class cycles through the ranks. The effort adapts (OSD): from the fourth stage on only the samples with
the largest margin loss so far are attacked, ever fewer of them with ever more steps and restarts.
Differs from the published schedule in one number: its last stages take at least 100 samples, which is 1 % of the 10,000
that it was made for; here they take 1 % of the samples given.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tests.benchmarks.contestants import VERDICT, Answer, Contestant, Terms
from tests.benchmarks.peers.apgd import direct, project

LEAST_SHARE = 0.01
RANKS, LATE_RANKS = 9, 4
PUSH = 0.8


@dataclass(frozen=True)
class Stage:
    """Share of the survivors, PGD steps, diversifying steps, restarts; `is_late` narrows the ranks of the targets."""

    share: float
    steps: int
    diverse: int
    restarts: int = 1
    is_late: bool = False


FIRST = [Stage(1.0, 8, 0), Stage(1.0, 8, 7), Stage(1.0, 8, 7)]
# Where diversified starts alone broke few samples (the usual case), effort goes into steps on few samples.
DISCARDING = [
    Stage(0.7, 25, 7),
    Stage(0.6, 30, 7),
    Stage(0.5, 30, 7),
    Stage(0.4, 35, 7),
    Stage(0.3, 40, 7),
    Stage(0.2, 45, 7),
    Stage(0.1, 50, 7),
    Stage(0.1, 50, 7, 4, True),
    Stage(0.065, 55, 7, 4, True),
    Stage(0.03, 60, 7, 50, True),
]
# Where they broke many, gradients are suspect, and effort goes into starts on all samples.
DIVERSIFYING = [
    Stage(1.0, 5, 10, 10),
    Stage(1.0, 5, 15),
    Stage(1.0, 10, 15),
    Stage(1.0, 10, 10),
    Stage(1.0, 15, 10),
    Stage(1.0, 18, 10),
    Stage(1.0, 20, 10),
    Stage(0.8, 25, 10, 5),
    Stage(0.5, 35, 10, 5, True),
    Stage(0.5, 45, 10, 20, True),
]
SUSPECT_SHARE = 0.05
FEW_SURVIVORS, EXTRA_RESTARTS = 0.1, 10


@dataclass
class State:
    """What is known of every sample, (N,) or (N, K) `order` (classes by falling logit), and of the directions."""

    points: Tensor
    loss: Tensor
    order: Tensor
    classes: int
    wrong_direction: float = 0.0
    true_direction: float = 0.0
    broken_by_starts: int = 0
    is_suspect: bool = False

    @property
    def survivors(self) -> Tensor:
        return (self.loss <= 0.0).nonzero()[:, 0]


def measure_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Largest other logit minus the label's; (B,), above 0 where the sample is wrong."""
    true = logits.gather(1, labels[:, None])[:, 0]
    return logits.scatter(1, labels[:, None], -torch.inf).amax(1) - true


def draw_directions(
    state: State, rows: Tensor, labels: Tensor, number: int, stage: Stage, is_adaptive: bool, generator: torch.Generator
) -> Tensor:
    """Weights of the logits during the diversifying steps, (B, K)."""
    count = len(rows)
    weights = 2.0 * torch.rand((count, state.classes), generator=generator) - 1.0
    if not is_adaptive:
        return weights
    scale = state.classes / 10.0
    up, down = (-0.1, 0.5), (-0.5, 0.1)
    if stage.is_late:
        low, high = (0.0, 0.0) if state.is_suspect else (-0.8, 0.1)
        sign = 1.0
    elif state.is_suspect:
        (low, high), sign = up, 1.0
    else:
        low, high = up if state.true_direction > 0 else down
        sign = 1.0 if state.wrong_direction >= 0 else -1.0
    drawn = low + (high - low) * float(torch.rand((), generator=generator))
    ranks = LATE_RANKS if stage.is_late and not state.is_suspect else RANKS
    ranks = min(ranks, state.classes - 1)
    targets = state.order[rows, 1 + number % ranks]
    place = torch.arange(count)
    weights[place, labels] = scale * drawn
    weights[place, targets] = scale * PUSH * sign
    return weights


def attack_rows(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    weights: Tensor,
    stage: Stage,
    terms: Terms,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor, Tensor]:
    """One restart on one batch.

    Returns points (B, C, H, W), the largest margin loss seen (B,), and whether a diversifying step broke it (B,).
    """
    eps, norm = terms.radius, terms.norm
    points = images + eps * (2.0 * torch.rand(images.shape, generator=generator) - 1.0)
    points = points.clamp(0.0, 1.0) if norm == "Linf" else project(points, images, eps, norm)
    steps = stage.steps + stage.diverse
    shortest = eps * (0.1 if steps <= 10 else 0.001)
    loss = images.new_full((len(images),), -torch.inf)
    by_start = torch.zeros(len(images), dtype=torch.bool)
    left = torch.arange(len(images))
    for step in range(stage.diverse + steps):
        is_diverse = step < stage.diverse
        leaf = points[left].requires_grad_()
        logits = network(leaf)
        aim = (logits * weights[left]).sum() if is_diverse else measure_margin(logits, labels[left]).sum()
        (gradient,) = torch.autograd.grad(aim, leaf)
        share = (1.0 + math.cos(math.pi * (step - stage.diverse) / (steps + 1))) / 2.0
        length = eps if is_diverse else shortest + (eps - shortest) * share
        moved = project(leaf.detach() + length * direct(gradient, norm), images[left], eps, norm)
        points[left] = moved
        with torch.no_grad():
            reached = measure_margin(network(moved), labels[left])
        loss[left] = torch.maximum(loss[left], reached)
        by_start[left] |= (reached > 0.0) & is_diverse
        left = left[reached <= 0.0]
        if not len(left):
            break
    return points, loss, by_start


def choose_hardest_to_keep(state: State, share: float) -> Tensor:
    """Rows of the survivors nearest to being broken; at least 1 % of all samples."""
    survivors = state.survivors
    count = min(max(math.ceil(LEAST_SHARE * len(state.loss)), int(len(survivors) * share)), len(survivors))
    return survivors[state.loss[survivors].argsort(descending=True, stable=True)[:count]]


def run_stage(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    terms: Terms,
    state: State,
    stage: Stage,
    place: int,
    number: int,
    generator: torch.Generator,
) -> None:
    """One restart of one stage, in batches; the state takes what it brought."""
    chosen = choose_hardest_to_keep(state, stage.share)
    for start in range(0, len(chosen), terms.batch):
        rows = chosen[start : start + terms.batch]
        truth = labels[rows]
        weights = draw_directions(state, rows, truth, number, stage, place > 1, generator)
        points, loss, by_start = attack_rows(network, images[rows], truth, weights, stage, terms, generator)
        state.loss[rows] = torch.maximum(state.loss[rows], loss)
        broken = loss > 0.0
        state.points[rows[broken]] = points[broken]
        state.broken_by_starts += int(by_start.sum())
        if place == 1 and bool(broken.any()):
            with torch.no_grad():
                reached = network(points[broken]).argmax(1)
            drawn = weights[broken]
            state.wrong_direction += float(drawn.gather(1, reached[:, None]).sum())
            state.true_direction += float(drawn.gather(1, truth[broken][:, None]).sum())


def run_a3(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms) -> Answer:
    """A3 on correctly classified samples; the order of the classes comes from one noisy forward pass."""
    generator = torch.Generator().manual_seed(terms.seed)
    noise = terms.radius * (torch.rand(images.shape, generator=generator) - 0.5).sign()
    noisy = project(images + noise, images, terms.radius, terms.norm)
    with torch.no_grad():
        parts = [network(noisy[start : start + terms.batch]) for start in range(0, len(images), terms.batch)]
    logits = torch.cat(parts)
    order = logits.scatter(1, labels[:, None], torch.inf).argsort(dim=1, descending=True)
    state = State(noisy.clone(), measure_margin(logits, labels), order, terms.classes)
    number, after_first = -2, 0
    for place in range(len(FIRST) + len(DISCARDING)):
        if place == 1:
            after_first = len(state.survivors)
        if place == len(FIRST):
            state.is_suspect = state.broken_by_starts >= SUSPECT_SHARE * after_first > 0
        later = DIVERSIFYING if state.is_suspect else DISCARDING
        stage = FIRST[place] if place < len(FIRST) else later[place - len(FIRST)]
        if len(state.survivors) < FEW_SURVIVORS * len(images):
            stage = Stage(1.0, stage.steps, stage.diverse, stage.restarts + EXTRA_RESTARTS, stage.is_late)
        for _ in range(stage.restarts):
            number += 1
            if len(state.survivors):
                run_stage(network, images, labels, terms, state, stage, place, max(number, 0), generator)
    return Answer(state.points)


CONTESTANTS = [Contestant("A3 (scaled)", VERDICT, ("Linf", "L2"), run_a3, None, 800)]
