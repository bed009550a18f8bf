"""Feet on a character: what stands does not move, nothing sinks, and knees keep their bend."""

import numpy as np
import pytest

from rigs import quat
from rigs.contact import plants
from rigs.motion import Motion
from rigs.retargeting.foothold import feet_of, soles_of
from rigs.retargeting.limb import reach
from rigs.retargeting.planting import plant_feet
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import leg_scale, resting, retarget
from rigs.rig import Rig
from tests.rigs.characters import a_pose, directions, person, proportioned

FPS = 30.0
STEP = 24  # frames
STRIDE = 0.6  # metres


def walk(rig: Rig, steps: int = 8) -> tuple[Motion, np.ndarray]:
    """A walk along a bow, feet flat on the floor in turns, and the levels (T, 4) of what stands."""
    frames = steps * STEP
    feet, pose = feet_of(rig), resting(rig)
    ankles = [pose.positions[0, f.limb.end] for f in feet]
    time = np.arange(frames) / STEP
    local = np.repeat(pose.local, frames, axis=0)
    root = rig.skeleton.offsets[0] + np.stack(
        [0 * time, -0.05 + 0.02 * np.cos(2 * np.pi * time), STRIDE * time / 2], axis=1
    )
    walking = WorldPose(rig.skeleton, local, root)
    turn = quat.from_rotvec(np.stack([0 * time, 0.04 * time, 0 * time], axis=1))
    walking.turn(0, turn)
    level = np.full((frames, 4), np.nan)
    for k, foot in enumerate(feet):
        phase = (time + k) / 2
        swing = np.clip(2 * (phase % 1.0) - 1.0, 0.0, 1.0)
        eased = swing**2 * (3 - 2 * swing)
        ahead = STRIDE * (np.floor(phase) + eased - k / 2 + 0.25)
        lift = 0.08 * np.sin(np.pi * swing) ** 2
        goal = ankles[k] + np.stack([0 * ahead, lift, ahead], axis=1)
        reach(walking, foot.limb, goal)
        walking.turn(foot.limb.end, np.tile(pose.rotations[:, foot.limb.end], (frames, 1)))
        level[swing == 0, k::2] = 0.0
    return walking.motion(30), level


def slid(pose: WorldPose, rig: Rig, level: np.ndarray) -> float:
    """Farthest (m) that a sole's point is from its plant's mean."""
    points, _ = soles_of(rig, pose)
    found = [points[p.frames, p.point] for p in plants(np.isfinite(level))]
    return max(float(np.linalg.norm(path - path.mean(axis=0), axis=1).max()) for path in found)


def knees(pose: WorldPose, rig: Rig) -> np.ndarray:
    """Bend of both knees (T, 2), degrees."""
    out = []
    for foot in feet_of(rig):
        a = pose.positions[:, foot.limb.middle] - pose.positions[:, foot.limb.upper]
        b = pose.positions[:, foot.limb.end] - pose.positions[:, foot.limb.middle]
        along = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
        out.append(np.degrees(np.arccos(np.clip(along, -1, 1))))
    return np.stack(out, axis=1)


CHARACTERS = {
    "long thighs": {"Leg": 1.3},
    "short shins": {"Foot": 0.7},
    "wide hips": {"UpLeg": 1.8},
    "large feet": {"ToeBase": 1.5},
    "small": {"Leg": 0.5, "Foot": 0.5, "UpLeg": 0.6, "ToeBase": 0.5},
}


@pytest.mark.parametrize("name", CHARACTERS)
def test_planted_feet_stay_on_other_legs(name: str) -> None:
    source = person()
    motion, level = walk(source)
    assert slid(WorldPose.of(motion), source, level) < 1e-9
    target = a_pose(proportioned(source, **CHARACTERS[name]))
    pose = retarget(motion, source, target)
    before, bent, hips = slid(pose, target, level), knees(pose, target), pose.positions[:, 0].copy()
    plant_feet(pose, target, leg_scale(source, target) * level, FPS)
    assert np.linalg.norm((pose.positions[:, 0] - hips)[:, [0, 2]], axis=1).max() < 0.03  # over its feet
    assert before > 0.0015  # or nothing would be shown
    assert slid(pose, target, level) < 5e-4
    points, heights = soles_of(target, pose)
    assert (points[..., 1] - heights).min() > -0.004
    steps, were = np.abs(np.diff(knees(pose, target), axis=0)), np.abs(np.diff(bent, axis=0))
    assert steps.max() < were.max() + 5.0


@pytest.mark.parametrize("name", ["long thighs", "large feet", "small"])
def test_a_leg_in_the_air_goes_along_with_the_hips(name: str) -> None:
    source = person()
    motion, level = walk(source)
    pose = retarget(motion, source, target := a_pose(proportioned(source, **CHARACTERS[name])))
    plant_feet(pose, target, leg_scale(source, target) * level, FPS)
    turned = legs_turned(WorldPose.of(motion), source, pose, target)
    in_air = np.isnan(level[:, :2])
    inner = np.array([in_air[max(t - 5, 0) : t + 6].all(axis=0) for t in range(len(level))])
    assert inner.sum() > 20
    assert turned[inner].mean() < 0.2 and turned[inner].max() < 0.6
    assert turned[~in_air].mean() > 2 * turned[inner].mean()  # what stands takes all the turning


def legs_turned(a: WorldPose, source: Rig, b: WorldPose, target: Rig) -> np.ndarray:
    """Larger angle (T, foot), degrees, that thigh or shin of two characters are apart."""
    out = []
    for side in ("Left", "Right"):
        bones = [(side + "UpLeg", side + "Leg"), (side + "Leg", side + "Foot")]
        along = (directions(a, source, bones) * directions(b, target, bones)).sum(axis=-1)
        out.append(np.degrees(np.arccos(np.clip(along, -1.0, 1.0))).max(axis=1))
    return np.stack(out, axis=1)


def test_a_foot_at_the_source_is_hardly_changed() -> None:
    source = person()
    motion, level = walk(source)
    pose = WorldPose.of(motion)
    plant_feet(pose, source, level, FPS)
    assert np.abs(pose.positions - motion.world()[0]).max() < 1e-3


def test_a_platform_stays_a_platform() -> None:
    source = person()
    motion, level = walk(source)
    higher = Motion(motion.skeleton, motion.rotations, motion.root + np.array([0.0, 0.3, 0.0]), motion.fps)
    target = proportioned(source, Leg=1.2, Foot=1.2)
    scale = leg_scale(source, target)
    pose = retarget(higher, source, target)
    plant_feet(pose, target, scale * (level + 0.3), FPS)
    points, heights = soles_of(target, pose)
    down = np.isfinite(level)
    np.testing.assert_allclose((points[..., 1] - heights)[down], 0.3 * scale, atol=2e-3)


def test_a_foot_that_rolls_while_it_stands_is_laid_flat() -> None:
    source = person()
    motion, level = walk(source)
    pose = WorldPose.of(motion)
    foot = feet_of(source)[0]
    roll = quat.from_rotvec([0.0, 0.0, 0.3])
    pose.turn(foot.limb.end, quat.multiply(roll, pose.rotations[:, foot.limb.end]))
    plant_feet(pose, source, level, FPS)
    side = quat.rotate(pose.rotations[:, foot.limb.end], np.array([1.0, 0.0, 0.0]))[:, 1]
    inner = np.isfinite(level[:, 0])
    assert np.degrees(np.abs(side[inner])).max() < 0.5
    assert np.degrees(np.abs(np.diff(side))).max() < 5.0  # and is blended
    assert slid(pose, source, level) < 5e-4
    assert legs_turned(WorldPose.of(motion), source, pose, source).max() < 0.5  # it turned about the ankle


def test_toes_bend_rather_than_that_a_leg_is_lifted() -> None:
    source = person()
    motion, level = walk(source)
    pose = WorldPose.of(motion)
    foot = feet_of(source)[0]
    down = quat.multiply(quat.from_rotvec([0.5, 0.0, 0.0]), pose.rotations[:, foot.ball_joint])
    pose.turn(foot.ball_joint, down)
    assert (foot.points(pose)[:, 2, 1] - foot.heights[2]).min() < -0.02
    plant_feet(pose, source, level, FPS)
    assert (foot.points(pose)[:, 2, 1] - foot.heights[2]).min() > -2e-3
    assert legs_turned(WorldPose.of(motion), source, pose, source).max() < 0.5


def test_who_has_no_legs_is_left_alone() -> None:
    source = person()
    motion, level = walk(source)
    roles = {r: n for r, n in source.roles.items() if not r.endswith("Leg")}
    legless = Rig("l", source.skeleton, source.rest, roles)
    pose = WorldPose.of(motion)
    plant_feet(pose, legless, level, FPS)
    np.testing.assert_array_equal(pose.positions, WorldPose.of(motion).positions)


def test_a_leg_reaches_and_keeps_its_foot_s_turn() -> None:
    source = person()
    motion, _ = walk(source)
    pose = WorldPose.of(motion)
    foot = feet_of(source)[1]
    turn = pose.rotations[:, foot.limb.end].copy()
    goal = pose.positions[:, foot.limb.end] + np.array([0.03, 0.05, -0.08])
    reach(pose, foot.limb, goal)
    np.testing.assert_allclose(pose.positions[:, foot.limb.end], goal, atol=1e-9)
    np.testing.assert_allclose(np.abs((pose.rotations[:, foot.limb.end] * turn).sum(axis=1)), 1.0, atol=1e-12)
    np.testing.assert_allclose(pose.motion(30).world()[0], pose.positions, atol=1e-12)


def test_out_of_reach_a_leg_points_there_nearly_straight() -> None:
    source = person()
    pose = resting(source)
    foot = feet_of(source)[0]
    hip = pose.positions[:, foot.limb.upper].copy()
    reach(pose, foot.limb, hip + np.array([[0.0, -1.0, 2.0]]))
    leg = pose.positions[0, foot.limb.end] - hip[0]
    np.testing.assert_allclose(leg / np.linalg.norm(leg), np.array([0.0, -1.0, 2.0]) / 5**0.5, atol=1e-9)
    assert knees(pose, source)[0, 0] < 6.0
