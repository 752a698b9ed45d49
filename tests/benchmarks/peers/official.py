"""The official AutoAttack code, from the package pyautoattack, which the product ships for citing."""

import logging
from functools import partial

import torch
from torch import Tensor, nn

from tests.benchmarks.contestants import MARGIN, VERDICT, Answer, Contestant, Terms, attack_in_batches

silent = logging.Logger("silent")
silent.addHandler(logging.NullHandler())
# FAB caps what it reports at its eps; this one is wider than any perturbation inside the box.
UNBOUNDED = 1e9


def run_standard(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms) -> Answer:
    """Version standard as its own loop runs it: APGD-CE, APGD-T, FAB-T, Square, each on what the last left."""
    from pyautoattack import AutoAttack

    official = AutoAttack(
        network, norm=terms.norm, eps=terms.radius, seed=terms.seed, device=torch.device("cpu"), version="standard"
    )
    official.logger = silent
    official.apgd.logger = official.apgd_targeted.logger = silent
    targets = min(9, terms.classes - 1)
    official.apgd_targeted.n_target_classes = official.fab.n_target_classes = targets
    with torch.random.fork_rng():
        points, _ = official.run_standard_evaluation(images.clone(), labels.clone(), batch_size=terms.batch)
    return Answer(points.detach())


def run_fab_targeted(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms, *, steps: int) -> Answer:
    """FAB-T for margins: its nine targeted runs of `steps` each, and the nearest of their examples.

    The official loop over targets is for a verdict: it leaves a sample once any example within eps is found.
    """
    from pyautoattack.fab_pt import FABAttack_PT

    targets = min(9, terms.classes - 1)
    fab = FABAttack_PT(
        network,
        norm=terms.norm,
        n_restarts=1,
        n_iter=steps,
        eps=UNBOUNDED,
        seed=terms.seed,
        targeted=True,
        n_target_classes=targets,
        device=torch.device("cpu"),
    )
    order = torch.inf if terms.norm == "Linf" else 2.0

    def perturb(batch: Tensor, classes: Tensor) -> Tensor:
        nearest, distance = batch.clone(), torch.full((len(batch),), torch.inf)
        for rank in range(2, targets + 2):
            fab.target_class = rank
            points = fab.attack_single_run(batch, classes, use_rand_start=False, is_targeted=True).detach()
            with torch.no_grad():
                is_wrong = network(points).argmax(1) != classes
            length = (points - batch).flatten(1).norm(p=order, dim=1)
            is_nearer = is_wrong & (length < distance)
            nearest[is_nearer], distance[is_nearer] = points[is_nearer], length[is_nearer]
        return nearest

    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(terms.seed)
        return Answer(attack_in_batches(perturb, images, labels, terms.batch))


STANDARD = "AutoAttack standard (pyautoattack)"
CONTESTANTS = [
    Contestant(STANDARD, VERDICT, ("Linf", "L2"), run_standard, "pyautoattack", 6500, most_seeds=2),
    Contestant(
        "FAB-T 9x100 (pyautoattack)",
        MARGIN,
        ("Linf", "L2"),
        partial(run_fab_targeted, steps=100),
        "pyautoattack",
        3700,
        is_random=False,
    ),
]
