"""Rotation matrices and rotation vectors, for one camera at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def from_rotvec(rotvec: ArrayLike) -> Array:
    """Turn a rotation vector into a rotation matrix (Rodrigues' formula).

    Args:
        rotvec: (3,) axis times angle, radians.

    Returns:
        (3, 3) rotation matrix.
    """
    v = np.asarray(rotvec, dtype=np.float64).reshape(3)
    angle = float(np.linalg.norm(v))
    skew = np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])
    # np.sinc(x) = sin(pi x) / (pi x): the right limit at angle 0, without a branch.
    sine, half = np.sinc(angle / np.pi), np.sinc(angle / (2 * np.pi))
    return np.asarray(np.eye(3) + sine * skew + 0.5 * half**2 * (skew @ skew))


def to_rotvec(matrix: Array) -> Array:
    """Turn a rotation matrix into its rotation vector; exact at 0 and at half turns too.

    Args:
        matrix: (3, 3) rotation matrix.

    Returns:
        (3,) axis times angle, radians, angle in [0, pi].
    """
    q = _quaternion(matrix)
    sine = float(np.linalg.norm(q[1:]))
    if sine < 1e-12:
        return np.asarray(2.0 * q[1:])
    return np.asarray(q[1:] * (2.0 * np.arctan2(sine, q[0]) / sine))


def nearest(matrix: Array) -> Array:
    """Return the rotation nearest to a matrix that is almost one (rounded in a file, say).

    Args:
        matrix: (3, 3) with positive determinant.

    Returns:
        (3, 3) rotation matrix; source: the orthogonal Procrustes problem.
    """
    u, _, vt = np.linalg.svd(matrix)
    return np.asarray(u @ vt)


def _quaternion(m: Array) -> Array:
    """Wxyz with w >= 0, from the best conditioned column of 4 q q^T (Bar-Itzhack 2000, simplified)."""
    outer = np.empty((4, 4))
    outer[0, 0] = 1.0 + np.trace(m)
    outer[0, 1:] = outer[1:, 0] = (m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1])
    outer[1:, 1:] = m + m.T + (1.0 - np.trace(m)) * np.eye(3)
    q = outer[:, int(np.argmax(np.diag(outer)))]
    q = q / np.linalg.norm(q)
    return np.asarray(-q if q[0] < 0 else q)
