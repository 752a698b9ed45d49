"""`fast` on masked networks: the right verdict or a plain refusal; on sound ones no flag."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from backend import attacks
from backend.errors import AttackFailed, InvalidRequest
from tests.attacks.digit_networks import pick_right
from tests.attacks.masked_networks import CONTROLS, VARIANTS, choose_eps
from tests.attacks.test_masking import ATTACKED, BASES, COUNT, MOST_MISSED

DENSE_EPS = 0.1
SOUND = [name for name, variant in VARIANTS.items() if variant.truth is not None]
RANDOM = [name for name, variant in VARIANTS.items() if variant.truth is None]
SUBJECTS = [pytest.param("dense", marks=pytest.mark.slow), *ATTACKED]


@pytest.fixture
def samples(slice_images: tuple[Tensor, Tensor]) -> Callable[[str], tuple[Tensor, Tensor]]:
    """Sixty images for a base, and their labels."""

    def choose(base: str) -> tuple[Tensor, Tensor]:
        if base.startswith("digits"):
            return pick_right(CONTROLS[base](), COUNT)
        return slice_images[0][:COUNT], slice_images[1][:COUNT]

    return choose


def decide(network: nn.Module, images: Tensor, labels: Tensor, base: str) -> tuple[Tensor, float]:
    """Which samples the margins of a sound network call broken, bool (B,), and within which eps."""
    margins = attacks.run("margin", network.eval(), images, labels).distance
    eps = DENSE_EPS if base == "dense" else choose_eps(margins)
    return margins <= eps, eps


def confirm(network: nn.Module, images: Tensor, labels: Tensor, result: attacks.AttackResult) -> None:
    """Every broken sample is one by the untouched network in float32, inside the box, at the distance that is said."""
    found, points = result.found, result.adversarial
    with torch.no_grad():
        assert bool((network(points).argmax(1) != labels)[found].all())
    torch.testing.assert_close(
        (points - images).flatten(1).abs().amax(1)[found], result.distance[found], rtol=0, atol=1e-6
    )
    assert float(points.min()) >= 0.0
    assert float(points.max()) <= 1.0


@pytest.mark.parametrize("variant", SOUND)
@pytest.mark.parametrize("base", SUBJECTS)
def test_fast_gives_the_right_verdict_on_a_masked_network_or_refuses(
    samples: Callable[[str], tuple[Tensor, Tensor]], base: str, variant: str
) -> None:
    images, labels = samples(base)
    masked = VARIANTS[variant]
    assert masked.truth is not None
    is_broken, eps = decide(masked.truth(CONTROLS[base]()), images, labels, base)
    network = masked.build(CONTROLS[base]()).eval()
    try:
        result = attacks.run("fast", network, images, labels, eps=eps)
    except (AttackFailed, InvalidRequest) as refusal:
        assert refusal.details["flag"] in masked.raised
        return
    assert masked.raised <= set(result.flags)
    confirm(network, images, labels, result)
    assert int((is_broken & ~(result.distance <= eps)).sum()) <= MOST_MISSED


@pytest.mark.parametrize("variant", RANDOM)
@pytest.mark.parametrize("base", SUBJECTS)
def test_fast_gives_no_plain_figure_for_a_randomised_network(
    samples: Callable[[str], tuple[Tensor, Tensor]], base: str, variant: str
) -> None:
    """Refused, or decided on the expectation: within a twentieth of what the base without randomness says."""
    images, labels = samples(base)
    is_broken, eps = decide(CONTROLS[base](), images, labels, base)
    torch.manual_seed(0)
    try:
        result = attacks.run("fast", VARIANTS[variant].build(CONTROLS[base]()).eval(), images, labels, eps=eps)
    except (AttackFailed, InvalidRequest) as refusal:
        assert refusal.details["flag"] == "randomised"
        return
    assert "randomised" in result.flags
    assert abs(int((result.distance <= eps).sum()) - int(is_broken.sum())) <= COUNT // 20


@pytest.mark.parametrize("name", [n if n in BASES else pytest.param(n, marks=pytest.mark.slow) for n in CONTROLS])
def test_fast_raises_no_flag_for_a_sound_network(samples: Callable[[str], tuple[Tensor, Tensor]], name: str) -> None:
    images, labels = samples(name)
    is_broken, eps = decide(CONTROLS[name](), images, labels, name if name in BASES else "dense")
    result = attacks.run("fast", CONTROLS[name](), images, labels, eps=eps)
    assert result.flags == ()
    assert int((is_broken & ~(result.distance <= eps)).sum()) <= MOST_MISSED
