"""`pool_images`: with them a sample's L2 margin does not depend on the samples it is attacked with."""

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.errors import InvalidRequest


def attack_in_chunks(network: nn.Module, images: Tensor, labels: Tensor, size: int, pool: Tensor | None) -> Tensor:
    """Distances (2, B): of the run, and of its attack `segment` alone."""
    chunks = zip(images.split(size), labels.split(size), strict=True)
    results = [attacks.run("margin", network, x, y, norm="L2", batch_size=4, pool_images=pool) for x, y in chunks]
    segments = [next(a for a in result.attempts if a.attack == "segment").distance for result in results]
    return torch.stack([torch.cat([result.distance for result in results]), torch.cat(segments)])


@pytest.mark.slow
def test_run_with_a_pool_gives_the_same_l2_margins_in_any_chunks(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images, labels = (column[:8] for column in slice_images)
    pool = slice_images[0][40:80]
    whole, parts = (attack_in_chunks(zoo_network, images, labels, size, pool) for size in (8, 4))
    torch.testing.assert_close(whole, parts, rtol=1e-6, atol=0)
    whole, parts = (attack_in_chunks(zoo_network, images, labels, size, None) for size in (8, 4))
    assert (whole[1] != parts[1]).any()


def test_run_starts_segments_from_the_pool_alone(zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]) -> None:
    images, labels = (column[:4] for column in slice_images)
    given = {"norm": "L2", "batch_size": 4}
    own = attacks.run("margin", zoo_network, images, labels, **given)
    same = attacks.run("margin", zoo_network, images, labels, pool_images=images, **given)
    assert torch.equal(own.distance, same.distance)
    assert same.forwards == own.forwards + 4


@pytest.mark.parametrize("shape", [(0, 1, 28, 28), (3, 3, 28, 28), (28, 28)])
def test_run_refuses_a_pool_of_another_shape(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], shape: tuple[int, ...]
) -> None:
    images, labels = (column[:2] for column in slice_images)
    with pytest.raises(InvalidRequest, match="shape"):
        attacks.run("margin", zoo_network, images, labels, pool_images=torch.zeros(shape))
