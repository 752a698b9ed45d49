"""Pruning runs as data: the table of methods, and a plan: everything that decides one run. Never imports torch.

So the web process lists, checks and counts what a worker will run; `methods` builds it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from models.training.passes import LOSS_PASSES, MARGIN_PASSES, Passes
from models.training.recipe import Recipe

Granularity = Literal["weight", "filter", "channel"]

LWM = "lwm"
R_ADMM = "r-admm"
HYDRA = "hydra"
HARP = "harp"
THIN_ICE = "thin-ice"
CONTROL = "control"
"""Finetuning as long without pruning: no method, but a plan may name it."""
SEED = "seed"
"""What an upload declares that is a dense network of another training seed; no plan names it."""

BASELINE = LWM
"""The method of the smallest assumptions: forms start with it, and a control trains as long."""

LEARNED_RATES = "learned_rates"
MEASURED_MARGINS = "measured_margins"
MASK_SHARE = "mask_share"
"""The setting that `fitting` moves into the recipe of the finetuning; no plan keeps it."""


@dataclass(frozen=True)
class Care:
    """How much of each form of the thin-ice loss: factors of at least 0, `distillation` 0..1; `width` is a pixel
    distance above 0."""

    clean_weight: float = 0.0
    robust_weight: float = 0.0
    width: float = 0.02
    keeping: float = 0.0
    distillation: float = 0.0
    wrong_share: float = 1.0
    clean_distillation: float = 0.0

    def __post_init__(self) -> None:
        """Refuse factors that make no loss."""
        factors = (self.clean_weight, self.robust_weight, self.keeping, self.wrong_share, self.clean_distillation)
        if min(factors) < 0.0 or self.width <= 0.0 or not 0.0 <= self.distillation <= 1.0:
            raise ValueError(f"factors must be at least 0, distillation 0..1 and width above 0; got {self}")

    @property
    def asks_dense(self) -> bool:
        """Does the loss need the dense network's logits for each adversarial?"""
        return self.distillation > 0.0 or self.keeping > 0.0

    @property
    def passes(self) -> Passes:
        """What an image costs beyond PGD-AT: the dense network's logits, and the clean image in the update."""
        is_clean = self.clean_distillation > 0.0
        return Passes(int(self.asks_dense) + 2 * int(is_clean), int(is_clean))


@dataclass(frozen=True)
class Setting:
    """A number of a method's own: its bounds, both included, what it does, and whether it must be a whole number."""

    low: float
    high: float
    meaning: str
    is_whole: bool = False


SETTINGS: dict[str, Setting] = {
    "global_ranking": Setting(0, 1, "1 ranks the weights of all layers together, 0 layer by layer", True),
    MASK_SHARE: Setting(
        0,
        0.99,
        "share of the training over which the sparsity rises step by step, 0 removes all at once; default: 0, or 0.5 "
        "in the short schedule from 99 % on",
    ),
    "rho": Setting(1e-6, 100, "how hard ADMM pulls towards the pruned weights"),
    "growth": Setting(1, 10, "factor by which rho grows after each round"),
    "rounds": Setting(1, 1000, "projections of ADMM, or steps in which HARP's rates move to the target", True),
    "gamma": Setting(1e-6, 100, "how fast HARP's penalty for too many weights grows"),
    "clean_weight": Setting(0, 100, "extra weight of samples near the dense boundary"),
    "robust_weight": Setting(0, 100, "extra weight of samples with a dense margin near eps"),
    "width": Setting(1e-6, 1, "distance that counts as near, in pixel values"),
    "keeping": Setting(0, 100, "weight of the hinge that keeps each dense logit gap"),
    "distillation": Setting(0, 1, "share of the loss that follows the dense network's outputs"),
    "wrong_share": Setting(0, 1, "share of the distillation that stays where the dense network is wrong"),
    "clean_distillation": Setting(0, 100, "weight of following the dense network's outputs on clean images"),
    LEARNED_RATES: Setting(0, 1, "1 learns a rate for each layer, as HARP does", True),
    MEASURED_MARGINS: Setting(
        0, 1, "1 takes the dense margins from an evaluation of all training images, 0 estimates them in two steps", True
    ),
}


@dataclass(frozen=True)
class Plan:
    """How to prune: `rate` 0..1 of what `granularity` names goes away, weights by default.

    `searching` is the recipe of the mask search, None for a method that finds its masks while it finetunes.
    `settings` are numbers of the method's own, by the names of its row in `METHODS`.
    """

    method: str
    rate: float
    finetuning: Recipe
    searching: Recipe | None = None
    granularity: Granularity = "weight"
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[Recipe, ...]:
        """The recipes in the order in which they run."""
        return (self.finetuning,) if self.searching is None else (self.searching, self.finetuning)

    @property
    def epochs(self) -> int:
        """Epochs of all parts."""
        return sum(recipe.epochs for recipe in self.parts)

    @property
    def care(self) -> Care | None:
        """The care that a thin-ice plan takes of its samples; None for the other methods."""
        if self.method != THIN_ICE:
            return None
        return Care(**{name: value for name, value in self.settings.items() if name in CARE_SETTINGS})

    @property
    def takes_measured_margins(self) -> bool:
        """Do the dense margins come from an evaluation, which is paid for apart?"""
        return bool(self.settings.get(MEASURED_MARGINS))

    @property
    def margin_passes(self) -> Passes:
        """What the estimate of one dense margin costs; nothing where there is none."""
        return Passes(0, 0) if self.care is None or self.takes_measured_margins else MARGIN_PASSES

    @property
    def structure(self) -> dict[str, Any] | None:
        """What is removed, as cards say it; None where nothing is."""
        return None if self.method == CONTROL else {"kind": self.granularity, "rate": self.rate}

    def count_steps(self, images: int) -> int:
        """Give the optimiser steps of all parts on `images` training images, validation part included."""
        return sum(recipe.count_steps(images - recipe.validation_samples) for recipe in self.parts)

    def count_image_passes(self, recipe: Recipe) -> Passes:
        """Give the passes of one image through one training step of a part."""
        extra = Passes(0, 0) if self.care is None else self.care.passes
        return LOSS_PASSES[recipe.loss](recipe.pgd_steps) + extra

    def count_passes(self, images: int) -> Passes:
        """Count the passes of training, validation aside, with `images` training images."""
        total = self.margin_passes * images
        for recipe in self.parts:
            used = recipe.epochs * recipe.count_epoch_images(images - recipe.validation_samples)
            total += self.count_image_passes(recipe) * used
        return total

    def describe(self) -> dict[str, Any]:
        """Give the recipe of the whole run as cards hold it, plain JSON values."""
        training = self.finetuning
        run = {"training": training.loss, "optimizer": "SGD", "schedule": training.schedule, **training.to_record()}
        return {**run, **self.to_record()}

    def to_record(self) -> dict[str, Any]:
        """Give what the finetuning's recipe does not say, as plain JSON values; empty for LWM, which has no search."""
        record: dict[str, Any] = {}
        if self.searching is not None:
            record["search"] = {"training": self.searching.loss, **self.searching.to_record()}
        if self.settings:
            record["settings"] = dict(self.settings)
        return record

    def to_json(self) -> dict[str, Any]:
        """Give every field as plain JSON values, for `read_plan`."""
        return {**asdict(self), "settings": dict(self.settings)}


def read_plan(values: Mapping[str, Any]) -> Plan:
    """Give the plan that `Plan.to_json` wrote."""
    recipes = {name: Recipe(**values[name]) if values[name] else None for name in ("finetuning", "searching")}
    return Plan(**{**values, **recipes})


@dataclass(frozen=True)
class Method:
    """One row: what the method can prune, the names of its settings, whether it has a search.

    `has_own_loss` says that the loss is the method itself, so that no other can be chosen. `is_uniform`: every layer
    loses the same share of its weights. `counts_multiplications`: its rate of channels is a share of multiplications,
    which leaves more channels than a method that takes the rate in every layer.
    """

    name: str
    title: str
    summary: str
    granularities: tuple[Granularity, ...]
    settings: tuple[str, ...]
    searches: bool
    has_own_loss: bool = False
    is_uniform: bool = False
    counts_multiplications: bool = False


CARE_SETTINGS = tuple(field.name for field in fields(Care))
"""The fields of `Care`."""

ROWS = (
    Method(
        LWM,
        "Lowest weight magnitude",
        "Zero the smallest weights, then finetune the rest: the baseline.",
        ("weight", "filter", "channel"),
        ("global_ranking", MASK_SHARE),
        False,
        is_uniform=True,
    ),
    Method(
        R_ADMM,
        "R-ADMM",
        "Pull the weights towards their pruned selves while training, then cut and finetune.",
        ("weight",),
        ("rho", "growth", "rounds"),
        True,
        is_uniform=True,
    ),
    Method(
        HYDRA,
        "HYDRA",
        "Learn a score for each weight by adversarial training, keep the best scores, finetune.",
        ("weight",),
        (),
        True,
        is_uniform=True,
    ),
    Method(
        HARP,
        "HARP",
        "HYDRA's scores, with a learned rate for each layer.",
        ("weight", "channel"),
        ("gamma", "rounds"),
        True,
        counts_multiplications=True,
    ),
    Method(
        THIN_ICE,
        "Thin-ice-aware",
        "HARP's search and finetuning with a loss that favours samples near the dense boundary. In our runs it did not "
        "lose measurably fewer samples than HARP at 95 %, and lost more at 90 %.",
        ("weight",),
        (*CARE_SETTINGS, LEARNED_RATES, MEASURED_MARGINS),
        False,
        has_own_loss=True,
    ),
)

METHODS: dict[str, Method] = {row.name: row for row in ROWS}
"""Every method by name; forms, commands, cards and figures read it."""


def check_plan(plan: Plan) -> Method:
    """Give the row of the plan's method, if the method can run the plan.

    Raises:
        ValueError: an unknown method, or a granularity, setting or part that the method does not have; the message
            lists what exists.
    """
    if plan.method not in METHODS:
        raise ValueError(f"there is no pruning method {plan.method!r}; known: {', '.join(METHODS)}")
    method = METHODS[plan.method]
    if plan.granularity not in method.granularities:
        raise ValueError(f"{method.name} prunes {', '.join(method.granularities)}, not {plan.granularity!r}")
    if unknown := sorted(set(plan.settings) - set(method.settings)):
        known = ", ".join(method.settings) or "none"
        raise ValueError(f"{method.name} has no settings {', '.join(unknown)}; it has: {known}")
    if plan.settings.get("global_ranking") and plan.granularity != "weight":
        raise ValueError(
            f"global_ranking ranks single weights over all layers; {plan.granularity}s are ranked by layer"
        )
    if method.searches and plan.searching is None:
        raise ValueError(f"{method.name} needs a recipe for its mask search")
    return method
