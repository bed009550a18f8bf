"""Who carries the way that a character goes: its hips, a root bone on the floor, or nobody."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.retargeting.pose import WorldPose
from rigs.retargeting.sharing import follow
from rigs.rig import Rig
from rigs.skeleton import Skeleton

RootMotion = Literal["hips", "root", "in-place"]
ROOT_MOTIONS: tuple[RootMotion, ...] = get_args(RootMotion)

STRIDE = 1.0  # seconds over which a way in place is averaged: what is faster is sway, which stays
UPRIGHT = 0.2  # of a horizontal unit: a chest that faces straight up or down has no heading


def carry(motion: Motion, rig: Rig, by: RootMotion) -> tuple[Motion, Rig]:
    """Give the way of a character to whom it belongs; where every joint is does not change, but in place.

    Args:
        motion: T frames of the rig.
        rig: the character.
        by: "hips": a root bone stays at the origin; "root": it is on the floor below the hips, level, and
            turned to where they face; a rig without one gets a joint "Root"; "in-place": the way, averaged
            over a second, is taken out, its turns are not.

    Returns:
        The motion and its rig, which differs if it got a joint.
    """
    if by == "hips":
        return motion, rig
    if by == "in-place":
        return _moved(motion, rig, -_way(motion, rig)), rig
    if rig.root is None:
        motion, rig = _rooted(motion, rig)
    return _on_root(motion, rig), rig


def heading(turn: FloatArray) -> FloatArray:
    """Return the angle (T,) rad about y by which something turned by (T, 4) from facing +z faces elsewhere.

    Steady along the clip; where it lies, from the frames around.
    """
    ahead = quat.rotate(turn, np.array([0.0, 0.0, 1.0]))
    level = np.flatnonzero(np.hypot(ahead[:, 0], ahead[:, 2]) > UPRIGHT)
    if not len(level):
        return np.zeros(len(turn))
    angle = np.unwrap(np.arctan2(ahead[level, 0], ahead[level, 2]))
    return np.interp(np.arange(len(turn)), level, angle)


def _way(motion: Motion, rig: Rig) -> FloatArray:
    """Horizontal way (T, 3) of the hips from their first place, averaged over a stride."""
    hips = WorldPose.of(motion).positions[:, rig.skeleton.index(rig.roles["Hips"])]
    width = min(round(STRIDE * motion.fps), len(hips) - 1) // 2
    padded = np.concatenate(
        [2 * hips[:1] - hips[width:0:-1], hips, 2 * hips[-1:] - hips[-2 : -2 - width : -1]]
    )
    kernel = np.hanning(2 * width + 3)[1:-1]
    smooth = np.stack([np.convolve(p, kernel / kernel.sum(), "valid") for p in padded.T], axis=1)
    return (smooth - smooth[:1]) * np.array([1.0, 0.0, 1.0])


def _moved(motion: Motion, rig: Rig, by: FloatArray) -> Motion:
    pose, hips = WorldPose.of(motion), rig.skeleton.index(rig.roles["Hips"])
    pose.put(hips, pose.positions[:, hips] + by)
    follow(pose, rig)
    return pose.motion(motion.fps)


def _rooted(motion: Motion, rig: Rig) -> tuple[Motion, Rig]:
    """Put a joint on the floor above the root of a skeleton."""
    old = rig.skeleton
    name = "Root"
    while name in old.names:
        name += "_"
    offsets = np.concatenate([np.zeros((1, 3)), old.offsets])
    skeleton = Skeleton((name, *old.names), np.concatenate([[-1], old.parents + 1]), offsets, old.tips)
    frames = len(motion)
    still = np.tile(quat.identity(), (frames, 1, 1))
    moved = {1: motion.root, **{j + 1: v for j, v in motion.translations.items()}}
    rest = np.concatenate([quat.identity(1), rig.rest])
    return (
        Motion(
            skeleton,
            np.concatenate([still, motion.rotations], axis=1),
            np.zeros((frames, 3)),
            motion.fps,
            moved,
        ),
        replace(rig, skeleton=skeleton, rest=rest, root=name),
    )


def _on_root(motion: Motion, rig: Rig) -> Motion:
    """Let the root bone go below the hips, everything else stay where it is."""
    skeleton, pose = rig.skeleton, WorldPose.of(motion)
    root, hips = skeleton.index(str(rig.root)), skeleton.index(rig.roles["Hips"])
    rest = WorldPose(skeleton, rig.rest[None], skeleton.offsets[:1])
    facing = heading(quat.multiply(pose.rotations[:, hips], quat.conjugate(rest.rotations[:, hips])))
    turn = quat.from_rotvec(facing[:, None] * np.array([0.0, 1.0, 0.0]))
    place = pose.positions[:, hips] * np.array([1.0, 0.0, 1.0])
    at, turned = pose.positions[:, hips].copy(), pose.rotations[:, hips].copy()
    pose.put(root, place + quat.rotate(turn, rest.positions[0, root] * np.array([0.0, 1.0, 0.0])))
    pose.turn(root, quat.multiply(turn, rest.rotations[:, root]))
    pose.turn(hips, turned)
    pose.put(hips, at)
    follow(pose, rig)
    return pose.motion(motion.fps)
