"""Feet that stand, on any character: how hips and feet must move so that what stands does not slide.

A retargeted foot slides, as legs of other proportions carry it elsewhere. A foot whose heel and ball stand is
laid flat. Then the moves of the hips and of both feet are found at once for the whole clip, together with the
places of all plants: what stands is at its place and nothing is below the floor, thighs and shins turn as
little as they can, and moves are smooth. So a foot in the air goes along with the hips.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.contact import plants
from rigs.quat import FloatArray
from rigs.retargeting.banded import banded, smooth_band, solve_band
from rigs.retargeting.foothold import Foot, feet_of
from rigs.retargeting.limb import Limb, reach
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.retarget import standing
from rigs.rig import Rig

Bools: TypeAlias = NDArray[np.bool_]

HELD_SD = 1e-4  # metres: by how much what stands moves from frame to frame
LEVEL_SD = 0.0015  # metres: of what stands about its height
LEG_SD = np.deg2rad(0.5)  # of thighs and shins about their directions
STRAIGHT = 0.05  # of a leg's length: no leg counts as straighter than with its knee so far beside it
BENT, HIPS_BENT = 20.0, 10.0  # m/s^2 of a foot against the hips, and of the hips
HIPS_ASIDE = 0.015  # metres along the floor: further, and the body would not be over its feet
HIPS_RISE = 0.5  # metres up or down: ankles of other heights lift or lower the whole body
TURN_SD, TURN_BENT, TURN_FAR = np.deg2rad([0.1, 3000.0, 20.0])  # of a flat foot, degrees, and per s^2
SAME_LEVEL = 0.02  # metres between what carries heel and ball of a flat foot
BELOW = 2e-4  # metres that a point may be below the floor
ROUNDS = 3  # of looking which feet are below the floor


def plant_feet(pose: WorldPose, rig: Rig, level: FloatArray, fps: float) -> None:
    """Hold still what stands, keep feet above the floor and legs pointing as they do.

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
    level = level.reshape(-1, 2, 2).swapaxes(1, 2)  # (T, foot, ball or heel)
    for k, foot in enumerate(feet):
        _lay_flat(pose, rig, foot, level[:, k], fps)
    points = np.stack([foot.points(pose)[:, :2] for foot in feet], axis=1)
    above = points[..., 1] - np.stack([foot.heights[:2] for foot in feet])
    free = _free([_stiffness(pose, foot.limb) for foot in feet], fps)
    give, *shifts = _moves(free, points, above, level, fps)
    goals = [pose.positions[:, f.limb.end] + give + shift for f, shift in zip(feet, shifts, strict=True)]
    hips = rig.skeleton.index(rig.roles["Hips"])
    pose.put(hips, pose.positions[:, hips] + give)
    for foot, goal in zip(feet, goals, strict=True):
        reach(pose, foot.limb, goal)
        _bend_toes(pose, foot)


def _stiffness(pose: WorldPose, limb: Limb) -> FloatArray:
    """Return the information (T, 3, 3), per m^2, on moves of a limb's end against its beginning.

    By how much they turn both bones: across the limb, by the move over the limb's length; along it, by ever
    more the straighter it is.
    """
    start, middle, end = (pose.positions[:, j] for j in (limb.upper, limb.middle, limb.end))
    length = np.linalg.norm(end - start, axis=1, keepdims=True)
    unit = (end - start) / length
    beside = np.linalg.norm(np.cross(middle - start, unit), axis=1, keepdims=True)
    more = np.maximum(0.5 * length / np.maximum(beside, STRAIGHT * length), 1.0)
    shape = np.eye(3) + ((more**2 - 1.0) * unit)[..., None] * unit[:, None]
    return shape / (LEG_SD * length[..., None]) ** 2


def _free(stiff: list[FloatArray], fps: float) -> list[FloatArray]:
    """Return the information on moves where nothing stands, in blocks as `banded` takes them.

    Of nine axes: moves (3) of the hips, and of the left and the right foot against them.
    """
    frames = len(stiff[0])
    blocks = [np.zeros((frames - k, 9, 9)) for k in range(3)]
    hips = [smooth_band(frames, fps, HIPS_BENT, far) for far in (HIPS_ASIDE, HIPS_RISE, HIPS_ASIDE)]
    for axis, rows in enumerate([*hips, *[smooth_band(frames, fps, BENT, np.inf)] * 6]):
        for block, row in zip(blocks, rows, strict=True):
            block[:, axis, axis] = row[: len(block)]
    for own, matrix in zip((slice(3, 6), slice(6, 9)), stiff, strict=True):
        blocks[0][:, own, own] += matrix / fps
    return blocks


def _moves(
    free: list[FloatArray], points: FloatArray, above: FloatArray, level: FloatArray, fps: float
) -> FloatArray:
    """Return how hips move, and each foot against them: (3, T, 3) m.

    Args:
        free: information on moves where nothing stands.
        points: (T, foot, 2, 3) m, ball and heel as they are.
        above: (T, foot, 2) m by which they are higher than on a foot that stands on the floor.
        level: (T, foot, 2) m below ball and heel, NaN where they do not stand.
        fps: frames a second.
    """
    held, lowest = np.isfinite(level), above.min(axis=2)
    ball, heel = np.moveaxis(level - above, 2, 0)
    rise = np.where(held[..., 0], ball, heel)  # the ball's height is surer
    moves = _solved(free, points, held, rise, fps)
    for _ in range(ROUNDS):
        below = np.isnan(rise) & (lowest + (moves[0] + moves[1:])[..., 1].T < -BELOW)
        if not below.any():
            break
        rise = np.where(below, -lowest, rise)
        moves = _solved(free, points, held, rise, fps)
    return moves


def _solved(
    free: list[FloatArray], points: FloatArray, held: Bools, rise: FloatArray, fps: float
) -> FloatArray:
    """Return the moves (3, T, 3) m by least squares over all frames.

    held: (T, foot, 2) whether ball and heel stand; rise: (T, foot) m that a foot shall rise, NaN where any
    will do. A plant's place is nobody's unknown: neighbours pulled together, however hard, keep the matrix a
    band, and the place comes out as what all frames of the plant agree on.
    """
    now, next_, after = (block.copy() for block in free)
    right = np.zeros((len(points), 9))
    for foot in range(2):
        moved = np.tile(np.eye(3), 3)  # (3, 9): a foot moves with the hips and against them
        moved[:, slice(6, 9) if foot == 0 else slice(3, 6)] = 0.0
        for point in range(2):
            hold = (held[1:, foot, point] & held[:-1, foot, point])[:, None] / (HELD_SD**2 * fps)
            step = hold * np.diff(points[:, foot, point], axis=0) @ moved
            both = hold[..., None] * (moved.T @ moved)
            now[1:] += both
            now[:-1] += both
            next_ -= both
            right[1:] -= step
            right[:-1] += step
        known = np.isfinite(rise[:, foot, None]) / (LEVEL_SD**2 * fps)
        now += known[..., None] * np.outer(moved[1], moved[1])
        right += known * np.nan_to_num(rise[:, foot, None]) * moved[1]
    found = solve_band(banded([now, next_, after]), right.reshape(-1, 1))
    return found.reshape(-1, 3, 3).swapaxes(0, 1)


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


def _bend_toes(pose: WorldPose, foot: Foot) -> None:
    """Bend toes up by as much as keeps their tips above the floor, without moving the foot."""
    ball, _, tip = np.moveaxis(foot.points(pose), 1, 0)
    toe = tip - ball
    length = np.linalg.norm(toe, axis=1)
    if foot.ball_joint == foot.limb.end or length.min() < 1e-6:
        return
    rise = np.maximum(toe[:, 1], np.clip(foot.heights[2] - ball[:, 1], -length, length))
    flat = toe * np.array([1.0, 0.0, 1.0])
    ahead = np.sqrt(length**2 - rise**2) / np.maximum(np.linalg.norm(flat, axis=1), 1e-9)
    bent = ahead[:, None] * flat + rise[:, None] * np.array([0.0, 1.0, 0.0])
    pose.turn(foot.ball_joint, quat.multiply(quat.between(toe, bent), pose.rotations[:, foot.ball_joint]))


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
