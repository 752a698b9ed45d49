"""The training loop: seeds repeat, masks hold, the best validation epoch is kept, progress is told."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from models.pruning.magnitude import find_layerwise_masks
from models.training import training
from models.training.margins import estimate_margins
from models.training.mask_search import HeldMasks, MaskSearch
from models.training.masks import Masks, apply_masks, find_prunable_weights
from models.training.pgd import check_robust
from models.training.progress import Progress
from models.training.recipe import Recipe
from models.training.training import VALIDATION_ATTACK_SEED, find_rate_factor, split_rows, train
from tests.models.small_networks import SeenRows, draw_stripes

RECIPE = Recipe(epochs=3, learning_rate=0.2, batch_size=32, eps_text="0.05", pgd_steps=2, validation_samples=60)


def build_network() -> nn.Module:
    """Build a small network with batch normalisation from a fixed seed."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(96, 4))


class WipedAt(MaskSearch):
    """A search that removes every weight at a share of the run and is settled only then."""

    def __init__(self, share: float) -> None:
        self.share, self.masks, self.asked = share, Masks(), list[int]()

    @property
    def is_settled(self) -> bool:
        return self.share == 1.0 or bool(self.masks)

    def before_step(self, step: int, steps: int) -> None:
        self.asked.append(step)
        if step == min(int(self.share * steps), steps - 1) and self.share <= 1.0:
            self.masks = find_layerwise_masks(find_prunable_weights(self.network), 1.0)

    def after_step(self) -> None:
        apply_masks(self.network, self.masks)


def train_once(recipe: Recipe = RECIPE, seed: int = 0) -> dict[str, Tensor]:
    """Train a fresh network and give its weights."""
    network = build_network()
    train(network, *draw_stripes(), recipe, seed=seed)
    return network.state_dict()


def test_training_learns_a_separable_task_robustly() -> None:
    network = build_network()
    report = train(network, *draw_stripes(), replace(RECIPE, epochs=6), seed=0)
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

    network, (images, labels) = build_network(), draw_stripes()
    report = train(network, images, labels, RECIPE, seed=0, search=WipedAt(1.0), on_progress=record)
    assert len(seen) == 3
    assert seen[2] < max(seen)
    assert report.epoch == 2 - seen[1::-1].index(max(seen))
    assert report.validation_robust_accuracy == max(seen)
    held = split_rows(len(images), 60)[1]
    robust = check_robust(network, images[held], labels[held], eps=0.05, steps=10, seed=VALIDATION_ATTACK_SEED)
    assert float(robust.double().mean()) == report.validation_robust_accuracy


def test_caller_can_end_a_training_in_the_middle_of_a_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "SECONDS_BETWEEN_REPORTS", 0.0)
    steps = 5  # of an epoch of 140 images; each is reported but the last, at which the validation begins

    def stop(progress: Progress) -> None:
        if progress.step == steps and progress.validation_robust_accuracy is None:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train(build_network(), *draw_stripes(200), RECIPE, seed=0, on_progress=stop)


@pytest.mark.parametrize("measure", ["claim", "margins"])
def test_long_measurements_call_after_each_batch_and_end_with_what_that_raises(measure: str) -> None:
    network, (images, labels) = build_network(), draw_stripes(100)
    calls: list[None] = []

    def run(on_batch: Callable[[], None]) -> None:
        if measure == "claim":
            check_robust(network, images, labels, eps=0.05, steps=1, seed=0, batch_size=30, on_batch=on_batch)
        else:
            estimate_margins(network, images, labels, reach=0.1, batch_size=30, on_batch=on_batch)

    def stop() -> None:
        raise InterruptedError

    run(lambda: calls.append(None))
    assert len(calls) == 4
    with pytest.raises(InterruptedError):
        run(stop)


def test_validation_split_is_disjoint_complete_and_the_same_each_time() -> None:
    used, held = split_rows(100, 30)
    assert (len(used), len(held)) == (70, 30)
    assert sorted([*used.tolist(), *held.tolist()]) == list(range(100))
    assert torch.equal(split_rows(100, 30)[1], held)


def test_validation_split_that_takes_every_image_is_refused() -> None:
    with pytest.raises(ValueError, match="leave none of the 60"):
        train(build_network(), *draw_stripes(60), RECIPE, seed=0)


def test_training_with_masks_keeps_pruned_weights_zero_and_moves_the_others() -> None:
    network = build_network()
    start = {name: weight.detach().clone() for name, weight in find_prunable_weights(network).items()}
    masks = find_layerwise_masks(start, 0.5)
    train(network, *draw_stripes(), RECIPE, seed=0, search=HeldMasks(masks))
    for name, weight in find_prunable_weights(network).items():
        assert weight[~masks[name]].count_nonzero() == 0
        assert (weight[masks[name]] != start[name][masks[name]]).all()


def test_training_with_a_search_that_settles_late_counts_no_epoch_before() -> None:
    # With every weight gone no epoch after the wiping can beat those before it, yet one of them has to win.
    network, search = build_network(), WipedAt(0.5)
    report = train(network, *draw_stripes(), replace(RECIPE, epochs=4), seed=0, search=search)
    assert search.asked == list(range(4 * 8))
    assert report.epoch > 2
    assert all(weight.count_nonzero() == 0 for weight in find_prunable_weights(network).values())


def test_training_with_a_search_that_never_settles_keeps_the_last_epoch() -> None:
    report = train(build_network(), *draw_stripes(), RECIPE, seed=0, search=WipedAt(2.0))
    assert report.epoch == 3


def test_training_epoch_of_fewer_images_takes_a_fresh_part_each_time() -> None:
    asked, seen = WipedAt(2.0), SeenRows()
    train(build_network(), *draw_stripes(), replace(RECIPE, epoch_images=40), seed=0, search=asked, loss=seen)
    assert asked.asked == list(range(3 * 2))
    assert [len(rows) for rows in seen.rows] == [32, 8] * 3
    epochs = [{*seen.rows[start].tolist(), *seen.rows[start + 1].tolist()} for start in (0, 2, 4)]
    assert all(len(rows) == 40 for rows in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert not set.union(*epochs) & set(split_rows(300, 60)[1].tolist())


def test_training_puts_a_single_image_left_over_into_the_batch_before() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 4))
    seen, told = SeenRows(), list[Progress]()
    recipe = replace(RECIPE, epochs=2, epoch_images=2 * 32 + 1)
    train(network, *draw_stripes(), recipe, seed=0, loss=seen, on_progress=told.append)
    assert [len(rows) for rows in seen.rows] == [32, 33] * 2
    assert {len(set(torch.cat(seen.rows[start : start + 2]).tolist())) for start in (0, 2)} == {65}
    assert [(one.step, one.steps) for one in told if one.validation_robust_accuracy is not None] == [(2, 4), (4, 4)]


@pytest.mark.parametrize("images", [64, 66, 240], ids=["whole", "two-left", "many-left"])
def test_training_cuts_any_other_epoch_as_split_does(images: int) -> None:
    seen = SeenRows()
    train(build_network(), *draw_stripes(), replace(RECIPE, epochs=1, epoch_images=images), seed=0, loss=seen)
    assert [len(rows) for rows in seen.rows] == [len(part) for part in torch.arange(images).split(32)]


def test_training_in_bfloat16_learns_and_keeps_float32_weights() -> None:
    network = build_network()
    report = train(network, *draw_stripes(), replace(RECIPE, epochs=4, precision="bfloat16"), seed=0)
    assert report.validation_robust_accuracy > 0.8
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}
    exact = train_once(replace(RECIPE, epochs=4))
    assert not torch.equal(network.state_dict()["4.weight"], exact["4.weight"])


def test_rate_factor_follows_the_schedule_of_the_recipe() -> None:
    drops = replace(RECIPE, schedule="drops", drops=(0.4, 0.75))
    assert [find_rate_factor(drops, step, 8) for step in range(8)] == pytest.approx([1] * 3 + [0.1] * 3 + [0.01] * 2)
    cycles = replace(RECIPE, schedule="cycles", cycles=2)
    assert [find_rate_factor(cycles, step, 12) for step in range(7)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01, 1])
    assert find_rate_factor(replace(RECIPE, warmup_share=0.0), 4, 8) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="cosine, drops, cycles"):
        find_rate_factor(replace(RECIPE, schedule="linear"), 0, 8)


def test_training_tells_progress_with_time_left() -> None:
    told: list[Progress] = []
    train(build_network(), *draw_stripes(), replace(RECIPE, batch_size=4, epochs=1), seed=0, on_progress=told.append)
    assert [(progress.step, progress.steps) for progress in told] == [(50, 60), (60, 60)]
    assert told[0].validation_robust_accuracy is None
    assert told[0].seconds_left == pytest.approx(told[0].elapsed_seconds / 5)
    assert told[1].seconds_left == 0
    assert 0 < told[1].loss < 10
