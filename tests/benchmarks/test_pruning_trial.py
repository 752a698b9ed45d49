"""The trial of pruning methods over seeds: entries are the zoo's, and differences have known intervals."""

from math import sqrt

import numpy as np
import pytest

from backend.attacks.search import gradient_free_steps
from models.zoo.entries import find_entry
from tests.benchmarks.pruning_trial import FORMS, Trial, bound_difference, count_losses, name_judge

TRAINING_IMAGES = 60_000
BUDGET = 2_784_000


@pytest.mark.parametrize("method", ["lwm", "r-admm", "hydra", "harp", "thin-ice"])
def test_trial_with_the_first_seed_is_the_entry_of_the_zoo(method: str) -> None:
    assert Trial(method, 0.95, 0).entry == find_entry(f"cnn-{method}-95")
    assert Trial(method, 0.95, 1).entry.seed == 1
    assert Trial(method, 0.95, 1).entry.name == f"cnn-{method}-95-seed1"


def test_kept_verdicts_are_those_of_the_attack_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    before = name_judge("shipped")
    assert name_judge("shipped") == before != name_judge("other")
    monkeypatch.setattr(gradient_free_steps, "GIVE_UP", ((0.5, 0.5),))
    assert name_judge("shipped") != before


@pytest.mark.parametrize("form", FORMS)
def test_every_form_costs_the_same_budget(form: str) -> None:
    spent = Trial(form, 0.95, 0).entry.run.count_passes(TRAINING_IMAGES).total
    assert BUDGET - 100 <= spent <= BUDGET


def test_losses_are_what_dense_has_right_and_the_other_wrong() -> None:
    dense = {"clean": np.array([True, True, False, False])}
    pruned = [{"clean": np.array([True, False, True, False])}, {"clean": np.array([False, False, True, True])}]
    assert count_losses(dense, pruned, "clean").tolist() == [[0, 1, 0, 0], [1, 1, 0, 0]]


def test_difference_from_itself_is_exactly_nothing() -> None:
    losses = (np.random.default_rng(0).random((3, 500)) < 0.1).astype(np.int64)
    found = bound_difference(losses, losses)
    assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0)


def test_difference_of_equal_seeds_has_the_interval_of_a_binomial_count() -> None:
    lost, samples = 100, 2000
    row = np.zeros(samples, dtype=np.int64)
    row[:lost] = 1
    found = bound_difference(np.stack([row] * 3), np.zeros((3, samples), dtype=np.int64))
    half = 1.96 * sqrt(lost * (1 - lost / samples))
    assert found.mean == lost
    assert found.low == pytest.approx(lost - half, abs=1.5)
    assert found.high == pytest.approx(lost + half, abs=1.5)


def test_difference_between_seeds_widens_the_interval() -> None:
    samples = 2000
    rows = np.zeros((2, samples), dtype=np.int64)
    rows[0, :200] = 1
    found = bound_difference(rows, np.zeros_like(rows))
    assert found.mean == 100
    assert found.low < 5
    assert found.high > 195
