"""Moves find themselves back, compose, and leave what cameras see as it was."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.align import Move, lay_onto
from calibration.rotation import from_rotvec
from tests.calibration.synthetic import people, ring

MOVE = Move(from_rotvec([0.3, -1.2, 0.5]), np.array([1.0, -2.0, 0.5]), 1.3)


@pytest.mark.parametrize("scaled", [True, False])
def test_a_move_is_found_back_from_what_it_moved(scaled):
    points = people(np.random.default_rng(1), 40)
    move = MOVE if scaled else Move(MOVE.rotation, MOVE.shift)
    found, left = lay_onto(points, move.points(points), np.ones(40), scaled=scaled)
    np.testing.assert_allclose(found.rotation, move.rotation, atol=1e-9)
    np.testing.assert_allclose(found.shift, move.shift, atol=1e-9)
    assert found.scale == pytest.approx(move.scale)
    assert left < 1e-9


def test_points_that_went_elsewhere_have_no_say():
    rng = np.random.default_rng(2)
    points = people(rng, 100)
    target = MOVE.points(points) + rng.normal(0, 1e-3, (100, 3))
    target[::4] += 3.0
    found, _ = lay_onto(points, target, np.ones(100), scaled=True)
    np.testing.assert_allclose(found.points(points)[1::4], MOVE.points(points)[1::4], atol=5e-3)


def test_a_mirror_image_is_not_taken_for_a_turn():
    points = people(np.random.default_rng(3), 50)
    found, left = lay_onto(points, points * [-1.0, 1.0, 1.0], np.ones(50))
    assert np.linalg.det(found.rotation) == pytest.approx(1.0)
    assert left > 0.05


def test_too_few_points_say_nothing():
    points = people(np.random.default_rng(4), 5)
    points[:3] = np.nan
    found, left = lay_onto(points, points, np.ones(5))
    assert left == float("inf")
    np.testing.assert_array_equal(found.rotation, np.eye(3))


def test_moved_cameras_see_moved_points_where_they_saw_the_points():
    cameras, points = ring(3), people(np.random.default_rng(5), 20)
    np.testing.assert_allclose(
        MOVE.cameras(cameras).project(MOVE.points(points)), cameras.project(points), atol=1e-8
    )


def test_one_move_then_another():
    points, second = people(np.random.default_rng(6), 5), Move(from_rotvec([0.1, 0.2, 0.3]), np.ones(3), 0.5)
    np.testing.assert_allclose(MOVE.then(second).points(points), second.points(MOVE.points(points)))
