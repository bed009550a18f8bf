"""Somebody who stands still stands still: a detector's errors, as alike in time as they are, hardly show."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from scipy.signal import lfilter

from mocap.animate import Animated, animate
from mocap.observations import Observations
from mocap.still import RANGE, REACH, find_stillness
from mocap.still import SECONDS as LONG
from rigs import quat
from rigs.solving.body import load_body
from rigs.solving.kinematics import Pose
from tests.calibration.synthetic import ring
from tests.synth_take import STATURE, Person, marching, observed

CAMERAS = ring()
SECONDS = 4
SPREAD = 0.0093  # of the person's extent in the image: of refined landmarks (median of 15 clips)
# Of people whose joints stay within a centimetre for a second, refined landmarks sway by 0.2 of their spread
# about their mean, and from frame to frame at 30 fps by 0.82 of it alike (180 looks).
SWAY, ALIKE = 0.22, 0.82
TREMBLE = 0.002  # metres, root mean square about the mean, of the worst joint


def standing(fps: int) -> Person:
    """Someone in the first pose of a march, for some seconds."""
    first = marching(2, fps)
    frames = SECONDS * fps
    return Person(first.joints[:1].repeat(frames, axis=0), first.landmarks[:1].repeat(frames, axis=0))


def swaying(seen: Observations, rng: np.random.Generator) -> Observations:
    """Errors of a whole spread that last, and a sway that is alike from frame to frame."""
    spread = SPREAD * float(np.nanmedian(seen.heights()))
    alike = ALIKE ** (30 / float(seen.fps))
    fresh = rng.normal(size=(*seen.pixels.shape[:1], seen.frames + 200, *seen.pixels.shape[2:]))
    sway = np.sqrt(1 - alike**2) * lfilter([1.0], [1.0, -alike], fresh, axis=1)[:, 200:]
    lasting = rng.normal(size=sway[:, :1].shape)
    pixels = seen.pixels + spread * (lasting + SWAY * sway)
    return replace(seen, pixels=pixels, spread=np.full(seen.confidence.shape, spread))


def tremble(animated: Animated) -> np.ndarray:
    """Root mean square distance (J,) of each joint from its mean, metres."""
    at = animated.motion.world()[0]
    return np.asarray(np.sqrt(((at - at.mean(axis=0)) ** 2).sum(axis=-1).mean(axis=0)))


@pytest.mark.slow
@pytest.mark.parametrize("fps", [30, 60])
def test_a_standing_person_trembles_by_two_millimetres_at_most(fps: int) -> None:
    person = standing(fps)
    seen = observed(CAMERAS, [person] * len(CAMERAS.names), Fraction(fps))
    animated = animate(swaying(seen, np.random.default_rng(fps)), CAMERAS, person.landmarks, STATURE)
    names = animated.motion.skeleton.names
    worst = int(np.argmax(tremble(animated)))
    assert tremble(animated)[worst] < TREMBLE, names[worst]


@pytest.mark.slow
def test_who_sets_off_is_followed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standing, then marching: what moves within the second is let go."""
    walk = marching(60)
    both = Person(
        np.concatenate([walk.joints[:1].repeat(60, axis=0), walk.joints]),
        np.concatenate([walk.landmarks[:1].repeat(60, axis=0), walk.landmarks]),
    )
    seen = observed(CAMERAS, [both] * len(CAMERAS.names))
    held = animate(seen, CAMERAS, both.landmarks, STATURE).motion.world()[0]
    monkeypatch.setattr("mocap.still.SD", 1e9)
    free = animate(seen, CAMERAS, both.landmarks, STATURE).motion.world()[0]
    assert np.linalg.norm(held - free, axis=-1).max() < RANGE


def test_who_stops_has_stopped_by_then() -> None:
    """Not half a second later, as times that are still all round would have it; and nobody before."""
    fps, stop, frames = 30.0, 60, 130
    body, root = load_body(), np.zeros((frames, 3))
    root[:, 0] = 0.5 / fps * np.minimum(np.arange(frames), stop)
    pose = Pose(root, quat.identity(frames, len(body.names)))
    still = find_stillness(body, np.full(len(body.size_names), STATURE), pose, fps).still
    assert (still[:stop] < 0.01).all()
    assert (still[stop + round((LONG / 2 - REACH) * fps) + 1 :] > 0.9).all()


def test_of_less_than_that_time_nothing_is_known() -> None:
    body, frames = load_body(), 20
    pose = Pose(np.zeros((frames, 3)), quat.identity(frames, len(body.names)))
    assert (find_stillness(body, np.full(len(body.size_names), STATURE), pose, 30.0).still == 0).all()
