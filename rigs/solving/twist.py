"""Twist of a joint about its bone, shared with the bone before it, as a forearm turns all along."""

from __future__ import annotations

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import Floats


def share_twist(motion: Motion, joint: str, share: float) -> Motion:
    """Turn the parent of `joint` by a share of the joint's twist, and the joint back by as much.

    The twist is about the line from the parent to the joint, so no joint moves, and none below it turns.

    Args:
        motion: any.
        joint: a joint that has a parent, and nothing else hangs on that.
        share: of the twist that the parent takes.
    """
    j = motion.skeleton.index(joint)
    parent = int(motion.skeleton.parents[j])
    axis = motion.skeleton.offsets[j] / np.linalg.norm(motion.skeleton.offsets[j])
    part = quat.from_rotvec(share * twist_angle(motion.rotations[:, j], axis)[:, None] * axis)
    rotations = motion.rotations.copy()
    rotations[:, parent] = quat.multiply(rotations[:, parent], part)
    rotations[:, j] = quat.multiply(quat.conjugate(part), rotations[:, j])
    return Motion(motion.skeleton, quat.continuous(rotations), motion.root, motion.fps, motion.translations)


def twist_angle(rotations: Floats, axis: Floats) -> Floats:
    """Angle (T,) rad, unwrapped over time, by which rotations (T, 4) turn about a unit axis (3,).

    Source: the swing-twist decomposition (Dobrowolski, Swing-twist decomposition in Clifford algebra, 2015).
    """
    half = np.arctan2(rotations[:, 1:] @ axis, rotations[:, 0])
    angle = np.unwrap(2 * half)
    return angle - 2 * np.pi * np.round(np.median(angle) / (2 * np.pi))
