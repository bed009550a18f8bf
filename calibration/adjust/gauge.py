"""Put cameras and points that were adjusted together back into the world that they came from.

An adjustment from images alone may turn, shift and scale the whole world at no cost. The old world is the
one in which the points lie before the old cameras where they lie before the new ones; cameras that the
adjustment moved disagree with that, and are outvoted by those that it did not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.align import Move
from calibration.camera import Camera, Cameras
from calibration.rotation import from_rotvec

Array = NDArray[np.float64]

_STEPS = 20
_SMALL = 1e-5  # of the numerical derivatives: radians, metres, natural logarithm
_DEPTH = 1 / 3  # say of the depth before a camera: less well known than the sides, yet it breaks their ties
_LEAST = 0.001  # metres of miss below which a camera agrees as well as can be


def into_world_of(old: Cameras, new: Cameras, points: Array) -> Move:
    """Find what carries the world of the new cameras into that of the old ones.

    Args:
        old: V cameras, as they were.
        new: the same, adjusted, in a world that is not far off.
        points: (N, 3) where people were, in the world of the new cameras.
    """
    middle, step = points.mean(axis=0), np.zeros(7)
    before = np.stack([_before(camera, points) for camera in new])
    for _ in range(_STEPS):
        miss = _miss(old, points, middle, step, before)
        columns = [(_miss(old, points, middle, step + _SMALL * k, before) - miss) / _SMALL for k in np.eye(7)]
        jacobian, weight = np.stack(columns, axis=-1), _votes(miss)
        normal = np.einsum("v,vni,vnj->ij", weight, jacobian, jacobian)
        change = np.linalg.solve(normal, -np.einsum("v,vni,vn->i", weight, jacobian, miss))
        step = step + change
        if np.abs(change).max() < _SMALL:
            break
    turn, scale = from_rotvec(step[:3]), float(np.exp(step[6]))
    return Move(turn, middle + step[3:6] - scale * turn @ middle, scale)


def _before(camera: Camera, points: Array) -> Array:
    """(N, 3) points in the axes of a camera."""
    return np.asarray(points @ camera.camera_from_world[:3, :3].T + camera.camera_from_world[:3, 3])


def _miss(old: Cameras, points: Array, middle: Array, step: Array, before: Array) -> Array:
    """(V, 3 N) metres between where carried points lie before old cameras and points before new ones."""
    scale = np.exp(step[6])
    carried = scale * (points - middle) @ from_rotvec(step[:3]).T + middle + step[3:6]
    miss = np.stack([_before(camera, carried) for camera in old]) - scale * before
    return (miss * (1.0, 1.0, _DEPTH)).reshape(len(old), -1)


def _votes(miss: Array) -> Array:
    """(V,) one over each camera's miss: the sum of distances is least, not that of their squares."""
    return np.asarray(1 / np.maximum(np.sqrt(3 * np.mean(miss * miss, axis=1)), _LEAST))
