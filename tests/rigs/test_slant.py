"""Slants: which way a point in an image is rather off."""

from __future__ import annotations

import numpy as np
import pytest

from rigs.solving.slant import inverse_shape, slant_of, turned


def covariance(slant: np.ndarray) -> np.ndarray:
    """Of unit deviation, as the module says."""
    p, q = slant
    return np.array([[1 + p, q], [q, 1 - p]])


def rotation(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s], [s, c]])


@pytest.mark.parametrize("degrees", [0, 30, 90, 135, -70])
@pytest.mark.parametrize("least, most", [(1.0, 1.0), (0.9, 2.0), (1.0, 20.0)])
def test_a_slant_is_the_ellipse_that_it_was_made_of(least: float, most: float, degrees: float) -> None:
    way = rotation(np.deg2rad(degrees))
    slant = slant_of(np.array(least), np.array(most), way[:, 0])
    square = (least**2 + most**2) / 2
    np.testing.assert_allclose(
        square * covariance(slant), way @ np.diag([most**2, least**2]) @ way.T, atol=1e-9
    )


def test_which_end_of_the_axis_is_meant_does_not_matter() -> None:
    way = np.random.default_rng(1).normal(size=(20, 2))
    least, most = np.ones(20), np.full(20, 3.0)
    np.testing.assert_allclose(slant_of(least, most, way), slant_of(least, most, -way), atol=1e-12)


def test_an_image_that_is_turned_turns_its_ellipses() -> None:
    slant = np.array([0.3, -0.6])
    for angle in (0.0, 0.7, -2.0, np.pi):
        turn = rotation(angle)
        np.testing.assert_allclose(
            covariance(turned(slant, angle)), turn @ covariance(slant) @ turn.T, atol=1e-12
        )


def test_the_inverse_is_the_inverse_and_round_is_one() -> None:
    slants = np.random.default_rng(2).uniform(-0.69, 0.69, (30, 2))
    for slant, xx, xy, yy in zip(slants, *inverse_shape(slants), strict=True):
        np.testing.assert_allclose(np.array([[xx, xy], [xy, yy]]) @ covariance(slant), np.eye(2), atol=1e-12)
    assert [float(a) for a in inverse_shape(np.zeros(2))] == [1.0, 0.0, 1.0]
