"""Recipes and learning rates."""

import json
import math
from typing import Any

import pytest

from models.training.recipe import Recipe
from models.training.schedules import cosine_factor


@pytest.mark.parametrize(("text", "eps"), [("25.5/255", 0.1), ("8/255", 8 / 255), ("0.03", 0.03)])
def test_recipe_eps_is_the_pixel_distance_of_its_text(text: str, eps: float) -> None:
    assert Recipe(epochs=1, learning_rate=0.1, eps_text=text).eps == eps


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"batch_size": 0},
        {"pgd_steps": 0},
        {"validation_samples": 0},
        {"warmup_share": 1.0},
        {"mask_share": -0.1},
        {"eps_text": "8"},
        {"eps_text": "0/255"},
    ],
    ids=str,
)
def test_recipe_with_impossible_field_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Recipe(**{"epochs": 1, "learning_rate": 0.1, **wrong})


@pytest.mark.parametrize(
    ("images", "processes", "batches"),
    [(20, 1, 5), (21, 1, 5), (22, 1, 6), (23, 2, 5), (24, 2, 6), (20, 2, 5), (1, 1, 1), (3, 2, 1), (0, 1, 0)],
)
def test_recipe_counts_no_batch_that_leaves_a_process_one_image(images: int, processes: int, batches: int) -> None:
    recipe = Recipe(epochs=3, learning_rate=0.1, batch_size=4)
    assert recipe.count_batches(images, processes) == batches
    assert recipe.count_steps(images, processes) == 3 * batches


def test_recipe_of_single_images_keeps_a_batch_for_each() -> None:
    assert Recipe(epochs=1, learning_rate=0.1, batch_size=1).count_batches(7) == 7


def test_recipe_record_survives_json() -> None:
    recipe = Recipe(epochs=3, learning_rate=0.1, mask_share=0.5)
    assert Recipe(**json.loads(json.dumps(recipe.to_record()))) == recipe


def test_cosine_factor_rises_then_falls_along_half_a_cosine() -> None:
    factors = [cosine_factor(step, 10, warmup_share=0.2) for step in range(10)]
    assert factors[:3] == pytest.approx([1 / 3, 2 / 3, 1.0])
    assert factors[6] == pytest.approx(0.5)
    assert factors[9] == pytest.approx(0.5 * (1 + math.cos(math.pi * 7 / 8)))
    assert factors[9] > 0


def test_cosine_factor_without_warmup_starts_at_one() -> None:
    assert cosine_factor(0, 10) == 1.0


@pytest.mark.parametrize("step", [-1, 10])
def test_cosine_factor_outside_the_run_is_refused(step: int) -> None:
    with pytest.raises(ValueError, match=r"within 0\.\.9"):
        cosine_factor(step, 10)
