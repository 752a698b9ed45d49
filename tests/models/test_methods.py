"""The table of methods and the recipes: what is refused, equal budgets, the papers' schedules."""

from dataclasses import replace

import pytest

from models.pruning.admm import AdmmSearch
from models.pruning.harp import RateSearch
from models.pruning.hydra import ScoreSearch
from models.pruning.lwm import MagnitudeSearch
from models.pruning.methods import BUILDERS, build_search
from models.pruning.plans import METHODS, Plan
from models.pruning.recipes import FINETUNE_RECIPE, PAPER_RECIPES, plan_paper
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
        (Plan("hydra", 0.9, FINETUNE_RECIPE, FINETUNE_RECIPE, "channel"), "hydra prunes weight; not 'channel'"),
        (Plan("harp", 0.9, FINETUNE_RECIPE, FINETUNE_RECIPE, settings={"rho": 1.0}), "no settings rho.*gamma, rounds"),
        (Plan("r-admm", 0.9, FINETUNE_RECIPE), "needs a recipe for its mask search"),
    ],
    ids=["method", "granularity", "setting", "stage"],
)
def test_plan_that_cannot_be_run_is_refused_with_what_exists(plan: Plan, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build_search(plan, SHAPE)


def test_paper_without_a_recipe_lists_those_with_one() -> None:
    with pytest.raises(ValueError, match="lwm, r-admm, hydra, harp"):
        plan_paper("thin-ice", 0.9)


def test_methods_have_a_title_and_a_granularity() -> None:
    assert all(row.title and "weight" in row.granularities for row in METHODS.values())
