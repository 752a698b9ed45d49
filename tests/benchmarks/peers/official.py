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
    """FAB-T for margins: nine targets, `steps` each, as in version standard, but unbounded."""
    from pyautoattack.fab_pt import FABAttack_PT

    fab = FABAttack_PT(
        network,
        norm=terms.norm,
        n_restarts=1,
        n_iter=steps,
        eps=UNBOUNDED,
        seed=terms.seed,
        targeted=True,
        n_target_classes=min(9, terms.classes - 1),
        device=torch.device("cpu"),
    )
    with torch.random.fork_rng():
        return Answer(attack_in_batches(fab.perturb, images, labels, terms.batch))


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
