"""What views disagree on is noise, and joints that move by less than it are held calmer."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from unittest.mock import patch

import numpy as np
import pytest

from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.animate import Animated, animate
from mocap.attach import load_attachment
from mocap.lively import LEAST, MOST, TIMES, liveliness
from mocap.observations import Observations
from mocap.scene import Scene, Settings, scene_of
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose, locate
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, STATURE, SURE, marching, observed

CAMERAS = ring(distortion=np.zeros(5))
BODY = load_body()
SIZES = np.full(len(BODY.size_names), STATURE)
ATTACHMENT = load_attachment(LAYOUT, BODY)
FRAMES = 400
PX = 0.25  # of noise in the images
SHAKEN = ("LeftForeArm", "RightLeg")  # joints with one landmark each
PERSON = marching(90, 30)
SCATTER = 0.03  # of the person's height in the image


def path(frames: int, fps: float = 30.0, size: float = 0.02) -> np.ndarray:
    """Where the hips are (T, 3) m: to and fro twice a second by `size`."""
    swing = size * np.sin(4 * np.pi * np.arange(frames) / fps)
    return np.stack([swing, np.full(frames, 0.54 * STATURE), 0.5 * swing], axis=-1)


def stiff(root: np.ndarray) -> Pose:
    """A body at rest that is moved about."""
    return Pose(root, np.tile([1.0, 0.0, 0.0, 0.0], (len(root), len(BODY.names), 1)))


def scene(root: np.ndarray, fps: int = 30, px: float = PX, said: float = PX, seed: int = 0) -> Scene:
    """What views see of the stiff body, with white noise of `px` pixels, of which `said` are told."""
    posed = Chain(BODY).place(stiff(root), SIZES)
    landmarks = np.full((len(root), len(LAYOUT), 3), np.nan)
    landmarks[:, ATTACHMENT.rows] = locate(posed, ATTACHMENT.points(STATURE))
    pixels = np.stack([camera.project(landmarks) for camera in CAMERAS])
    pixels = pixels + np.random.default_rng(seed).normal(scale=px, size=pixels.shape)
    sure = np.full(pixels.shape[:-1], SURE)
    spread = np.full_like(sure, said)
    seen = Observations(CAMERAS.names, LAYOUT, pixels, sure, Fraction(fps), spread=spread)
    return scene_of(seen, CAMERAS, ATTACHMENT, BODY, root, STATURE, Settings())


def told(made: Scene, root: np.ndarray, joint: str) -> float:
    """Median liveliness of a joint, away from the ends."""
    lively = liveliness(made, stiff(root), SIZES, STATURE)
    assert lively.shape == (len(root), len(BODY.names))
    return float(np.median(lively[30:-30, BODY.index(joint)]))


@pytest.mark.parametrize("joint", SHAKEN)
def test_noise_is_told_by_how_views_disagree_whatever_is_said_of_it(joint: str) -> None:
    root = path(FRAMES)
    bends = np.diff(root, n=2, axis=0)
    row = int(np.flatnonzero(ATTACHMENT.points(STATURE).joint == BODY.index(joint))[0])
    at = locate(Chain(BODY).place(stiff(root), SIZES), ATTACHMENT.points(STATURE))[FRAMES // 2, row]
    steps = 1e-5 * np.eye(3)
    slopes = np.concatenate([((c.project(at + steps) - c.project(at - steps)) / 2e-5).T for c in CAMERAS])
    noise = 6 * PX**2 * np.trace(np.linalg.inv(slopes.T @ slopes))  # second differences: 1 + 4 + 1
    expected = (bends**2).sum(axis=1).mean() / noise / TIMES**2
    assert LEAST < expected < MOST
    for said in (PX, 3 * PX, 10 * PX):
        # a window of a second holds some 100 frames of five freedoms, neighbours not independent: 7 %, thrice
        assert told(scene(root, said=said), root, joint) == pytest.approx(expected, rel=0.2)


def test_a_shift_in_space_is_no_noise_even_if_nobody_has_followed_it() -> None:
    root = path(FRAMES, size=0.05)
    behind = root * (0.5, 1.0, 0.5)  # a solve that holds back half of the motion
    assert told(scene(root, px=0.2), behind, "LeftForeArm") == MOST


def test_the_slower_a_body_the_calmer_it_is_held() -> None:
    roots = [path(FRAMES, size=size) for size in (0.003, 0.02, 0.1)]
    slow, some, quick = (told(scene(root), root, "RightLeg") for root in roots)
    assert (slow, quick) == (LEAST, MOST)
    assert LEAST < some < MOST


def test_what_is_quick_is_not_held_back_however_noisy() -> None:
    root = path(FRAMES, size=0.25)  # its accelerations are 28 m/s^2, root mean square, twice what knees do
    noisy = scene(root, px=8.0, said=8.0)
    assert told(noisy, root, "RightLeg") >= 1.0
    slow = path(FRAMES, size=0.05)
    assert told(scene(slow, px=8.0, said=8.0), slow, "RightLeg") == LEAST


def test_frame_rates_agree() -> None:
    fast, slow = path(4 * FRAMES, 120.0), path(FRAMES)
    one = told(scene(fast, fps=120), fast, "LeftForeArm")
    assert one == pytest.approx(told(scene(slow, seed=1), slow, "LeftForeArm"), rel=0.15)


def test_joints_without_landmarks_are_as_the_others() -> None:
    root = path(FRAMES)
    lively = liveliness(scene(root), stiff(root), SIZES, STATURE)
    bare = [j for j in range(len(BODY.names)) if j not in ATTACHMENT.points(STATURE).joint]
    assert bare
    np.testing.assert_array_equal(lively[:, bare], lively[:, bare[:1]].repeat(len(bare), axis=1))
    others = np.delete(lively, bare, axis=1)
    assert ((lively[:, bare[0]] >= others.min(axis=1)) & (lively[:, bare[0]] <= others.max(axis=1))).all()


def test_what_no_two_views_see_is_as_calm_as_can_be() -> None:
    root = path(FRAMES)
    made = scene(root)
    hidden = ATTACHMENT.points(STATURE).joint == BODY.index("LeftForeArm")
    made.seen[1:, 200:, hidden] = np.nan
    lively = liveliness(made, stiff(root), SIZES, STATURE)[:, BODY.index("LeftForeArm")]
    assert (lively[:200] > LEAST).all()
    assert (lively[260:] == LEAST).all()


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_clips_of_a_few_frames(frames: int) -> None:
    lively = liveliness(scene(path(frames)), stiff(path(frames)), SIZES, STATURE)
    assert lively.shape == (frames, len(BODY.names))
    assert np.isfinite(lively).all()


@pytest.mark.slow
def test_a_limb_whose_landmarks_scatter_trembles_less() -> None:
    as_ever = trembling(seen_badly())
    with patch("mocap.animate.liveliness", lambda scene, pose, *_: np.ones((len(pose), len(BODY.names)))):
        lively = trembling(seen_badly())
    assert as_ever < 0.85 * lively


def trembling(found: Animated) -> float:
    """Mean acceleration of what the left foot is off by."""
    foot = found.motion.skeleton.index("LeftFoot")
    off = found.motion.world()[0][:, foot] - PERSON.joints[:, BODY.index("LeftFoot")]
    return float(np.linalg.norm(np.diff(off, n=2, axis=0), axis=-1).mean())


def seen_badly() -> Animated:
    """Two views, which scatter by a few per cent of the person's height, and say so."""
    cameras = Cameras(tuple(ring())[:2])
    seen = observed(ring(), [PERSON] * 4).select([0, 1])
    spread = np.full(seen.confidence.shape, SCATTER * np.nanmedian(seen.heights()))
    noise = np.random.default_rng(0).normal(size=seen.pixels.shape) * spread[..., None]
    noisy = replace(seen, pixels=seen.pixels + noise, spread=spread)
    landmarks, _ = triangulate(cameras, noisy.pixels, noisy.confidence)
    return animate(noisy, cameras, landmarks, STATURE)
