"""The old world is found again, whatever turned, shifted and scaled it, and whoever moved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Cameras
from calibration.adjust.gauge import into_world_of
from calibration.adjust.projection import PARAMETERS, moved
from calibration.align import Move
from calibration.rotation import from_rotvec
from tests.calibration.synthetic import people, ring

AWAY = Move(from_rotvec(np.array([0.03, -0.05, 0.02])), np.array([0.1, -0.04, 0.07]), 1.04)


def test_carried_cameras_see_carried_points_where_they_saw_the_points():
    cameras, points = ring(4), people(np.random.default_rng(1), 30)
    np.testing.assert_allclose(AWAY.cameras(cameras).project(AWAY.points(points)), cameras.project(points))


def test_a_whole_world_is_carried_back():
    old, points = ring(4), people(np.random.default_rng(2), 50)
    back = into_world_of(old, AWAY.cameras(old), AWAY.points(points))
    np.testing.assert_allclose(back.points(AWAY.points(points)), points, atol=1e-5)
    for camera, true in zip(back.cameras(AWAY.cameras(old)), old, strict=True):
        np.testing.assert_allclose(camera.camera_from_world, true.camera_from_world, atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_one_camera_that_moved_is_outvoted(axis):
    old, points = ring(4), people(np.random.default_rng(3), 50)
    step = np.zeros(PARAMETERS)
    step[axis], step[3 + axis] = 0.07, 0.1
    new = AWAY.cameras(Cameras((old[0], moved(old[1], step), *old.cameras[2:])))
    back = into_world_of(old, new, AWAY.points(points))
    np.testing.assert_allclose(back.points(AWAY.points(points)), points, atol=0.002)


def test_lenses_play_no_part():
    old, points = ring(3), people(np.random.default_rng(4), 20)
    straight = Cameras(tuple(replace(c, distortion=np.zeros(0)) for c in old))
    back = into_world_of(straight, AWAY.cameras(old), AWAY.points(points))
    np.testing.assert_allclose(back.points(AWAY.points(points)), points, atol=1e-5)
