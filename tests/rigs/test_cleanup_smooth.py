"""Laws of smoothing."""

import numpy as np
import pytest

from rigs import quat
from rigs.cleanup import smooth
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.skeleton import Skeleton


def apart(a, b):
    return np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), b)), axis=-1)


@pytest.fixture
def trembling(humanoid: Skeleton) -> Motion:
    """A body that stands with bent knees and trembles."""
    random = np.random.default_rng(5)
    turns = random.normal(scale=0.02, size=(80, len(humanoid), 3))
    for side in ("Left", "Right"):
        for part, bend in (("UpLeg", -0.4), ("Leg", 0.8), ("Foot", -0.4)):
            turns[:, humanoid.index(side + part), 0] += bend
    root = np.array([0.0, 0.9, 0.0]) + random.normal(scale=0.005, size=(80, 3))
    return Motion(humanoid, quat.from_rotvec(turns), root, 30, {3: humanoid.offsets[3] + 0.1 * root})


@pytest.mark.parametrize("hertz", [1.0, 3.0, 6.0, 9.0])
def test_what_is_left_of_a_swing(humanoid: Skeleton, hertz: float) -> None:
    frames = 241
    swing = (
        0.05
        * np.cos(2.0 * np.pi * hertz * (np.arange(frames) - 120) / 60)[:, None]
        * np.array([0.6, 0.8, 0.0])
    )
    turn = quat.from_rotvec(swing[:, None] * np.ones((1, 17, 1)))
    smoothed = smooth(Motion(humanoid, turn, swing, 60, {2: swing}), 6.0)
    left = 1.0 / (1.0 + (np.sin(np.pi * hertz / 60) / np.sin(np.pi * 6.0 / 60)) ** 6)
    middle = slice(60, -60)
    np.testing.assert_allclose(smoothed.root[middle], left * swing[middle], atol=1e-6)
    np.testing.assert_allclose(smoothed.translations[2][middle], left * swing[middle], atol=1e-6)
    np.testing.assert_allclose(quat.to_rotvec(smoothed.rotations[middle, 4]), left * swing[middle], atol=2e-5)


def test_steady_acceleration_and_steady_turns_are_kept(humanoid: Skeleton) -> None:
    frames = np.arange(60)[:, None]
    root = frames * np.array([0.1, 0.0, 0.2]) + 0.01 * frames**2 * np.array([0.0, -1.0, 0.0])
    turn = quat.from_rotvec(
        frames[:, None] * np.radians(4.0) * np.array([0.6, 0.0, 0.8]) * np.ones((1, 17, 1))
    )
    smoothed = smooth(Motion(humanoid, turn, root, 30), 5.0)
    np.testing.assert_allclose(smoothed.root, root, atol=1e-9)
    assert apart(smoothed.rotations, turn).max() < np.radians(0.01)


def test_it_has_no_delay_and_no_axes(wild) -> None:
    motion = wild()
    left, right = quat.from_rotvec([0.3, 1.0, -2.0]), quat.from_rotvec([-1.0, 0.4, 0.5])
    turned = quat.multiply(quat.multiply(left, motion.rotations), right)
    backwards = smooth(Motion(motion.skeleton, turned[::-1], motion.root[::-1], motion.fps), 4.0)
    smoothed = smooth(motion, 4.0)
    np.testing.assert_allclose(backwards.root[::-1], smoothed.root, atol=1e-9)
    expected = quat.multiply(quat.multiply(left, smoothed.rotations), right)
    assert apart(backwards.rotations[::-1], expected).max() < 1e-7


def test_both_ends_stay_and_the_middle_calms_down(trembling: Motion) -> None:
    smoothed = smooth(trembling, 3.0)
    for values, were in ((smoothed.root, trembling.root), (smoothed.rotations, trembling.rotations)):
        np.testing.assert_array_equal(values[[0, -1]], were[[0, -1]])
    bends = [np.diff(m.world()[0], n=2, axis=0).std() for m in (smoothed, trembling)]
    assert bends[0] < 0.1 * bends[1]


@pytest.mark.parametrize("cutoff", [0.0, 0.1, 15.1, float("nan")])
def test_a_cut_off_that_cannot_be_is_refused(trembling: Motion, cutoff: float) -> None:
    with pytest.raises(RigError, match=r"cut-off of .* Hz; give 0.15 to 15 Hz"):
        smooth(trembling, cutoff)
