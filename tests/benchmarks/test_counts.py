"""The part of the bench that gates: counts, the judge, the counting wrapper, and A3, MALT and PMA on known answers."""

import copy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.attacks.catalogue import PRESETS
from backend.attacks.catalogue.attacks import ATTACKS
from tests.attacks.linear_oracle import LinearProblem, build_problem
from tests.benchmarks.checking import find_claims, judge
from tests.benchmarks.contestants import VERDICT, Answer, Contestant, Terms
from tests.benchmarks.counting import BudgetSpent, Counted, measure_floor
from tests.benchmarks.measuring import Ledger, Measurer, list_jobs
from tests.benchmarks.networks import ROWS, Places, Problem, set_problem
from tests.benchmarks.peers import a3, apgd, list_contestants, malt, pma
from tests.benchmarks.tables import NOT_INSTALLED
from tests.benchmarks.verdict_tables import tabulate_verdicts

torch.set_num_threads(1)

GATED = [(preset, norm) for preset in ("margin", "fast") if preset in PRESETS for norm in PRESETS[preset].norms]
# Passes per image outside the attacks of a preset: ranking targets (a gradient for each of four classes and a pass),
# the clean verdict, the flags, one verification per attack, and the rounding to 8 bits.
RANKING_GRADIENTS, FLAG_PASSES = 4, 8
SAMPLES = 8
PAPER_ATTACKS = {
    "a3-Linf": (a3.run_a3, "Linf"),
    "malt-Linf": (malt.run_malt, "Linf"),
    "malt-L2": (malt.run_malt, "L2"),
    "pma-Linf": (pma.run_pma, "Linf"),
    "a3-L2": (a3.run_a3, "L2"),
}


@pytest.fixture(scope="module")
def dense() -> Problem:
    return set_problem(ROWS["dense"], Places.__new__(Places), SAMPLES)


@pytest.fixture(scope="module")
def linear() -> LinearProblem:
    """Six classes, 24 images of 6 x 6, of which the last two thirds lie inside the box."""
    problem = build_problem(6, (1, 6, 6), samples=24, seed=3)
    problem.network.eval().requires_grad_(False)
    return problem


def set_linear(linear: LinearProblem, eps: dict[str, float]) -> Problem:
    ids = list(range(len(linear.images)))
    return Problem("linear", linear.network, linear.images, linear.predictions, ids, eps, 6, 222)


def test_counted_counts_images_forward_and_backward(linear: LinearProblem) -> None:
    counted = Counted(linear.network)
    with counted.measure() as tally:
        counted(linear.images[:5])
        points = linear.images[:7].clone().requires_grad_()
        torch.autograd.grad(counted(points).sum(), points)
    assert (tally.forwards, tally.backwards, tally.extra_forwards, tally.width) == (12, 7, 5, 7)
    assert tally.work == 12 + 2 * 7
    assert tally.seconds > 0


def test_counted_two_gradients_through_one_pass_count_twice(linear: LinearProblem) -> None:
    counted = Counted(linear.network)
    with counted.measure() as tally:
        points = linear.images[:3].clone().requires_grad_()
        logits = counted(points)
        for column in range(2):
            torch.autograd.grad(logits[:, column].sum(), points, retain_graph=True)
    assert (tally.forwards, tally.backwards) == (3, 6)


def test_counted_copies_are_counted_too(linear: LinearProblem) -> None:
    counted = Counted(linear.network)
    with counted.measure() as tally:
        copy.deepcopy(counted).double()(linear.images[:4].double())
    assert tally.forwards == 4


def test_counted_budget_stops_an_attack(linear: LinearProblem) -> None:
    counted = Counted(linear.network)
    with pytest.raises(BudgetSpent), counted.measure(budget=10):
        for _ in range(20):
            counted(linear.images[:1])
    assert counted.tally.forwards == 10


@pytest.mark.parametrize(("preset", "norm"), GATED, ids=lambda value: str(value))
def test_presets_cost_at_most_what_the_catalogue_says(dense: Problem, preset: str, norm: str) -> None:
    counted = Counted(dense.network)
    eps = dense.eps[norm] if PRESETS[preset].needs_eps else None
    with counted.measure() as tally:
        result = attacks.run(preset, counted, dense.images, dense.labels, norm=norm, eps=eps, seed=0, batch_size=64)
    listed = [ATTACKS[name] for name in PRESETS[preset].attacks]
    gradients = sum(attack.gradients for attack in listed) + RANKING_GRADIENTS + FLAG_PASSES
    forwards = sum(attack.forwards for attack in listed) + len(listed) + FLAG_PASSES
    assert 0 < tally.backwards <= gradients * SAMPLES
    assert tally.extra_forwards <= forwards * SAMPLES
    # No pass is hidden: what the engine reports is what reached the network.
    assert (result.forwards, result.backwards) == (tally.forwards, tally.backwards)


def test_judge_holds_what_is_true_and_refuses_what_is_not() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0]]))
    image, label = torch.tensor([[[[0.6, 0.5], [0.9, 0.1]]]]), torch.tensor([0])
    broken = torch.tensor([[[[0.5, 0.6], [0.9, 0.1]]]])
    cheats = {
        "honest": broken,
        "clean image": image.clone(),
        "still right": torch.tensor([[[[0.6, 0.55], [0.9, 0.1]]]]),
        "too far": torch.tensor([[[[0.45, 0.6], [0.9, 0.1]]]]),
        "out of the box": torch.tensor([[[[0.5, 0.6], [1.0 + 1e-6, 0.1]]]]),
        "not a number": torch.tensor([[[[0.5, torch.nan], [0.9, 0.1]]]]),
    }
    judged = {name: judge(network, image, label, points, "Linf", 0.1) for name, points in cheats.items()}
    assert {name for name, verdict in judged.items() if verdict.holds[0]} == {"honest"}
    assert judged["honest"].distance[0] == pytest.approx(0.1, abs=1e-6)
    assert all(np.isinf(verdict.distance[0]) for name, verdict in judged.items() if name != "honest")
    assert judge(network, image, label, cheats["too far"], "Linf").holds[0]
    assert judge(network, image, label, broken, "L2").distance[0] == pytest.approx(np.sqrt(0.02), abs=1e-6)


def test_judge_radius_forgives_float32_alone() -> None:
    """Where a pixel plus eps is rounded up, nobody could have stayed inside; a thousandth more is outside."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(1, 2))
    with torch.no_grad():
        network[1].weight.copy_(torch.tensor([[0.0], [0.0]]))
        network[1].bias.copy_(torch.tensor([0.0, 1.0]))
    eps, labels = 2 / 255, torch.zeros(200, dtype=torch.int64)
    images = torch.linspace(0.493, 0.499, 200).reshape(-1, 1, 1, 1)
    inside, outside = images + eps, images + eps * 1.001
    assert ((inside.double() - images.double()).flatten() > eps * (1 + 1e-6)).any()
    assert judge(network, images, labels, inside, "Linf", eps).holds.all()
    assert not judge(network, images, labels, outside, "Linf", eps).holds.any()


def test_checkpoints_of_a_hundred_steps_are_those_of_the_paper() -> None:
    assert apgd.list_checkpoints(100)[:9] == [0, 22, 41, 57, 70, 80, 87, 93, 99]


def test_targeted_dlr_is_the_papers_ratio() -> None:
    logits = torch.tensor([[4.0, 1.0, 3.0, 2.0]])
    value = apgd.measure_targeted_dlr(logits, torch.tensor([0]), torch.tensor([2]))
    assert float(value) == pytest.approx(-(4.0 - 3.0) / (4.0 - (2.0 + 1.0) / 2.0))


def test_malt_ranks_classes_of_a_linear_network_by_exact_distance(linear: LinearProblem) -> None:
    weights, bias = linear.network[1].weight.double(), linear.network[1].bias.double()
    logits = linear.images.flatten(1).double() @ weights.T + bias
    rows = torch.arange(len(logits))
    gaps = logits[rows, linear.predictions][:, None] - logits
    slopes = (weights[linear.predictions][:, None] - weights[None]).abs().sum(2)
    distances = gaps / slopes
    distances[rows, linear.predictions] = torch.inf
    ranked = malt.rank_targets(linear.network, linear.images, linear.predictions, "Linf")
    assert ranked.tolist() == distances.argsort(dim=1)[:, :5].tolist()


def test_pma_raises_what_the_paper_names_at_each_step() -> None:
    logits, label = torch.tensor([[0.0, 1.0, 2.0]]).log(), torch.tensor([1])
    raised = [float(pma.measure_loss(logits, label, step, run)) for step in (0, 49, 50) for run in (0, 1)]
    assert raised == pytest.approx([1 / 3, 1 / 3, -1 / 3, 2 / 3, 1 / 3, 1 / 3])


def test_pma_steps_begin_anew_at_the_half() -> None:
    lengths = [pma.follow_cosine(step, 0.1) for step in range(pma.STEPS)]
    assert max(lengths) <= 0.2
    assert lengths[1] == pytest.approx(0.2)
    assert lengths[50] < 0.001 < 0.19 < lengths[51]


@pytest.mark.parametrize("name", [name for name in PAPER_ATTACKS if name != "a3-L2"])
def test_paper_attacks_break_what_is_nearer_than_eps(linear: LinearProblem, name: str) -> None:
    attack, norm = PAPER_ATTACKS[name]
    exact = linear.margins[norm]
    eps = float(np.median(exact))
    answer = attack(linear.network, linear.images, linear.predictions, Terms(norm, eps, 0, 16, 6))
    judged = judge(linear.network, linear.images, linear.predictions, answer.points, norm, eps)
    # Near the faces of the box L2 is harder: projecting and then clamping is no exact projection.
    assert judged.holds[exact < 0.9 * eps].all()
    assert not judged.holds[exact > 1.001 * eps].any()
    assert (judged.distance[judged.holds] >= exact[judged.holds] - 1e-5).all()


@pytest.mark.parametrize("name", PAPER_ATTACKS)
def test_paper_attacks_repeat_with_the_seed_and_leave_images_alone(linear: LinearProblem, name: str) -> None:
    attack, norm = PAPER_ATTACKS[name]
    images, labels = linear.images[:6].clone(), linear.predictions[:6]
    terms = Terms(norm, 2.0 * float(linear.margins[norm].max()), 5, 4, 6)
    first = attack(linear.network, images, labels, terms).points
    assert torch.equal(images, linear.images[:6])
    assert torch.equal(first, attack(linear.network, images, labels, terms).points)
    assert judge(linear.network, images, labels, first, norm, terms.eps).holds.all()


def walk_to_the_boundary(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms) -> Answer:
    """Steps of eps along the gradient's sign towards the class with the next largest logit."""
    points = images.clone().requires_grad_()
    logits = network(points)
    gap = logits.scatter(1, labels[:, None], -torch.inf).amax(1) - logits.gather(1, labels[:, None])[:, 0]
    (gradient,) = torch.autograd.grad(gap.sum(), points)
    return Answer((images + terms.radius * gradient.sign()).clamp(0, 1))


def claim_everything(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms) -> Answer:
    return Answer(images.clone(), torch.ones(len(images), dtype=torch.bool))


def fail(network: nn.Module, images: Tensor, labels: Tensor, terms: Terms) -> Answer:
    raise RuntimeError("no such luck")


def test_measurer_counts_judges_and_survives_what_it_is_given(linear: LinearProblem) -> None:
    problem = set_linear(linear, {"Linf": float(np.median(linear.margins["Linf"])) * 1.2, "L2": 1.0})
    rows = [
        Contestant("walker", VERDICT, ("Linf",), walk_to_the_boundary, None, 3, is_random=False),
        Contestant("cheat", VERDICT, ("Linf",), claim_everything, None, 1),
        Contestant("broken", VERDICT, ("Linf",), fail, None, 1),
        Contestant("absent", VERDICT, ("Linf",), fail, "no_such_package", 1),
    ]
    ledger = Ledger()
    assert list(Measurer(ledger, 8).measure([])) == []
    runs = list(Measurer(ledger, 8).measure(list_jobs(problem, rows, ["Linf", "L2"], 2)))
    assert [(run.contestant, run.seed) for run in runs] == [
        ("walker", 0),
        ("cheat", 0),
        ("broken", 0),
        ("cheat", 1),
        ("broken", 1),
    ]
    walker, cheat = runs[:2]
    assert (walker.gradients, walker.forwards, walker.work, walker.width) == (1.0, 0.0, 3.0, 24)
    assert 0 < walker.held.sum() < 24
    assert (cheat.claims, cheat.false_claims, cheat.held.sum(), cheat.gradients) == (24, 24, 0, 0)
    table = tabulate_verdicts(ledger, problem, "Linf", rows)
    shown = {row[0]: row[1:] for row in table.rows}
    assert shown["absent"][0] == NOT_INSTALLED
    assert shown["broken"][0] == "failed: RuntimeError: no such luck"
    missed = int(walker.held.sum())
    assert shown["cheat"][2] == str(missed)
    assert shown["walker"][2] == "0"
    assert sum("cheat, seed" in note for note in table.notes) == 2


def test_claims_of_tools_that_give_images_alone_are_what_their_batches_misclassify(linear: LinearProblem) -> None:
    points = linear.images.clone()
    points[:3] = 1.0 - points[:3]
    wrong = (linear.network(points).argmax(1) != linear.predictions).numpy()
    assert find_claims(linear.network, linear.predictions, points, 5).tolist() == wrong.tolist()


def test_floor_is_above_zero_and_prices_passes(linear: LinearProblem) -> None:
    floor = measure_floor(linear.network, linear.images, linear.predictions, 8, repeats=1)
    counted = Counted(linear.network)
    with counted.measure() as tally:
        counted(linear.images[:10])
    assert floor.forward > 0
    assert floor.price(tally) == pytest.approx(10 * floor.forward)


def test_every_contestant_has_a_home_and_the_quick_ones_are_some_of_all() -> None:
    every, quick = list_contestants(), list_contestants(is_quick=True)
    assert {row.name for row in quick} < {row.name for row in every}
    assert {"torchattacks", "foolbox", "adv_lib", "secmlt", "pyautoattack"} <= {row.package for row in every}
    assert any(row.is_ours and row.task == VERDICT for row in quick)
