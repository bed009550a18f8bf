"""Hands grafted on arms, and twist shared with the forearm: nothing moves that should not."""

from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.motion import Motion
from rigs.skeleton import Skeleton
from rigs.solving.body import load_body
from rigs.solving.graft import graft
from rigs.solving.twist import share_twist, twist_angle
from tests.synth import sized, walking

FRAMES = 20
BODY = load_body()
PARTS = ("Thumb", "Index", "Middle", "Ring", "Pinky")


def a_walk() -> Motion:
    pose = walking(BODY, FRAMES)
    hand = BODY.index("LeftHand")
    bent = np.outer(np.linspace(-1.0, 1.0, FRAMES), [0.9, 0.3, -0.2])
    pose.rotations[:, hand] = quat.from_rotvec(bent)
    return Motion(BODY.skeleton(sized(BODY)), pose.rotations, pose.root, Fraction(30))


def a_hand(left: bool) -> tuple[Skeleton, np.ndarray]:
    body = load_body("hand", mirrored=not left)
    rng = np.random.default_rng(3)
    turns = rng.normal(0.0, 0.3, (FRAMES, len(body.names), 3))
    return body.skeleton(sized(body)), quat.from_rotvec(turns)


@pytest.fixture
def whole() -> Motion:
    return graft(a_walk(), {f"{side}Hand": a_hand(side == "Left") for side in ("Left", "Right")})


def test_the_body_stays_where_it_is(whole: Motion) -> None:
    walk = a_walk()
    rows = [whole.skeleton.index(name) for name in walk.skeleton.names]
    np.testing.assert_allclose(whole.world()[0][:, rows], walk.world()[0], atol=1e-12)
    kept = [j for j, name in enumerate(walk.skeleton.names) if not name.endswith("Hand")]
    ours, before = whole.rotations[:, [rows[j] for j in kept]], walk.rotations[:, kept]
    np.testing.assert_allclose(np.abs((ours * before).sum(axis=-1)), 1.0, atol=1e-12)


def test_hands_turn_as_their_parts_say(whole: Motion) -> None:
    _, world = whole.world()
    for side in ("Left", "Right"):
        _, turned = a_hand(side == "Left")
        found = world[:, whole.skeleton.index(f"{side}Hand")]
        np.testing.assert_allclose(np.abs((found * turned[:, 0]).sum(axis=-1)), 1.0, atol=1e-12)


def test_five_fingers_of_three_joints_by_the_usual_names(whole: Motion) -> None:
    fingers = {f"{s}Hand{part}{k}" for s in ("Left", "Right") for part in PARTS for k in (1, 2, 3)}
    assert fingers == set(whole.skeleton.names) - set(BODY.names)
    assert {f"{s}Hand{part}3" for s in ("Left", "Right") for part in PARTS} <= set(whole.skeleton.tips)
    assert "LeftHand" not in whole.skeleton.tips
    assert (
        np.abs(np.diff(whole.rotations, axis=0)).max()
    ) < 1.5  # sign-continuous: a flip is a step of up to 2


def test_a_shared_twist_moves_no_joint_and_turns_no_hand(whole: Motion) -> None:
    shared = share_twist(whole, "LeftHand", 0.5)
    np.testing.assert_allclose(shared.world()[0], whole.world()[0], atol=1e-12)
    hand, arm = (whole.skeleton.index(n) for n in ("LeftHand", "LeftForeArm"))
    same = (shared.world()[1][:, hand] * whole.world()[1][:, hand]).sum(axis=-1)
    np.testing.assert_allclose(np.abs(same), 1.0, atol=1e-12)
    axis = np.array([1.0, 0.0, 0.0])
    before, after = (twist_angle(m.rotations[:, hand], axis) for m in (whole, shared))
    np.testing.assert_allclose(after, before / 2, atol=1e-9)
    turned = quat.multiply(quat.conjugate(whole.rotations[:, arm]), shared.rotations[:, arm])
    np.testing.assert_allclose(twist_angle(turned, axis), before / 2, atol=1e-9)


def test_twist_is_unwrapped_over_time() -> None:
    axis = np.array([0.0, 0.6, 0.8])
    angle = np.linspace(-1.0, 4.5, 60)  # beyond half a turn
    found = twist_angle(quat.from_rotvec(angle[:, None] * axis), axis)
    np.testing.assert_allclose(found, angle, atol=1e-12)
    swing = quat.from_rotvec(np.outer(np.full(60, 0.7), [1.0, 0.0, 0.0]))  # square to the axis
    both = quat.multiply(swing, quat.from_rotvec(angle[:, None] * axis))
    np.testing.assert_allclose(twist_angle(both, axis), angle, atol=1e-12)


def test_a_hand_that_flips_once_is_not_a_whole_turn_off_from_then_on() -> None:
    """Turned wrongly for a few frames, it passes half a turn: the forearm comes back within a breath."""
    axis = np.array([0.0, 0.6, 0.8])
    angle = np.full(240, 0.3)
    angle[100:104] += [1.6, 3.1, 4.6, 6.2]  # round once
    found = twist_angle(quat.from_rotvec(angle[:, None] * axis), axis)
    np.testing.assert_allclose(found[:99], 0.3, atol=1e-9)
    np.testing.assert_allclose(found[110:], 0.3, atol=1e-9)


def test_a_forearm_turns_evenly_while_its_hand_passes_half_a_turn(whole: Motion) -> None:
    """There and back through half a turn, and once round by mistake: the forearm never leaps."""
    hand, arm = (whole.skeleton.index(n) for n in ("LeftHand", "LeftForeArm"))
    frames = 240
    angle = 2.9 * np.sin(np.linspace(0, np.pi, frames)) + 0.6
    angle[150:] += 2 * np.pi * np.clip((np.arange(90) - 2) / 4, 0, 1)
    axis = np.array([1.0, 0.0, 0.0])
    rotations = np.repeat(whole.rotations[:1], frames, axis=0)
    rotations[:, hand] = quat.from_rotvec(angle[:, None] * axis)
    root = np.repeat(whole.root[:1], frames, axis=0)
    shared = share_twist(Motion(whole.skeleton, rotations, root, whole.fps), "LeftHand", 0.5)
    same = shared.world()[1][:, hand] * Motion(whole.skeleton, rotations, root, whole.fps).world()[1][:, hand]
    np.testing.assert_allclose(np.abs(same.sum(axis=-1)), 1.0, atol=1e-12)
    steps = quat.multiply(quat.conjugate(shared.rotations[:-1, arm]), shared.rotations[1:, arm])
    turned = np.rad2deg(2 * np.arccos(np.clip(np.abs(steps[:, 0]), 0, 1)))
    # half of 90 degrees a frame, and a fifth a frame of half a turn that is taken back by a bell of 2 frames
    assert turned.max() < 45 + 0.2 * 180
    assert turned[:140].max() < 3  # half of 2.9 radians in 120 frames
    assert (
        np.abs(twist_angle(shared.rotations[170:, hand], axis) - (angle[170:] - 2 * np.pi) / 2).max() < 0.05
    )
