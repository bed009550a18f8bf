"""Our own skeleton as a rig: every joint plays the part that its name says."""

from __future__ import annotations

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.rig import Rig
from rigs.skeleton import Skeleton
from rigs.stance import STANDING

HEAD_JOINT = 0.93  # of the stature: the height of the head's joint


def human_rig(skeleton: Skeleton, ball: float | None = None) -> Rig:
    """Return the rig of a solved person's skeleton, standing on the floor in its rest pose.

    Args:
        skeleton: of the person.
        ball: metres, height of the balls of feet that stand; None: what is usual for somebody so tall.
    """
    heights = _heights(skeleton)
    toes = [heights[j] for j, name in enumerate(skeleton.names) if name.endswith("ToeBase")]
    lowest = min(toes, default=float(heights.min()))
    if ball is None:
        ball = STANDING[0] * float(heights.max() - lowest) / HEAD_JOINT
    offsets = skeleton.offsets.copy()
    offsets[0] = (0.0, ball - lowest, 0.0)
    standing = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.tips)
    roles = {name: name for name in skeleton.names}
    return Rig("human", standing, quat.identity(len(skeleton)), roles, unit=0.01, source="mocap")


def performer_rig(motion: Motion, level: FloatArray | None) -> Rig:
    """Return the rig of a solved person, its feet as high as they stand in the motion.

    Args:
        motion: T frames of our skeleton.
        level: (T, 4) metres of what carries left and right ball, left and right heel, NaN where they do not
            stand; None: nobody looked.
    """
    toes = [motion.skeleton.names.index(f"{side}ToeBase") for side in ("Left", "Right")]
    if level is None or not np.isfinite(level[:, :2]).any():
        return human_rig(motion.skeleton)
    height = motion.world()[0][:, toes, 1] - level[:, :2]
    return human_rig(motion.skeleton, float(np.nanmedian(height)))


def _heights(skeleton: Skeleton) -> FloatArray:
    """Height (J,) m of the joints over the root at rest."""
    heights = np.zeros(len(skeleton))
    for j in range(1, len(skeleton)):
        heights[j] = heights[skeleton.parents[j]] + skeleton.offsets[j, 1]
    return heights
