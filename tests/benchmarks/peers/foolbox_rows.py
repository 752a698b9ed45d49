"""foolbox: FMN, DDN and the Brendel-Bethge attack; PGD for a verdict."""

from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.contestants import MARGIN, VERDICT, Answer, Contestant, Terms, attack_in_batches
from tests.benchmarks.peers.stubs import prepare_imports


def run_margin(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    terms: Terms,
    *,
    names: dict[str, str],
    needs_starts: bool = False,
    **settings: Any,
) -> Answer:
    """A minimum-norm attack; `names` gives the class per norm.

    `needs_starts`: whether it begins at an image of another class. Its own search for one, in uniform noise, ends the
    whole call when it finds none for one sample.
    """
    prepare_imports()
    import foolbox

    model = foolbox.PyTorchModel(network.eval(), bounds=(0, 1))
    attack = getattr(foolbox.attacks, names[terms.norm])(**settings)

    candidates = torch.cat([images, torch.stack([torch.full_like(images[0], level) for level in (0.0, 0.5, 1.0)])])
    with torch.no_grad():
        parts = candidates.split(terms.batch) if needs_starts else ()
        predicted = torch.cat([network(part).argmax(1) for part in parts]) if parts else None

    def perturb(batch: Tensor, classes: Tensor) -> Tensor:
        starts = {} if predicted is None else {"starting_points": choose_starts(candidates, predicted, batch, classes)}
        points: Tensor = attack.run(model, batch, foolbox.criteria.Misclassification(classes), **starts)
        return points

    with torch.random.fork_rng():
        torch.manual_seed(terms.seed)
        return Answer(attack_in_batches(perturb, images, labels, terms.batch))


def choose_starts(candidates: Tensor, predicted: Tensor, images: Tensor, labels: Tensor) -> Tensor:
    """The nearest candidate (L2) that the network takes for another class, for each image (B, C, H, W)."""
    gaps = torch.cdist(images.flatten(1), candidates.flatten(1))
    gaps[labels[:, None] == predicted[None]] = torch.inf
    if not bool(gaps.amin(1).isfinite().all()):
        raise ValueError("no image of another class to start from")
    return candidates[gaps.argmin(1)]


def run_pgd(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms, *, steps: int) -> Answer:
    """PGD on the cross-entropy, random start, foolbox's relative step."""
    prepare_imports()
    import foolbox

    model = foolbox.PyTorchModel(network, bounds=(0, 1))
    name = {"Linf": "LinfPGD", "L2": "L2PGD"}[terms.norm]
    attack = getattr(foolbox.attacks, name)(steps=steps)

    def perturb(batch: Tensor, classes: Tensor) -> Tensor:
        criterion = foolbox.criteria.Misclassification(classes)
        points: Tensor = attack.run(model, batch, criterion, epsilon=terms.radius)
        return points

    with torch.random.fork_rng():
        torch.manual_seed(terms.seed)
        return Answer(attack_in_batches(perturb, images, labels, terms.batch))


FMN = {"Linf": "LInfFMNAttack", "L2": "L2FMNAttack"}
DDN = {"L2": "DDNAttack"}
BRENDEL_BETHGE = {"Linf": "LinfinityBrendelBethgeAttack", "L2": "L2BrendelBethgeAttack"}


def describe(title: str, names: dict[str, str], steps: int, *, is_quick: bool, **options: Any) -> Contestant:
    attack = partial(run_margin, names=names, steps=steps, **options)
    return Contestant(
        f"foolbox {title} {steps}",
        MARGIN,
        tuple(names),
        attack,
        "foolbox",
        3 * steps,
        is_random=False,
        is_quick=is_quick,
    )


CONTESTANTS = [
    Contestant("foolbox PGD 100", VERDICT, ("Linf", "L2"), partial(run_pgd, steps=100), "foolbox", 300, is_quick=False),
    describe("FMN", FMN, 100, is_quick=False),
    describe("FMN", FMN, 300, is_quick=True),
    describe("DDN", DDN, 100, is_quick=False),
    describe("DDN", DDN, 300, is_quick=False),
    *(
        replace(
            describe("BB", BRENDEL_BETHGE, steps, is_quick=False, needs_starts=True),
            package="numba",
            compiles=True,
            is_random=True,
        )
        for steps in (100, 300)
    ),
]
