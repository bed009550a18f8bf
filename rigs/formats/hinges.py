"""Angles of joints that turn about fixed axes, from rotations that need not be about them alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from rigs import quat
from rigs.quat import FloatArray

_STEPS = 12  # of Gauss and Newton; few do, as the first axis is given its twist to begin with
_DAMPING = 1e-9


def hinge_angle(axis: ArrayLike, start: ArrayLike, found: ArrayLike) -> FloatArray:
    """Return the angle (...) about an axis (3,) that turns direction start (3,) nearest to found (..., 3)."""
    turning = _unit(axis)
    start, found = np.asarray(start, float), np.asarray(found, float)
    along = start - turning * (turning @ start)
    return np.arctan2(found @ np.cross(turning, start), found @ along)


def angles_about(axes: Sequence[ArrayLike], q: ArrayLike) -> FloatArray:
    """Return angles (T, N) about N axes, one after another, whose product is nearest to rotations q (T, 4).

    The first turn stands first, as in R = R1 R2 ...; each axis is of the frame that those before it turned.
    Nearest: the rotation left over has the least square. Three axes that are not in one plane leave none.
    """
    q = np.asarray(q, float)
    turning = [_unit(axis) for axis in axes]
    angles = np.zeros((len(q), len(turning)))
    angles[:, 0] = quat.to_rotvec(_twist(q, turning[0])) @ turning[0]
    for _ in range(_STEPS):
        made, columns = quat.identity(len(q)), []
        for k, axis in enumerate(turning):
            columns.append(quat.rotate(made, axis))
            made = quat.multiply(made, quat.from_rotvec(angles[:, k, None] * axis))
        left = quat.to_rotvec(quat.multiply(q, quat.conjugate(made)))
        slopes = np.stack(columns, axis=2)
        normal = slopes.swapaxes(1, 2) @ slopes + _DAMPING * np.eye(len(turning))
        angles += np.linalg.solve(normal, slopes.swapaxes(1, 2) @ left[..., None])[..., 0]
    return np.unwrap(angles, axis=0)


def _twist(q: FloatArray, axis: FloatArray) -> FloatArray:
    """Return the part (T, 4) of rotations that is about a unit axis."""
    along = q[:, 1:] @ axis
    return quat.normalise(np.concatenate([q[:, :1], along[:, None] * axis], axis=1))


def _unit(axis: ArrayLike) -> FloatArray:
    return np.asarray(axis, float) / np.linalg.norm(axis)
