"""Feet that stand, on any character: where each foot must move so that what stands does not slide.

A retargeted foot slides, as legs of other proportions carry it elsewhere. A foot whose heel and ball stand is
laid flat. Then for each foot a correction (T, 3) is found at once for the whole clip, together with the
places of all plants: what stands is at its place, the correction bends as little as it can, and fades where
nothing stands. Then hips give way smoothly, so that knees keep their bend, and each leg reaches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.contact import plants
from rigs.quat import FloatArray
from rigs.retargeting.banded import along, smooth_band, solve_band
from rigs.retargeting.limb import Limb, reach, reach_of
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import standing
from rigs.rig import Rig

Bools: TypeAlias = NDArray[np.bool_]

HELD_SD = 1e-4  # metres: by how much what stands moves from frame to frame
BENT = 10.0  # m/s^2 of a correction
FAR = 0.1  # metres of a correction where nothing stands
HIPS_BENT, HIPS_FAR = 4.0, 0.05  # m/s^2 and metres by which hips give way
HIPS_ASIDE = 0.02  # metres along the floor: further, and the body would not be over its feet
KNEE_SD = 0.005  # metres: by how much the distance from hip to ankle may change
STRETCHED_SD = 0.001  # metres: and where the leg would be too short
LEVEL_SD = 0.002  # metres: of what stands about its height
SAME_LEVEL = 0.02  # metres between what carries heel and ball of a flat foot
TURN_SD, TURN_BENT, TURN_FAR = np.deg2rad([0.1, 3000.0, 20.0])  # of a flat foot, degrees, and per s^2
BELOW = 2e-4  # metres that a point may be below the floor
ROUNDS = 4  # of looking which feet are below the floor, or out of reach
HEEL_BACK, HEEL_DOWN = 0.3, 0.8  # of the foot's length and of the ankle's height: the heel from the ankle
NO_TOE = 1.6  # ankle heights: how far before the ankle the ball is, of feet without one


@dataclass(frozen=True, eq=False)
class Foot:
    """A leg, and points of its foot.

    ball_joint: the joint that carries the ball; ball, heel, tip: (3,) metres in the frames of that joint, of
    the ankle and of the ball's joint; heights: (3,) metres of the three above the floor when the foot stands.
    """

    limb: Limb
    ball_joint: int
    ball: FloatArray
    heel: FloatArray
    tip: FloatArray
    heights: FloatArray

    def points(self, pose: WorldPose) -> FloatArray:
        """Where ball, heel and tip are: (T, 3, 3) m."""
        where = []
        for joint, offset in (
            (self.ball_joint, self.ball),
            (self.limb.end, self.heel),
            (self.ball_joint, self.tip),
        ):
            where.append(pose.positions[:, joint] + quat.rotate(pose.rotations[:, joint], offset))
        return np.stack(where, axis=1)


def feet_of(rig: Rig) -> list[Foot]:
    """Return left and right foot of a rig; none if it has not both legs to the ankle."""
    return [foot for side in ("Left", "Right") if (foot := _foot(rig, side))]


def soles_of(rig: Rig, pose: WorldPose) -> tuple[FloatArray, FloatArray]:
    """Return left and right ball, left and right heel (T, 4, 3) m, and their heights (4,) m standing."""
    feet = feet_of(rig)
    points = [foot.points(pose) for foot in feet]
    where = np.stack([p[:, k] for k in (0, 1) for p in points], axis=1)
    return where, np.array([foot.heights[k] for k in (0, 1) for foot in feet])


def plant_feet(pose: WorldPose, rig: Rig, level: FloatArray, fps: float) -> None:
    """Hold still what stands, keep feet above the floor and knees as bent as they were.

    Args:
        pose: T frames of the rig, changed.
        rig: the character.
        level: (T, 4) metres, heights of what carries left and right ball, left and right heel, NaN where they
            do not stand.
        fps: frames a second.
    """
    feet = feet_of(rig)
    if len(feet) < 2 or len(pose.root) < 3:
        return
    for k, foot in enumerate(feet):
        _lay_flat(pose, rig, foot, level[:, k::2], fps)
    shifts = [_shift(foot.points(pose), foot.heights, level[:, k::2], fps) for k, foot in enumerate(feet)]
    goals = [pose.positions[:, f.limb.end] + shift for f, shift in zip(feet, shifts, strict=True)]
    hips = rig.skeleton.index(rig.roles["Hips"])
    give = _give(pose, feet, goals, fps)
    pose.put(hips, pose.positions[:, hips] + give)
    for foot, goal in zip(feet, goals, strict=True):
        reach(pose, foot.limb, goal)


def _lay_flat(pose: WorldPose, rig: Rig, foot: Foot, level: FloatArray, fps: float) -> None:
    """Turn a foot that stands on heel and ball flat, to one heading, and toes whose ball stands.

    level: (T, 2) m below ball and heel, NaN where they do not stand.
    """
    ball, heel = foot.points(pose)[:, :2, 1].T - foot.heights[:2, None]
    flat = np.abs(level[:, 0] - level[:, 1]) < SAME_LEVEL
    flat |= np.isfinite(level[:, 0]) & np.isnan(level[:, 1]) & (heel < ball)  # or it would sink
    flat |= np.isnan(level[:, 0]) & np.isfinite(level[:, 1]) & (ball < heel)
    toes = np.isfinite(level[:, 0]) if foot.ball_joint != foot.limb.end else np.zeros(len(flat), bool)
    turns = {j: pose.rotations[:, j].copy() for j in (foot.limb.end, foot.ball_joint)}
    for joint, when in ((foot.ball_joint, toes), (foot.limb.end, flat)):  # without toes, both are the ankle
        rest = standing(rig).rotations[0, joint]
        turns[joint] = quat.multiply(_flattening(turns[joint], rest, when, fps), turns[joint])
    for joint in sorted(turns):
        pose.turn(joint, turns[joint])


def _flattening(turn: FloatArray, rest: FloatArray, when: Bools, fps: float) -> FloatArray:
    """Return by what to turn a joint (T, 4) so that `when` (T,) it is as at rest but for one heading."""
    wanted = np.zeros((len(turn), 3))
    from_rest = quat.multiply(turn, quat.conjugate(rest))
    for plant in plants(when[:, None]):
        ahead = quat.rotate(from_rest[plant.frames], np.array([0.0, 0.0, 1.0])).mean(axis=0)
        heading = quat.from_rotvec(np.array([0.0, np.arctan2(ahead[0], ahead[2]), 0.0]))
        wanted[plant.frames] = quat.to_rotvec(quat.multiply(heading, quat.conjugate(from_rest[plant.frames])))
    weight = when / (TURN_SD**2 * fps)
    band = smooth_band(len(turn), fps, TURN_BENT, TURN_FAR)
    band[0] += weight
    return quat.from_rotvec(solve_band(band, weight[:, None] * wanted))


def _shift(points: FloatArray, heights: FloatArray, level: FloatArray, fps: float) -> FloatArray:
    """Return how much a foot must move (T, 3) m.

    points: (T, 3, 3) ball, heel, tip as they are; level: (T, 2) m below ball and heel, NaN where they do not
    stand.
    """
    wanted = np.full(points.shape[:2], np.nan)  # heights that points shall have
    wanted[:, 0] = level[:, 0]
    wanted[:, 1] = np.where(np.isfinite(level[:, 0]), np.nan, level[:, 1])  # the ball's is surer
    held = np.isfinite(level)
    shift = _solved(points, wanted + heights, held, fps)
    for _ in range(ROUNDS):
        below = points[..., 1] + shift[:, None, 1] < heights - BELOW
        if not (below & np.isnan(wanted)).any():
            break
        wanted = np.where(below & np.isnan(wanted), 0.0, wanted)
        shift = _solved(points, wanted + heights, held, fps)
    return shift


def _solved(points: FloatArray, height: FloatArray, held: Bools, fps: float) -> FloatArray:
    """Least squares over the corrections of all frames: (T, 3) m.

    height: (T, 3) metres that ball, heel and tip shall have, NaN where any will do; held: (T, 2) whether ball
    and heel stand. A plant's place is nobody's unknown: neighbours pulled together, however hard, keep the
    matrix a band, and the place comes out as what all frames of the plant agree on.
    """
    band = smooth_band(len(points), fps, BENT, FAR)
    right = np.zeros((len(points), 3))
    for point in range(held.shape[1]):
        hold = (held[1:, point] & held[:-1, point]) / (HELD_SD**2 * fps)
        step = hold[:, None] * np.diff(points[:, point], axis=0)
        band[0, 1:] += hold
        band[0, :-1] += hold
        band[1, :-1] -= hold
        right[1:] -= step
        right[:-1] += step
    shift = np.empty_like(right)
    shift[:, [0, 2]] = solve_band(band, right[:, [0, 2]])
    known = np.isfinite(height)
    band[0] += known.sum(axis=1) / (LEVEL_SD**2 * fps)
    right[:, 1] += np.where(known, height - points[..., 1], 0.0).sum(axis=1) / (LEVEL_SD**2 * fps)
    shift[:, 1:2] = solve_band(band, right[:, 1:2])
    return shift


def _give(pose: WorldPose, feet: list[Foot], goals: list[FloatArray], fps: float) -> FloatArray:
    """Return how the hips give way (T, 3) m, so that each leg is about as long as it was, and reaches."""
    smooth = along(smooth_band(len(pose.root), fps, HIPS_BENT, HIPS_FAR), 3)
    for axis in (0, 2):
        smooth[0, axis::3] += (1.0 / HIPS_ASIDE**2 - 1.0 / HIPS_FAR**2) / fps
    give = np.zeros_like(pose.root)
    for _ in range(ROUNDS):
        information, pull = np.zeros((len(give), 3, 3)), np.zeros_like(give)
        for foot, goal in zip(feet, goals, strict=True):
            leg = goal - pose.positions[:, foot.limb.upper] - give
            length = np.linalg.norm(leg, axis=1)
            bone = pose.positions[:, foot.limb.end] - pose.positions[:, foot.limb.upper]
            over = length - reach_of(pose, foot.limb)
            for off, sd in (
                (length - np.linalg.norm(bone, axis=1), KNEE_SD),
                (np.maximum(over, 0.0), STRETCHED_SD),
            ):
                weight = (off != 0.0) / (sd**2 * fps)
                unit = leg / length[:, None]
                information += weight[:, None, None] * unit[:, :, None] * unit[:, None]
                pull += (weight * (off + (unit * give).sum(axis=1)))[:, None] * unit
        band = smooth.copy()
        for k in range(3):
            for below in range(3 - k):
                band[below, k::3] += information[:, k + below, k]
        give = solve_band(band, pull.reshape(-1, 1)).reshape(-1, 3)
    return give


def _foot(rig: Rig, side: str) -> Foot | None:
    """Measure a foot on the rest pose, in which it stands on the floor."""
    names, skeleton = rig.roles, rig.skeleton
    parts = [names.get(side + part) for part in ("UpLeg", "Leg", "Foot")]
    if None in parts:
        return None
    upper, middle, end = (skeleton.index(str(name)) for name in parts)
    pose = standing(rig)
    at, turned = pose.positions[0], pose.rotations[0]
    toe = names.get(f"{side}ToeBase")
    ball_joint = skeleton.index(toe) if toe else end
    ankle = at[end]
    ball = at[ball_joint] if toe else ankle + ankle[1] * np.array([0.0, -HEEL_DOWN, NO_TOE])
    ahead = (ball - ankle) * np.array([1.0, 0.0, 1.0])
    heel = ankle - HEEL_BACK * ahead - np.array([0.0, HEEL_DOWN * ankle[1], 0.0])
    tip = skeleton.tips.get(skeleton.names[ball_joint])
    tip = ball if tip is None or not toe else ball + quat.rotate(turned[ball_joint], tip)
    return Foot(
        limb=Limb(upper, middle, end, _back(turned[upper], np.array([0.0, 0.0, 1.0]))),
        ball_joint=ball_joint,
        ball=_back(turned[ball_joint], ball - at[ball_joint]),
        heel=_back(turned[end], heel - ankle),
        tip=_back(turned[ball_joint], tip - at[ball_joint]),
        heights=np.array([ball[1], heel[1], tip[1]]),
    )


def _back(turn: FloatArray, v: FloatArray) -> FloatArray:
    """Return a world vector (3,) in a frame that is turned by `turn`."""
    return quat.rotate(quat.conjugate(turn), v)
