"""Legs that reach where their feet belong, when something above them has changed.

Hip and knee turn as little as they need: the triangle of thigh and shin is laid between the hip joint and the
place where the ankle belongs, in the plane in which the knee was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

SIDES = ("Left", "Right")
STRAIGHT = (
    0.05  # of the leg: a knee nearer than this to the line from hip to ankle leans to where it bends else
)


@dataclass(frozen=True)
class Leg:
    """The joints of a leg: at the hip, the knee and the ankle, each the parent of the next."""

    thigh: int
    shin: int
    foot: int


def find_legs(skeleton: Skeleton, roles: Mapping[str, str]) -> dict[str, Leg]:
    """Return the legs by side, as far as they are known: by roles, or where there are none by our names."""
    legs = {}
    for side in SIDES:
        names = [roles.get(side + part, side + part) for part in ("UpLeg", "Leg", "Foot")]
        if all(name in skeleton.names for name in names):
            thigh, shin, foot = (skeleton.index(name) for name in names)
            if skeleton.parents[foot] == shin and skeleton.parents[shin] == thigh:
                legs[side] = Leg(thigh, shin, foot)
    return legs


def reach(motion: Motion, leg: Leg, ankle: FloatArray, turned: FloatArray) -> Motion:
    """Return the motion with a foot where it belongs; where the leg is too short, as near as it comes.

    Args:
        motion: T frames.
        leg: which of its legs.
        ankle: (T, 3) metres, where the foot's joint belongs in the world.
        turned: (T, 4) wxyz, how the foot belongs in the world.
    """
    places, turns = motion.world()
    hip, knee, end = (places[:, j] for j in (leg.thigh, leg.shin, leg.foot))
    new_knee, new_end = _triangle(hip, knee, end, ankle, turns[:, leg.thigh])
    swing = quat.between(knee - hip, new_knee - hip)
    bend = quat.between(quat.rotate(swing, end - knee), new_end - new_knee)
    thigh = quat.multiply(swing, turns[:, leg.thigh])
    shin = quat.multiply(quat.multiply(bend, swing), turns[:, leg.shin])
    above = motion.skeleton.parents[leg.thigh]
    rotations = motion.rotations.copy()
    for joint, parent, child in (
        (leg.thigh, turns[:, above] if above >= 0 else quat.identity(), thigh),
        (leg.shin, thigh, shin),
        (leg.foot, shin, turned),
    ):
        rotations[:, joint] = quat.multiply(quat.conjugate(parent), child)
    return Motion(motion.skeleton, quat.continuous(rotations), motion.root, motion.fps, motion.translations)


def _triangle(
    hip: FloatArray, knee: FloatArray, end: FloatArray, wanted: FloatArray, thigh: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return where knee and ankle come to be, (T, 3) each, for an ankle that is wanted somewhere."""
    upper, lower = _length(knee - hip), _length(end - knee)
    line = wanted - hip
    far = np.clip(_length(line), np.abs(upper - lower) + 1e-9, upper + lower)
    line = line / _length(line)
    along = (far**2 + upper**2 - lower**2) / (2.0 * far)
    out = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    hinge = quat.rotate(quat.conjugate(thigh), np.cross(knee - hip, end - knee)).sum(
        axis=0
    )  # in the thigh's axes
    hinge = quat.rotate(thigh, hinge / max(float(np.linalg.norm(hinge)), 1e-12))
    off = _square(knee - hip, line)
    lean = np.maximum(STRAIGHT * (upper + lower) - _length(off), 0.0)
    side = off + lean * np.cross(line, hinge)
    side = side / np.maximum(_length(side), 1e-12)
    return hip + along * line + out * side, hip + far * line


def _square(v: FloatArray, line: FloatArray) -> FloatArray:
    """Return what of vectors (T, 3) is square to unit vectors (T, 3)."""
    return v - np.sum(v * line, axis=1, keepdims=True) * line


def _length(v: FloatArray) -> FloatArray:
    return np.linalg.norm(v, axis=1, keepdims=True)
