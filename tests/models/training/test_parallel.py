"""Data-parallel training in two real processes on the CPU against one: the same weights up to rounding."""

import socket
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from models.pruning.hydra import ScoreSearch
from models.training.parallel import ALONE, Team, run_team
from models.training.recipe import Recipe
from models.training.training import split_rows, train
from tests.models.small_networks import SeenRows, build_single_layer, draw_stripes

# One epoch: a single process draws the order of the second after the noise of the first.
RECIPE = Recipe(
    epochs=1,
    learning_rate=0.1,
    batch_size=13,
    eps_text="0.05",
    pgd_steps=9,
    validation_samples=60,
    validation_pgd_steps=1,
    epoch_images=95,
)


def build_linear_network() -> nn.Sequential:
    """Build a linear network: its adversarials lie in a corner, whatever the random start."""
    weights = torch.randn(4, 16, generator=torch.Generator().manual_seed(5))
    return nn.Sequential(nn.Flatten(), build_single_layer(weights.tolist()))


def train_in_team(team: Team, device: torch.device, folder: str, recipe: Recipe = RECIPE) -> None:
    """Train as one of a team and write the weights down."""
    torch.set_num_threads(1)
    network = build_linear_network().to(device)
    loss = SeenRows()
    train(network, *draw_stripes(), recipe, seed=0, search=ScoreSearch(0.5), loss=loss, team=team)
    torch.save(torch.cat(loss.rows), Path(folder) / f"{team.rank}-rows.pt")
    torch.save(network.state_dict(), Path(folder) / f"{team.rank}.pt")


def find_port() -> int:
    """Give a free TCP port."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def test_two_processes_train_to_the_weights_of_one(tmp_path: Path) -> None:
    run_team(train_in_team, (str(tmp_path),), size=2, device="cpu", port=find_port())
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2))
    assert torch.equal(first["1.weight"], second["1.weight"])
    train_in_team(ALONE, torch.device("cpu"), str(tmp_path))
    alone = torch.load(tmp_path / "0.pt", weights_only=True)
    torch.testing.assert_close(first["1.weight"], alone["1.weight"], atol=1e-5, rtol=1e-5)
    assert not torch.equal(alone["1.weight"], build_linear_network().state_dict()["1.weight"])


def test_processes_share_the_order_of_every_epoch_though_their_crops_differ(tmp_path: Path) -> None:
    recipe = replace(RECIPE, epochs=3, augments=True, pgd_steps=1, epoch_images=None)
    run_team(train_in_team, (str(tmp_path), recipe), size=2, device="cpu", port=find_port())
    rows = torch.cat([torch.load(tmp_path / f"{rank}-rows.pt", weights_only=True) for rank in range(2)])
    assert sorted(rows.tolist()) == sorted(split_rows(300, 60)[0].tolist() * 3), "each image once an epoch"


def share_rank(team: Team, device: torch.device, folder: str) -> None:
    """Write down what this process takes for the first one's rank."""
    (Path(folder) / f"{team.rank}.txt").write_text(str(team.share_value(float(team.rank + 7), device)))


def train_with_norms(team: Team, device: torch.device, folder: str) -> None:
    """Train a network that no single image can be put through, as one of a team, and write down what it saw."""
    torch.set_num_threads(1)
    network = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.BatchNorm1d(6), nn.Linear(6, 4)).to(device)
    loss = SeenRows()
    train(network, *draw_stripes(), replace(RECIPE, epoch_images=94 - 13), seed=0, loss=loss, team=team)
    torch.save([len(rows) for rows in loss.rows], Path(folder) / f"{team.rank}-sizes.pt")


def test_processes_get_no_share_of_a_single_image(tmp_path: Path) -> None:
    run_team(train_with_norms, (str(tmp_path),), size=2, device="cpu", port=find_port())
    sizes = [torch.load(tmp_path / f"{rank}-sizes.pt", weights_only=True) for rank in range(2)]
    assert sizes == [[7, 7, 7, 7, 7, 8], [6, 6, 6, 6, 6, 8]], "3 images left over joined the 13 before them"


def test_processes_decide_by_the_value_of_the_first(tmp_path: Path) -> None:
    run_team(share_rank, (str(tmp_path),), size=2, device="cpu", port=find_port())
    assert [(tmp_path / f"{rank}.txt").read_text() for rank in range(2)] == ["7.0", "7.0"]
    assert ALONE.share_value(0.3, torch.device("cpu")) == 0.3


def test_shares_of_a_batch_are_disjoint_complete_and_even() -> None:
    positions = torch.arange(100, 110)
    shares = [Team(rank, 3).take_share(positions) for rank in range(3)]
    assert sorted(torch.cat(shares).tolist()) == positions.tolist()
    assert {len(share) for share in shares} == {3, 4}
    assert torch.equal(ALONE.take_share(positions), positions)


def test_single_process_exchanges_nothing() -> None:
    network = nn.BatchNorm1d(2)
    ALONE.average_buffers(network)
    ALONE.sum_gradients(network.parameters())
    assert all(parameter.grad is None for parameter in network.parameters())


def test_more_processes_than_gpus_are_refused() -> None:
    with pytest.raises(ValueError, match="need as many GPUs"):
        run_team(train_in_team, (), size=torch.cuda.device_count() + 1, device="cuda", port=0)
