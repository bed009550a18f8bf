"""Ranges of time as people type them, and the rest pose as a first frame."""

from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.cleanup import Range, parse_range, rest_first, trim
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.motion import Motion


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10:200", Range(Fraction(10), Fraction(200), False)),
        ("1.5:4", Range(Fraction(3, 2), Fraction(4), True)),
        ("1s:4s", Range(Fraction(1), Fraction(4), True)),
        ("1:4.2s", Range(Fraction(1), Fraction(21, 5), True)),
        (" :90 ", Range(None, Fraction(90), False)),
        ("0.1:", Range(Fraction(1, 10), None, True)),
        (":", Range(None, None, False)),
        ("7:7", Range(Fraction(7), Fraction(7), False)),
    ],
)
def test_ranges_are_read(text: str, expected: Range) -> None:
    assert parse_range(text) == expected


@pytest.mark.parametrize(
    "text", ["", "10", "1:2:3", "a:b", "-1:5", "1e3:2e3", "1.:2", "nan:", "1 0:20", "5m:6m", "9" * 10 + ":"]
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(
        RigError, match=r"cannot read the range .*; write frames as 10:200, or seconds as 1\.5:4 or 1s:4s$"
    ):
        parse_range(text)


def test_a_range_that_runs_backwards_is_refused() -> None:
    with pytest.raises(RigError, match=r"'4:2' ends before it begins"):
        parse_range("4:2")


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("10:20", range(10, 21)),
        ("0.5:1", range(15, 31)),
        ("0.51:0.99", range(16, 30)),
        (":3", range(4)),
        ("45:", range(45, 50)),
        ("40:900", range(40, 50)),
    ],
)
def test_both_ends_are_kept(wild, text: str, frames: range) -> None:
    motion = wild(fps=Fraction(30))
    (clip,) = trim([Clip("a", motion)], parse_range(text))
    np.testing.assert_array_equal(clip.motion.root, motion.root[list(frames)])
    assert clip.first == 0


def test_seconds_are_exact_at_broadcast_rates(wild) -> None:
    motion = wild(fps=Fraction(30000, 1001))
    (clip,) = trim([Clip("a", motion)], parse_range("1.001:"))  # frame 30, exactly
    np.testing.assert_array_equal(clip.motion.root, motion.root[30:])


def test_people_stay_together_and_who_is_not_there_is_left_out(wild) -> None:
    whole = wild(frames=100)
    clips = [
        Clip("early", whole.slice(0, 30)),
        Clip("late", whole.slice(40, 100), first=40),
        Clip("all", whole),
    ]
    late, everything = trim(clips, parse_range("35:50"))
    assert (late.name, late.first, everything.first) == ("late", 5, 0)
    np.testing.assert_array_equal(late.motion.root, whole.root[40:51])
    np.testing.assert_array_equal(everything.motion.root[late.first :], late.motion.root)
    with pytest.raises(
        RigError, match=r"no frame is within the range; give some of frames 0 to 29 \(early\)"
    ):
        trim(clips[:1], parse_range("35:50"))


def test_new_ends_have_keys(wild) -> None:
    keys = np.zeros((50, 17), bool)
    keys[[0, 20, 49]] = True
    (clip,) = trim([Clip("a", wild(), keys=keys)], parse_range("10:30"))
    assert clip.key_frames(4).tolist() == [0, 10, 20]


def test_the_rest_pose_comes_first_over_the_same_place(wild) -> None:
    motion = wild()
    motion = Motion(motion.skeleton, motion.rotations, motion.root, motion.fps, {3: motion.root})
    rest = quat.normalise(np.random.default_rng(1).normal(size=(17, 4)))
    keys = np.zeros((50, 17), bool)
    keys[[0, 49]] = True
    clip = rest_first(Clip("a", motion, rest, first=4, keys=keys))
    assert (len(clip.motion), clip.first) == (51, 4)
    np.testing.assert_allclose(clip.motion.rotations[0], rest)
    np.testing.assert_allclose(clip.motion.root[0], [motion.root[0, 0], 0.0, motion.root[0, 2]])
    np.testing.assert_allclose(clip.motion.world()[0][1:], motion.world()[0], atol=1e-12)
    np.testing.assert_array_equal(clip.motion.translations[3][0], motion.skeleton.offsets[3])
    assert clip.key_frames(0).tolist() == [0, 1, 50]
