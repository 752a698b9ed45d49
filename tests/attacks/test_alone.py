"""Single attacks called as functions, on linear networks whose margins are known exactly."""

import doctest
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks import VerifiedExamples, alone
from backend.errors import InvalidRequest, UnknownName
from tests.attacks.foreign_networks import Constant, Counting
from tests.attacks.linear_oracle import build_problem

PROBLEM = build_problem(4, (1, 6, 6), samples=12)
EPS = float(PROBLEM.margins["Linf"].max())


def give_labels() -> Tensor:
    """Those of the network, but for the last three, which are moved by one."""
    labels = PROBLEM.predictions.clone()
    labels[-3:] = (labels[-3:] + 1) % 4
    return labels


def find_by_fmn(norm: str, **given: Any) -> VerifiedExamples:
    return attacks.fmn(PROBLEM.network, PROBLEM.images, give_labels(), norm=norm, **given)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_fmn_known_answer_of_two_classes_is_met_from_above(norm: str) -> None:
    problem = build_problem(2, (1, 6, 6), samples=12)
    result = attacks.fmn(problem.network, problem.images, problem.predictions, norm=norm)
    ratios = (result.distance / torch.from_numpy(problem.margins[norm]))[result.found]
    assert len(ratios) >= 11, "a walk that the box stops may end just before the boundary"
    assert float(ratios.min()) >= 1 - 1e-5 and float(ratios.max()) < 1.005


@pytest.mark.parametrize("norm", ["Linf", "L2"])
def test_fmn_among_four_classes_is_never_below_the_exact_margin(norm: str) -> None:
    """One walk may miss what the others of a preset find."""
    result, exact = find_by_fmn(norm), torch.from_numpy(PROBLEM.margins[norm])[:-3]
    assert (result.distance[:-3] >= exact * (1 - 1e-5)).all()
    assert int(result.found[:-3].sum()) >= 6


@pytest.mark.parametrize(
    "attack",
    [find_by_fmn, lambda norm: attacks.square(PROBLEM.network, PROBLEM.images, give_labels(), eps=EPS, queries=300)],
    ids=["fmn", "square"],
)
def test_single_attack_gives_verified_examples(attack: Callable[[str], VerifiedExamples]) -> None:
    result = attack("Linf")
    with torch.no_grad():
        predicted = PROBLEM.network(result.adversarial).argmax(1)
    assert torch.equal(predicted, result.adversarial_prediction)
    assert (predicted[result.found] != give_labels()[result.found]).all()
    assert 0.0 <= float(result.adversarial.min()) <= float(result.adversarial.max()) <= 1.0
    moved = (result.adversarial - PROBLEM.images).flatten(1).abs().amax(1)
    torch.testing.assert_close(moved[result.found], result.distance[result.found])
    assert torch.equal(result.adversarial[~result.found], PROBLEM.images[~result.found])
    assert result.found[-3:].all() and result.distance[-3:].tolist() == [0.0] * 3
    assert (result.adversarial.dtype, result.distance.dtype) == (torch.float32, torch.float32)


def test_square_breaks_within_eps_and_nothing_below_the_exact_margin() -> None:
    result = attacks.square(PROBLEM.network, PROBLEM.images, PROBLEM.predictions, eps=EPS, queries=500)
    exact = torch.from_numpy(PROBLEM.margins["Linf"])
    assert result.found[exact < 0.5 * EPS].all()
    assert (result.distance[result.found].double() <= EPS).all()
    assert (result.distance >= exact * (1 - 1e-5)).all()
    assert result.backwards == 0


@pytest.mark.parametrize(
    "attack",
    [
        lambda network, images, labels: attacks.fmn(network, images, labels),
        lambda network, images, labels: attacks.square(network, images, labels, eps=0.1, queries=5),
    ],
    ids=["fmn", "square"],
)
def test_single_attack_on_a_constant_network_finds_nothing(attack: Callable[..., VerifiedExamples]) -> None:
    result = attack(Constant([0.0, 1.0, 0.5]), PROBLEM.images[:2], torch.tensor([1, 1]))
    assert result.found.tolist() == [False, False]
    assert result.distance.isinf().all()
    assert torch.equal(result.adversarial, PROBLEM.images[:2])


def test_fmn_counts_every_pass_and_repeats_bit_for_bit() -> None:
    counting = Counting(PROBLEM.network)
    seen: list[tuple[int, int, str]] = []
    given = {"noise": 0.5, "seed": 3, "batch_size": 4, "steps": 10}
    first, again = (
        attacks.fmn(
            counting,
            PROBLEM.images,
            give_labels(),
            on_step=lambda done, total, stage: seen.append((done, total, stage)),
            **given,
        )
        for _ in range(2)
    )
    assert (2 * first.forwards, 2 * first.backwards) == (counting.ledger["forwards"], counting.ledger["backwards"])
    assert first.backwards >= 9 * 10
    assert torch.equal(first.adversarial, again.adversarial)
    assert seen[0] == (0, 12, "clean") and {stage for _, _, stage in seen} == {"clean", "fmn", "verification"}
    assert not torch.equal(first.distance, find_by_fmn("Linf", **given | {"seed": 4}).distance)


def test_fmn_leaves_network_and_inputs_as_they_were() -> None:
    network = nn.Sequential(PROBLEM.network, nn.Dropout(0.5)).train()
    images = PROBLEM.images.clone()
    attacks.fmn(network, images, PROBLEM.predictions, steps=2)
    assert network.training and all(parameter.requires_grad for parameter in network.parameters())
    assert torch.equal(images, PROBLEM.images)


def test_fmn_walks_to_the_targets() -> None:
    targets = (PROBLEM.predictions + 2) % 4
    result = attacks.fmn(PROBLEM.network, PROBLEM.images, PROBLEM.predictions, targets=targets)
    assert result.found.float().mean() > 0.8
    assert (result.adversarial_prediction == targets).float().mean() > 0.5


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "steps": ({"steps": 0}, "steps must be a whole number from 1; got 0"),
    "noise": ({"noise": -1.0}, "noise must be a share of at least 0"),
    "targets-shape": ({"targets": torch.tensor([0])}, "one target per image"),
    "targets-range": ({"targets": torch.full((12,), 7)}, "targets go from 7 to 7"),
    "targets-label": ({"targets": PROBLEM.predictions}, "must differ from the label"),
    "no-norm": ({"norm": "L7"}, "There is no norm"),
    "other-norm": ({"norm": "L1"}, "'fmn' runs in Linf, L2, not in L1"),
}


@pytest.mark.parametrize(("given", "sentence"), REFUSED.values(), ids=REFUSED)
def test_fmn_refuses_what_makes_no_sense(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises((InvalidRequest, UnknownName), match=sentence):
        attacks.fmn(PROBLEM.network, PROBLEM.images, PROBLEM.predictions, **given)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [({"eps": 0.0}, "eps must be above 0"), ({"eps": 0.1, "p_init": 0.0}, "p_init"), ({"eps": 0.1, "queries": 0}, "q")],
)
def test_square_refuses_what_makes_no_sense(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        attacks.square(PROBLEM.network, PROBLEM.images, PROBLEM.predictions, **given)


def test_fmn_docstring_example_holds() -> None:
    runner = doctest.DocTestRunner()
    names = {"fmn": alone.fmn, "nn": nn, "torch": torch}
    for example in doctest.DocTestFinder().find(alone.fmn, "fmn", globs=names):
        runner.run(example)
    assert runner.summarize(verbose=False) == doctest.TestResults(failed=0, attempted=5)
