"""The caller's network: counted, frozen for the time of a run, and afterwards exactly as it was."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.network.classifier import Classifier, prepare
from tests.attacks.foreign_networks import Constant, Counting, Wooden
from tests.attacks.linear_oracle import build_problem

PROBLEM = build_problem(4, (1, 6, 6), samples=4, seed=2)


def build_mixed() -> nn.Module:
    """Some layers in training mode, some parameters frozen, some with a gradient already."""
    network = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Dropout(0.5), PROBLEM.network[1], nn.Linear(4, 4))
    network.train()
    network[0].eval()
    network[3].weight.requires_grad_(False)
    network[4].bias.requires_grad_(False)
    network[4].weight.grad = torch.ones_like(network[4].weight)
    return network


def describe(network: nn.Module) -> dict[str, Any]:
    return {
        "training": [module.training for module in network.modules()],
        "requires_grad": [parameter.requires_grad for parameter in network.parameters()],
        "grad": [None if p.grad is None else p.grad.tolist() for p in network.parameters()],
        "state": {name: tensor.tolist() for name, tensor in network.state_dict().items()},
        "hooks": [len(module._forward_hooks) + len(module._forward_pre_hooks) for module in network.modules()],
    }


class Stop(Exception):
    """Raised by a caller who no longer wants the result."""


@pytest.mark.parametrize("preset", ["margin", "autoattack"])
def test_run_puts_the_network_back(preset: str) -> None:
    network = build_mixed()
    before = describe(network)
    attacks.run(preset, network, PROBLEM.images, PROBLEM.predictions, eps=0.5)
    assert describe(network) == before


@pytest.mark.parametrize("preset", ["margin", "autoattack"])
@pytest.mark.parametrize("last", [1, 3, 5, 30, 60])
def test_run_stopped_by_on_step_puts_the_network_back(preset: str, last: int) -> None:
    network = build_mixed()
    before = describe(network)
    calls = 0
    stop = Stop("cancelled")

    def on_step(done: int, total: int, stage: str) -> None:
        nonlocal calls
        calls += 1
        if calls == last:
            raise stop

    with pytest.raises(Stop) as caught:
        attacks.run(preset, network, PROBLEM.images, PROBLEM.predictions, eps=0.05, on_step=on_step)
    assert caught.value is stop
    assert calls == last
    assert describe(network) == before


def test_run_that_fails_inside_the_network_puts_it_back() -> None:
    class Failing(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = build_mixed()

        def forward(self, images: Tensor) -> Tensor:
            if images.requires_grad:
                raise ValueError("the network's own error")
            logits: Tensor = self.inner(images)
            return logits

    network = Failing()
    before = describe(network)
    with pytest.raises(ValueError, match="the network's own error"):
        attacks.run("margin", network, PROBLEM.images, PROBLEM.predictions)
    assert describe(network) == before


def test_run_restores_statistics_that_a_stubborn_layer_moves() -> None:
    network = Wooden(PROBLEM.network)
    before = describe(network)
    result = attacks.run("margin", network, PROBLEM.images, PROBLEM.predictions)
    assert "train-mode" in result.flags
    assert describe(network) == before


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_run_works_inside_the_callers_gradient_modes(context: Any) -> None:
    expected = attacks.run("margin", PROBLEM.network, PROBLEM.images, PROBLEM.predictions)
    with context():
        result = attacks.run("margin", PROBLEM.network, PROBLEM.images, PROBLEM.predictions)
        assert not torch.is_grad_enabled()
    assert torch.equal(result.distance, expected.distance)
    assert result.found.all()


def test_prepare_freezes_and_evaluates_meanwhile() -> None:
    network = build_mixed()
    with prepare(network):
        assert not any(module.training for module in network.modules())
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert torch.is_grad_enabled()


def test_classifier_counts_images_forward_and_backward() -> None:
    counting = Counting(PROBLEM.network)
    classifier = Classifier(counting)
    points = PROBLEM.images.clone().requires_grad_()
    classifier(points).sum().backward()
    classifier.classify(PROBLEM.images[:1])
    assert (classifier.forwards, classifier.backwards) == (5, 4)
    assert counting.ledger == {"forwards": 5, "backwards": 4}


def test_classifier_gives_a_zero_gradient_where_the_network_gives_none() -> None:
    points = PROBLEM.images.clone().requires_grad_()
    for network in (Constant([0.0, 1.0]), Constant([0.0, 1.0]).requires_grad_(False)):
        (gradient,) = torch.autograd.grad(Classifier(network)(points).sum(), points)
        assert torch.equal(gradient, torch.zeros_like(points))


def test_classifier_gives_float32_that_is_not_the_networks_own_memory() -> None:
    network = Constant([0.0, 1.0])
    logits = Classifier(network).classify(PROBLEM.images)
    logits.fill_(7.0)
    assert network.logits.tolist() == [0.0, 1.0]
    assert Classifier(Constant([0.0, 1.0]).double()).classify(PROBLEM.images).dtype == torch.float32
