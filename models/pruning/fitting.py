"""A schedule made to fit a data set, a budget and a user's own numbers. Never imports torch."""

from dataclasses import dataclass, fields, replace
from typing import Any

from models.pruning.plans import BASELINE, CONTROL, MASK_SHARE, Granularity, Plan, check_plan
from models.pruning.recipes import FINETUNE_RECIPE, PAPER_RECIPES, SHORT_PLANS, plan_paper
from models.training.passes import LOSS_PASSES
from models.training.recipe import LossName, Precision, Recipe

SCHEDULES = ("short", "paper")
VALIDATION_SHARE = 10
"""A tenth of the images at most validates, unless more is asked for."""
MOST_VALIDATION = 0.5


@dataclass(frozen=True)
class Changes:
    """What replaces a schedule's own numbers; None keeps them. `learning_rate` is that of the finetuning alone."""

    loss: LossName | None = None
    epochs: int | None = None
    eps_text: str | None = None
    pgd_steps: int | None = None
    learning_rate: float | None = None
    epoch_images: int | None = None
    validation_samples: int | None = None
    augments: bool | None = None
    precision: Precision | None = None

    def for_every_part(self) -> dict[str, Any]:
        """Give what changes in the recipe of each part alike."""
        names = [field.name for field in fields(self) if field.name not in ("epochs", "learning_rate")]
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}


def make_plan(
    method: str,
    rate: float,
    granularity: Granularity,
    schedule: str,
    *,
    images: int,
    changes: Changes,
    settings: dict[str, float],
) -> Plan:
    """Give the plan that a worker runs.

    The short schedule costs the same passes whatever the method and its loss: as many images an epoch are drawn as
    the budget of PGD-AT on all of them pays. With 60,000 images it is that of the zoo.

    Args:
        method: a row of `plans.METHODS`, or `CONTROL`: finetuned as long, nothing pruned.
        rate: share of what `granularity` names that goes away, 0..1.
        schedule: "short" or "paper".
        images: training images, the validation part included.
        changes: numbers that replace the schedule's.
        settings: numbers of the method's own that replace the schedule's.

    Raises:
        ValueError: no such method or schedule, or what the method does not have; the message lists what exists. Or
            numbers from which no run can be made.
    """
    if schedule not in SCHEDULES:
        raise ValueError(f"there is no schedule {schedule!r}; known: {', '.join(SCHEDULES)}")
    plan = _find_schedule(method, rate, schedule)
    plan = replace(plan, granularity=granularity, settings={**plan.settings, **settings})
    if method == CONTROL:
        if granularity != "weight" or settings:
            raise ValueError("a control prunes nothing: it has no granularity and no settings")
    elif check_plan(plan).has_own_loss and changes.loss is not None:
        raise ValueError(f"{method} has its own loss; no other can be chosen")
    if plan.searching is not None and plan.searching.schedule == "cycles":
        plan = replace(plan, searching=replace(plan.searching, cycles=int(plan.settings["rounds"])))
    plan = _change(_move_mask_share(plan), images, changes)
    held = plan.finetuning.validation_samples
    if held > images * MOST_VALIDATION:
        raise ValueError(f"at most half of the {images:,} training images may pick the epoch; got {held:,}")
    is_equalised = schedule == "short" and changes.epoch_images is None
    return equalise(plan, images) if is_equalised else plan


def equalise(plan: Plan, images: int) -> Plan:
    """Let each epoch draw as many images as PGD-AT on all of them would pay for; None where that is all."""
    available = images - plan.finetuning.validation_samples
    budget = plan.epochs * available * LOSS_PASSES["PGD-AT"](plan.finetuning.pgd_steps).total
    budget -= plan.margin_passes.total * images
    paid = max(1, budget // (plan.epochs * plan.count_image_passes(plan.finetuning).total))
    return _replace_parts(plan, epoch_images=None if paid >= available else paid)


def _find_schedule(method: str, rate: float, schedule: str) -> Plan:
    """Give a schedule as it is written down."""
    if method == CONTROL:
        _, paper = PAPER_RECIPES[BASELINE]
        return Plan(CONTROL, 0.0, FINETUNE_RECIPE if schedule == "short" else paper)
    if schedule == "paper":
        return plan_paper(method, rate)
    if method not in SHORT_PLANS:
        raise ValueError(f"there is no pruning method {method!r}; known: {', '.join((*SHORT_PLANS, CONTROL))}")
    return SHORT_PLANS[method](rate)


def _move_mask_share(plan: Plan) -> Plan:
    """Take the setting into the recipe, which is where masks are timed; without it the schedule's own stays."""
    settings = dict(plan.settings)
    share = settings.pop(MASK_SHARE, plan.finetuning.mask_share)
    return replace(plan, finetuning=replace(plan.finetuning, mask_share=share), settings=settings)


def _change(plan: Plan, images: int, changes: Changes) -> Plan:
    """Replace numbers of the recipes; epochs are split between the parts as the schedule splits its own."""
    every = changes.for_every_part()
    if changes.validation_samples is None:
        every["validation_samples"] = max(1, min(plan.finetuning.validation_samples, images // VALIDATION_SHARE))
    finetuning, searching = plan.finetuning, plan.searching
    if changes.epochs is not None and searching is not None:
        if changes.epochs < 2:
            raise ValueError(f"{plan.method} searches before it finetunes, so it needs at least 2 epochs")
        searched = round(changes.epochs * searching.epochs / plan.epochs)
        searched = min(max(1, searched), changes.epochs - 1)
        searching = replace(searching, epochs=searched)
        finetuning = replace(finetuning, epochs=changes.epochs - searched)
    elif changes.epochs is not None:
        finetuning = replace(finetuning, epochs=changes.epochs)
    if changes.learning_rate is not None:
        finetuning = replace(finetuning, learning_rate=changes.learning_rate)
    return _replace_parts(replace(plan, finetuning=finetuning, searching=searching), **every)


def _replace_parts(plan: Plan, **values: Any) -> Plan:
    """Replace fields in the recipe of each part."""

    def change(recipe: Recipe) -> Recipe:
        return replace(recipe, **values)

    searching = None if plan.searching is None else change(plan.searching)
    return replace(plan, finetuning=change(plan.finetuning), searching=searching)
