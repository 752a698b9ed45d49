"""The zoo as data: which checkpoints are shipped and how each one is made."""

from dataclasses import dataclass, replace
from typing import Literal

from models.training.recipe import Recipe

Role = Literal["dense", "pruned"]
Method = Literal["lwm", "control"]

CLASSES = 10
CHANNELS = 1
DATASET = "fashion-mnist-test"

DENSE_RECIPE = Recipe(epochs=10, learning_rate=0.1)
FINETUNE_RECIPE = Recipe(epochs=4, learning_rate=0.03)


@dataclass(frozen=True)
class ZooEntry:
    """One checkpoint to make.

    Without a parent the network starts from fresh weights drawn with `seed`, otherwise from the parent's weights.
    `sparsity` is the share of every prunable layer that layerwise LWM removes; a control has a parent, the same
    recipe as its pruned siblings and sparsity 0, so that what differs from them is the pruning alone.
    """

    name: str
    role: Role
    recipe: Recipe
    seed: int = 0
    parent: str | None = None
    method: Method | None = None
    sparsity: float = 0.0
    architecture: str = "small-cnn"

    @property
    def structure(self) -> dict[str, str | float] | None:
        """What is removed, as cards say it; None where nothing is."""
        return {"kind": "weight", "rate": self.sparsity} if self.role == "pruned" else None


def _prune_by_lwm(percent: int, recipe: Recipe = FINETUNE_RECIPE) -> ZooEntry:
    """Give the entry that removes `percent` of every layer of `cnn-dense`."""
    return ZooEntry(f"cnn-lwm-{percent}", "pruned", recipe, 0, "cnn-dense", "lwm", percent / 100)


ENTRIES: tuple[ZooEntry, ...] = (
    ZooEntry("cnn-dense", "dense", DENSE_RECIPE, seed=0),
    ZooEntry("cnn-dense-seed1", "dense", DENSE_RECIPE, seed=1),
    _prune_by_lwm(80),
    _prune_by_lwm(90),
    _prune_by_lwm(95),
    # One-shot removal of 99 % leaves a few hundred weights that training can no longer lift: ramp up over half the run.
    _prune_by_lwm(99, replace(FINETUNE_RECIPE, mask_share=0.5)),
    ZooEntry("cnn-control", "dense", FINETUNE_RECIPE, 0, "cnn-dense", "control"),
)


def find_entry(name: str) -> ZooEntry:
    """Give the entry called `name`.

    Raises:
        ValueError: no such entry; the message lists what exists.
    """
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise ValueError(f"no zoo entry is called {name!r}; there are: {', '.join(entry.name for entry in ENTRIES)}")
