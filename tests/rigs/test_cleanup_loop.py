"""Cycles: found where a motion repeats itself, and closed without a jump."""

from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.cleanup import Cycle, find_cycle, loop
from rigs.cleanup.ground_turn import GroundMove
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.skeleton import Skeleton


def apart(a, b):
    return np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), b)), axis=-1)


def rounds(cycle: Cycle, count: int) -> Motion:
    """Return a cycle played several times, each time where the one before ended."""
    motion, places, turns = cycle.motion, [], []
    root, rotations = motion.root, motion.rotations
    for _ in range(count):
        places.append(root)
        turns.append(rotations)
        root, rotations = cycle.move.places(root), rotations.copy()
        rotations[:, 0] = quat.multiply(cycle.move.turn(), rotations[:, 0])
    return Motion(motion.skeleton, quat.continuous(np.concatenate(turns)), np.concatenate(places), motion.fps)


def surprise(motion: Motion):
    """How far each frame is from where the two before it lead, (T - 2,): degrees, worst joint; and metres."""
    q = motion.rotations
    led = quat.multiply(q[1:-1], quat.multiply(quat.conjugate(q[:-2]), q[1:-1]))
    return np.degrees(apart(led, q[2:])).max(axis=1), np.linalg.norm(
        np.diff(motion.root, n=2, axis=0), axis=1
    )


@pytest.fixture
def drifting(walker) -> Motion:
    """A walker that bends more and more, and lower."""
    motion = walker(frames=150, period=1.5)
    bend = np.arange(150)[:, None, None] * np.radians(4.0) / 45 * np.array([0.8, 0.0, 0.6])
    drift = np.tile(quat.from_rotvec(bend), (1, 17, 1))
    drift[:, 0] = quat.identity()
    sink = np.arange(150)[:, None] * np.array([0.0, -0.01 / 45, 0.0])
    return Motion(motion.skeleton, quat.multiply(motion.rotations, drift), motion.root + sink, motion.fps)


@pytest.mark.parametrize("period", [1.0, 1.2])
def test_a_cycle_that_closes_is_left_alone(walker, period: float) -> None:
    motion = walker(period=period)
    cycle = loop(motion)
    assert cycle.stop - cycle.start == 30 * period
    np.testing.assert_allclose(cycle.gap, 0.0, atol=1e-7)
    np.testing.assert_allclose(cycle.motion.root, motion.root[cycle.start : cycle.stop], atol=1e-9)
    assert apart(cycle.motion.rotations, motion.rotations[cycle.start : cycle.stop]).max() < 1e-7
    assert cycle.move.angle == pytest.approx(0.3)
    rest = motion.slice(cycle.start)
    assert len(rest) > len(cycle.motion) + 10
    np.testing.assert_allclose(rounds(cycle, 3).root[: len(rest)], rest.root, atol=1e-9)


def test_the_last_frame_flows_into_the_first(drifting: Motion) -> None:
    cycle = loop(drifting, 30, 75)
    assert np.degrees(cycle.gap[1:]).min() > 3.5
    turn, shift = surprise(rounds(cycle, 3))
    seam, inside = slice(43, 47), slice(15, 28)
    assert turn[seam].max() < turn[inside].max() + 0.2
    assert shift[seam].max() < shift[inside].max() + 2e-3
    jump, leap = surprise(rounds(Cycle(drifting.slice(30, 75), 30, 75, cycle.move, cycle.gap), 3))
    assert jump[seam].max() > 3.5  # what was there before
    assert leap[seam].max() > 0.01


def test_a_slow_seam_is_within_a_degree(walker) -> None:
    motion = walker(frames=200, fps=60, period=2.0)
    random = np.random.default_rng(1)
    noise = quat.from_rotvec(random.normal(scale=np.radians(0.05), size=(200, 17, 3)))
    noisy = Motion(motion.skeleton, quat.multiply(motion.rotations, noise), motion.root, motion.fps)
    cycle = loop(noisy)
    turn, _ = surprise(rounds(cycle, 2))
    count = len(cycle.motion)
    assert turn[count - 2 : count].max() < 1.0


def test_only_frames_near_the_seam_change(drifting: Motion) -> None:
    cycle = loop(drifting, 20, 65, window=0.2)
    np.testing.assert_array_equal(cycle.motion.root[7:-6], drifting.root[27:59])
    assert apart(cycle.motion.rotations[7:-6], drifting.rotations[27:59]).max() < 1e-15
    assert (apart(cycle.motion.rotations[0], drifting.rotations[20])[1:] > np.radians(1.7)).all()


def test_in_place_the_root_comes_back(drifting: Motion) -> None:
    cycle = loop(drifting, 30, 75, in_place=True)
    assert cycle.move == GroundMove(0.0, 0j)
    again = rounds(cycle, 3)
    turn, shift = surprise(again)
    assert turn[43:47].max() < turn[15:28].max() + 0.2
    assert shift[43:47].max() < shift[15:28].max() + 2e-3
    assert np.ptp(again.root, axis=0).max() < 0.15
    moving = loop(drifting, 30, 75).motion
    np.testing.assert_allclose(cycle.motion.root[:, 1], moving.root[:, 1])
    np.testing.assert_allclose(cycle.motion.rotations[:, 1:], moving.rotations[:, 1:])
    np.testing.assert_allclose(cycle.motion.root[0], moving.root[0])


def test_translations_close_too(drifting: Motion) -> None:
    ramp = np.linspace(0.0, 0.1, len(drifting))[:, None] + drifting.skeleton.offsets[4]
    cycle = loop(
        Motion(drifting.skeleton, drifting.rotations, drifting.root, drifting.fps, {4: ramp}), 30, 75
    )
    moved = cycle.motion.translations[4]
    assert np.abs(np.diff(np.concatenate([moved, moved]), n=2, axis=0)).max() < 0.002
    assert np.abs(ramp[75] - ramp[30]).max() > 0.025


@pytest.mark.parametrize("coarse", [2500, 100])
def test_one_stride_is_found_whatever_the_rate(walker, monkeypatch, coarse: int) -> None:
    monkeypatch.setattr(
        "rigs.cleanup.seek_cycle.COARSE", coarse
    )  # so that only every seventh frame is looked at
    start, stop = find_cycle(walker(frames=700, fps=240, period=1.25))
    assert stop - start == 300
    start, stop = find_cycle(walker(frames=300, period=1.0), shortest=1.5)
    assert (stop - start) % 30 == 0
    assert stop - start >= 45


def test_place_and_heading_do_not_count(walker) -> None:
    motion = walker()
    turned = Motion(
        motion.skeleton,
        np.concatenate(
            [quat.multiply(quat.from_rotvec([0, 2.0, 0]), motion.rotations[:, :1]), motion.rotations[:, 1:]],
            axis=1,
        ),
        quat.rotate(quat.from_rotvec([0, 2.0, 0]), motion.root) + np.array([5.0, 0.0, 7.0]),
        motion.fps,
    )
    found = [find_cycle(m) for m in (motion, turned)]
    assert found[0][1] - found[0][0] == found[1][1] - found[1][0]


def test_a_frozen_body_is_no_cycle(walker) -> None:
    motion = walker()
    still = np.concatenate([np.zeros(60, int), np.arange(90)])
    frozen = Motion(motion.skeleton, motion.rotations[still], motion.root[still], motion.fps)
    start, stop = find_cycle(frozen)
    assert start >= 58  # a cloud reaches two frames further
    assert stop - start == 30
    with pytest.raises(RigError, match="no part of the motion repeats itself"):
        find_cycle(frozen.slice(0, 60))


def test_what_does_not_repeat_itself_is_refused(humanoid: Skeleton, wild) -> None:
    random = np.random.default_rng(2)
    noise = quat.from_rotvec(random.normal(scale=0.01, size=(100, 17, 3)))
    with pytest.raises(RigError, match="no part of the motion repeats itself"):
        loop(Motion(humanoid, noise, np.tile([0.0, 0.9, 0.0], (100, 1)), Fraction(30)))
    with pytest.raises(RigError, match="no part of the motion repeats itself"):
        find_cycle(wild(frames=60))
    with pytest.raises(RigError, match=r"cannot find a cycle of 0\.5 to 10 s in 15 frames at 30 per second"):
        find_cycle(wild(frames=15))


@pytest.mark.parametrize(("start", "stop"), [(-1, 20), (10, 13), (20, 10), (0, 50), (60, None)])
def test_a_part_that_is_none_is_refused(wild, start: int, stop: int | None) -> None:
    with pytest.raises(RigError, match=r"cannot loop frames .* of 50"):
        loop(wild(), start, stop)


@pytest.mark.parametrize("angle", [0.0, 1e-12, 0.3, -2.5, np.pi])
def test_moves_come_in_parts(angle: float) -> None:
    random = np.random.default_rng(0)
    points = random.normal(size=(7, 3))
    move = GroundMove(angle, 1.5 - 0.5j)
    shift = np.array([move.shift.imag, 0.0, move.shift.real])
    np.testing.assert_allclose(move.places(points), quat.rotate(move.turn(), points) + shift, atol=1e-12)
    np.testing.assert_allclose(move.places(move.places(points, 0.3), 0.7), move.places(points), atol=1e-12)
    np.testing.assert_allclose(move.places(move.places(points), -1.0), points, atol=1e-12)
    found = GroundMove.between(points, move.places(points))
    np.testing.assert_allclose(found.places(points), move.places(points), atol=1e-12)
