"""Our own skeleton as a rig: every joint plays the part that its name says."""

from __future__ import annotations

import numpy as np

from rigs import quat
from rigs.quat import FloatArray
from rigs.rig import Rig
from rigs.skeleton import Skeleton
from rigs.stance import STANDING

HEAD_JOINT = 0.93  # of the stature: the height of the head's joint


def human_rig(skeleton: Skeleton) -> Rig:
    """Return the rig of a solved person's skeleton, standing on the floor in its rest pose."""
    heights = _heights(skeleton)
    toes = [heights[j] for j, name in enumerate(skeleton.names) if name.endswith("ToeBase")]
    lowest = min(toes, default=float(heights.min()))
    stature = float(heights.max() - lowest) / HEAD_JOINT
    offsets = skeleton.offsets.copy()
    offsets[0] = (0.0, STANDING[0] * stature - lowest, 0.0)
    standing = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.tips)
    roles = {name: name for name in skeleton.names}
    return Rig("human", standing, quat.identity(len(skeleton)), roles, unit=0.01, source="mocap")


def _heights(skeleton: Skeleton) -> FloatArray:
    """Height (J,) m of the joints over the root at rest."""
    heights = np.zeros(len(skeleton))
    for j in range(1, len(skeleton)):
        heights[j] = heights[skeleton.parents[j]] + skeleton.offsets[j, 1]
    return heights
