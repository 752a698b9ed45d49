"""MALT, written from Melamed, Yehudai and Shamir 2024 (NeurIPS, arXiv 2407.02240).

Targets are ranked by the logit gap over the L1 norm of its gradient at the clean image (the linear estimate of the
distance in Linf; its dual in L2), out of the 100 classes with the largest logits; the nine nearest are attacked in that
order by APGD on the targeted DLR loss, 100 steps each. A broken sample leaves before the next target.
"""

import torch
from torch import Tensor, nn

from tests.benchmarks.contestants import VERDICT, Answer, Contestant, Terms
from tests.benchmarks.peers.apgd import ascend, measure_targeted_dlr

CANDIDATES, TARGETS, STEPS = 100, 9, 100
TINY = 1e-12


def rank_targets(network: nn.Module, images: Tensor, labels: Tensor, norm: str) -> Tensor:
    """Classes (B, T) by estimated distance; one gradient per candidate, all through one forward pass."""
    leaf = images.detach().requires_grad_()
    logits = network(leaf)
    others = logits.detach().scatter(1, labels[:, None], -torch.inf)
    candidates = others.topk(min(CANDIDATES, logits.shape[1] - 1), dim=1).indices
    true = logits.gather(1, labels[:, None])[:, 0]
    estimates = []
    for column in range(candidates.shape[1]):
        gap = true - logits.gather(1, candidates[:, column : column + 1])[:, 0]
        (gradient,) = torch.autograd.grad(gap.sum(), leaf, retain_graph=True)
        dual = gradient.flatten(1).norm(p=1 if norm == "Linf" else 2, dim=1)
        estimates.append(gap.detach() / dual.clamp_min(TINY))
    order = torch.stack(estimates, 1).argsort(dim=1, stable=True)
    return candidates.gather(1, order[:, :TARGETS])


def attack_batch(
    network: nn.Module, images: Tensor, labels: Tensor, terms: Terms, generator: torch.Generator
) -> Tensor:
    """One batch of correctly classified samples."""
    ranked = rank_targets(network, images, labels, terms.norm)
    reached, left = images.clone(), torch.arange(len(images))
    for rank in range(ranked.shape[1]):
        if not len(left):
            break
        truth, targets = labels[left], ranked[left, rank]
        points, found = ascend(
            network,
            images[left],
            truth,
            lambda logits, truth=truth, targets=targets: measure_targeted_dlr(logits, truth, targets),
            norm=terms.norm,
            eps=terms.radius,
            steps=STEPS,
            generator=generator,
        )
        reached[left] = points
        left = left[~found]
    return reached


def run_malt(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms) -> Answer:
    generator = torch.Generator().manual_seed(terms.seed)
    parts = [slice(start, start + terms.batch) for start in range(0, len(images), terms.batch)]
    return Answer(torch.cat([attack_batch(network, images[part], labels[part], terms, generator) for part in parts]))


CONTESTANTS = [Contestant("MALT", VERDICT, ("Linf", "L2"), run_malt, None, 1900)]
