"""Ankles are foretold alike wherever somebody stands, on whichever side and at whichever rate."""

import numpy as np
import pytest

from mocap import weights
from mocap.ankles import (
    AROUND,
    Ankles,
    foot_rows,
    foretell_ankles,
    in_time,
    load_network,
    missed_landmarks,
    turned_landmarks,
)
from mocap.attach import load_attachment
from mocap.errors import MocapError
from mocap.keypoints import load_layout
from rigs import quat
from rigs.solving.body import MIRROR, load_body
from rigs.solving.kinematics import Chain, Pose, Posed, locate

STATURE, FRAMES = 1.75, 24
BODY = load_body()
CHAIN = Chain(BODY)
SIZES = np.full(len(BODY.size_names), STATURE)
LAYOUT = load_layout("blazepose33")
ATTACHMENT = load_attachment(LAYOUT, BODY)
FEET = [BODY.index("LeftFoot"), BODY.index("RightFoot")]


def a_pose() -> Pose:
    """Somebody who moves all joints slowly, each his own way."""
    rng = np.random.default_rng(3)
    t = np.linspace(0.0, 1.0, FRAMES)[:, None, None]
    turn = 0.3 * np.sin(2 * np.pi * t + rng.uniform(0, 6, (1, len(BODY.names), 3)))
    root = np.array([0.3, 0.95, -0.2]) + 0.1 * np.sin(3 * t[:, 0] + np.arange(3))
    return Pose(root, quat.from_rotvec(turn))


def missed() -> np.ndarray:
    return np.random.default_rng(4).normal(0.0, 0.02, (FRAMES, 2, 3, 3))


def foretold(pose: Pose, off: np.ndarray, fps: float = 30.0) -> Ankles:
    network = load_network("blazepose33")
    assert network is not None
    return foretell_ankles(CHAIN.place(pose, SIZES), STATURE, off, fps, network)


def in_mirror(pose: Pose) -> Pose:
    other = [BODY.index(swapped(name)) for name in BODY.names]
    return Pose(pose.root * MIRROR, pose.rotations[:, other] * (1.0, *-MIRROR))


def swapped(name: str) -> str:
    if name.startswith("Left"):
        return name.replace("Left", "Right", 1)
    return name.replace("Right", "Left", 1)


def test_a_person_in_a_mirror_has_feet_in_a_mirror() -> None:
    here = foretold(a_pose(), missed())
    there = foretold(in_mirror(a_pose()), (missed() * MIRROR)[:, ::-1])
    np.testing.assert_allclose(there.rotations[:, ::-1] * (1.0, *-MIRROR), here.rotations, atol=1e-5)
    np.testing.assert_allclose(there.spread[:, ::-1], here.spread, rtol=1e-4)


def test_where_on_the_floor_and_which_way_does_not_matter() -> None:
    pose, turn = a_pose(), quat.from_rotvec(np.array([0.0, 2.0, 0.0]))
    rotations = pose.rotations.copy()
    rotations[:, 0] = quat.multiply(turn, rotations[:, 0])
    moved = Pose(quat.rotate(turn, pose.root) + np.array([3.0, 0.0, -1.0]), rotations)
    here, there = foretold(pose, missed()), foretold(moved, quat.rotate(turn, missed()))
    np.testing.assert_allclose(there.rotations, here.rotations, atol=1e-5)


def test_twice_the_rate_says_the_same() -> None:
    pose, twice = a_pose(), np.repeat(np.arange(FRAMES), 2)
    fast = foretold(Pose(pose.root[twice], pose.rotations[twice]), missed()[twice], fps=60.0)
    np.testing.assert_allclose(fast.rotations[::2], foretold(pose, missed()).rotations, atol=1e-6)


def test_frames_around_are_those_of_the_clip() -> None:
    around = in_time(np.arange(10.0, dtype=np.float32)[:, None], 2)
    assert around[5].tolist() == [np.clip(5 + 2 * step, 0, 9) for step in AROUND]


def test_only_feet_are_turned() -> None:
    pose, ankles = a_pose(), foretold(a_pose(), missed())
    applied = ankles.applied(pose)
    np.testing.assert_array_equal(applied.rotations[:, FEET], ankles.rotations)
    others = np.setdiff1d(np.arange(len(BODY.names)), FEET)
    np.testing.assert_array_equal(applied.rotations[:, others], pose.rotations[:, others])


def test_landmarks_are_missed_by_what_they_are_off() -> None:
    posed: Posed = CHAIN.place(a_pose(), SIZES)
    landmarks = locate(posed, ATTACHMENT.points(STATURE))
    heel = ATTACHMENT.names.index("right_heel")
    landmarks[:, heel] += (0.0, 0.01, 0.02)
    landmarks[0, ATTACHMENT.names.index("left_ankle")] = np.nan
    off = missed_landmarks(posed, STATURE, ATTACHMENT, landmarks)
    np.testing.assert_allclose(off[:, 1, 1], np.tile([0.0, 0.01, 0.02], (FRAMES, 1)), atol=1e-12)
    off[:, 1, 1] = 0.0
    np.testing.assert_allclose(off, 0.0, atol=1e-12)


def test_a_foot_that_turns_stays_as_high_and_nothing_else_moves() -> None:
    pose, ankles = a_pose(), foretold(a_pose(), missed())
    before, after = (CHAIN.place(p, SIZES) for p in (pose, ankles.applied(pose)))
    here = locate(before, ATTACHMENT.points(STATURE))
    moved = turned_landmarks(before, after, STATURE, ATTACHMENT) - here
    rows = foot_rows(ATTACHMENT)
    np.testing.assert_allclose(moved[:, rows, 1].mean(axis=2), 0.0, atol=1e-12)
    assert np.abs(moved[:, rows]).max() > 0.01
    np.testing.assert_allclose(np.delete(moved, rows, axis=1), 0.0, atol=1e-12)


def test_feet_that_are_solved_elsewhere_than_seen_are_left_as_they_are() -> None:
    pose, near, far = a_pose(), foretold(a_pose(), missed()), foretold(a_pose(), missed() + 3.0)
    np.testing.assert_allclose(far.rotations, pose.rotations[:, FEET], atol=1e-3)
    assert far.spread.min() > 2 * np.pi  # which is: nothing is known
    assert near.spread.max() < 2.0


def test_a_layout_without_a_network_has_none() -> None:
    assert load_network("nothing") is None


@pytest.mark.parametrize("frames", [1, 2])
def test_short_clips_are_no_fault(frames: int) -> None:
    pose = a_pose()[:frames]
    ankles = foretold(pose, missed()[:frames])
    assert np.isfinite(ankles.rotations).all()
    assert (ankles.spread > 0).all()


def test_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.SHA256, "blazepose33_ankles", "0" * 64)
    with pytest.raises(MocapError, match="weights of blazepose33_ankles in this installation are damaged"):
        load_network.__wrapped__("blazepose33")
