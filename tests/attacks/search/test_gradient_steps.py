"""Steps of the walks: from the signs of a gradient to the gradient, and nothing of it where a walk is not spread."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from backend import attacks
from backend.attacks.search.gradient_steps import flatten_sizes
from models.architectures.builders import build_architecture

REPOSITORY = Path(__file__).parents[3]
COUNT = 24


def test_flatten_sizes_goes_from_signs_to_the_gradient_row_by_row() -> None:
    gradient = torch.tensor([3.0, -0.5, 0.0, 1e-9]).reshape(1, 1, 2, 2).expand(3, 1, 2, 2)
    flat = flatten_sizes(gradient, torch.tensor([0.0, 0.5, 1.0]))
    assert torch.equal(flat[0].flatten(), torch.tensor([1.0, -1.0, 0.0, 1.0]))
    torch.testing.assert_close(flat[1].flatten(), torch.tensor([1.0, -((0.5 / 3) ** 0.5), 0.0, (1e-9 / 3) ** 0.5]))
    assert torch.equal(flat[2], gradient[2])
    none = flatten_sizes(torch.zeros(1, 1, 2, 2), torch.zeros(1))
    assert torch.equal(none, torch.zeros(1, 1, 2, 2))


def measure_shares(network: nn.Module, columns: tuple[Tensor, Tensor]) -> Tensor:
    """Best spread run over best plain run, per sample that is right."""
    images, labels = (column[:COUNT] for column in columns)
    result = attacks.run("margin", network, images, labels, norm="L2", batch_size=8)
    assert result.found.all()
    right = result.distance > 0
    reached = {a.attack: a.distance[right] for a in result.attempts}
    spread = torch.stack([reached[name] for name in reached if name.startswith("spread")]).amin(0)
    return spread / reached["fmn-untargeted"]


def test_run_in_l2_spread_runs_come_far_nearer_on_a_pruned_network(slice_images: tuple[Tensor, Tensor]) -> None:
    network = build_architecture("small-cnn", 10, 1)
    network.load_state_dict(load_file(REPOSITORY / "models/zoo/cnn-lwm-95.safetensors"))
    assert float(measure_shares(network.eval(), slice_images).median()) < 0.8


@pytest.mark.slow
def test_run_in_l2_at_one_width_gives_the_same_bits_in_another_order(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    """Given the images that `segment` starts from; plain and spread walks share the passes."""
    images, labels = (column[:COUNT] for column in slice_images)
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(1))
    pool = slice_images[0][COUNT : 2 * COUNT]
    straight = attacks.run("margin", zoo_network, images, labels, norm="L2", batch_size=8, pool_images=pool)
    shuffled = attacks.run(
        "margin", zoo_network, images[order], labels[order], norm="L2", batch_size=8, pool_images=pool
    )
    part = attacks.run("margin", zoo_network, images[9:14], labels[9:14], norm="L2", batch_size=8, pool_images=pool)
    assert torch.equal(shuffled.adversarial, straight.adversarial[order])
    assert torch.equal(part.adversarial, straight.adversarial[9:14])
