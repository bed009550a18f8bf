"""A motion from where joints are and how they are turned in the world."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

_MOVES = 1e-5  # metres: Blender's single precision moves joints by less


def motion_from_world(skeleton: Skeleton, places: FloatArray, turns: FloatArray, fps: Fraction) -> Motion:
    """Return the motion (T, J) of joints that are at places (T, J, 3) m, turned (T, J, 4) in the world."""
    parents = skeleton.parents[1:]
    rotations, moved = turns.copy(), {}
    back = quat.conjugate(turns[:, parents])
    rotations[:, 1:] = quat.multiply(back, turns[:, 1:])
    offsets = quat.rotate(back, places[:, 1:] - places[:, parents])
    for j in range(1, len(skeleton)):
        if np.abs(offsets[:, j - 1] - skeleton.offsets[j]).max() > _MOVES:
            moved[j] = offsets[:, j - 1]
    return Motion(skeleton, quat.continuous(quat.normalise(rotations)), places[:, 0], fps, moved)
