"""Who carries the way, twist bones and followers."""

from dataclasses import replace

import numpy as np
import pytest

from rigs import quat
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import resting
from rigs.retargeting.root import carry, heading
from rigs.retargeting.sharing import share
from rigs.rig import Rig, Twist
from rigs.skeleton import Skeleton
from tests.rigs.characters import person, posed_anew, random_frames, wild_motion


def test_a_root_bone_goes_below_the_hips_and_nothing_else_moves() -> None:
    rig = posed_anew(person(), {}, random_frames(person()))
    motion = wild_motion(rig, scale=0.4)
    moved, rooted = carry(motion, rig, "root")
    assert rooted.root == "Root" and moved.skeleton.names[0] == "Root"
    before, after = motion.world()[0], moved.world()[0]
    np.testing.assert_allclose(after[:, 1:], before, atol=1e-9)
    np.testing.assert_allclose(after[:, 0], before[:, 0] * (1, 0, 1), atol=1e-12)
    tilt = quat.rotate(moved.rotations[:, 0], np.array([0.0, 1.0, 0.0]))
    np.testing.assert_allclose(tilt, np.tile([0.0, 1.0, 0.0], (len(motion), 1)), atol=1e-12)
    again, _ = carry(moved, rooted, "root")
    np.testing.assert_allclose(again.world()[0], after, atol=1e-9)
    np.testing.assert_allclose(resting(rooted).positions[0, 1:], resting(rig).positions[0], atol=1e-12)


def test_by_the_hips_nothing_changes() -> None:
    rig = person()
    motion = wild_motion(rig)
    assert carry(motion, rig, "hips") == (motion, rig)


def test_in_place_the_way_is_gone_and_the_sway_stays() -> None:
    rig = person()
    frames = 120
    time = np.arange(frames) / 30.0
    sway = 0.03 * np.sin(2 * np.pi * 2 * time)
    root = np.stack([sway, 0.9 + 0 * time, 1.2 * time], axis=1)
    still = np.tile(rig.rest, (frames, 1, 1))
    motion, _ = carry(WorldPose(rig.skeleton, still, root).motion(30), rig, "in-place")
    assert np.abs(motion.root[:, 2] - motion.root[0, 2]).max() < 0.01
    inner = slice(20, -20)
    np.testing.assert_allclose(motion.root[inner, 0], sway[inner], atol=0.004)
    np.testing.assert_allclose(motion.root[:, 1], 0.9)


def test_the_heading_of_who_lies_is_that_of_the_frames_around() -> None:
    turn = quat.from_rotvec(np.stack([np.zeros(5), np.linspace(0.0, 2.0, 5), np.zeros(5)], axis=1))
    turn[2] = quat.from_rotvec([np.pi / 2, 0.0, 0.0])
    np.testing.assert_allclose(heading(turn), np.linspace(0.0, 2.0, 5), atol=1e-9)


def with_joints(rig: Rig, joints: dict[str, tuple[str, tuple[float, float, float]]]) -> Rig:
    """The rig with leaves more, directly behind what they hang from."""
    names, parents = (
        list(rig.skeleton.names),
        [rig.skeleton.names[p] if p >= 0 else None for p in rig.skeleton.parents],
    )
    offsets, rest = list(rig.skeleton.offsets), list(rig.rest)
    for name, (parent, offset) in joints.items():
        at = names.index(parent) + 1
        names.insert(at, name)
        parents.insert(at, parent)
        offsets.insert(at, np.array(offset))
        rest.insert(at, quat.identity())
    index = [-1 if p is None else names.index(p) for p in parents]
    skeleton = Skeleton(tuple(names), np.array(index), np.array(offsets), rig.skeleton.tips)
    return replace(rig, skeleton=skeleton, rest=np.array(rest))


@pytest.mark.parametrize("angle", [0.8, -2.5])
def test_twist_bones_take_their_share(angle: float) -> None:
    plain = person()
    rig = with_joints(
        plain,
        {"fore_twist": ("LeftForeArm", (0.1, 0, 0)), "upper_twist": ("LeftArm", (0.05, 0, 0))},
    )
    twists = {"fore_twist": Twist("LeftHand", 0.5), "upper_twist": Twist("LeftArm", -0.75)}
    rig = replace(rig, twists=twists)
    pose = resting(rig)
    bend = quat.from_rotvec([0.0, 0.4, 0.3])
    twist = quat.from_rotvec([angle, 0.0, 0.0])
    hand, arm = rig.skeleton.index("LeftHand"), rig.skeleton.index("LeftArm")
    pose.local[:, hand] = quat.multiply(bend, twist)
    pose.local[:, arm] = quat.multiply(bend, twist)
    pose.refresh(range(len(rig.skeleton)))
    share(pose, rig)
    own = quat.to_rotvec(pose.local[0, rig.skeleton.index("upper_twist")])
    np.testing.assert_allclose(own, [-0.75 * angle, 0.0, 0.0], atol=0.02)
    with_hand = quat.to_rotvec(pose.local[0, rig.skeleton.index("fore_twist")])
    np.testing.assert_allclose(with_hand, [0.5 * angle, 0.0, 0.0], atol=0.05)


def test_followers_are_where_their_leaders_are() -> None:
    rig = with_joints(person(), {"ik_hand": ("Hips", (0, 0, 0))})
    rig = replace(rig, follows={"ik_hand": "LeftHand"})
    pose = WorldPose.of(wild_motion(rig))
    share(pose, rig)
    joint, leader = rig.skeleton.index("ik_hand"), rig.skeleton.index("LeftHand")
    moved = pose.motion(30)
    at, turned = moved.world()
    np.testing.assert_allclose(at[:, joint], at[:, leader], atol=1e-9)
    np.testing.assert_allclose(np.abs((turned[:, joint] * turned[:, leader]).sum(axis=1)), 1.0, atol=1e-9)
