"""What nobody saw is bridged, eased to rest where that lasts, and marked."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from mocap.animate import Animated, animate
from mocap.doubt import MADE_UP, made_up, worst_gap
from mocap.observations import Observations
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, STATURE, Person, marching, observed

FPS, FRAMES = 30, 150
CAMERAS = ring()
PERSON = marching(FRAMES, FPS)
ARM = [
    k
    for k, name in enumerate(LAYOUT.landmarks)
    if name.startswith("left") and name.split("_")[1] in ("elbow", "wrist", "pinky", "index", "thumb")
]
EVERYTHING = list(range(len(LAYOUT)))
JOINTS = ("LeftForeArm", "LeftHand")


def hidden(start: int, stop: int, rows: list[int]) -> Observations:
    seen = observed(CAMERAS, [PERSON] * len(CAMERAS.names))
    pixels, confidence = seen.pixels.copy(), seen.confidence.copy()
    where = np.ix_(range(len(pixels)), range(start, stop), rows)
    pixels[where], confidence[where] = np.nan, 0.0
    return replace(seen, pixels=pixels, confidence=confidence)


def solved(start: int, stop: int, rows: list[int], person: Person = PERSON) -> Animated:
    landmarks = person.landmarks.copy()
    landmarks[np.ix_(range(start, stop), rows)] = np.nan
    return animate(hidden(start, stop, rows), CAMERAS, landmarks, STATURE)


def joint(animated: Animated, name: str) -> np.ndarray:
    return animated.motion.world()[0][:, animated.motion.skeleton.index(name)]


def off(animated: Animated) -> np.ndarray:
    return np.linalg.norm(animated.motion.world()[0] - PERSON.joints, axis=-1)


@pytest.fixture(scope="module")
def short() -> Animated:
    return solved(70, 76, ARM)


@pytest.fixture(scope="module")
def long() -> Animated:
    return solved(40, 125, ARM)


@pytest.fixture(scope="module")
def gone() -> Animated:
    return solved(90, FRAMES, EVERYTHING)


@pytest.mark.slow
def test_a_short_gap_is_bridged(short: Animated) -> None:
    hand = short.motion.skeleton.index("LeftHand")
    # cut off for 7 steps of 1 / 30 s; a hand that swings once a second by 0.2 rad on 0.45 m has a fourth
    # derivative of at most 0.2 * 0.45 * (2 pi)^4, and a cubic errs by that times the time^4 / 384: 1 mm
    assert off(short)[70:76, hand].max() < off(short)[:, hand].max() + 0.02
    assert short.joint_sd is not None and not made_up(short.joint_sd[:60]).any()


@pytest.mark.slow
def test_in_a_long_gap_an_arm_comes_to_hang_without_a_pop(long: Animated) -> None:
    middle = slice(75, 90)
    along = joint(long, "LeftHand") - joint(long, "LeftArm")
    down = -along[:, 1] / np.linalg.norm(along, axis=1)
    assert (
        np.rad2deg(np.arccos(down[middle])).max() < 25
    )  # hanging is 12 degrees from the vertical, bent by 15
    # no frame is stepped over faster than the seconds over which a pull works allow
    speed = np.linalg.norm(np.diff(along, axis=0), axis=1) * FPS
    assert speed[38:128].max() < 1.5


@pytest.mark.slow
def test_it_is_marked_joint_by_joint_and_frame_by_frame(long: Animated) -> None:
    known, names = long.joint_sd, long.motion.skeleton.names
    assert known is not None and known.shape == (FRAMES, len(names))
    rows = [names.index(name) for name in JOINTS]
    assert made_up(known[60:105, rows]).all()
    others = [j for j, name in enumerate(names) if name not in JOINTS]
    assert not made_up(known[:, others]).any()
    assert not made_up(known[:38]).any() and not made_up(known[127:]).any()
    found = worst_gap(known, names)
    assert (
        found is not None and found.joint == "LeftHand" and 40 <= found.start < 50 and 115 < found.stop <= 125
    )
    growth = known[40:50, rows[1]]
    assert (np.diff(growth) > 0).all()  # away from the edge


@pytest.mark.slow
def test_who_is_lost_stops_and_is_marked(gone: Animated) -> None:
    """At 0.4 m/s, and nobody sees him for the last two seconds: he does not walk on for 0.8 m."""
    assert gone.joint_sd is not None and made_up(gone.joint_sd[105:]).all()
    assert np.linalg.norm(gone.motion.root[-1] - gone.motion.root[90]) < 0.4 * 1.0
    last = np.linalg.norm(np.diff(gone.motion.root[-10:], axis=0), axis=1) * FPS
    assert last.max() < 0.1
    assert gone.contacts is not None and not gone.contacts.down[105:].any()


@pytest.mark.slow
def test_the_frame_rate_does_not_matter() -> None:
    """Half the frames, at half the rate: what is known of a joint is the same but for where frames are."""
    said = {}
    for fps in (30, 60):
        person = marching(2 * fps, fps)
        seen = observed(CAMERAS, [person] * len(CAMERAS.names), Fraction(fps))
        said[fps] = animate(seen, CAMERAS, person.landmarks, STATURE).joint_sd
    assert said[30] is not None and said[60] is not None
    np.testing.assert_allclose(said[60][::2], said[30], rtol=0.05)


def test_nothing_is_made_up_where_all_is_known() -> None:
    known = np.full((5, 2), MADE_UP / 2)
    assert worst_gap(known, ("Hips", "Spine")) is None
    known[1:3, 1] = 2 * MADE_UP, 3 * MADE_UP
    found = worst_gap(known, ("Hips", "Spine"))
    assert found is not None and (found.joint, found.start, found.stop) == ("Spine", 1, 3)
    assert found.worst_m == pytest.approx(3 * MADE_UP)
