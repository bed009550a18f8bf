"""Twist of a joint about its bone, shared with the bone before it, as a forearm turns all along."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import Floats

LARGE = 0.01  # what a twist costs by its square, of what its change in a frame does
BLEND = 0.07  # seconds (standard deviation) over which a whole turn is taken back


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
    angle = twist_angle(motion.rotations[:, j], axis)
    steady = np.unwrap(angle)
    back = gaussian_filter1d(angle - steady, BLEND * float(motion.fps), mode="nearest")
    part = quat.from_rotvec(share * (steady + back)[:, None] * axis)  # the joint takes what is left
    rotations = motion.rotations.copy()
    rotations[:, parent] = quat.multiply(rotations[:, parent], part)
    rotations[:, j] = quat.multiply(quat.conjugate(part), rotations[:, j])
    return Motion(motion.skeleton, quat.continuous(rotations), motion.root, motion.fps, motion.translations)


def twist_angle(rotations: Floats, axis: Floats) -> Floats:
    """Angle (T,) rad by which rotations (T, 4) turn about a unit axis (3,), as steady over time as may be.

    Whole turns are told apart by what is small and moves little: a joint that turns by more than half a turn
    in a frame, as a hand that is seen wrongly does, would else stay a whole turn off from then on.

    Source: the swing-twist decomposition (Dobrowolski, Swing-twist decomposition in Clifford algebra, 2015).
    """
    half = np.arctan2(rotations[:, 1:] @ axis, rotations[:, 0])
    angle = np.angle(np.exp(2j * half))
    return angle + 2 * np.pi * _whole_turns(angle)


def _whole_turns(angle: Floats) -> Floats:
    """Whole turns (T,) to add to angles (T,) rad: the likeliest sequence (Viterbi 1967)."""
    turns = np.array([-1.0, 0.0, 1.0])
    wide = angle[:, None] + 2 * np.pi * turns
    cost, best = LARGE * wide[:1] ** 2, np.zeros(wide.shape, dtype=np.intp)
    for t in range(1, len(wide)):
        moved = cost.T + (wide[t] - wide[t - 1][:, None]) ** 2
        best[t] = moved.argmin(axis=0)
        cost = (moved.min(axis=0) + LARGE * wide[t] ** 2)[None]
    path = np.empty(len(wide), dtype=np.intp)
    last = int(cost.argmin()) if len(wide) else 0
    for t in range(len(wide) - 1, -1, -1):
        path[t], last = last, int(best[t, last])
    return turns[path]
