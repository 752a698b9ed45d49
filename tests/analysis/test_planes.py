"""Planes through an image: known places, known shapes, and what spans none."""

import numpy as np
import pytest

from backend.analysis.planes import choose_half_width, cut_shape, lay_grid, span_plane


def test_span_plane_keeps_distances_and_goes_through_both_directions() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(2, 50))
    plane = span_plane(first, second)
    assert plane is not None
    np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)
    assert plane.place(first) == (pytest.approx(np.linalg.norm(first)), pytest.approx(0.0, abs=1e-12))
    place = plane.place(second)
    assert np.hypot(*place) == pytest.approx(np.linalg.norm(second)) and place[1] > 0
    np.testing.assert_allclose(plane.move(np.array([place]))[0], second, atol=1e-12)


@pytest.mark.parametrize("other", [[2.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0], [1.0, 1e-6, 0.0]])
def test_span_plane_of_one_line_is_none(other: list[float]) -> None:
    assert span_plane(np.array([1.0, 0.0, 0.0]), np.array(other)) is None


def test_cut_shape_of_a_cube_along_its_axes_is_a_square() -> None:
    plane = span_plane(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    assert plane is not None
    corners = cut_shape(plane, np.full(3, -1.0), np.full(3, 1.0))
    assert sorted((round(x, 9), round(y, 9)) for x, y in corners) == [(-1, -1), (-1, 1), (1, -1), (1, 1)]


def test_cut_shape_of_a_cube_across_its_diagonal_is_a_hexagon() -> None:
    plane = span_plane(np.array([1.0, -1.0, 0.0]), np.array([1.0, 1.0, -2.0]))
    assert plane is not None
    corners = np.array(cut_shape(plane, np.full(3, -1.0), np.full(3, 1.0)))
    assert len(corners) == 6
    np.testing.assert_allclose(np.linalg.norm(corners, axis=1), np.sqrt(2), atol=1e-9)
    np.testing.assert_allclose(np.abs(plane.move(corners)).max(1), 1.0, atol=1e-9)


def test_cut_shape_is_where_every_pixel_stays_within_its_limits() -> None:
    generator = np.random.default_rng(1)
    plane = span_plane(*generator.normal(size=(2, 30)))
    assert plane is not None
    low, high = -generator.uniform(0.1, 1, 30), generator.uniform(0.1, 1, 30)
    corners = np.array(cut_shape(plane, low, high))
    inside = plane.move(corners * 0.999)
    assert ((inside >= low) & (inside <= high)).all()
    outside = plane.move(corners * 1.001)
    assert (((outside < low) | (outside > high)).any(1)).all()


def test_cut_shape_with_an_image_at_the_edge_of_the_box_keeps_the_image() -> None:
    plane = span_plane(np.array([1.0, 0.0]), np.array([0.0, 1.0]))
    assert plane is not None
    corners = cut_shape(plane, np.array([0.0, -0.5]), np.array([1.0, 0.5]))
    assert sorted({(round(x, 9) + 0.0, round(y, 9)) for x, y in corners}) == [(0, -0.5), (0, 0.5), (1, -0.5), (1, 0.5)]


def test_lay_grid_has_the_image_in_its_middle() -> None:
    grid = lay_grid(2.0, 5)
    assert grid.shape == (25, 2)
    assert (grid[12] == 0).all() and (grid[0] == -2).all() and (grid[4] == [2, -2]).all() and (grid[-1] == 2).all()


def test_choose_half_width_shows_the_points_and_no_more_than_twice_as_much_of_a_ball() -> None:
    places = np.array([[0.0, 0.0], [0.2, -0.4]])
    assert choose_half_width(places, None) == pytest.approx(0.46)
    assert choose_half_width(places, np.array([[0.6, 0.0]])) == pytest.approx(0.69)
    assert choose_half_width(places, np.array([[50.0, 0.0]])) == pytest.approx(0.92)
    assert choose_half_width(places, np.array([[0.1, 0.0]])) == pytest.approx(0.46)
