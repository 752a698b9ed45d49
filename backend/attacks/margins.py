"""Preset `margin`: an untargeted run, runs towards the nearest classes, from elsewhere, a search and a bisection.

The first gradient of every run is the one its class was ranked by, so on ten classes an image costs 4 gradients for
the ranking, 29 for the untargeted run, 29 for each target (two in Linf, three in L2), 29 more where the segment is
used (L2, or Linf where nothing was found), and in Linf 29 for each of two patterns and a restart; one forward pass ends
each run, a pattern run takes 16 more, the search 201 and a bisection ten.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from backend.attacks.batches import Batches
from backend.attacks.catalogue import ATTACKS, SEARCH, Preset
from backend.attacks.classifier import Classifier
from backend.attacks.inputs import Task
from backend.attacks.minimum_norm import (
    Best,
    bisect,
    differentiate_gap,
    free_of_box,
    minimise,
    start_best,
)
from backend.attacks.norms import TINY, Norm, expand
from backend.attacks.restarts import follow_pattern, restart
from backend.attacks.search import search
from backend.attacks.starts import Pool, draw_noise, find_nearest
from backend.attacks.verify import Candidate

RANKED_EXTRA = 1
LINF_TARGETS = 2  # the third target found least of all attacks there; patterns take its place


@dataclass(frozen=True)
class Ranking:
    """Classes by estimated distance of their boundary: (B, T) classes and gaps, (B, T, C, H, W) gradients."""

    classes: Tensor
    gaps: Tensor
    gradients: Tensor

    def pick(self, rank: int) -> tuple[Tensor, Tensor, Tensor]:
        """Class, gap and gradient of one rank, per sample."""
        return self.classes[:, rank], self.gaps[:, rank], self.gradients[:, rank]

    def select(self, rows: Tensor) -> "Ranking":
        """The ranking of some of the samples."""
        return Ranking(self.classes[rows], self.gaps[rows], self.gradients[rows])


def rank_targets(classifier: Classifier, norm: Norm, images: Tensor, labels: Tensor, targets: int) -> Ranking:
    """Order the classes with the largest other logits by gap over dual norm of its gradient, at the clean image.

    The rule of MALT (Melamed et al. 2024, NeurIPS), with the norm's own dual in place of L1. Cost: one forward pass
    and one gradient per class looked at, one class more than the targets kept.
    """
    logits = classifier.classify(images)
    others = logits.scatter(1, labels[:, None], -torch.inf)
    looked_at = min(targets + RANKED_EXTRA, logits.shape[1] - 1)
    classes = others.topk(looked_at, dim=1).indices
    gaps, gradients, estimates = [], [], []
    for column in range(looked_at):
        _, gap, gradient = differentiate_gap(classifier, images, labels, classes[:, column])
        gaps.append(gap)
        gradients.append(gradient)
        estimates.append(gap / norm.measure_dual(free_of_box(gradient, images)).clamp_min(TINY))
    order = torch.stack(estimates, 1).argsort(dim=1, stable=True)[:, :targets]
    rows = torch.arange(len(images), device=images.device)[:, None]
    return Ranking(
        classes.gather(1, order), torch.stack(gaps, 1).gather(1, order), torch.stack(gradients, 1)[rows, order]
    )


def start_from_segment(
    classifier: Classifier, norm: Norm, images: Tensor, labels: Tensor, pool: Pool, ranking: Ranking
) -> Best:
    """Bisect the segment to the nearest image of another class, then descend from where it crosses the boundary."""
    parameters = ATTACKS["segment"].parameters
    others, exists = find_nearest(pool, images, labels)
    crossing = Best(others, torch.where(exists, norm.distance(images, others), torch.inf))
    crossing = bisect(classifier, norm, images, labels, crossing, parameters["passes"])
    _, gap, gradient = ranking.pick(0)
    walked = minimise(
        classifier,
        norm,
        images,
        labels,
        gap=gap,
        gradient=gradient,
        steps=parameters["steps"],
        start=torch.where(expand(exists, images), crossing.images, images),
    )
    return crossing.improve(walked.images, walked.distance, walked.distance.isfinite())


def run_segment(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    pool: Pool,
    ranking: Ranking,
    results: dict[str, Best],
) -> tuple[Best, Tensor]:
    """The segment start where it pays: everywhere in L2, in Linf on the samples where nothing was found so far.

    Chosen sample by sample, so that one that is hard to break changes nothing for its neighbours in the batch.

    Returns:
        The best over the whole batch, and bool (B,) which samples were tried.
    """
    if norm.name == "L2":
        tried = torch.ones(len(images), dtype=torch.bool, device=images.device)
    else:
        tried = ~nearest_of(results, images).distance.isfinite()
    best = start_best(images.clone())
    rows = tried.nonzero()[:, 0]
    if len(rows):
        reached = start_from_segment(classifier, norm, images[rows], labels[rows], pool, ranking.select(rows))
        best.images[rows], best.distance[rows] = reached.images, reached.distance
    return best, tried


def attack_batch(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    pool: Pool,
    preset: Preset,
    seed: int,
    classes: int,
) -> tuple[dict[str, Best], dict[str, Tensor]]:
    """Every attack of the preset on one batch, on the network's device; the best of all is bisected at the end.

    Returns:
        By name of the attack: its nearest broken images, and bool (B,) which samples it ran on; attacks that need
        more classes than there are, or that do not pay in this norm, do not appear.
    """
    ranking = rank_targets(classifier, norm, images, labels, preset.parameters["targets"])
    results: dict[str, Best] = {}
    tried: dict[str, Tensor] = {}
    for name in preset.attacks:
        parameters = ATTACKS[name].parameters
        if name == "segment":
            results[name], tried[name] = run_segment(classifier, norm, images, labels, pool, ranking, results)
        elif name == SEARCH or name.startswith(("fmn-restart", "fmn-pattern")):
            if norm.name == "Linf":
                best = nearest_of(results, images)
                results[name] = leave_the_best(
                    classifier, norm, images, labels, best, name=name, seed=seed, classes=classes, ranking=ranking
                )
        elif name == "fmn-untargeted":
            _, gap, gradient = ranking.pick(0)
            results[name] = minimise(
                classifier, norm, images, labels, gap=gap, gradient=gradient, steps=parameters["steps"]
            )
        elif parameters["target_rank"] <= min(
            ranking.classes.shape[1], LINF_TARGETS if norm.name == "Linf" else len(preset.attacks)
        ):
            target, gap, gradient = ranking.pick(parameters["target_rank"] - 1)
            noise = draw_noise(images.cpu(), seed, name).to(images.device)
            noise = noise / expand(norm.measure(noise), noise)
            results[name] = minimise(
                classifier,
                norm,
                images,
                labels,
                gap=gap,
                gradient=gradient,
                steps=parameters["steps"],
                targets=target,
                noise=parameters["noise"] * noise,
            )
        if name in results and name not in tried:
            tried[name] = torch.ones(len(images), dtype=torch.bool, device=images.device)
    return polish(classifier, norm, images, labels, results, preset.parameters["passes"]), tried


def leave_the_best(
    classifier: Classifier,
    norm: Norm,
    images: Tensor,
    labels: Tensor,
    best: Best,
    *,
    name: str,
    seed: int,
    classes: int,
    ranking: Ranking,
) -> Best:
    """The attacks that start within the radius of the best known example: patterns, a restart, the search."""
    parameters = ATTACKS[name].parameters
    if name == SEARCH:
        return search(
            classifier,
            norm,
            images,
            labels,
            best,
            name=name,
            seed=seed,
            queries=parameters["queries"],
            first_share=parameters["p_init"],
        )
    _, gap, gradient = ranking.pick(0)
    given: dict[str, Any] = {"name": name, "seed": seed, "gap": gap, "gradient": gradient, "parameters": parameters}
    if name.startswith("fmn-pattern"):
        return follow_pattern(classifier, norm, images, labels, best, **given)
    return restart(classifier, norm, images, labels, best, classes=classes, **given)


def nearest_of(results: dict[str, Best], images: Tensor) -> Best:
    """The nearest broken image over several attacks."""
    nearest = start_best(images)
    for best in results.values():
        nearest = nearest.improve(best.images, best.distance, best.distance.isfinite())
    return nearest


def polish(
    classifier: Classifier, norm: Norm, images: Tensor, labels: Tensor, results: dict[str, Best], passes: int
) -> dict[str, Best]:
    """Bisect the nearest broken image and give the result to the attack that had found it."""
    nearest = nearest_of(results, images)
    polished = bisect(classifier, norm, images, labels, nearest, passes)
    return {
        name: best.improve(polished.images, polished.distance, best.distance == nearest.distance)
        for name, best in results.items()
    }


def attack_margins(
    classifier: Classifier, task: Task, images: Tensor, labels: Tensor, *, pool: Pool, classes: int, batches: Batches
) -> list[Candidate]:
    """Run the preset on samples classified as `labels`; images and candidates (B, C, H, W) are on the CPU."""
    preset = task.preset
    collected = {name: start_best(images.clone()) for name in preset.attacks}
    tried = {name: torch.zeros(len(images), dtype=torch.bool) for name in preset.attacks}

    def attack(part: slice) -> tuple[dict[str, Best], dict[str, Tensor]]:
        batch = images[part].to(classifier.device), labels[part].to(classifier.device)
        return attack_batch(classifier, task.norm, *batch, pool, preset, task.seed, classes)

    for part, (results, was_tried) in batches.run(len(images), attack):
        classifier.done += part.stop - part.start
        for name, best in results.items():
            collected[name].images[part] = best.images.cpu()
            collected[name].distance[part] = best.distance.cpu()
            tried[name][part] = was_tried[name].cpu()
    return [
        Candidate(name, preset.distance_kind, best.images, best.distance.isfinite(), tried[name])
        for name, best in collected.items()
    ]
