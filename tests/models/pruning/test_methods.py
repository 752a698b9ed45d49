"""The table of methods and the recipes: what is refused, equal budgets, the papers' schedules."""

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from models.pruning.admm import AdmmSearch
from models.pruning.fitting import Changes, make_plan
from models.pruning.harp import RateSearch
from models.pruning.hydra import ScoreSearch
from models.pruning.lwm import MagnitudeSearch
from models.pruning.methods import BUILDERS, build_search
from models.pruning.plans import METHODS, SETTINGS, Plan, read_plan
from models.pruning.recipes import FINETUNE_RECIPE, PAPER_RECIPES, SHORT_PLANS, plan_paper
from models.zoo.build import count_passes
from models.zoo.entries import ENTRIES, ZooEntry, find_entry

SHAPE = (1, 28, 28)
BUDGET = 2_784_000


@pytest.mark.parametrize(
    ("method", "kind"),
    [("lwm", MagnitudeSearch), ("r-admm", AdmmSearch), ("hydra", ScoreSearch), ("harp", RateSearch)],
)
def test_papers_plan_builds_the_search_of_its_method(method: str, kind: type) -> None:
    plan = plan_paper(method, 0.95)
    assert type(build_search(plan, (3, 32, 32))) is kind
    assert (plan.finetuning.pgd_steps, plan.finetuning.eps_text, plan.finetuning.batch_size) == (10, "8/255", 128)
    assert plan.finetuning.eps * plan.finetuning.pgd_step_share == pytest.approx(2 / 255)


def test_papers_schedules_are_those_described() -> None:
    searches = {name: recipe for name, (recipe, _) in PAPER_RECIPES.items() if recipe is not None}
    assert {name: (recipe.epochs, recipe.learning_rate, recipe.weight_decay) for name, recipe in searches.items()} == {
        "r-admm": (200, 0.01, 1e-4),
        "hydra": (20, 0.1, 1e-4),
        "harp": (20, 0.1, 5e-4),
    }
    finetunings = {name: recipe for name, (_, recipe) in PAPER_RECIPES.items()}
    assert {name: (recipe.epochs, recipe.loss) for name, recipe in finetunings.items()} == {
        "lwm": (100, "PGD-AT"),
        "r-admm": (200, "PGD-AT"),
        "hydra": (100, "TRADES"),
        "harp": (100, "PGD-AT"),
    }
    assert finetunings["r-admm"].drops == (80 / 200, 150 / 200)


@pytest.mark.parametrize("entry", [entry for entry in ENTRIES if entry.parent], ids=lambda entry: entry.name)
def test_every_child_of_the_zoo_has_the_same_budget(entry: ZooEntry) -> None:
    passes = count_passes(entry, 60_000)
    assert 0 <= BUDGET - passes.total < 100
    assert entry.recipe.learning_rate == FINETUNE_RECIPE.learning_rate
    searched = entry.plan.searching.epochs if entry.plan and entry.plan.searching else 0
    assert entry.recipe.epochs + searched == 4


def test_passes_of_a_thin_ice_entry_hold_margins_and_dense_answers() -> None:
    entry = find_entry("cnn-thin-ice-95")
    assert entry.plan is not None and entry.plan.settings["distillation"] > 0
    passes = count_passes(entry, 60_000)
    assert passes.forward - passes.backward == 4 * (entry.recipe.epoch_images or 0)
    plain = replace(entry, plan=replace(entry.plan, settings={"clean_weight": 1.0}))
    assert count_passes(plain, 60_000).total == 240_000 + 4 * 12 * (entry.recipe.epoch_images or 0)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan("snip", 0.9, FINETUNE_RECIPE), "'snip'.*lwm, r-admm, hydra, harp, thin-ice"),
        (Plan("hydra", 0.9, FINETUNE_RECIPE, FINETUNE_RECIPE, "channel"), "hydra prunes weight, not 'channel'"),
        (Plan("harp", 0.9, FINETUNE_RECIPE, FINETUNE_RECIPE, settings={"rho": 1.0}), "no settings rho.*gamma, rounds"),
        (Plan("r-admm", 0.9, FINETUNE_RECIPE), "needs a recipe for its mask search"),
    ],
    ids=["method", "granularity", "setting", "part"],
)
def test_plan_that_cannot_be_run_is_refused_with_what_exists(plan: Plan, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_search(plan, SHAPE)


def test_paper_without_a_recipe_lists_those_with_one() -> None:
    with pytest.raises(ValueError, match="lwm, r-admm, hydra, harp"):
        plan_paper("thin-ice", 0.9)


def test_methods_have_a_title_a_granularity_a_builder_a_short_schedule_and_settings_with_bounds() -> None:
    assert all(row.title and row.summary and "weight" in row.granularities for row in METHODS.values())
    assert set(BUILDERS) == set(SHORT_PLANS) == set(METHODS)
    assert {name for row in METHODS.values() for name in row.settings} == set(SETTINGS)
    for row in METHODS.values():
        for value in ("low", "high"):
            bounds = {name: float(getattr(SETTINGS[name], value)) for name in row.settings}
            plan = make_plan(row.name, 0.5, "weight", "short", images=60_000, changes=Changes(), settings=bounds)
            assert plan.care is not None or row.name != "thin-ice"
            build_search(plan, SHAPE)


def test_plans_are_data_without_torch() -> None:
    code = "import sys, models.pruning.fitting; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("method", SHORT_PLANS)
def test_short_plan_on_the_zoos_images_is_the_zoos_and_goes_through_json(method: str) -> None:
    plan = make_plan(method, 0.95, "weight", "short", images=60_000, changes=Changes(), settings={})
    assert plan == SHORT_PLANS[method](0.95)
    assert read_plan(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize("images", [500, 20_000])
@pytest.mark.parametrize("loss", ["PGD-AT", "TRADES", "MART", None])
def test_short_plans_cost_the_same_on_any_data_under_any_loss(images: int, loss: Any) -> None:
    changes = Changes(epochs=5, pgd_steps=3, validation_samples=100, loss=loss)
    budget = 5 * (images - 100) * 8
    for method in (*SHORT_PLANS, "control"):
        own = replace(changes, loss=None) if method == "thin-ice" else changes
        plan = make_plan(method, 0.0 if method == "control" else 0.9, "weight", "short",
                         images=images, changes=own, settings={})  # fmt: skip
        assert plan.epochs == 5
        assert 0 <= budget - plan.count_passes(images).total < 5 * 14, method


def test_changes_of_a_plan_reach_every_part_and_split_the_epochs() -> None:
    changes = Changes(epochs=12, eps_text="4/255", pgd_steps=2, learning_rate=0.5, epoch_images=77)
    plan = make_plan("hydra", 0.9, "weight", "paper", images=5_000, changes=changes, settings={})
    assert plan.searching is not None
    assert (plan.searching.epochs, plan.finetuning.epochs) == (2, 10)
    assert (plan.searching.learning_rate, plan.finetuning.learning_rate) == (0.1, 0.5)
    for recipe in plan.parts:
        assert (recipe.eps_text, recipe.pgd_steps, recipe.epoch_images) == ("4/255", 2, 77)
        assert recipe.validation_samples == 500
    rounds = make_plan("r-admm", 0.9, "weight", "short", images=500, changes=Changes(), settings={"rounds": 4})
    assert rounds.searching is not None and rounds.searching.cycles == 4


@pytest.mark.parametrize(
    ("rate", "schedule", "default"), [(0.9, "short", 0.0), (0.99, "short", 0.5), (0.99, "paper", 0.0)]
)
def test_mask_share_of_lwm_goes_into_the_recipe_and_is_the_schedules_unless_asked(
    rate: float, schedule: str, default: float
) -> None:
    def plan(**settings: float) -> Plan:
        return make_plan("lwm", rate, "weight", schedule, images=500, changes=Changes(), settings=settings)

    assert plan().finetuning.mask_share == default
    assert plan(mask_share=default) == plan()
    for share in (0.0, 0.25):
        asked = plan(mask_share=share, global_ranking=1.0)
        assert (asked.finetuning.mask_share, asked.settings) == (share, {"global_ranking": 1.0})
        search = build_search(asked, SHAPE)
        assert isinstance(search, MagnitudeSearch) and (search.mask_share, search.scope) == (share, "global")


@pytest.mark.parametrize(
    ("arguments", "changes", "message"),
    [
        (("snip", 0.9, "weight", "short"), Changes(), "'snip'.*lwm, r-admm, hydra, harp, thin-ice, control"),
        (("lwm", 0.9, "weight", "long"), Changes(), "'long'; known: short, paper"),
        (("thin-ice", 0.9, "weight", "short"), Changes(loss="MART"), "own"),
        (("thin-ice", 0.9, "weight", "paper"), Changes(), "lwm, r-admm, hydra, harp"),
        (("control", 0.0, "filter", "short"), Changes(), "control prunes nothing"),
        (("harp", 0.9, "weight", "short"), Changes(epochs=1), "at least 2 epochs"),
        (
            ("lwm", 0.9, "weight", "paper"),
            Changes(validation_samples=251),
            "half of the 500 training images may pick the epoch; got 251",
        ),
    ],
)
def test_plan_that_cannot_be_made_is_refused(arguments: Any, changes: Changes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_plan(*arguments, images=500, changes=changes, settings={})
