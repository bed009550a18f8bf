"""OpenSim's axes: x forward, y up, z to the right, where ours are x to the left, y up, z forward."""

import numpy as np
from numpy.typing import ArrayLike

from rigs.quat import FloatArray


def to_opensim(vectors: ArrayLike) -> FloatArray:
    """Turn vectors (..., 3), y up, a person who faces +z: (x, y, z) becomes (z, y, -x), and he faces +x."""
    v = np.asarray(vectors, float)
    return np.stack([v[..., 2], v[..., 1], -v[..., 0]], axis=-1)


def rotations_to_opensim(q: ArrayLike) -> FloatArray:
    """Return quaternions (..., 4) wxyz of our world as the same rotations in OpenSim's axes."""
    q = np.asarray(q, float)
    return np.concatenate([q[..., :1], to_opensim(q[..., 1:])], axis=-1)
