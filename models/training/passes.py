"""The cost of training in passes of one image through the network: what methods of equal budget have in common.

Never imports torch.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Passes:
    """Forward and backward passes of single images."""

    forward: int
    backward: int

    @property
    def total(self) -> int:
        """Forward and backward passes together."""
        return self.forward + self.backward

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(self.forward + other.forward, self.backward + other.backward)

    def __mul__(self, images: int) -> "Passes":
        return Passes(self.forward * images, self.backward * images)

    def to_record(self) -> dict[str, int]:
        """Give plain JSON values."""
        return {"forward": self.forward, "backward": self.backward, "total": self.total}


LOSS_PASSES: dict[str, Callable[[int], Passes]] = {
    "PGD-AT": lambda steps: Passes(steps + 1, steps + 1),
    "TRADES": lambda steps: Passes(1 + steps + 2, steps + 2),
    "MART": lambda steps: Passes(steps + 2, steps + 2),
}
"""Loss -> the passes of one image through one training step, by the steps of its attack.

PGD-AT: the attack and the update. TRADES: the clean reference, the attack, and the two images of the update. MART: the
attack and the two images of the update.
"""

MARGIN_PASSES = Passes(2, 2)
"""What the estimate of one image's margin costs (`margins.estimate_margins`)."""
