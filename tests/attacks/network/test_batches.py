"""Memory that runs out, and how little a result depends on batch size, order and company."""

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.network.batches import Batches, is_out_of_memory
from tests.attacks.foreign_networks import Blind, Counting, Hungry

COUNT = 12


def test_batches_cover_every_sample_once_in_order() -> None:
    for size in (1, 4, 10, 99):
        parts = [answer for _, answer in Batches(size).run(10, lambda part: list(range(10))[part])]
        assert [row for part in parts for row in part] == list(range(10))
        assert max(map(len, parts)) == min(size, 10)
    assert list(Batches(3).run(0, lambda part: part)) == []


def test_batches_halve_when_memory_runs_out_and_stay_halved() -> None:
    seen = []

    def function(part: slice) -> int:
        seen.append(part.stop - part.start)
        if part.stop - part.start > 5:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return part.stop - part.start

    batches = Batches(16)
    assert sum(answer for _, answer in batches.run(20, function)) == 20
    assert seen == [16, 8, 4, 4, 4, 4, 4]
    assert (batches.size, batches.halvings) == (4, 2)
    assert [answer for _, answer in batches.run(8, function)] == [4, 4]


def test_batches_raise_other_errors_at_once() -> None:
    def function(part: slice) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    batches = Batches(16)
    with pytest.raises(RuntimeError, match="shapes"):
        list(batches.run(20, function))
    assert batches.size == 16


def test_is_out_of_memory_knows_a_real_failure_of_the_cpu_allocator() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50, dtype=torch.float64)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(("norm", "is_cuda"), [("Linf", True), ("L2", False)], ids=["Linf-cuda", "L2-cpu"])
def test_run_out_of_memory_gives_the_same_result(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], norm: str, is_cuda: bool
) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    hungry = Hungry(zoo_network, 10, is_cuda=is_cuda)
    disturbed = attacks.run("margin", hungry, images, labels, norm=norm, batch_size=COUNT)
    assert disturbed.settings["batch_size"] == COUNT
    assert disturbed.settings["batch_size_used"] == 6
    undisturbed = attacks.run("margin", zoo_network, images, labels, norm=norm, batch_size=6)
    assert torch.equal(disturbed.adversarial, undisturbed.adversarial)
    assert torch.equal(disturbed.distance, undisturbed.distance)
    assert disturbed.attack == undisturbed.attack
    at_once = attacks.run("margin", zoo_network, images, labels, norm=norm, batch_size=COUNT)
    torch.testing.assert_close(disturbed.distance, at_once.distance, rtol=0, atol=1e-6)
    torch.testing.assert_close(disturbed.margin_pred, at_once.margin_pred, rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", [1, 5])
def test_run_of_fewer_samples_than_fit_halves_the_width_of_the_pass(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], count: int
) -> None:
    images, labels = (column[:count] for column in slice_images)
    result = attacks.run("fast", Hungry(zoo_network, 10, is_cuda=True), images, labels, eps=0.1, batch_size=64)
    assert result.settings["batch_size_used"] == 8
    alone = attacks.run("fast", zoo_network, images, labels, eps=0.1, batch_size=8)
    assert torch.equal(result.distance, alone.distance)


def test_run_without_memory_for_one_sample_raises_and_puts_the_network_back(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    hungry = Hungry(zoo_network, 0, is_cuda=True).train()
    with pytest.raises(torch.OutOfMemoryError):
        attacks.run("margin", hungry, *(column[:4] for column in slice_images))
    assert all(module.training for module in hungry.modules())
    assert all(parameter.requires_grad for parameter in hungry.parameters())


@pytest.mark.slow  # `test_slots` holds whole runs to the same bits in any order
@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_run_in_another_order_gives_the_same_margins(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], norm: str
) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    order = torch.randperm(COUNT, generator=torch.Generator().manual_seed(1))
    straight = attacks.run("margin", zoo_network, images, labels, norm=norm)
    shuffled = attacks.run("margin", zoo_network, images[order], labels[order], norm=norm)
    torch.testing.assert_close(shuffled.distance, straight.distance[order], rtol=0, atol=1e-6)
    torch.testing.assert_close(shuffled.margin_pred, straight.margin_pred[order], rtol=0, atol=1e-6)


def test_run_on_a_sample_alone_gives_the_same_margin(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    """Linf: in L2 the segment starts from the other samples of the call."""
    images, labels = (column[:COUNT] for column in slice_images)
    together = attacks.run("margin", zoo_network, images, labels)
    for row in range(6):
        alone = attacks.run("margin", zoo_network, images[row : row + 1], labels[row : row + 1])
        torch.testing.assert_close(alone.margin_pred, together.margin_pred[row : row + 1], rtol=0, atol=1e-6)


def test_run_next_to_samples_that_gradients_cannot_break_changes_nothing() -> None:
    """Only the blind samples get the segment start, and it breaks them."""
    images = 0.6 + 0.4 * torch.rand((12, 1, 10, 10), generator=torch.Generator().manual_seed(0))
    images[:, 0, 0, 0] = 0.2
    blind = torch.arange(12) % 4 == 0
    images[blind, 0, 0, 0] = 1.0
    linear = nn.Linear(100, 2)
    with torch.no_grad():
        linear.weight.copy_(torch.tensor([[0.01], [0.0]]).expand(2, 100))
        linear.bias.copy_(torch.tensor([0.0, 0.3]))
    network = Blind(nn.Sequential(nn.Flatten(), linear))
    labels = torch.zeros(12, dtype=torch.int64)
    together = attacks.run("margin", network, images, labels)
    seeing = attacks.run("margin", network, images[~blind], labels[~blind])
    segment = next(attempt for attempt in together.attempts if attempt.attack == "segment")
    assert torch.equal(segment.tried, blind)
    assert together.found.all()
    assert torch.equal(segment.found, blind)
    assert "zero-gradients" in together.flags
    torch.testing.assert_close(together.distance[~blind], seeing.distance, rtol=0, atol=1e-6)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_run_calls_the_network_as_it_is_and_counts_its_passes(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor], norm: str
) -> None:
    counting = Counting(zoo_network)
    result = attacks.run("margin", counting, *(column[:10] for column in slice_images), norm=norm, batch_size=4)
    assert counting.ledger == {"forwards": result.forwards, "backwards": result.backwards}
    gradients = {"Linf": 184, "L2": 392}[norm]
    probe = 6  # the full width and its half
    assert int(result.attempts[0].tried.sum()) == 10
    assert result.backwards == 10 * (gradients + 1) + probe
    extra = {"Linf": 243, "L2": 20}[norm]
    verified = sum(int(attempt.found.sum()) for attempt in result.attempts)
    rest = verified + 10 * (2 + 4) + 1 + 8  # clean, flags, rounding; an inner optimisation; flat and noisy images
    plain = result.backwards + 10 * extra
    assert plain <= result.forwards <= plain + rest + 40  # passes that are not full are padded
