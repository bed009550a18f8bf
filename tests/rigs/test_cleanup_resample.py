"""Laws of resampling: frames that stay, curves between them, and what goes along."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.cleanup import resample, resample_clip, resample_nearest
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.skeleton import Skeleton

NEAR = 1e-12
RATES = [Fraction(24), Fraction(24000, 1001), Fraction(25), Fraction(60), Fraction(100), Fraction(1, 3)]


def apart(a, b) -> float:
    return float(np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), b)), axis=-1).max())


@pytest.mark.parametrize("factor", [1, 2, 5])
def test_whole_ratios_keep_frames_exactly(wild, factor: int) -> None:
    motion = wild()
    finer = resample(motion, motion.fps * factor)
    assert len(finer) == (len(motion) - 1) * factor + 1
    assert finer.duration == motion.duration
    np.testing.assert_array_equal(finer.root[::factor], motion.root)
    np.testing.assert_array_equal(finer.rotations[::factor], motion.rotations)
    back = resample(finer, motion.fps)
    np.testing.assert_array_equal(back.root, motion.root)
    np.testing.assert_array_equal(back.rotations, motion.rotations)


@pytest.mark.parametrize("fps", RATES)
def test_resampling_covers_the_duration_and_no_more(wild, fps: Fraction) -> None:
    motion = wild()
    other = resample(motion, fps)
    assert other.fps == fps
    assert other.duration <= motion.duration < other.duration + 1 / fps
    np.testing.assert_array_equal(other.root[0], motion.root[0])


@pytest.mark.parametrize("fps", RATES)
def test_steady_acceleration_is_kept_to_the_ends(humanoid: Skeleton, fps: Fraction) -> None:
    def at(seconds):
        way = seconds[:, None, None] * (1.0 + 0.5 * seconds[:, None, None])
        turn = quat.from_rotvec(way * np.array([0.2, -0.5, 0.3]) * np.ones((1, len(humanoid), 1)))
        return turn, way[:, 0] * np.array([0.1, 0.4, -0.2])

    turn, root = at(np.arange(31) / 30)
    other = resample(Motion(humanoid, turn, root, Fraction(30), {3: 2.0 * root}), fps)
    turn, root = at(np.arange(len(other)) / float(fps))
    np.testing.assert_allclose(other.root, root, atol=NEAR)
    np.testing.assert_allclose(other.translations[3], 2.0 * root, atol=NEAR)
    assert apart(other.rotations, turn) < NEAR


def test_it_does_not_matter_in_which_axes_a_joint_is_written(wild) -> None:
    motion = wild()
    left, right = quat.from_rotvec([0.3, 1.0, -2.0]), quat.from_rotvec([-1.0, 0.4, 0.5])

    def turned(q):
        return quat.multiply(quat.multiply(left, q), right)

    other = Motion(motion.skeleton, turned(motion.rotations), motion.root, motion.fps)
    assert apart(resample(other, 77).rotations, turned(resample(motion, 77).rotations)) < 1e-7


def test_nothing_jerks_at_the_old_frames(wild) -> None:
    fine = resample(wild(frames=12), 30 * 64)
    steps = quat.to_rotvec(quat.multiply(quat.conjugate(fine.rotations[:-1]), fine.rotations[1:]))
    change = np.linalg.norm(np.diff(steps, axis=0), axis=-1).max()
    assert (
        change < 0.1 * np.linalg.norm(steps, axis=-1).max()
    )  # on lines between frames it is more than whole


def test_a_dead_stop_swings_over_by_two_parts_in_27(humanoid: Skeleton) -> None:
    way = np.minimum(np.arange(20), 10) * 0.1
    root = np.stack([way, 0 * way, 0 * way], axis=1)
    fine = resample(Motion(humanoid, quat.identity(20, 17), root, Fraction(30)), 30 * 90)
    assert fine.root[:, 0].max() - 1.0 == pytest.approx(0.1 * 2 / 27, rel=1e-3)
    assert np.abs(fine.root[11 * 90 :, 0] - 1.0).max() < NEAR


@pytest.mark.parametrize(("hertz", "bound"), [(1.0, 0.002), (2.0, 0.015), (4.0, 0.1)])
def test_24_frames_a_second_hold_what_swings_slowly(humanoid: Skeleton, hertz: float, bound: float) -> None:
    swing = np.sin(2.0 * np.pi * hertz * np.arange(121) / 60)[:, None]
    turn = quat.from_rotvec(swing[:, None] * np.array([0.0, 0.6, 0.8]) * np.ones((1, 17, 1)))
    motion = Motion(humanoid, turn, swing * np.array([0.0, 0.6, 0.8]), Fraction(60))
    back = resample(resample(motion, 24), 60)
    assert np.abs(back.root - motion.root)[10:-10].max() < bound
    assert apart(back.rotations[10:-10], motion.rotations[10:-10]) < bound


def test_a_low_pass_takes_out_what_the_new_rate_cannot_show(humanoid: Skeleton) -> None:
    tremble = np.sin(2.0 * np.pi * 20.0 * np.arange(121) / 60 + 0.3)[:, None] * np.array([1.0, 0.0, 0.0])
    motion = Motion(humanoid, quat.identity(121, 17), tremble, Fraction(60))
    assert np.abs(resample(motion, 24).root[5:-5]).max() > 0.5
    assert np.abs(resample(motion, 24, low_pass=True).root[5:-5]).max() < 0.1
    np.testing.assert_array_equal(resample(motion, 60, low_pass=True).root, motion.root)


def test_who_comes_late_stays_with_the_others(walker) -> None:
    whole = walker()
    late = Clip("late", whole.slice(7), first=7)
    early, other = resample_clip(Clip("early", whole), 24), resample_clip(late, 24)
    assert (early.first, other.first) == (0, 6)  # 7 / 30 s is between frames 5 and 6 of 24
    assert len(other.motion) == len(early.motion) - 6
    np.testing.assert_allclose(other.motion.root[2:], early.motion.root[8:], atol=NEAR)
    assert apart(other.motion.rotations[2:], early.motion.rotations[8:]) < NEAR


def test_sparse_keys_become_frames(walker) -> None:
    motion = walker(frames=10)
    clip = Clip("a", motion, keys=np.ones((10, 17), bool))
    assert resample_clip(clip, 60).keys is None


@pytest.mark.parametrize("first", [0, 1, 4])
def test_a_single_frame_stays_one(wild, first: int) -> None:
    clip = resample_clip(replace(Clip("a", wild(frames=1)), first=first), Fraction(25))
    np.testing.assert_array_equal(clip.motion.root, wild(frames=1).root)


def test_contacts_go_with_the_frame_nearest_in_time(walker) -> None:
    level = np.array([[np.nan, 0.0], [0.1, 0.0], [0.2, np.nan], [0.3, 0.5]])
    np.testing.assert_array_equal(resample_nearest(level, Fraction(30), 60), level[[0, 0, 1, 1, 2, 2, 3]])
    np.testing.assert_array_equal(resample_nearest(level, Fraction(30), 20), level[[0, 1, 3]])
    motion = walker()
    flags = np.arange(len(motion)) % 2 == 0
    assert len(resample_nearest(flags, motion.fps, Fraction(24000, 1001), 5)) == len(
        resample_clip(Clip("a", motion, first=5), Fraction(24000, 1001)).motion
    )


@pytest.mark.parametrize("fps", [0, -24])
def test_no_rate_is_refused(wild, fps: int) -> None:
    with pytest.raises(RigError, match="rate above zero"):
        resample(wild(), fps)
