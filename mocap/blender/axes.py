"""Between our world, y up and facing +z, and Blender's, z up and facing -y."""

from __future__ import annotations

import numpy as np

from rigs import quat
from rigs.quat import FloatArray

BLENDER_FROM_OURS = quat.from_rotvec(np.array([np.pi / 2.0, 0.0, 0.0]))  # (x, y, z) -> (x, -z, y)
OURS_FROM_BLENDER = quat.conjugate(BLENDER_FROM_OURS)


def to_blender(points: FloatArray) -> FloatArray:
    """Turn points (..., 3) of our world into Blender's."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)
