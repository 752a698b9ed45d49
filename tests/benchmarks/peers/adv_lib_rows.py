"""adversarial-library (adv-lib): FMN, DDN, ALMA, PDGD, PDPGD, FAB and APGD with bisection; APGD-T for a verdict."""

import math
from functools import partial
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.contestants import MARGIN, VERDICT, Answer, Contestant, Terms, attack_in_batches
from tests.benchmarks.peers.stubs import prepare_imports

ORDERS = {"Linf": math.inf, "L2": 2.0}
# FMN's first step in Linf, 1.0 by default: the best of 0.1, 0.3, 1, 3, 10 and 30 on 40 training images.
TUNED_STEP = 30.0
# The widest radius that the bisection starts from; half of the box, and all margins met here are far below.
WIDEST = {"Linf": 0.5, "L2": 8.0}


def run_attack(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    terms: Terms,
    *,
    place: str,
    takes_norm: bool = True,
    needs_eps: bool = False,
    widest: bool = False,
    **settings: Any,
) -> Answer:
    """Any attack of the library: `place` is its module and function; `settings` are its own arguments."""
    prepare_imports()
    module, name = place.rsplit(".", 1)
    function = getattr(import_module(f"adv_lib.attacks.{module}"), name)
    given = dict(settings)
    if takes_norm:
        given["norm"] = ORDERS[terms.norm]
    if needs_eps:
        given["eps"] = terms.radius
    if widest:
        given["max_eps"] = WIDEST[terms.norm]

    def perturb(batch: Tensor, classes: Tensor) -> Tensor:
        points: Tensor = function(model=network, inputs=batch, labels=classes, **given)
        return points

    with torch.random.fork_rng():
        torch.manual_seed(terms.seed)
        return Answer(attack_in_batches(perturb, images, labels, terms.batch))


def describe(
    title: str, norms: tuple[str, ...], work: int, *, is_random: bool = False, is_quick: bool = True, **settings: Any
) -> Contestant:
    attack = partial(run_attack, **settings)
    return Contestant(
        f"adv-lib {title}",
        MARGIN,
        norms,
        attack,
        "adv_lib",
        work,
        is_random=is_random,
        is_quick=is_quick,
        most_seeds=1,
    )


BOTH, L2, LINF = ("Linf", "L2"), ("L2",), ("Linf",)
FMN, DDN, ALMA = "fast_minimum_norm.fmn", "decoupled_direction_norm.ddn", "augmented_lagrangian.alma"
PDGD, PDPGD = "primal_dual_gradient_descent.pdgd", "primal_dual_gradient_descent.pdpgd"
FAB = "fast_adaptive_boundary.fast_adaptive_boundary.fab"
BISECTED, APGD_T = "auto_pgd.minimal_apgd", "auto_pgd.apgd_targeted"

CONTESTANTS = [
    Contestant(
        "adv-lib APGD-T 9x100",
        VERDICT,
        BOTH,
        partial(run_attack, place=APGD_T, needs_eps=True, num_targets=9),
        "adv_lib",
        2800,
        is_quick=False,
        most_seeds=1,
    ),
    *(describe(f"FMN {steps}", BOTH, 3 * steps, place=FMN, steps=steps) for steps in (100, 300)),
    *(
        describe(
            f"FMN, step {TUNED_STEP:.0f}, {steps}", ("Linf",), 3 * steps, place=FMN, steps=steps, α_init=TUNED_STEP
        )
        for steps in (100, 300)
    ),
    *(
        describe(f"DDN {steps}", L2, 3 * steps, place=DDN, takes_norm=False, steps=steps, is_quick=steps > 100)
        for steps in (100, 300)
    ),
    *(
        describe(
            f"ALMA {steps}",
            L2,
            3 * steps,
            place=ALMA,
            takes_norm=False,
            distance="l2",
            init_lr_distance=1.0,
            num_steps=steps,
            is_quick=steps > 100,
        )
        for steps in (100, 300)
    ),
    *(
        describe(f"PDGD {steps}", L2, 3 * steps, place=PDGD, takes_norm=False, num_steps=steps, is_quick=steps > 100)
        for steps in (100, 300)
    ),
    *(
        describe(f"PDPGD {steps}", BOTH, 3 * steps, place=PDPGD, num_steps=steps, is_quick=False)
        for steps in (100, 300)
    ),
    describe("FAB 100 steps", BOTH, 2000, place=FAB, n_iter=100, is_quick=False),
    describe(
        "APGD 10x30, bisected",
        BOTH,
        960,
        place=BISECTED,
        widest=True,
        binary_search_steps=10,
        n_iter=30,
        is_random=True,
    ),
]
