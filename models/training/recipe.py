"""The recipe of one adversarial training run, as data that goes into the card unchanged."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run, apart from the seed and the network it starts from.

    `eps_text` is the Linf radius as an exact fraction of the pixel range ("8/255"). `pgd_step_share` is the attack's
    step as a share of eps. `warmup_share` is the share of all steps in which the learning rate rises from zero.
    `mask_share` is the share of all steps after which an iterative mask is final; 0 is one-shot, before training.
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

    def __post_init__(self) -> None:
        """Refuse what no run can be made from."""
        if self.epochs < 1 or self.batch_size < 1 or self.pgd_steps < 1 or self.validation_samples < 1:
            raise ValueError(f"epochs, batch_size, pgd_steps and validation_samples are at least 1: {self}")
        if not (0.0 <= self.warmup_share < 1.0 and 0.0 <= self.mask_share < 1.0):
            raise ValueError(f"warmup_share and mask_share are shares from 0 to below 1: {self}")
        if not 0.0 < self.eps <= 1.0:
            raise ValueError(f"eps is a pixel distance above 0 and up to 1, not {self.eps_text}")

    @property
    def eps(self) -> float:
        """The Linf radius on pixels in [0, 1]."""
        numerator, _, denominator = self.eps_text.partition("/")
        return float(numerator) / float(denominator or 1)

    def to_record(self) -> dict[str, int | float | str]:
        """Give the fields as plain JSON values."""
        return asdict(self)
