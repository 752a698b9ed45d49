"""torchattacks: its own AutoAttack and its parts. Its defaults take 10 steps where the official code takes 100."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.contestants import MARGIN, VERDICT, Answer, Contestant, Terms, attack_in_batches
from tests.benchmarks.peers.stubs import prepare_imports

# FAB caps what it reports at its eps.
UNBOUNDED = 1e9


def run_attack(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    terms: Terms,
    *,
    name: str,
    counts_classes: bool,
    **settings: Any,
) -> Answer:
    """Any attack of the package by name, with its defaults but for `settings`."""
    prepare_imports()
    import torchattacks

    given: dict[str, Any] = {"norm": terms.norm, "eps": terms.eps, "seed": terms.seed, **settings}
    if counts_classes:
        given["n_classes"] = min(terms.classes, 10)
    attack = getattr(torchattacks, name)(network, **given)
    with torch.random.fork_rng():
        return Answer(attack_in_batches(attack, images, labels, terms.batch))


def describe(title: str, task: str, work: int, *, is_quick: bool = False, **settings: Any) -> Contestant:
    attack = partial(run_attack, **settings)
    return Contestant(title, task, ("Linf", "L2"), attack, "torchattacks", work, is_quick=is_quick, most_seeds=1)


CONTESTANTS = [
    describe(
        "torchattacks AutoAttack, its defaults", VERDICT, 4200, name="AutoAttack", counts_classes=True, is_quick=True
    ),
    describe("torchattacks APGD-CE 100", VERDICT, 300, name="APGD", counts_classes=False, steps=100),
    describe("torchattacks APGD-T 9x100", VERDICT, 2800, name="APGDT", counts_classes=True, steps=100),
    describe("torchattacks Square 5000", VERDICT, 3300, name="Square", counts_classes=False, n_queries=5000),
    describe("torchattacks FAB 100 steps", MARGIN, 4000, name="FAB", counts_classes=True, steps=100, eps=UNBOUNDED),
]
