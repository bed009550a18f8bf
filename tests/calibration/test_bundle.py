"""The adjustment finds cameras, points, boards and times back from what they must have seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Cameras
from calibration.adjust.bundle import adjust
from calibration.adjust.freedom import Freedom
from calibration.adjust.projection import BEND, CENTRE, FOCAL, PARAMETERS, TIME, moved, project
from calibration.rotation import from_rotvec, to_rotvec
from tests.calibration.synthetic import camera, people, ring

FISHEYE = (0.05, -0.01, 0.002, -0.001)
PATTERN = np.stack([*np.meshgrid(np.arange(4) * 0.25, np.arange(3) * 0.25), np.zeros((3, 4))], -1).reshape(
    -1, 3
)


def disturbed(cameras: Cameras, rng, turn=0.02, shift=0.05, focal=0.0) -> Cameras:
    """The first camera stays where it is."""
    steps = np.zeros((len(cameras), PARAMETERS))
    steps[1:, :3], steps[1:, 3:6] = rng.normal(0, turn, (2, len(cameras) - 1, 3)) * [
        [[1.0]],
        [[shift / turn]],
    ]
    steps[:, FOCAL] = rng.normal(0, focal, (len(cameras), 1)) if focal else 0.0
    return Cameras(tuple(moved(c, s) for c, s in zip(cameras, steps, strict=True)))


def held(views: int, **free) -> Freedom:
    """Fix the gauge: the first camera's pose, and the length from it to the second by its x."""
    freedom = Freedom.of(views, **free)
    freedom.sd[0, :6] = 0.0
    freedom.sd[1, 3] = 0.0
    return freedom


@pytest.mark.parametrize(
    ("bend", "model"), [((-0.3, 0.1, 0.001, -0.002, 0.01), "pinhole"), (FISHEYE, "fisheye")]
)
def test_derivatives_are_those_of_differences(bend, model):
    cam, rng = camera(distortion=bend, model=model), np.random.default_rng(1)
    points, h = people(rng, 20), 1e-6
    pixels, by_point, by_camera = project(cam, points)
    np.testing.assert_allclose(pixels, cam.project(points))
    for k in range(3):
        step = h * np.eye(3)[k]
        numeric = (cam.project(points + step) - cam.project(points - step)) / (2 * h)
        np.testing.assert_allclose(by_point[:, :, k], numeric, atol=1e-4 * np.abs(numeric).max())
    for k in range(FOCAL.start + 4 + len(bend)):
        step = h * np.eye(PARAMETERS)[k]
        numeric = (moved(cam, step).project(points) - moved(cam, -step).project(points)) / (2 * h)
        np.testing.assert_allclose(by_camera[:, :, k], numeric, atol=1e-4 * np.abs(numeric).max())


def test_exact_points_bring_cameras_back_exactly():
    rng, truth = np.random.default_rng(2), ring(4)
    points = people(rng, 60)
    start = disturbed(truth, rng)
    start = Cameras(
        (start[0], replace(start[1], camera_from_world=with_x(start[1], truth[1])), *start.cameras[2:])
    )
    found = adjust(
        start, points + rng.normal(0, 0.05, points.shape), truth.project(points)[:, :, None], 1.0, held(4)
    )
    assert np.nanmax(found.error) < 1e-3
    np.testing.assert_allclose([c.centre for c in found.cameras], [c.centre for c in truth], atol=1e-4)
    np.testing.assert_allclose(found.structure, points, atol=1e-4)


def with_x(cam, other):
    pose = cam.camera_from_world.copy()
    pose[0, 3] = other.camera_from_world[0, 3]
    return pose


def test_outliers_have_no_say():
    rng, truth = np.random.default_rng(3), ring(4)
    points = people(rng, 150)
    pixels = truth.project(points)[:, :, None] + rng.normal(0, 0.5, (4, 150, 1, 2))
    pixels[2, ::5] += 80.0
    pixels[3, :40] = np.nan
    found = adjust(disturbed(truth, rng, 0.005, 0.01), points, pixels, 0.5, held(4), robust=5.0)
    assert np.nanmedian(found.error[2, 1::5]) < 1.0
    assert np.nanmedian(found.error[2, ::5]) > 80.0
    assert np.isnan(found.error[3, :40]).all()


def test_boards_bring_the_lens_back_and_say_how_well():
    rng, truth = np.random.default_rng(4), ring(3)
    poses = np.tile(np.eye(4), (40, 1, 1))
    for pose in poses:
        pose[:3, :3] = from_rotvec(rng.normal(0, 0.5, 3))
        pose[:3, 3] = rng.uniform((-1, 0.3, -1), (1, 1.6, 1))
    world = np.einsum("sij,cj->sci", poses[:, :3, :3], PATTERN) + poses[:, None, :3, 3]
    pixels = truth.project(world) + rng.normal(0, 0.1, (3, 40, len(PATTERN), 2))
    start = disturbed(truth, rng, 0.01, 0.02, focal=0.02)
    freedom = Freedom.of(3, focal=np.inf, centre=np.inf, bend=np.inf, square=False)
    freedom.sd[:, BEND.start + 5 : BEND.stop] = 0.0
    freedom.sd[0, :6] = 0.0
    found = adjust(start, poses, pixels, 0.1, freedom, pattern=PATTERN, robust=np.inf)
    off = np.log([c.K[0, 0] / t.K[0, 0] for c, t in zip(found.cameras, truth, strict=True)])
    assert np.all(np.abs(off) < 4 * found.sd[:, FOCAL.start])
    assert np.all(found.sd[:, FOCAL.start] < 0.005)
    off = np.stack([c.K[:2, 2] - t.K[:2, 2] for c, t in zip(found.cameras, truth, strict=True)])
    assert np.all(np.abs(off) < 4 * found.sd[:, CENTRE])
    for cam, true in zip(found.cameras, truth, strict=True):
        np.testing.assert_allclose(cam.distortion[:2], true.distortion[:2], atol=0.05)


def test_times_come_back_from_what_moves():
    rng, truth = np.random.default_rng(5), ring(4)
    points, speed = people(rng, 200), rng.normal(0, 1.0, (200, 3))
    late = np.array([0.0, 0.02, -0.015, 0.008])
    pixels = np.stack([c.project(points - d * speed) for c, d in zip(truth, late, strict=True)])[:, :, None]
    velocity = (truth.project(points + 1e-4 * speed) - truth.project(points))[:, :, None] / 1e-4
    freedom = Freedom.of(4, pose=0.0, time=np.inf)
    freedom.sd[0, TIME] = 0.0
    found = adjust(truth, points, pixels, 1.0, freedom, velocity=velocity)
    np.testing.assert_allclose(
        found.times, late, atol=5e-4
    )  # what is left of second order: speed^2 time^2 / depth


def test_one_lens_for_all_takes_one_step():
    rng, truth = np.random.default_rng(6), ring(4)
    points = people(rng, 200)
    steps = np.zeros((4, PARAMETERS))
    steps[:, FOCAL] = 0.03
    start = Cameras(tuple(moved(c, s) for c, s in zip(truth, steps, strict=True)))
    found = adjust(start, points, truth.project(points)[:, :, None], 1.0, held(4, focal=np.inf, shared=True))
    assert np.ptp(found.steps[:, FOCAL]) == 0.0
    np.testing.assert_allclose(found.steps[:, FOCAL], -0.03, atol=1e-5)


def test_a_narrow_prior_holds_and_a_fixed_parameter_stays():
    rng, truth = np.random.default_rng(7), ring(3)
    points = people(rng, 100)
    start = disturbed(truth, rng)
    near = adjust(start, points, truth.project(points)[:, :, None], 1.0, Freedom.of(3, pose=1e-7))
    fixed = adjust(start, points, truth.project(points)[:, :, None], 1.0, Freedom.of(3, pose=0.0))
    turned = [
        to_rotvec(a.camera_from_world[:3, :3] @ b.camera_from_world[:3, :3].T)
        for a, b in zip(near.cameras, start, strict=True)
    ]
    assert np.abs(turned).max() < 1e-5
    for a, b in zip(fixed.cameras, start, strict=True):
        np.testing.assert_allclose(a.camera_from_world, b.camera_from_world, atol=1e-12)
    assert not fixed.covariance.any()
