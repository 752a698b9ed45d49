"""Projection, distance and box, by their properties; the reference is NumPy in float64."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.attacks.norms import NORMS, Norm, clamp_to_box, get_norm
from backend.errors import UnknownName

ORDERS = {"Linf": np.inf, "L1": 1, "L2": 2}
DUALS = {"Linf": 1, "L1": np.inf, "L2": 2}
EXAMPLES = settings(deadline=None, max_examples=60)

seeds = st.integers(0, 2**32 - 1)
norms = st.sampled_from(sorted(NORMS))
shapes = st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 6), st.integers(1, 6))


def draw(seed: int, shape: tuple[int, ...], scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def measure(perturbation: torch.Tensor, order: float) -> np.ndarray:
    return np.linalg.norm(perturbation.double().flatten(1).numpy(), ord=order, axis=1)


@EXAMPLES
@given(name=norms, seed=seeds, shape=shapes, scale=st.floats(1e-4, 1e3))
def test_measure_agrees_with_numpy(name: str, seed: int, shape: tuple[int, ...], scale: float) -> None:
    perturbation = draw(seed, shape, scale)
    np.testing.assert_allclose(NORMS[name].measure(perturbation), measure(perturbation, ORDERS[name]), rtol=1e-5)
    np.testing.assert_allclose(NORMS[name].measure_dual(perturbation), measure(perturbation, DUALS[name]), rtol=1e-5)


@EXAMPLES
@given(name=norms, seed=seeds, shape=shapes)
def test_distance_is_that_of_the_difference_and_symmetric(name: str, seed: int, shape: tuple[int, ...]) -> None:
    first, second = draw(seed, shape), draw(seed + 1, shape)
    np.testing.assert_allclose(NORMS[name].distance(first, second), measure(second - first, ORDERS[name]), rtol=1e-5)
    assert torch.equal(NORMS[name].distance(first, second), NORMS[name].distance(second, first))
    assert NORMS[name].distance(first, first).tolist() == [0.0] * shape[0]


@EXAMPLES
@given(name=norms, seed=seeds, shape=shapes, share=st.floats(1.0001, 100.0))
def test_project_leaves_inside_points_unmoved(name: str, seed: int, shape: tuple[int, ...], share: float) -> None:
    perturbation = draw(seed, shape)
    radius = NORMS[name].measure(perturbation) * share
    assert torch.equal(NORMS[name].project(perturbation, radius), perturbation)


@EXAMPLES
@given(name=norms, seed=seeds, shape=shapes, share=st.floats(1e-3, 0.999))
def test_project_puts_outside_points_onto_the_ball(name: str, seed: int, shape: tuple[int, ...], share: float) -> None:
    perturbation = draw(seed, shape)
    before = perturbation.clone()
    radius = NORMS[name].measure(perturbation) * share
    projected = NORMS[name].project(perturbation, radius)
    np.testing.assert_allclose(measure(projected, ORDERS[name]), radius.double(), rtol=1e-5)
    assert torch.equal(perturbation, before)


@EXAMPLES
@given(name=norms, seed=seeds, shape=shapes, share=st.floats(0.1, 0.9))
def test_project_gives_the_nearest_point_of_the_ball(
    name: str, seed: int, shape: tuple[int, ...], share: float
) -> None:
    """Nearest in Euclidean length, against other points of the ball."""
    perturbation = draw(seed, shape)
    radius = NORMS[name].measure(perturbation) * share
    projected = NORMS[name].project(perturbation, radius)
    for offset in range(1, 6):
        other = draw(seed + offset, shape)
        other = other / NORMS[name].measure(other)[:, None, None, None] * radius[:, None, None, None]
        assert (measure(projected - perturbation, 2) <= measure(other - perturbation, 2) * (1 + 1e-5)).all()


@pytest.mark.parametrize("norm", NORMS.values(), ids=list(NORMS))
def test_project_treats_each_sample_by_its_own_radius(norm: Norm) -> None:
    perturbation = torch.full((3, 1, 2, 2), 0.5)
    projected = norm.project(perturbation, torch.tensor([0.0, 0.25, 10.0]))
    assert projected[0].abs().max() == 0.0
    assert torch.allclose(norm.measure(projected[1:2]), torch.tensor([0.25]))
    assert torch.equal(projected[2], perturbation[2])


@EXAMPLES
@given(name=norms, seed=seeds, shape=shapes)
def test_direct_is_a_unit_step_that_gains_the_dual_norm(name: str, seed: int, shape: tuple[int, ...]) -> None:
    gradient = draw(seed, shape)
    direction = NORMS[name].direct(gradient)
    np.testing.assert_allclose(measure(direction, ORDERS[name]), 1.0, rtol=1e-5)
    gained = (gradient * direction).double().flatten(1).sum(1)
    np.testing.assert_allclose(gained, measure(gradient, DUALS[name]), rtol=1e-4)


@pytest.mark.parametrize("name", NORMS)
def test_zero_perturbation_stays_finite_everywhere(name: str) -> None:
    zero = torch.zeros(2, 1, 2, 2)
    assert NORMS[name].measure(zero).tolist() == [0.0, 0.0]
    assert torch.equal(NORMS[name].project(zero, torch.zeros(2)), zero)
    assert torch.equal(NORMS[name].direct(zero), zero)


@EXAMPLES
@given(seed=seeds, shape=shapes)
def test_clamp_to_box_moves_only_what_is_outside(seed: int, shape: tuple[int, ...]) -> None:
    images = draw(seed, shape, 2.0)
    clamped = clamp_to_box(images)
    assert 0.0 <= float(clamped.min()) <= float(clamped.max()) <= 1.0
    inside = (images >= 0) & (images <= 1)
    assert torch.equal(clamped[inside], images[inside])
    assert ((clamped == 0) | (clamped == 1))[~inside].all()


def test_get_norm_unknown_lists_what_exists() -> None:
    with pytest.raises(UnknownName, match=r"no norm 'L0'\. Known: L1, L2, Linf\."):
        get_norm("L0")
