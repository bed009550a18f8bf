"""Two bones that reach: an arm or a leg bent so that its end is where it should be (law of cosines)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs import quat
from rigs.quat import FloatArray
from rigs.retargeting.pose import WorldPose

STRAIGHTEST = 0.9995  # of the length of both bones: a knee of 3.6 degrees
GENTLE = 0.08  # of the length of both bones: the last of the way to straight, which is eased
POLE = 0.05  # of the limb's length: less bent than this its plane follows the upper bone's own turn


@dataclass(frozen=True)
class Limb:
    """Joints of a limb: upper (hip, shoulder), middle (knee, elbow) and end (ankle, wrist).

    forward: (3,) which way the middle bends out, in the frame of the upper joint.
    """

    upper: int
    middle: int
    end: int
    forward: FloatArray


def eased(pose: WorldPose, limb: Limb, goal: FloatArray) -> FloatArray:
    """Return goals (T, 3) m drawn in where a limb has to be nearly straight for them, or cannot get there.

    Near straight a little of the way is much of an angle, so a limb that goes to such goals snaps. Over the
    last of the way the end now lags behind ever more, by a third of `GENTLE` for what is just in reach.
    A limb that is that straight by itself is not bent more.
    """
    upper, lower = _bones(pose, limb)
    most = STRAIGHTEST * (_length(upper) + _length(lower))
    natural = np.linalg.norm(pose.positions[:, limb.end] - pose.positions[:, limb.upper], axis=-1)
    start = pose.positions[:, limb.upper]
    far = np.linalg.norm(goal - start, axis=-1)
    free = np.maximum((1.0 - GENTLE) * most, natural)
    room = np.maximum(most - free, 1e-9)
    lag = free + room * (1.0 - np.exp(-np.maximum(far - free, 0.0) / room))
    drawn = np.where(far > free, lag, far) / np.maximum(far, 1e-12)
    return start + drawn[:, None] * (goal - start)


def reach(pose: WorldPose, limb: Limb, goal: FloatArray) -> None:
    """Bend a limb so that its end is at goal (T, 3) m, or as near as it reaches; the end keeps its turn.

    The bend stays in its plane, turned the shortest way; a limb that is straight bends the way its upper bone
    faces, and one that is nearly straight goes over from one to the other.
    """
    start, end_turn = pose.positions[:, limb.upper], pose.rotations[:, limb.end].copy()
    upper, lower = _bones(pose, limb)
    a, b = _length(upper), _length(lower)
    natural = pose.positions[:, limb.end] - start
    towards = quat.between(natural, goal - start)
    straightest = np.maximum(STRAIGHTEST * (a + b), _length(natural))  # it may be as straight as it was
    far = np.minimum(_length(goal - start), straightest)
    far = np.maximum(far, np.abs(a - b) + 1e-9)
    axis = _unit(goal - start)
    turned = quat.rotate(towards, upper)
    forward = quat.rotate(quat.multiply(towards, pose.rotations[:, limb.upper]), limb.forward)
    side = _square(turned, axis) + POLE * (a + b)[:, None] * _unit(_square(forward, axis))
    along = (a**2 - b**2 + far**2) / (2.0 * far)
    out = np.sqrt(np.maximum(a**2 - along**2, 0.0))
    middle = along[:, None] * axis + out[:, None] * _unit(side)
    first = quat.multiply(quat.between(turned, middle), towards)
    rest = far[:, None] * axis - middle
    second = quat.multiply(quat.between(quat.rotate(first, lower), rest), first)
    upper_turn = quat.multiply(first, pose.rotations[:, limb.upper])
    middle_turn = quat.multiply(second, pose.rotations[:, limb.middle])
    pose.turn(limb.upper, upper_turn)
    pose.turn(limb.middle, middle_turn)
    pose.turn(limb.end, end_turn)


def _bones(pose: WorldPose, limb: Limb) -> tuple[FloatArray, FloatArray]:
    at = pose.positions
    return at[:, limb.middle] - at[:, limb.upper], at[:, limb.end] - at[:, limb.middle]


def _length(bone: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(bone, axis=-1))


def _square(v: FloatArray, axis: FloatArray) -> FloatArray:
    """The part of v (T, 3) square to axis (T, 3)."""
    return v - (v * axis).sum(axis=-1, keepdims=True) * axis


def _unit(v: FloatArray) -> FloatArray:
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12)
