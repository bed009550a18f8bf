"""Retargeting: limbs point as the source's do, whatever the bone frames, rest pose and proportions."""

from dataclasses import replace

import numpy as np
import pytest

from rigs import quat
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import RAISED, leg_scale, resting, retarget, standing
from rigs.rig import Rig
from rigs.skeleton import Skeleton
from tests.rigs.characters import (
    a_pose,
    directions,
    person,
    posed_anew,
    proportioned,
    random_frames,
    wild_motion,
)

LIMBS = [
    (side + a, side + b)
    for side in ("Left", "Right")
    for a, b in (("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg"), ("Leg", "Foot"))
]


def test_onto_itself_nothing_changes() -> None:
    rig = person()
    motion = wild_motion(rig)
    pose = retarget(motion, rig, rig)
    np.testing.assert_allclose(pose.positions, motion.world()[0], atol=1e-12)


def test_bone_frames_do_not_matter() -> None:
    rig = person()
    motion = wild_motion(rig)
    crooked = posed_anew(rig, {}, random_frames(rig))
    np.testing.assert_allclose(resting(crooked).positions, resting(rig).positions, atol=1e-12)
    there = retarget(motion, rig, crooked)
    np.testing.assert_allclose(there.positions, motion.world()[0], atol=1e-9)
    back = retarget(there.motion(motion.fps), crooked, rig)
    same = np.abs((back.motion(motion.fps).rotations * motion.rotations).sum(axis=-1))
    np.testing.assert_allclose(same, 1.0, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_limbs_point_as_the_source_from_an_a_pose_and_with_other_proportions(seed: int) -> None:
    rig = person()
    motion = wild_motion(rig, seed=seed)
    other = a_pose(proportioned(rig, Leg=1.3, Foot=0.8, ForeArm=1.2, Spine1=0.7, Hand=0.9))
    pose = retarget(motion, rig, other)
    wanted = directions(WorldPose.of(motion), rig, LIMBS)
    np.testing.assert_allclose(directions(pose, other, LIMBS), wanted, atol=1e-9)


def test_hips_move_by_as_much_as_legs_are_longer() -> None:
    rig = person()
    motion = wild_motion(rig)
    tall = proportioned(rig, Leg=1.4, Foot=1.4)
    scale = leg_scale(rig, tall)
    assert 1.3 < scale < 1.4
    between = [rig.skeleton.index(f"{side}UpLeg") for side in ("Left", "Right")]
    here = motion.world()[0][:, between].mean(axis=1)
    there = retarget(motion, rig, tall).positions[:, between].mean(axis=1)
    np.testing.assert_allclose(there, scale * here, atol=1e-9)


def with_spine(rig: Rig, count: int) -> Rig:
    """The character with another number of joints in its spine, equally long in all."""
    old = rig.skeleton
    keep = [n for n in old.names if n not in ("Spine", "Spine1", "Spine2")]
    spine = ["Spine", *(f"Spine{k}" for k in range(1, count))]
    names = ["Hips", *spine, *(n for n in keep if n != "Hips")]
    length = np.linalg.norm(old.offsets[[old.index(n) for n in ("Spine", "Spine1", "Spine2")]], axis=1).sum()
    parents, offsets = [-1], [old.offsets[0]]
    for k, name in enumerate(spine):
        parents.append(k)
        offsets.append(np.array([0.0, length / count, 0.0]))
        assert names[len(parents) - 1] == name
    for name in names[1 + count :]:
        above = old.names[old.parents[old.index(name)]]
        parents.append(names.index(spine[-1] if above == "Spine2" else above))
        offsets.append(old.offsets[old.index(name)])
    skeleton = Skeleton(tuple(names), np.array(parents), np.array(offsets), old.tips)
    return Rig("other", skeleton, quat.identity(len(names)), {n: n for n in names})


@pytest.mark.parametrize("count", [1, 2, 5])
def test_the_bend_of_a_spine_is_spread_over_any_number_of_joints(count: int) -> None:
    rig = person()
    local = np.tile(quat.identity(len(rig.skeleton)), (3, 1, 1))
    for name in ("Spine", "Spine1", "Spine2"):
        local[:, rig.skeleton.index(name)] = quat.from_rotvec([np.deg2rad(10.0), 0.0, 0.0])
    motion = WorldPose(rig.skeleton, local, np.tile(rig.skeleton.offsets[0], (3, 1))).motion(30)
    other = with_spine(rig, count)
    turned = retarget(motion, rig, other).motion(30).rotations
    bends = [np.degrees(np.linalg.norm(quat.to_rotvec(turned[0, 1 + k]))) for k in range(count)]
    np.testing.assert_allclose(bends, 30.0 / count, atol=1e-9)


def test_a_joint_without_counterpart_rests_on_what_it_hangs_from() -> None:
    rig = person()
    motion = wild_motion(rig)
    roles = {role: name for role, name in rig.roles.items() if not role.endswith("Hand")}
    pose = retarget(motion, rig, replace(rig, roles=roles))
    hand = rig.skeleton.index("LeftHand")
    np.testing.assert_allclose(pose.local[:, hand], np.tile(quat.identity(), (len(motion), 1)), atol=1e-12)


def test_a_hanging_foot_is_raised_and_a_standing_one_keeps_its_slope() -> None:
    rig = person()
    motion = WorldPose(
        rig.skeleton, np.tile(rig.rest, (3, 1, 1)), np.tile(rig.skeleton.offsets[0], (3, 1))
    ).motion(30)
    ends = [("LeftFoot", "LeftToeBase")]
    slope = directions(resting(rig), rig, ends)[0, 0]
    hanging = posed_anew(rig, {"LeftFoot": np.deg2rad([50.0, 0.0, 0.0])})
    assert directions(resting(hanging), rig, ends)[0, 0, 1] < -0.9
    raised = directions(retarget(motion, rig, hanging), rig, ends)[0, 0]
    np.testing.assert_allclose(raised, [0.0, -np.sin(RAISED), np.cos(RAISED)], atol=1e-9)
    lowest = [pose.positions[0, :, 1].min() for pose in (standing(hanging), resting(hanging))]
    assert lowest[0] == pytest.approx(lowest[1])  # it stands where its toes hung
    steeper = posed_anew(rig, {"LeftFoot": np.deg2rad([10.0, 20.0, 0.0])})
    found = directions(retarget(motion, rig, steeper), rig, ends)[0, 0]
    assert found[1] < slope[1] - 0.1  # its own anatomy
    assert abs(np.arctan2(found[0], found[2])) < 1e-9  # but straight ahead, as the source's
