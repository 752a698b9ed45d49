"""The zoo as data: which checkpoints are shipped and how each one is made."""

from dataclasses import dataclass, replace
from typing import Any, Literal

from models.pruning.plans import BASELINE, CONTROL, Plan
from models.pruning.recipes import (
    FINETUNE_RECIPE,
    plan_short_admm,
    plan_short_harp,
    plan_short_hydra,
    plan_short_lwm,
    plan_short_thin_ice,
)
from models.training.recipe import Recipe

Role = Literal["dense", "pruned"]

CLASSES = 10
CHANNELS = 1
IMAGE_SHAPE = (CHANNELS, 28, 28)
DATASET = "fashion-mnist-test"

DENSE_RECIPE = Recipe(epochs=10, learning_rate=0.1)


@dataclass(frozen=True)
class ZooEntry:
    """One checkpoint to make.

    Without a parent the network starts from fresh weights drawn with `seed`, otherwise from the parent's weights. A
    pruned entry has a `plan`, whose finetuning is its `recipe`. A control has a parent and the recipe of its pruned
    siblings, so that what differs from them is the pruning alone.
    """

    name: str
    role: Role
    recipe: Recipe
    seed: int = 0
    parent: str | None = None
    method: str | None = None
    plan: Plan | None = None
    architecture: str = "small-cnn"

    @property
    def run(self) -> Plan:
        """The plan with the entry's recipe; of an entry that prunes nothing, one of its recipe alone."""
        return replace(self.plan, finetuning=self.recipe) if self.plan else Plan(CONTROL, 0.0, self.recipe)

    @property
    def structure(self) -> dict[str, Any] | None:
        """What is removed, as cards say it; None where nothing is."""
        return self.run.structure


def prune_dense(name: str, plan: Plan, seed: int = 0) -> ZooEntry:
    """Give the entry that prunes `cnn-dense` by `plan`."""
    return ZooEntry(name, "pruned", plan.finetuning, seed, "cnn-dense", plan.method, plan)


ENTRIES: tuple[ZooEntry, ...] = (
    ZooEntry("cnn-dense", "dense", DENSE_RECIPE, seed=0),
    ZooEntry("cnn-dense-seed1", "dense", DENSE_RECIPE, seed=1),
    *(prune_dense(f"cnn-{BASELINE}-{percent}", plan_short_lwm(percent / 100)) for percent in (80, 90, 95, 99)),
    ZooEntry(f"cnn-{CONTROL}", "dense", FINETUNE_RECIPE, 0, "cnn-dense", CONTROL),
    *(
        prune_dense(f"cnn-{plan.method}-{percent}", plan)
        for percent in (95, 90, 99)
        for plan in (
            plan_short_admm(percent / 100),
            plan_short_hydra(percent / 100),
            plan_short_harp(percent / 100),
            plan_short_thin_ice(percent / 100),
        )
    ),
    *(
        prune_dense(f"cnn-{plan.method}-{plan.granularity}-{percent}", plan)
        for percent in (50, 75)
        for plan in (
            plan_short_lwm(percent / 100, "filter"),
            plan_short_lwm(percent / 100, "channel"),
            plan_short_harp(percent / 100, "channel"),
        )
    ),
)


def find_entry(name: str) -> ZooEntry:
    """Give the entry called `name`.

    Raises:
        ValueError: no such entry; the message lists what exists.
    """
    for entry in ENTRIES:
        if entry.name == name:
            return entry
    raise ValueError(f"there is no zoo entry {name!r}; known: {', '.join(entry.name for entry in ENTRIES)}")
