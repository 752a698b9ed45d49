"""R-ADMM by hand: projection, dual update, growth of rho, the penalty's gradient, and exact zeros at the end."""

import pytest
import torch
from torch import nn

from models.pruning.admm import AdmmSearch, project
from models.training.mask_search import HeldMasks, MaskSearch
from models.training.masks import find_prunable_weights, measure_sparsity
from models.training.progress import Progress
from models.training.recipe import Recipe
from models.training.training import train
from tests.models.small_networks import build_single_layer, build_stripe_network, draw_stripes, take_clean_steps

WEIGHTS = [[4.0, -1.0], [-3.0, 2.0]]


def start_search(**settings: float) -> AdmmSearch:
    """Start a search at half sparsity on one layer."""
    search = AdmmSearch(0.5, **settings)
    search.start(build_single_layer(WEIGHTS))
    return search


def read_weight(search: AdmmSearch) -> torch.Tensor:
    """Give the live weight of the layer."""
    return find_prunable_weights(search.network)["weight"]


def test_projection_keeps_the_largest_magnitudes_in_a_copy() -> None:
    weight = torch.tensor(WEIGHTS)
    projected = project(weight, 0.5)
    assert projected.tolist() == [[4.0, 0.0], [-3.0, 0.0]]
    assert weight.tolist() == WEIGHTS
    projected.fill_(9.0)
    assert weight.tolist() == WEIGHTS


def test_projection_of_ties_has_the_exact_count() -> None:
    assert project(torch.full((10,), -2.0), 0.7).count_nonzero() == 3


def test_admm_starts_at_the_projection_with_zero_duals() -> None:
    search = start_search()
    assert search.sparse["weight"].tolist() == [[4.0, 0.0], [-3.0, 0.0]]
    assert search.duals["weight"].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert read_weight(search).tolist() == WEIGHTS


def test_admm_gradient_is_rho_times_the_distance_and_that_of_the_penalty() -> None:
    search = start_search(rho=0.1)
    search.duals["weight"] = torch.tensor([[0.5, 0.0], [0.0, 1.0]])
    weight = read_weight(search)
    weight.grad = torch.full((2, 2), 7.0)
    search.after_backward()
    # rho (W - Z + U): W - Z = [[0, -1], [0, 2]].
    torch.testing.assert_close(weight.grad, 7.0 + 0.1 * torch.tensor([[0.5, -1.0], [0.0, 3.0]]))
    assert search.measure_penalty() == pytest.approx(0.05 * (0.25 + 1.0 + 9.0))


def test_admm_keeps_no_epoch_before_its_last_round_though_it_validates_better() -> None:
    """Nothing is taken away during the search, so that the epochs that are pulled least validate best."""
    torch.manual_seed(0)
    network, search = build_stripe_network(), AdmmSearch(0.9, rho=0.01, growth=8.0, rounds=4)
    accuracies: list[float] = []

    def note(progress: Progress) -> None:
        if progress.validation_robust_accuracy is not None:
            accuracies.append(progress.validation_robust_accuracy)

    recipe = Recipe(4, 0.2, schedule="drops", batch_size=32, eps_text="0.05", pgd_steps=1, validation_samples=60)
    report = train(network, *draw_stripes(), recipe, seed=0, search=search, on_progress=note)
    assert max(accuracies[:3]) > accuracies[3], "a case in which an earlier epoch is better"
    assert (report.epoch, search.round) == (4, 3)


def test_admm_update_raises_rho_then_projects_w_plus_u_then_adds_the_rest_to_u() -> None:
    search = start_search(rho=0.1, growth=1.3)
    search.duals["weight"] = torch.tensor([[0.0, -5.0], [0.0, 0.5]])
    search.update_duals()
    assert search.rho == pytest.approx(0.13)
    # W + U = [[4, -6], [-3, 2.5]]: the two largest are 4 and -6.
    assert search.sparse["weight"].tolist() == [[4.0, -6.0], [0.0, 0.0]]
    # U + W - Z = [[0, -5 - 1 + 6], [-3, 0.5 + 2]].
    assert search.duals["weight"].tolist() == [[0.0, 0.0], [-3.0, 2.5]]
    assert read_weight(search).tolist() == WEIGHTS


def test_admm_rounds_are_of_equal_length_and_the_first_has_no_update() -> None:
    search = start_search(rho=1.0, growth=2.0, rounds=3)
    factors = []
    for step in range(9):
        search.before_step(step, 9)
        factors.append(search.rho)
    assert factors == [1.0] * 3 + [2.0] * 3 + [4.0] * 3


def test_admm_pulls_the_weights_towards_sparse_ones() -> None:
    def measure_rest(network: nn.Module) -> float:
        weights = [weight.detach() for weight in find_prunable_weights(network).values()]
        return sum(float((weight - project(weight, 0.8)).norm() / weight.norm()) for weight in weights)

    network, alone, search = build_stripe_network(), build_stripe_network(), AdmmSearch(0.8, rho=0.5, rounds=8)
    search.start(network)
    take_clean_steps(network, search, 150, weight_decay=0.0)
    plain = MaskSearch()
    plain.start(alone)
    take_clean_steps(alone, plain, 150, weight_decay=0.0)
    assert measure_rest(network) < 0.5 * measure_rest(alone)
    assert measure_sparsity(network).zeros == 0


def test_admm_masks_have_the_exact_count_and_hold() -> None:
    network, search = build_stripe_network(), AdmmSearch(0.8)
    search.start(network)
    take_clean_steps(network, search, 5)
    held = HeldMasks(search.finish())
    held.start(network)
    take_clean_steps(network, held, 5)
    assert [layer.zeros for layer in measure_sparsity(network).layers] == [43, 768, 32]


def test_admm_state_brings_a_search_back() -> None:
    search, again = start_search(rho=0.1), start_search(rho=0.1)
    search.before_step(5, 10)
    again.load_state_dict(search.state_dict())
    assert (again.rho, again.round) == (search.rho, 5)
    assert torch.equal(again.duals["weight"], search.duals["weight"])
    assert again.duals["weight"].count_nonzero() == 2


@pytest.mark.parametrize("wrong", [{"rho": 0.0}, {"growth": 0.0}, {"rounds": 0}], ids=str)
def test_admm_with_impossible_settings_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="rounds must be at least 1"):
        start_search(**wrong)
