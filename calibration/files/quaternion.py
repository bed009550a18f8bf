"""Quaternions as calibration files have them, w x y z, to rotation matrices and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.rotation import from_rotvec, to_rotvec

Array = NDArray[np.float64]


def to_matrix(wxyz: ArrayLike) -> Array:
    """Turn a quaternion of any length but zero into its rotation matrix.

    Args:
        wxyz: (4,) Hamilton's convention.

    Returns:
        (3, 3); NaN for a quaternion of length zero.
    """
    q = np.asarray(wxyz, dtype=np.float64)
    sine = float(np.linalg.norm(q[1:]))
    if not np.any(q):
        return np.full((3, 3), np.nan)
    angle = 2.0 * np.arctan2(sine, q[0])
    return from_rotvec(q[1:] / sine * angle if sine > 0 else np.zeros(3))


def from_matrix(matrix: Array) -> Array:
    """Turn a rotation matrix into its quaternion.

    Args:
        matrix: (3, 3) rotation.

    Returns:
        (4,) w x y z, w >= 0, of length one.
    """
    vector = to_rotvec(matrix)
    angle = float(np.linalg.norm(vector))
    # np.sinc(x) = sin(pi x) / (pi x): half the sine of half the angle over the half angle, 1/2 at zero.
    return np.array([np.cos(angle / 2), *(0.5 * np.sinc(angle / (2 * np.pi)) * vector)])
