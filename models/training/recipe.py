"""The recipe of one adversarial training run, as data that goes into the card unchanged. Never imports torch."""

from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, Literal

LossName = Literal["PGD-AT", "TRADES", "MART"]
Schedule = Literal["cosine", "drops", "cycles"]
Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True)
class TrainingAttack:
    """How far and how often training attacks: radius and step as pixel distances in [0, 1], and the number of steps."""

    eps: float
    step_size: float
    steps: int


ALWAYS_RECORDED = 12
"""Fields from here on are recorded where they differ from their default: cards that lack them keep their hash."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, apart from the seed and the network it starts from.

    `eps_text` is the Linf radius as an exact fraction of the pixel range ("8/255"). `pgd_step_share` is the attack's
    step as a share of eps. `warmup_share` is the share of all steps in which the learning rate rises from zero (cosine
    alone). `mask_share` is the share of all steps after which an iterative mask is final; 0 is one-shot, before
    training. `loss_weight` is beta of TRADES and lambda of MART. `schedule` is a row of `schedules`: "drops" divides
    the rate by 10 at each share of the run in `drops`, "cycles" repeats `cycles` cycles with two drops in each.
    `epoch_images` makes an epoch of that many images, drawn afresh each time, instead of all. `augments` crops and
    flips; `precision` is that of forward and backward passes in training, weights stay float32.
    """

    epochs: int
    learning_rate: float
    batch_size: int = 128
    momentum: float = 0.9
    weight_decay: float = 2e-4
    warmup_share: float = 0.1
    eps_text: str = "25.5/255"
    pgd_steps: int = 5
    pgd_step_share: float = 0.25
    validation_samples: int = 2000
    validation_pgd_steps: int = 10
    mask_share: float = 0.0
    loss: LossName = "PGD-AT"
    loss_weight: float = 6.0
    schedule: Schedule = "cosine"
    drops: tuple[float, ...] = ()
    cycles: int = 1
    epoch_images: int | None = None
    augments: bool = False
    precision: Precision = "float32"

    def __post_init__(self) -> None:
        """Refuse what no run can be made from; take a list of drops, as JSON has it, for a tuple."""
        object.__setattr__(self, "drops", tuple(self.drops))
        counts = (self.epochs, self.batch_size, self.pgd_steps, self.validation_samples, self.cycles)
        if min(counts) < 1 or (self.epoch_images is not None and self.epoch_images < 1):
            raise ValueError(f"epochs, batch_size, pgd_steps, images, samples, cycles must be at least 1; got {self}")
        if not (0.0 <= self.warmup_share < 1.0 and 0.0 <= self.mask_share < 1.0):
            raise ValueError(f"warmup_share and mask_share must be shares from 0 to below 1; got {self}")
        if not 0.0 < self.eps <= 1.0:
            raise ValueError(f"eps must be a pixel distance above 0 and at most 1; got {self.eps_text}")

    @property
    def eps(self) -> float:
        """The Linf radius on pixels in [0, 1]."""
        numerator, _, denominator = self.eps_text.partition("/")
        return float(numerator) / float(denominator or 1)

    @property
    def attack(self) -> TrainingAttack:
        """The attack inside training."""
        return TrainingAttack(self.eps, self.eps * self.pgd_step_share, self.pgd_steps)

    def count_epoch_images(self, available: int) -> int:
        """Give how many of `available` training images an epoch uses."""
        return available if self.epoch_images is None else min(self.epoch_images, available)

    def count_batches(self, available: int, processes: int = 1) -> int:
        """Give the batches of an epoch, each of which `processes` share.

        What is left over joins the batch before it where it would leave a process a single image: batch normalisation
        has no variance of one.
        """
        images = self.count_epoch_images(available)
        batches = -(-images // self.batch_size)
        is_joined = batches > 1 and 0 < images % self.batch_size < 2 * processes
        return batches - 1 if is_joined else batches

    def count_steps(self, available: int, processes: int = 1) -> int:
        """Give the optimiser steps of the whole run on `available` training images."""
        return self.epochs * self.count_batches(available, processes)

    def to_record(self) -> dict[str, Any]:
        """Give the fields as plain JSON values, without those of `ALWAYS_RECORDED` and later at their default."""
        values = asdict(self)
        for field in fields(self)[ALWAYS_RECORDED:]:
            assert field.default is not MISSING
            if values[field.name] == field.default:
                del values[field.name]
        return values
