"""Cameras found from a made-up person: where they stand, which way is up, how large the world is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.adjust.freedom import Freedom
from calibration.align import Move
from calibration.camera import Cameras
from calibration.rotation import from_rotvec, to_rotvec
from mocap.bodystart import start_cameras
from mocap.config import Distance
from mocap.errors import MocapError
from mocap.floor import turn_up
from mocap.observations import Observations
from mocap.selfcal import calibrate_from_person, settle
from mocap.stature import stature_of
from mocap.world import lowest_feet, stand_world, up_direction
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, STATURE, beside, guess, marching, observed

FRAMES = 120
GIVEN = np.ones(4, bool)


def guessed(seen: Observations, cameras: Cameras, landmarks: np.ndarray) -> Observations:
    """Add the detector's own 3D guess."""
    sight = np.where(np.isfinite(seen.pixels).all(axis=-1), seen.confidence, 0.0)
    return replace(seen, world=np.stack([guess(c, landmarks) for c in cameras]), confidence=sight)


@pytest.fixture(scope="module")
def person():
    return marching(FRAMES)


@pytest.fixture(scope="module")
def scene(person):
    cameras = ring(4)
    return cameras, guessed(observed(cameras, [person] * 4), cameras, person.landmarks)


@pytest.fixture(scope="module")
def found(scene):
    cameras, seen = scene
    return calibrate_from_person(seen, cameras, GIVEN, STATURE)


def between(cameras: Cameras, a: int, b: int) -> np.ndarray:
    return cameras[b].camera_from_world[:3, :3] @ cameras[a].camera_from_world[:3, :3].T


def spans(cameras: Cameras) -> np.ndarray:
    centres = np.stack([c.centre for c in cameras])
    return np.linalg.norm(centres[:, None] - centres[None], axis=-1)[np.triu_indices(len(cameras), 1)]


def test_the_start_is_near_whatever_way_the_cameras_look(scene):
    cameras, seen = scene
    start, misfit = start_cameras(seen, cameras, STATURE)
    for v in range(1, 4):
        off = to_rotvec(between(start, 0, v) @ between(cameras, 0, v).T)
        assert np.rad2deg(np.linalg.norm(off)) < 12.0  # the tilt, of which the guess knows only a part
    np.testing.assert_allclose(spans(start) / spans(cameras), 1.0, atol=0.15)
    assert misfit.max() < 0.3


def test_centres_beside_the_landmarks_start_the_cameras_alike(scene, person):
    """The detector guesses nothing of them in 3D."""
    cameras, seen = scene
    (start, misfit), (other, off) = (
        start_cameras(s, cameras, STATURE) for s in (seen, beside(seen, cameras, person))
    )
    np.testing.assert_allclose(off, misfit)
    for a, b in zip(start, other, strict=True):
        np.testing.assert_allclose(a.camera_from_world, b.camera_from_world)


def turned(found: Cameras, true: Cameras) -> np.ndarray:
    """Degrees between where the views but the first look from it, found and true."""
    off = [to_rotvec(between(found, 0, v) @ between(true, 0, v).T) for v in range(1, len(true))]
    return np.rad2deg(np.linalg.norm(off, axis=1))


def test_exact_keypoints_bring_the_cameras_back(scene):
    cameras, seen = scene
    start, _ = start_cameras(seen, cameras, STATURE)
    assert turned(start, cameras).max() > 1.0
    freedom = Freedom.of(4)
    freedom.sd[0] = 0.0
    found = settle(seen, start, freedom).cameras
    assert turned(found, cameras).max() < 0.05
    ratio = spans(found) / spans(cameras)
    np.testing.assert_allclose(ratio / ratio.mean(), 1.0, atol=1e-3)


def test_a_body_of_other_proportions_moves_the_cameras_less_than_is_said(scene, found):
    cameras, _ = scene
    off, sd = turned(found.cameras, cameras), np.rad2deg(np.maximum(found.turn_sd[1:], found.turn_sd[0]))
    assert (off < 3 * sd).all() and off.max() < 1.5
    ratio = spans(found.cameras) / spans(cameras)
    np.testing.assert_allclose(ratio / ratio.mean(), 1.0, atol=0.015)


def test_a_short_clip_says_less(scene, found):
    cameras, seen = scene
    brief = replace(
        seen,
        pixels=seen.pixels[:, :40],
        confidence=seen.confidence[:, :40],
        world=seen.world[:, :40],
    )
    shorter = calibrate_from_person(brief, cameras, GIVEN, STATURE)
    assert (shorter.turn_sd[1:] > 1.2 * found.turn_sd[1:]).all()


def test_the_world_is_metric_level_and_begins_with_the_person(scene, found, person):
    cameras, _ = scene
    ratio = float(np.mean(spans(found.cameras) / spans(cameras)))
    expected = STATURE / stature_of(person.landmarks, LAYOUT)
    assert ratio == pytest.approx(expected, abs=0.01)
    assert ratio == pytest.approx(1.0, abs=0.06)  # this body's proportions are not the average's
    up = sum(
        f.camera_from_world[:3, :3].T @ c.camera_from_world[:3, 1]
        for f, c in zip(found.cameras, cameras, strict=True)
    )
    assert np.rad2deg(np.arccos(up[1] / np.linalg.norm(up))) < 1.5
    heights = [f.centre[1] - c.centre[1] * ratio for f, c in zip(found.cameras, cameras, strict=True)]
    assert np.abs(heights).max() < 0.12


def test_noise_is_averaged_away(scene, found):
    cameras, seen = scene
    rng = np.random.default_rng(1)
    noisy = replace(seen, pixels=seen.pixels + rng.normal(0, 3.0, seen.pixels.shape))
    off = calibrate_from_person(noisy, cameras, GIVEN, STATURE)
    assert turned(off.cameras, found.cameras).max() < 0.7


def test_a_view_of_somebody_else_is_refused_by_name(scene, person):
    cameras, seen = scene
    other = marching(FRAMES, stature=1.6)
    spun = other.landmarks @ from_rotvec([0, 2.0, 0]).T
    path = np.stack([np.linspace(2.5, -2.5, FRAMES), np.zeros(FRAMES), np.zeros(FRAMES)], axis=1)
    foreign = guessed(
        observed(cameras, [replace(person, landmarks=spun + path[:, None])] * 4),
        cameras,
        spun + path[:, None],
    )
    mixed = replace(
        seen,
        pixels=np.concatenate([seen.pixels[:3], foreign.pixels[3:]]),
        confidence=np.concatenate([seen.confidence[:3], foreign.confidence[3:]]),
        world=np.concatenate([seen.world[:3], foreign.world[3:]]),
    )
    with pytest.raises(MocapError, match=r"view cam4 .*does not move as in the others"):
        calibrate_from_person(mixed, cameras, GIVEN, STATURE)


def test_a_view_that_sees_nobody_is_refused_by_name(scene):
    cameras, seen = scene
    pixels, confidence, world = seen.pixels.copy(), seen.confidence.copy(), seen.world.copy()
    pixels[2], confidence[2], world[2] = np.nan, 0.0, np.nan
    with pytest.raises(MocapError, match="view cam3 sees nobody"):
        calibrate_from_person(
            replace(seen, pixels=pixels, confidence=confidence, world=world), cameras, GIVEN
        )


def test_a_measured_distance_sets_the_scale_and_a_height_that_contradicts_it_is_said(scene):
    cameras, seen = scene
    true = float(np.linalg.norm(cameras[0].centre - cameras[1].centre))
    found = calibrate_from_person(seen, cameras, GIVEN, 1.2, Distance(("cam1", "cam2"), true))
    np.testing.assert_allclose(spans(found.cameras), spans(cameras), rtol=0.02)
    assert any("not 1.20 m: measure both again" in note for note in found.notes)


def test_an_unknown_height_is_said(scene):
    cameras, seen = scene
    found = calibrate_from_person(seen, cameras, GIVEN)
    assert any("assumed to be 1.70 m" in note for note in found.notes)


@pytest.mark.parametrize("tilt", [(0.0, 0.0, 0.0), (0.4, 0.0, 0.2), (np.pi / 2, 0.0, 0.0), (0.0, 0.0, np.pi)])
def test_up_is_found_in_any_axes(tilt, person):
    cameras, move = ring(4), Move(from_rotvec(tilt), np.array([0.3, -0.2, 0.1]))
    up = up_direction(move.cameras(cameras), move.points(person.landmarks), LAYOUT)
    assert np.rad2deg(np.arccos(np.clip(move.rotation[:, 1] @ up, -1, 1))) < 2.5
    np.testing.assert_allclose(turn_up(up) @ up, [0, 1, 0], atol=1e-9)


def test_the_person_stands_on_the_floor_facing_z(person):
    cameras, move = ring(4), Move(from_rotvec([0.2, 0.9, -0.1]), np.array([2.0, 1.0, -3.0]))
    landmarks = move.points(person.landmarks)
    stood = stand_world(move.cameras(cameras), landmarks, LAYOUT, STATURE, 30.0).points(landmarks)
    lowest = lowest_feet(stood, LAYOUT, STATURE)
    assert abs(np.median(lowest[:, 1])) < 0.04
    hips = stood[0, [LAYOUT.index("left_hip"), LAYOUT.index("right_hip")]]
    assert np.abs(hips.mean(axis=0)[[0, 2]]).max() < 0.06
    left = hips[0] - hips[1]
    assert left[0] / np.linalg.norm(left) > 0.95
    walked = np.nanmean(stood[-1] - stood[0], axis=0)
    assert walked[2] > 0.6


def test_stature_grows_with_the_person():
    short, tall = (marching(10, stature=h).landmarks for h in (1.5, 1.8))
    assert stature_of(tall, LAYOUT) / stature_of(short, LAYOUT) == pytest.approx(1.2, abs=1e-6)
    assert np.isnan(stature_of(np.full((5, 33, 3), np.nan), LAYOUT))
