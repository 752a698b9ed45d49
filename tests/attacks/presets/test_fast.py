"""Preset `fast`: as strong as AutoAttack on the shipped networks, for far less, and honest about fallback attacks."""

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from backend import attacks
from backend.attacks import AttackResult
from backend.attacks.catalogue.attacks import ATTACKS
from backend.attacks.presets import fast
from backend.attacks.presets.fast import RESTART_BANDS
from backend.attacks.runs import StartPool
from backend.attacks.search.scheduler import Script
from backend.attacks.search.sequences import AttackedSample
from backend.datasets.make_slice import SLICE
from backend.datasets.readers import read_npz
from backend.errors import AttackFailed
from models.architectures.builders import build_architecture
from tests.attacks.conftest import REPOSITORY
from tests.attacks.foreign_networks import Counting, DropoutAtInference

EPS = 0.1
COUNT = 60


def load_shipped(name: str) -> nn.Module:
    network = build_architecture("small-cnn", 10, 1)
    network.load_state_dict(load_file(REPOSITORY / f"models/zoo/{name}.safetensors"))
    return network.eval()


@pytest.fixture(scope="module")
def pruned(slice_images: tuple[Tensor, Tensor]) -> tuple[nn.Module, AttackResult, Tensor, Tensor]:
    """The network with 1 % of its weights, whose pixels mostly have no gradient, and its fast verdict."""
    images, labels = (column[:COUNT] for column in slice_images)
    network = load_shipped("cnn-lwm-99")
    return network, attacks.run("fast", network, images, labels, eps=EPS), images, labels


def test_fast_on_the_shipped_network_breaks_what_margin_breaks_at_half_the_gradients(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    fast = attacks.run("fast", zoo_network, images, labels, eps=EPS)
    margin = attacks.run("margin", zoo_network, images, labels)
    assert fast.flags == ()
    assert torch.equal(fast.primary.distance, fast.distance)
    assert {attempt.series for attempt in fast.attempts} == {0}
    assert not ((margin.distance <= EPS) & (fast.distance > EPS)).any()
    assert fast.backwards < 130 * COUNT
    assert fast.backwards < 0.7 * margin.backwards


def test_fast_leaves_samples_that_are_broken_or_far_alone(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    images, labels = (column[:COUNT] for column in slice_images)
    result = attacks.run("fast", zoo_network, images, labels, eps=EPS)
    tried = {attempt.attack: attempt.tried for attempt in result.attempts}
    first = next(attempt.distance for attempt in result.attempts if attempt.attack == "fmn-untargeted")
    right = result.distance > 0
    assert torch.equal(tried["fmn-untargeted"], right)
    assert torch.equal(tried["fmn-target-1"], right & (first > EPS))
    assert not (tried["fmn-target-2"] & (result.distance > 2 * EPS)).any()
    assert (result.distance[tried["ascent-restart"]] <= 1.5 * EPS).all()
    assert (right & ~tried["ascent-restart"]).any()


def test_fast_leaves_a_walk_at_the_first_break_within_eps(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    """Where everything breaks a verdict costs a few gradients, and says of each sample that eps is enough, no more."""
    images, labels = (column[:COUNT] for column in slice_images)
    wide = 8 * EPS
    counting = Counting(zoo_network)
    result = attacks.run("fast", counting, images, labels, eps=wide, batch_size=20)
    right = result.distance > 0
    assert result.kind == "witness" and right.any() and result.flags == ()
    assert (result.distance.double() <= wide).all()
    with torch.no_grad():
        assert (zoo_network(result.adversarial[right]).argmax(1) != labels[right]).all()
    assert result.backwards == counting.ledger["backwards"]
    assert result.backwards < 15 * int(right.sum()) + 45 * int((~right).sum())


def test_fast_in_l2_breaks_from_the_segment_what_no_walk_from_the_image_reaches() -> None:
    """Row 81 of the slice that `cnn-lwm-95` gets right: walks stop at 1.1 eps and more."""
    network = load_shipped("cnn-lwm-95")
    pixels, targets = read_npz(SLICE.path)
    images, labels = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255, torch.from_numpy(targets)
    with torch.no_grad():
        right = (network(images[:200]).argmax(1) == labels[:200]).nonzero()[:100, 0]
    row = right[right == 81]
    assert len(row) == 1
    result = attacks.run("fast", network, images[row], labels[row], norm="L2", eps=1.5, pool_images=images[right])
    reached = {attempt.attack: float(attempt.distance[0]) for attempt in result.attempts}
    assert min(far for name, far in reached.items() if name != "segment") > 1.5
    assert result.attack == ["segment"] and float(result.distance[0]) <= 1.5


class Brightness(nn.Module):
    """Class 0 where the pixels are brighter than `level` on average."""

    def __init__(self, level: float) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.tensor(level))

    def forward(self, images: Tensor) -> Tensor:
        gap = images.flatten(1).mean(1) - self.level
        return torch.stack([gap, torch.zeros_like(gap)], 1)


@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("eps", [1 / 2550, 1 / 255, 8 / 255])
def test_fast_ends_a_sample_whose_boundary_lies_just_within_eps_after_one_step(norm: str, eps: float) -> None:
    """Bright pixels are rounded most; whatever the eps, the step to its edge stays inside and is seen to be enough."""
    shares = torch.linspace(0.5, 0.99, 16)
    noise = 0.02 * torch.rand((16, 1, 8, 8), generator=torch.Generator().manual_seed(3))
    noise -= noise.mean((1, 2, 3), keepdim=True)
    margin = shares * (eps if norm == "Linf" else eps / 8)  # 64 pixels
    images = 0.94 + margin[:, None, None, None] + noise
    labels = torch.zeros(16, dtype=torch.int64)
    result = attacks.run("fast", Brightness(0.94), images, labels, norm=norm, eps=eps, batch_size=16)
    assert (result.prediction == 0).all()
    assert (result.distance.double() <= eps).all() and (result.distance > 0).all()
    assert not any(attempt.tried.any() for attempt in result.attempts if attempt.attack != "fmn-untargeted")
    assert result.backwards <= 16 * (2 + 1 + 3)  # the walk, the flags and the probe of the widths


class Unlit(Brightness):
    """The same without any gradient."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.detach())


def test_fast_in_l2_bisects_the_nearest_before_it_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something was met at 1.4 eps, and the boundary lies at 0.9 eps on the way to it."""
    eps = 0.8
    images = torch.full((4, 1, 8, 8), 0.5 + 0.9 * eps / 8)

    def meet_far_away(sample: AttackedSample, attack: str, pool: StartPool, enough: float) -> Script:
        walker = sample.send(None)
        walker.best, walker.distance = sample.image - 1.4 * eps / 8, 1.4 * eps
        sample.note(attack, walker)
        yield from ()

    monkeypatch.setattr(fast, "start_from_segment", meet_far_away)
    result = attacks.run("fast", Unlit(0.5), images, torch.zeros(4, dtype=torch.int64), norm="L2", eps=eps)
    assert result.primary.attack == ["segment"] * 4
    assert (result.primary.distance <= eps).all()


def test_fast_beyond_hidden_gradients_finds_by_its_fallback_attack_and_keeps_the_primary_run_apart(
    pruned: tuple[nn.Module, AttackResult, Tensor, Tensor],
) -> None:
    network, result, images, labels = pruned
    assert "partial-gradients" in result.flags
    fallbacks = [attempt for attempt in result.attempts if attempt.series == 1]
    assert [attempt.attack for attempt in fallbacks] == ["hidden"]
    lowered = result.distance < result.primary.distance
    assert int((lowered & (result.distance <= EPS)).sum()) >= 2
    assert (result.distance <= result.primary.distance).all()
    assert {result.attack[row] for row in lowered.nonzero()[:, 0].tolist()} == {"hidden"}
    assert "hidden" not in result.primary.attack
    found = result.found & (result.distance > 0)
    with torch.no_grad():
        assert (network(result.adversarial[found]).argmax(1) != labels[found]).all()
    torch.testing.assert_close((result.adversarial - images).flatten(1).abs().amax(1)[found], result.distance[found])


def test_fast_tries_anothers_examples_where_gradients_are_hidden(
    pruned: tuple[nn.Module, AttackResult, Tensor, Tensor],
) -> None:
    network, plain, images, labels = pruned
    known = plain.found & (plain.distance > 0)
    rows = known.nonzero()[:12, 0]
    given = plain.adversarial[rows]
    result = attacks.run("fast", network, images[rows], labels[rows], eps=EPS, transfer_images=given)
    transfer = next((attempt for attempt in result.attempts if attempt.attack == "transfer"), None)
    if "partial-gradients" not in result.flags and "not-found" not in result.flags:
        assert transfer is None
        return
    assert transfer is not None
    assert (transfer.distance[transfer.found] <= plain.distance[rows][transfer.found] + 1e-6).all()


def test_early_flags_of_a_whole_evaluation_call_for_fallback_attacks_in_each_part(
    pruned: tuple[nn.Module, AttackResult, Tensor, Tensor],
) -> None:
    network, _, images, labels = pruned
    early_flags = attacks.find_early_flags(network, images)
    assert "partial-gradients" in early_flags
    plain = attacks.run("fast", network, images[:3], labels[:3], eps=EPS)
    seen: list[tuple[int, int]] = []
    given = {"early_flags": early_flags, "on_step": lambda done, total, stage: seen.append((done, total))}
    told = attacks.run("fast", network, images[:3], labels[:3], eps=EPS, **given)
    assert all(0 <= done <= total == 3 for done, total in seen) and seen == sorted(seen)
    assert "partial-gradients" not in plain.flags and "hidden" not in [one.attack for one in plain.attempts]
    assert "partial-gradients" in told.flags and "hidden" in [one.attack for one in told.attempts]
    assert torch.equal(told.primary.distance, plain.primary.distance)


def test_find_early_flags_of_a_sound_network_are_none(
    zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]
) -> None:
    assert attacks.find_early_flags(zoo_network, slice_images[0]) == ()


def test_fast_refuses_a_randomised_network(zoo_network: nn.Module, slice_images: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(0)
    with pytest.raises(AttackFailed) as refused:
        attacks.run("fast", DropoutAtInference(zoo_network), *(column[:16] for column in slice_images), eps=EPS)
    assert refused.value.details["flag"] == "randomised"


def test_fast_restarts_are_as_many_as_the_catalogue_says() -> None:
    assert sum(count for _, count in RESTART_BANDS) == ATTACKS["ascent-restart"].parameters["restarts"]
