"""secml-torch: its own FMN (margins) and PGD (a verdict)."""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from tests.benchmarks.contestants import MARGIN, VERDICT, Answer, Contestant, Terms, attack_in_batches
from tests.benchmarks.peers.stubs import prepare_imports

MODELS = {"Linf": "linf", "L2": "l2"}
PGD_STEP = 0.1


def run_attack(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    terms: Terms,
    *,
    name: str,
    steps: int,
    step: float,
    at_radius: bool = False,
) -> Answer:
    """Its native implementation; `step` is in pixels, or with `at_radius` a share of eps."""
    prepare_imports()
    from secmlt.adv.backends import Backends
    from secmlt.adv.evasion.fmn import FMN
    from secmlt.adv.evasion.pgd import PGD
    from secmlt.models.pytorch.base_pytorch_nn import BasePyTorchClassifier
    from torch.utils.data import DataLoader, TensorDataset

    given: dict[str, Any] = {"num_steps": steps, "step_size": step, "backend": Backends.NATIVE}
    if at_radius:
        given |= {"epsilon": terms.radius, "step_size": step * terms.radius, "random_start": True}

    def run(images: Tensor, labels: Tensor) -> Tensor:
        """An attack of its own for each batch: it keeps tensors of the first, which a smaller last one does not fit."""
        attack = {"FMN": FMN, "PGD": PGD}[name](MODELS[terms.norm], **given)
        loader = DataLoader(TensorDataset(images, labels), batch_size=terms.batch)
        (batch,) = attack(BasePyTorchClassifier(network), loader)
        points: Tensor = batch[0]
        return points

    with torch.random.fork_rng():
        torch.manual_seed(terms.seed)
        return Answer(attack_in_batches(run, images, labels, terms.batch))


def describe(steps: int) -> Contestant:
    attack = partial(run_attack, name="FMN", steps=steps, step=1.0)
    return Contestant(
        f"secml-torch FMN {steps}",
        MARGIN,
        ("Linf", "L2"),
        attack,
        "secmlt",
        3 * steps,
        is_random=False,
        is_quick=steps > 100,
    )


CONTESTANTS = [
    Contestant(
        "secml-torch PGD 100",
        VERDICT,
        ("Linf", "L2"),
        partial(run_attack, name="PGD", steps=100, step=PGD_STEP, at_radius=True),
        "secmlt",
        300,
    ),
    describe(100),
    describe(300),
]
