"""The training loop: seeds repeat, masks hold, the best validation epoch is kept, progress is told."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from models.pruning.magnitude import find_layerwise_masks
from models.pruning.masks import Masks, find_prunable_weights
from models.training.pgd import check_robust
from models.training.recipe import Recipe
from models.training.training import VALIDATION_ATTACK_SEED, Progress, split_validation, train

RECIPE = Recipe(epochs=3, learning_rate=0.2, batch_size=32, eps_text="0.05", pgd_steps=2, validation_samples=60)


def make_stripes(samples: int = 300) -> tuple[Tensor, Tensor]:
    """Draw noisy images whose bright row says the class."""
    generator = torch.Generator().manual_seed(7)
    labels = torch.randint(4, (samples,), generator=generator)
    images = 0.3 * torch.rand(samples, 1, 4, 4, generator=generator)
    images[torch.arange(samples), 0, labels] += 0.5
    return images, labels


def build_network() -> nn.Module:
    """Build a small network with batch normalisation from a fixed seed."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(96, 4))


def train_once(recipe: Recipe = RECIPE, seed: int = 0) -> dict[str, Tensor]:
    """Train a fresh network and give its weights."""
    network = build_network()
    train(network, *make_stripes(), recipe, seed=seed)
    return network.state_dict()


def test_training_learns_a_separable_task_robustly() -> None:
    network = build_network()
    report = train(network, *make_stripes(), replace(RECIPE, epochs=6), seed=0)
    assert report.validation_robust_accuracy > 0.95
    assert report.validation_samples == 60
    assert report.train_seconds > 0
    assert not network.training


def test_training_with_the_same_seed_repeats_bit_for_bit_and_with_another_differs() -> None:
    first, again, other = train_once(), train_once(), train_once(seed=1)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["4.weight"], other["4.weight"])


def test_training_keeps_the_epoch_with_the_best_validation_accuracy() -> None:
    seen: list[float] = []

    def record(progress: Progress) -> None:
        if progress.validation_robust_accuracy is not None:
            seen.append(progress.validation_robust_accuracy)

    def wipe_in_the_last_epoch(network: nn.Module, step: int, steps: int) -> Masks | None:
        return find_layerwise_masks(find_prunable_weights(network), 1.0) if step == steps - 1 else None

    network, (images, labels) = build_network(), make_stripes()
    report = train(network, images, labels, RECIPE, seed=0, plan_masks=wipe_in_the_last_epoch, on_progress=record)
    assert len(seen) == 3
    assert seen[2] < max(seen)
    assert report.epoch == 2 - seen[1::-1].index(max(seen))
    assert report.validation_robust_accuracy == max(seen)
    *_, held_images, held_labels = split_validation(images, labels, 60)
    robust = check_robust(network, held_images, held_labels, eps=0.05, steps=10, seed=VALIDATION_ATTACK_SEED)
    assert float(robust.double().mean()) == report.validation_robust_accuracy


def test_validation_split_is_disjoint_complete_and_the_same_each_time() -> None:
    images, labels = torch.arange(100.0).reshape(100, 1, 1, 1), torch.arange(100)
    used_images, used_labels, held_images, held_labels = split_validation(images, labels, 30)
    assert (len(used_labels), len(held_labels)) == (70, 30)
    assert sorted([*used_labels.tolist(), *held_labels.tolist()]) == list(range(100))
    assert torch.equal(used_images.flatten().long(), used_labels)
    assert torch.equal(held_images.flatten().long(), held_labels)
    assert torch.equal(split_validation(images, labels, 30)[3], held_labels)


def test_validation_split_that_takes_every_image_is_refused() -> None:
    with pytest.raises(ValueError, match="leave none of 60"):
        train(build_network(), *make_stripes(60), RECIPE, seed=0)


def test_training_with_masks_keeps_pruned_weights_zero_and_moves_the_others() -> None:
    network = build_network()
    start = {name: weight.detach().clone() for name, weight in find_prunable_weights(network).items()}
    masks = find_layerwise_masks(start, 0.5)
    train(
        network,
        *make_stripes(),
        RECIPE,
        seed=0,
        plan_masks=lambda _network, step, _steps: masks if step == 0 else None,
    )
    for name, weight in find_prunable_weights(network).items():
        assert weight[~masks[name]].count_nonzero() == 0
        assert (weight[masks[name]] != start[name][masks[name]]).all()


def test_training_with_iterative_masks_counts_no_epoch_before_the_final_mask() -> None:
    recipe = replace(RECIPE, epochs=4, mask_share=0.5)
    asked: list[int] = []

    def empty_at_the_final_step(network: nn.Module, step: int, steps: int) -> Masks | None:
        asked.append(step)
        # With every weight gone no epoch after the mask can beat those before it, yet one of them has to win.
        if step == int(0.5 * steps):
            return find_layerwise_masks(find_prunable_weights(network), 1.0)
        return None

    network = build_network()
    report = train(network, *make_stripes(), recipe, seed=0, plan_masks=empty_at_the_final_step)
    assert asked == list(range(4 * 8))
    assert report.epoch > 2
    assert all(weight.count_nonzero() == 0 for weight in find_prunable_weights(network).values())


def test_training_tells_progress_with_time_left() -> None:
    told: list[Progress] = []
    train(build_network(), *make_stripes(), replace(RECIPE, batch_size=4, epochs=1), seed=0, on_progress=told.append)
    assert [(progress.step, progress.steps) for progress in told] == [(50, 60), (60, 60)]
    assert told[0].validation_robust_accuracy is None
    assert told[0].seconds_left == pytest.approx(told[0].elapsed_seconds / 5)
    assert told[1].seconds_left == 0
    assert 0 < told[1].loss < 10
