"""The cost of training in passes of one image through the network: what methods of equal budget have in common."""

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
