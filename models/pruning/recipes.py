"""The schedules of the papers, for GPUs, and short ones of equal cost, for one core.

The papers' recipes are for CIFAR images: their batch, learning rates, weight decay, epochs and attack. Two things
differ: the attack runs in `eval()` mode (see `models.training.pgd`), and a validation split picks the epoch where the
released code lets the test set do it.

The short recipes cost 2,784,000 passes (forward and backward) of single Fashion-MNIST images in all, whatever the
method: 4 epochs of 58,000 images with PGD-5. A loss that needs more passes per image gets fewer images. Learning rates
of the finetuning are the same for all.
"""

from collections.abc import Callable
from dataclasses import replace

from models.pruning.plans import CARE_SETTINGS, HARP, HYDRA, LWM, R_ADMM, THIN_ICE, Care, Granularity, Plan
from models.training.passes import LOSS_PASSES
from models.training.recipe import Recipe

_CIFAR = Recipe(
    epochs=100,
    learning_rate=0.01,
    weight_decay=1e-4,
    warmup_share=0.0,
    eps_text="8/255",
    pgd_steps=10,
    validation_samples=1000,
    augments=True,
)
_TRADES = replace(_CIFAR, loss="TRADES", loss_weight=6.0)
_HARP = replace(_CIFAR, weight_decay=5e-4)

PAPER_RECIPES: dict[str, tuple[Recipe | None, Recipe]] = {
    LWM: (None, _CIFAR),
    R_ADMM: (
        replace(_CIFAR, epochs=200, schedule="cycles", cycles=10),
        replace(_CIFAR, epochs=200, schedule="drops", drops=(0.4, 0.75)),
    ),
    HYDRA: (replace(_TRADES, epochs=20, learning_rate=0.1), _TRADES),
    HARP: (replace(_HARP, epochs=20, learning_rate=0.1), _HARP),
}
"""Method -> recipes of the mask search and of the finetuning."""

PAPER_SETTINGS: dict[str, dict[str, float]] = {
    R_ADMM: {"rho": 0.001, "growth": 1.3, "rounds": 10},
    HARP: {"gamma": 0.01, "rounds": 20},
}

FINETUNE_RECIPE = Recipe(epochs=4, learning_rate=0.03)
"""The whole budget of a short run: LWM and the control spend all of it on finetuning."""

TRADES_IMAGES = 46_400
"""TRADES costs 15 passes an image where PGD-AT costs 12."""

SHORT_BUDGET = 2_784_000
"""Passes of a short run, forward and backward."""

SHORT_EPOCHS = 4

PGD_AT_PASSES = LOSS_PASSES["PGD-AT"](FINETUNE_RECIPE.pgd_steps).total
"""Passes of one image through one step of PGD-AT with PGD-5."""

TRAINING_IMAGES = 60_000

# The penalty pulls by rho * rate * steps. 906 steps at 0.03 take the place of 78,200 at 0.01.
SHORT_RHO = 0.03

SEARCH_RATE = 0.1
"""Learning rate of scores and rates, the papers'."""

RAMPED_FROM = 0.99
"""One-shot removal of so much leaves a few hundred weights that training can no longer lift."""

THIN_ICE_SETTINGS = {
    "learned_rates": 1.0,
    "clean_weight": 1.0,
    "robust_weight": 1.0,
    "width": 0.03,
    "distillation": 0.5,
    "wrong_share": 0.25,
}


def plan_paper(method: str, rate: float, granularity: Granularity = "weight") -> Plan:
    """Give the plan of a paper at `rate`.

    Raises:
        ValueError: a method without a paper's recipe; the message lists those with one.
    """
    if method not in PAPER_RECIPES:
        raise ValueError(f"there is no paper's recipe for {method!r}; known: {', '.join(PAPER_RECIPES)}")
    searching, finetuning = PAPER_RECIPES[method]
    return Plan(method, rate, finetuning, searching, granularity, PAPER_SETTINGS.get(method, {}))


def plan_short_lwm(rate: float, granularity: Granularity = "weight") -> Plan:
    """Give LWM in the short budget."""
    return Plan(LWM, rate, replace(FINETUNE_RECIPE, mask_share=_find_mask_share(rate)), None, granularity)


def plan_short_admm(rate: float) -> Plan:
    """Give R-ADMM in the short budget: half of it search, as in the paper."""
    half = replace(FINETUNE_RECIPE, epochs=2)
    searching = replace(half, schedule="cycles", cycles=10, warmup_share=0.0)
    return Plan(R_ADMM, rate, half, searching, "weight", {"rho": SHORT_RHO, "growth": 1.3, "rounds": 10})


def plan_short_hydra(rate: float) -> Plan:
    """Give HYDRA in the short budget: a quarter of it search, a sixth in the paper."""
    trades = replace(FINETUNE_RECIPE, epochs=3, loss="TRADES", epoch_images=TRADES_IMAGES)
    return Plan(HYDRA, rate, trades, replace(trades, epochs=1, learning_rate=SEARCH_RATE))


def plan_short_harp(rate: float, granularity: Granularity = "weight") -> Plan:
    """Give HARP in the short budget: a quarter of it search, a sixth in the paper."""
    searching = replace(FINETUNE_RECIPE, epochs=1, learning_rate=SEARCH_RATE)
    settings = {"gamma": 0.01, "rounds": 20}
    return Plan(HARP, rate, replace(FINETUNE_RECIPE, epochs=3), searching, granularity, settings)


def plan_short_thin_ice(rate: float, **care: float) -> Plan:
    """Give thin-ice-aware pruning in the short budget: HARP's search and finetuning under another loss.

    `care` replaces settings of the loss.
    """
    settings = {**THIN_ICE_SETTINGS, **care}
    factors = Care(**{name: value for name, value in settings.items() if name in CARE_SETTINGS})
    per_image = PGD_AT_PASSES + factors.passes.total
    margins = Plan(THIN_ICE, rate, FINETUNE_RECIPE, settings=settings).margin_passes.total * TRAINING_IMAGES
    finetuning = replace(
        FINETUNE_RECIPE, epochs=SHORT_EPOCHS - 1, epoch_images=(SHORT_BUDGET - margins) // (SHORT_EPOCHS * per_image)
    )
    searching = replace(finetuning, epochs=1, learning_rate=SEARCH_RATE)
    return Plan(THIN_ICE, rate, finetuning, searching, "weight", settings)


SHORT_PLANS: dict[str, Callable[[float], Plan]] = {
    LWM: plan_short_lwm,
    R_ADMM: plan_short_admm,
    HYDRA: plan_short_hydra,
    HARP: plan_short_harp,
    THIN_ICE: plan_short_thin_ice,
}
"""Method -> its plan in the short budget, by rate."""


def _find_mask_share(rate: float) -> float:
    """Ramp the masks over half the run where removing all at once would leave too little."""
    return 0.5 if rate >= RAMPED_FROM else 0.0
