"""Unit quaternions, wxyz, as plain arrays of shape (..., 4); every function broadcasts leading axes.

Hamilton convention: ``rotate(multiply(a, b), v) == rotate(a, rotate(b, v))``. NaN in, NaN out.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]

_SMALL = 1e-6  # below it the next term of each series is under one unit in the last place
_OPPOSITE = 1e-12  # |u + v| under which the sum of two unit vectors is only rounding
_CONJUGATE = np.array([1.0, -1.0, -1.0, -1.0])


def identity(*shape: int) -> FloatArray:
    """Return identity quaternions of shape (*shape, 4)."""
    q = np.zeros((*shape, 4))
    q[..., 0] = 1.0
    return q


def normalise(q: ArrayLike) -> FloatArray:
    """Return q (..., 4) scaled to unit length; a zero quaternion is no rotation and becomes NaN."""
    return _unit(np.asarray(q, float))


def conjugate(q: ArrayLike) -> FloatArray:
    """Return the inverse of unit quaternions q (..., 4)."""
    return np.asarray(q, float) * _CONJUGATE


def multiply(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Return the product a b (..., 4): first b, then a."""
    aw, ax, ay, az = _parts(a)
    bw, bx, by, bz = _parts(b)
    return np.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        axis=-1,
    )


def rotate(q: ArrayLike, v: ArrayLike) -> FloatArray:
    """Turn vectors v (..., 3) by unit quaternions q (..., 4)."""
    q, v = np.asarray(q, float), np.asarray(v, float)
    twice = 2.0 * _cross(q[..., 1:], v)
    return v + q[..., :1] * twice + _cross(q[..., 1:], twice)


def from_rotvec(rotvec: ArrayLike) -> FloatArray:
    """Return the quaternion (..., 4) of a rotation vector (..., 3) in radians (the exponential map)."""
    rotvec = np.asarray(rotvec, float)
    half = 0.5 * np.linalg.norm(rotvec, axis=-1, keepdims=True)
    return np.concatenate([np.cos(half), 0.5 * np.sinc(half / np.pi) * rotvec], axis=-1)


def to_rotvec(q: ArrayLike) -> FloatArray:
    """Return the shortest rotation vector (..., 3), radians, length at most pi (the logarithm)."""
    q = np.asarray(q, float)
    q = np.where(q[..., :1] < 0.0, -q, q)
    w, sine = q[..., :1], np.linalg.norm(q[..., 1:], axis=-1, keepdims=True)
    tiny = sine < _SMALL * w
    ratio = sine / np.where(tiny, w, 1.0)
    series = (1.0 - ratio**2 / 3.0) / np.where(tiny, w, 1.0)
    return 2.0 * q[..., 1:] * np.where(tiny, series, np.arctan2(sine, w) / np.where(sine == 0.0, 1.0, sine))


def to_matrix(q: ArrayLike) -> FloatArray:
    """Return rotation matrices (..., 3, 3) of unit quaternions q (..., 4)."""
    w, x, y, z = _parts(q)
    rows = [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def from_matrix(matrix: ArrayLike) -> FloatArray:
    """Return unit quaternions (..., 4), w >= 0, of rotation matrices (..., 3, 3).

    Divides by the largest of the four components, so it is exact in every branch, half turns included
    (S. W. Shepperd, "Quaternion from rotation matrix", 1978).
    """
    m = np.asarray(matrix, float)
    xx, yy, zz = m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]
    wx, wy, wz = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    xy, xz, yz = m[..., 0, 1] + m[..., 1, 0], m[..., 0, 2] + m[..., 2, 0], m[..., 1, 2] + m[..., 2, 1]
    rows = [
        [1.0 + xx + yy + zz, wx, wy, wz],
        [wx, 1.0 + xx - yy - zz, xy, xz],
        [wy, xy, 1.0 - xx + yy - zz, yz],
        [wz, xz, yz, 1.0 - xx - yy + zz],
    ]
    outer = np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)  # 4 q q^T
    largest = np.argmax(np.diagonal(outer, axis1=-2, axis2=-1), axis=-1)
    q = _unit(np.take_along_axis(outer, largest[..., None, None], axis=-2)[..., 0, :])
    return np.where(q[..., :1] < 0.0, -q, q)


def between(u: ArrayLike, v: ArrayLike) -> FloatArray:
    """Return the shortest arc (..., 4) that turns directions u (..., 3) onto v (..., 3).

    Opposite directions turn half way round about an axis square to u; a zero vector gives NaN. With
    d = u - v and h = u + v of unit vectors, the cross product d x h loses no digits at either end.
    """
    u, v = np.broadcast_arrays(_unit(np.asarray(u, float)), _unit(np.asarray(v, float)))
    half = u + v
    length = np.linalg.norm(half, axis=-1, keepdims=True)
    opposite = length < _OPPOSITE
    axis = _cross(u - v, half) / (2.0 * np.where(opposite, 1.0, length))
    arc = np.concatenate([0.5 * length, axis], axis=-1)
    turn = np.concatenate([np.zeros_like(length), _square_to(u)], axis=-1)
    return _unit(np.where(opposite, turn, arc))


def slerp(a: ArrayLike, b: ArrayLike, t: ArrayLike) -> FloatArray:
    """Return the rotation a fraction t (...) of the shortest way from a (..., 4) to b (..., 4)."""
    step = to_rotvec(multiply(conjugate(a), b))
    return multiply(a, from_rotvec(np.asarray(t, float)[..., None] * step))


def angle(a: ArrayLike, b: ArrayLike) -> FloatArray:
    """Return the angle (...), 0 to pi rad, of the shortest way from rotation a (..., 4) to b (..., 4)."""
    return np.asarray(np.linalg.norm(to_rotvec(multiply(conjugate(a), b)), axis=-1))


def continuous(q: ArrayLike) -> FloatArray:
    """Return q (T, ..., 4) with signs such that no frame is on the far side of the one before it."""
    q = np.asarray(q, float)
    if len(q) < 2:
        return q.copy()
    flips = np.where(np.sum(q[1:] * q[:-1], axis=-1) < 0.0, -1.0, 1.0)
    signs = np.concatenate([np.ones_like(flips[:1]), np.cumprod(flips, axis=0)])
    return q * signs[..., None]


def _parts(q: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    q = np.asarray(q, float)
    return q[..., 0], q[..., 1], q[..., 2], q[..., 3]


def _unit(v: FloatArray) -> FloatArray:
    length = np.linalg.norm(v, axis=-1, keepdims=True)
    return v / np.where(length == 0.0, np.nan, length)


def _cross(u: FloatArray, v: FloatArray) -> FloatArray:
    ux, uy, uz = u[..., 0], u[..., 1], u[..., 2]
    vx, vy, vz = v[..., 0], v[..., 1], v[..., 2]
    return np.stack([uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx], axis=-1)


def _square_to(u: FloatArray) -> FloatArray:
    """Return a unit vector square to u: its cross product with the axis it leans on least."""
    axis = np.eye(3)[np.argmin(np.abs(u), axis=-1)]
    return _unit(_cross(u, axis))
