"""Cameras that are off are brought back, cameras that are right are left alone, and the world stays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Cameras
from calibration.adjust.refine import BLOCKS, LEAST_FRAMES, LEAST_GAIN, refine
from calibration.rotation import from_rotvec, to_rotvec
from calibration.triangulate import triangulate
from tests.calibration.synthetic import ring

FRAMES, LANDMARKS, HEIGHT = 48, 10, 250.0
NOISE = 0.012 * HEIGHT


def walker(rng, frames=FRAMES):
    """(T, J, 3) landmarks of somebody who walks a circle, swinging."""
    time = np.arange(frames)[:, None, None] / 30
    body = rng.uniform((-0.25, 0.05, -0.25), (0.25, 1.75, 0.25), (1, LANDMARKS, 3))
    swing = (
        0.15 * np.sin(5 * time + rng.uniform(0, 6, (1, LANDMARKS, 1))) * rng.normal(0, 1, (1, LANDMARKS, 3))
    )
    path = 0.6 * np.concatenate([np.cos(2 * time), 0 * time, np.sin(2 * time)], axis=-1)
    return body + swing + path


def filmed(cameras, points, rng, bias=0.5 * NOISE):
    """Pixels with noise, and with a bias of each landmark in each view that stays."""
    pixels = cameras.project(points) + rng.normal(0, NOISE, (len(cameras), *points.shape[:2], 2))
    return pixels + rng.normal(0, bias, (len(cameras), 1, points.shape[1], 2))


def turned(cameras, degrees):
    """Turn each camera where it stands, as a knock does: half pan, half tilt."""
    turns = [np.radians(angle) * np.array([0.6, 0.8, 0.0]) for angle in degrees]
    return Cameras(tuple(nudged(c, turn) for c, turn in zip(cameras, turns, strict=True)))


def nudged(camera, turn):
    pose = np.eye(4)
    pose[:3, :3] = from_rotvec(turn)
    return replace(camera, camera_from_world=pose @ camera.camera_from_world)


def held(cameras, pixels, weights=None, height=HEIGHT):
    weights = np.ones(pixels.shape[:-1]) if weights is None else weights
    return refine(cameras, pixels, weights, np.full(len(cameras), height))


def test_exact_cameras_are_left_alone():
    rng, cameras = np.random.default_rng(1), ring(4, distortion=())
    found = held(cameras, filmed(cameras, walker(rng), rng))
    assert not found.helped
    assert found.cameras is cameras
    assert found.gain < LEAST_GAIN
    assert "stands" in found.words[0]


@pytest.mark.parametrize(
    "seed", [2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)]
)
def test_a_camera_that_was_nudged_is_brought_back_and_named(seed):
    rng, true = np.random.default_rng(seed), ring(4, distortion=())
    points = walker(rng)
    given = turned(true, (0, 0, 2, 0))
    found = held(given, filmed(true, points, rng))
    assert found.helped
    assert found.after.median < 0.7 * found.before.median
    off = np.linalg.norm(found.cameras.project(points) - true.project(points), axis=-1)
    was = np.linalg.norm(given.project(points) - true.project(points), axis=-1)
    assert np.median(off[2]) < 0.3 * np.median(was[2])
    # The mean of 10 biases of 0.5 NOISE in each view, and what is 3 deviations of it.
    assert np.median(off, axis=(1, 2)).max() < 3 * NOISE * np.sqrt(2) * 0.5 / np.sqrt(LANDMARKS) + 0.3 * NOISE
    assert max(found.moves, key=lambda move: move.share).name == "cam3"
    assert any(line.startswith("cam3 is") and "degrees" in line and "mm" in line for line in found.words)


@pytest.mark.slow
def test_the_world_stays_where_it_was():
    rng, true = np.random.default_rng(5), ring(4, distortion=())
    points = walker(rng)
    pixels = filmed(true, points, rng)
    found = held(turned(true, (0, 2, 0, 0)), pixels)
    assert found.helped
    after, _ = triangulate(found.cameras, pixels, scale_px=3 * NOISE)
    before, _ = triangulate(true, pixels, scale_px=3 * NOISE)
    assert np.abs(np.median(after - before, axis=(0, 1))).max() < 0.01
    size = [np.linalg.norm(np.ptp(p[..., 1], axis=1)) for p in (after, before)]
    assert size[0] / size[1] == pytest.approx(1, abs=0.01)


@pytest.mark.slow
def test_moves_say_how_far_a_camera_went():
    rng, true = np.random.default_rng(6), ring(4, distortion=())
    given = turned(true, (2, 0, 0, 0))
    found = held(given, filmed(true, walker(rng), rng))
    for move, a, b in zip(found.moves, given, found.cameras, strict=True):
        turn = to_rotvec(a.camera_from_world[:3, :3] @ b.camera_from_world[:3, :3].T)
        assert move.angle == pytest.approx(np.linalg.norm(turn))
        assert move.distance == pytest.approx(np.linalg.norm(a.centre - b.centre))
        assert move.share == pytest.approx(move.px / HEIGHT)


@pytest.mark.slow
def test_lenses_stay():
    rng, true = np.random.default_rng(7), ring(3)
    found = held(turned(true, (0, 2, 0)), filmed(true, walker(rng), rng))
    assert found.helped
    for camera, given in zip(found.cameras, true, strict=True):
        np.testing.assert_array_equal(camera.K, given.K)
        np.testing.assert_array_equal(camera.distortion, given.distortion)
        assert (camera.name, camera.size, camera.model) == (given.name, given.size, given.model)


@pytest.mark.slow
def test_landmarks_that_nobody_sees_change_nothing():
    rng, true = np.random.default_rng(8), ring(4, distortion=())
    pixels, given = filmed(true, walker(rng), rng), turned(true, (0, 0, 0, 2))
    weights = np.ones(pixels.shape[:-1])
    weights[1, 20:30] = 0.0
    wild = np.where((weights > 0)[..., None], pixels, 1e4)
    unseen = np.where((weights > 0)[..., None], pixels, np.nan)
    first, second = held(given, wild, weights), held(given, unseen)
    for a, b in zip(first.cameras, second.cameras, strict=True):
        np.testing.assert_array_equal(a.camera_from_world, b.camera_from_world)


@pytest.mark.slow
def test_the_same_twice():
    rng, true = np.random.default_rng(9), ring(3, distortion=())
    pixels = filmed(true, walker(rng), rng)
    first, second = (held(true, pixels) for _ in range(2))
    assert (first.gain, first.after) == (second.gain, second.after)


def test_two_cameras_cannot_be_judged():
    rng, cameras = np.random.default_rng(10), ring(2, distortion=())
    found = held(cameras, filmed(cameras, walker(rng), rng))
    assert (found.helped, found.cameras, found.moves) == (False, cameras, ())
    assert "needs three cameras" in found.words[0]


def test_a_short_clip_cannot_be_judged():
    rng, cameras = np.random.default_rng(11), ring(3, distortion=())
    given = turned(cameras, (0, 2, 0))
    found = held(given, filmed(cameras, walker(rng, LEAST_FRAMES - 1), rng))
    assert not found.helped
    assert f"fewer than {LEAST_FRAMES} frames" in found.words[0]
    assert LEAST_FRAMES >= 2 * BLOCKS
