"""Performances: modes of feet, hands and root, end to end on arrays."""

from dataclasses import replace

import numpy as np
import pytest

from rigs import quat
from rigs.library import load_rig
from rigs.retargeting.foothold import soles_of
from rigs.retargeting.limb import GENTLE, STRAIGHTEST, Limb, eased, reach
from rigs.retargeting.perform import Performance, perform
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import leg_scale
from tests.rigs.characters import a_pose, person, proportioned
from tests.rigs.test_planting import slid, walk


def test_contacts_are_found_where_nobody_says_them() -> None:
    source = person()
    motion, level = walk(source)
    target = a_pose(proportioned(source, Leg=1.3, UpLeg=1.5))
    clip = perform(motion, source, target, Performance(), name="anna", first=4)
    assert (clip.name, clip.first, len(clip.motion)) == ("anna", 4, len(motion))
    inner = level.copy()
    for t in range(2, len(level) - 2):  # a frame at either end of a plant is a matter of taste
        inner[t] = np.where(np.isfinite(level[t - 2 : t + 3]).all(axis=0), 0.0, np.nan)
    assert slid(WorldPose.of(clip.motion), target, inner) < 2e-3
    loose = perform(motion, source, target, Performance(foot_lock="never"))
    assert slid(WorldPose.of(loose.motion), target, inner) > 5e-3


@pytest.mark.parametrize("lock", ["ground", "always"])
def test_somebody_in_the_air_is_put_down_only_if_asked(lock: str) -> None:
    source = person()
    motion, level = walk(source)
    flying = replace(motion, root=motion.root + np.array([0.0, 0.2, 0.0]))
    clip = perform(flying, source, source, Performance(foot_lock=lock), level + 0.2)
    points, heights = soles_of(source, WorldPose.of(clip.motion))
    lowest = (points[..., 1] - heights).min(axis=1)
    assert np.abs(lowest - (0.0 if lock == "ground" else 0.2)).max() < 6e-3


def test_hands_go_to_their_goals_if_asked() -> None:
    source = person()
    motion, level = walk(source)
    target = proportioned(source, ForeArm=1.3, Hand=1.2, Leg=1.1)
    hips, hand = (source.skeleton.index(n) for n in ("Hips", "LeftHand"))
    wanted = motion.world()[0][:, hand] - motion.world()[0][:, hips]
    for hands in (False, True):
        at = perform(motion, source, target, Performance(hands=hands), level).motion.world()[0]
        off = np.abs(at[:, hand] - at[:, hips] - leg_scale(source, target) * wanted).max()
        assert (off < 1e-9) == hands


def test_hands_that_go_out_of_reach_do_not_snap() -> None:
    """A straight arm's goal moves off at a steady speed; the elbow never turns far within a frame."""
    source = person()
    shoulder, elbow, hand = (source.skeleton.index(f"Left{n}") for n in ("Arm", "ForeArm", "Hand"))
    skeleton, steps = source.skeleton, 61
    pose = WorldPose(skeleton, np.tile(source.rest, (steps, 1, 1)), np.tile(skeleton.offsets[0], (steps, 1)))
    bent = quat.from_rotvec([0.0, -1.2, 0.0])  # of an elbow of the T-pose
    pose.turn(elbow, quat.multiply(bent, pose.rotations[:, elbow]))
    start, arm = pose.positions[:, shoulder], Limb(shoulder, elbow, hand, np.array([0.0, 0.0, -1.0]))
    length = np.linalg.norm(skeleton.offsets[[elbow, hand]], axis=1).sum()
    away = pose.positions[:, hand] - start
    far = length * np.linspace(0.85, 1.15, steps)
    goal = start + far[:, None] * away / np.linalg.norm(away, axis=1, keepdims=True)
    reach(pose, arm, eased(pose, arm, goal))
    step = quat.multiply(quat.conjugate(pose.local[:-1, elbow]), pose.local[1:, elbow])
    angle = np.degrees(np.linalg.norm(quat.to_rotvec(step), axis=1))
    assert angle.max() < 2.0 * angle[0]  # 8 degrees in one frame where nothing is eased
    off = np.linalg.norm(goal - pose.positions[:, hand], axis=1) / length
    near = far < (1.0 - GENTLE) * STRAIGHTEST * length
    assert off[near].max() < 1e-9 and near.sum() > 10
    assert off[far < length].max() < 0.4 * GENTLE
    assert (np.diff(pose.positions[:, hand, 0]) > 0.0).all()


def test_the_root_carries_the_way() -> None:
    source = person()
    motion, level = walk(source)
    clip = perform(motion, source, source, Performance(root="root"), level)
    assert clip.motion.skeleton.names[0] == "Root" and len(clip.rest) == len(source.skeleton) + 1
    assert np.abs(clip.motion.root[:, 1]).max() == 0.0


@pytest.mark.parametrize("root", ["hips", "root", "in-place"])
@pytest.mark.parametrize("name", ["unreal", "unreal4"])
def test_what_follows_is_where_its_leader_is(name: str, root: str) -> None:
    source, target = person(), load_rig(name)
    motion, level = walk(source)
    clip = perform(motion, source, target, Performance(root=root), level)
    places, turns = clip.motion.world()
    names = clip.motion.skeleton.names
    assert target.follows["ik_hand_r"] == target.follows["ik_hand_gun"]  # and one hangs from the other
    for follower, leader in target.follows.items():
        joint, other = names.index(follower), names.index(leader)
        np.testing.assert_allclose(places[:, joint], places[:, other], atol=1e-9)
        along = np.abs((turns[:, joint] * turns[:, other]).sum(axis=1))
        np.testing.assert_allclose(along, 1.0, atol=1e-9)
