"""Whole pruning runs of every method: exact sparsity, what stays untouched, and killed runs that go on bit for bit."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from models.pruning.methods import build_search
from models.pruning.plans import METHODS, Plan
from models.pruning.thin_ice import build_thin_ice_loss
from models.training.losses import AdversarialLoss
from models.training.masks import measure_sparsity
from models.training.parts import StateFolder, TrainingPart, prune
from models.training.progress import Progress
from models.training.recipe import Recipe
from models.training.state import StateFile
from tests.models.small_networks import build_stripe_network, draw_stripes

RECIPE = Recipe(epochs=2, learning_rate=0.1, batch_size=32, eps_text="0.05", pgd_steps=2, validation_samples=60)
SEARCH = replace(RECIPE, learning_rate=0.2, epochs=2, validation_pgd_steps=2)
PLANS = {
    "lwm": Plan("lwm", 0.8, RECIPE),
    "lwm-global": Plan("lwm", 0.8, RECIPE, settings={"global_ranking": 1.0}),
    "lwm-ramped": Plan("lwm", 0.8, replace(RECIPE, mask_share=0.5)),
    "lwm-filter": Plan("lwm", 0.5, RECIPE, granularity="filter"),
    "r-admm": Plan("r-admm", 0.8, RECIPE, replace(SEARCH, schedule="cycles", cycles=4), settings={"rounds": 4}),
    "hydra": Plan("hydra", 0.8, replace(RECIPE, loss="TRADES"), replace(SEARCH, loss="TRADES")),
    "harp": Plan("harp", 0.8, RECIPE, SEARCH, settings={"gamma": 0.1, "rounds": 4}),
    "harp-channel": Plan("harp", 0.5, RECIPE, SEARCH, "channel"),
    "thin-ice": Plan("thin-ice", 0.8, RECIPE, settings={"clean_weight": 1.0, "distillation": 0.5}),
    "thin-ice-search": Plan("thin-ice", 0.8, RECIPE, SEARCH, settings={"robust_weight": 1.0, "keeping": 0.5}),
    "thin-ice-rates": Plan("thin-ice", 0.8, RECIPE, SEARCH, settings={"distillation": 0.5, "learned_rates": 1.0}),
}
ZEROS = {
    "lwm-global": None,
    "lwm-filter": [27, 480, 0],
    "harp": None,
    "harp-channel": None,
    "thin-ice-rates": None,
}


class Killed(Exception):
    """Stands in for a kill between two steps."""


def run(
    plan: Plan, states: Path | None = None, killed_at: int | None = None, told: list[Progress] | None = None
) -> dict[str, Tensor]:
    """Prune a fresh network and give its weights; with `killed_at` end before that many reports are heard."""
    network = build_stripe_network()
    search = build_search(plan, (1, 4, 4))
    images, labels = draw_stripes()
    loss = build_loss(plan, images, labels)
    heard: list[Progress] = [] if told is None else told

    def hear(progress: Progress) -> None:
        heard.append(progress)
        if killed_at is not None and len(heard) == killed_at:
            raise Killed

    folder = StateFolder(states, "test") if states else None
    finetuning = TrainingPart(plan.finetuning, loss)
    searching = TrainingPart(plan.searching, loss) if plan.searching else None
    prune(
        network,
        images,
        labels,
        search=search,
        searching=searching,
        finetuning=finetuning,
        seed=3,
        states=folder,
        on_progress=hear,
    )
    assert not network.training
    return network.state_dict()


def build_loss(plan: Plan, images: Tensor, labels: Tensor) -> AdversarialLoss | None:
    """Build the loss of a thin-ice plan against the network before pruning."""
    care = plan.care
    if care is None:
        return None
    return build_thin_ice_loss(build_stripe_network(), images, labels, 0.05, care)


def fill(state: dict[str, Tensor]) -> nn.Module:
    """Give a network with the weights of `state`."""
    network = build_stripe_network()
    network.load_state_dict(state)
    return network


@pytest.mark.parametrize("name", PLANS)
def test_pruned_network_has_the_exact_zeros_and_whole_biases_and_normalisation(name: str) -> None:
    state = run(PLANS[name])
    sparsity = measure_sparsity(fill(state))
    by_layer = ZEROS.get(name, [43, 768, 32])
    if by_layer is not None:
        assert [layer.zeros for layer in sparsity.layers] == by_layer
    elif name == "harp-channel":
        # Inputs of the linear layers: 960 + 40 multiplications, half of them kept, by whole columns of 10 and 4.
        kept = sum(layer.size - layer.zeros for layer in sparsity.layers[1:])
        assert sparsity.layers[0].zeros == 0 and 490 <= kept <= 500
    else:
        assert sparsity.zeros == round(0.8 * 1054)
    whole = ("0.bias", "1.weight", "4.bias", "6.bias")
    assert all(state[key].count_nonzero() == state[key].numel() for key in whole)


@pytest.mark.parametrize("name", PLANS)
def test_killed_run_goes_on_to_the_same_weights_bit_for_bit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.training.training.STEPS_BETWEEN_REPORTS", 3)
    monkeypatch.setattr(StateFile, "is_due", property(lambda _self: True))
    told: list[Progress] = []
    straight = run(PLANS[name], told=told)
    # Within the first epoch, at the end of one, and within the last: each attempt begins where the one before died.
    reports = len(told)
    for killed_at in (2, 3, reports // 3):
        with pytest.raises(Killed):
            run(PLANS[name], tmp_path, killed_at)
    rest: list[Progress] = []
    resumed = run(PLANS[name], tmp_path, told=rest)
    assert 0 < len(rest) < reports
    assert all(torch.equal(value, straight[key]) for key, value in resumed.items())


def test_progress_counts_through_both_parts() -> None:
    told: list[Progress] = []
    run(PLANS["r-admm"], told=told)
    assert [(item.stage, item.epoch, item.epochs, item.step, item.steps) for item in told] == [
        ("search", 1, 4, 8, 32),
        ("search", 2, 4, 16, 32),
        ("finetuning", 3, 4, 24, 32),
        ("finetuning", 4, 4, 32, 32),
    ]
    seconds = [item.elapsed_seconds for item in told]
    assert seconds == sorted(seconds)
    assert told[-1].seconds_left == 0
    assert told[2].seconds_left == pytest.approx(seconds[2] / 3)


def test_states_of_a_finished_run_are_there_until_they_are_removed(tmp_path: Path) -> None:
    first = run(PLANS["hydra"], tmp_path)
    told: list[Progress] = []
    again = run(PLANS["hydra"], tmp_path, told=told)
    assert told == []
    assert all(torch.equal(value, first[key]) for key, value in again.items())
    assert len(list(tmp_path.iterdir())) == 2
    StateFolder(tmp_path, "test").remove()
    assert list(tmp_path.iterdir()) == []


def test_state_of_another_run_is_refused_and_a_damaged_write_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "run.state"
    file = StateFile(path, "mine", seconds_between_writes=0.0)
    assert file.read(torch.device("cpu")) is None
    file.write({"step": 3})
    assert file.is_due
    with pytest.raises(ValueError, match="state of another run"):
        StateFile(path, "other").read(torch.device("cpu"))
    with pytest.raises(Exception, match="pickle"):
        file.write({"step": lambda: None})
    assert file.read(torch.device("cpu")) == {"step": 3, "fingerprint": "mine"}
    assert not StateFile(path, "mine", seconds_between_writes=60.0).is_due


KILLED_SCRIPT = """
import os, signal, sys
from pathlib import Path
import torch
from models.training.state import StateFile
from tests.models.training import test_parts
torch.set_num_threads(1)
StateFile.is_due = property(lambda _self: True)
written = StateFile.write
def write_and_die(self, state):
    written(self, state)
    if state["step"] == 5:
        os.kill(os.getpid(), signal.SIGKILL)
StateFile.write = write_and_die
test_parts.run(test_parts.PLANS["harp"], Path(sys.argv[1]))
"""


def test_run_under_sigkill_goes_on_in_another_process_bit_for_bit(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    words = [sys.executable, "-c", KILLED_SCRIPT, str(tmp_path)]
    died = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert died.returncode == -signal.SIGKILL, died.stderr
    told: list[Progress] = []
    resumed = run(PLANS["harp"], tmp_path, told=told)
    straight = run(PLANS["harp"])
    assert [item.step for item in told] == [8, 16, 24, 32]
    assert all(torch.equal(value, straight[key]) for key, value in resumed.items())


def test_every_method_is_among_the_plans_that_are_run() -> None:
    assert {plan.method for plan in PLANS.values()} == set(METHODS)
