"""Least squares over paths: matrices that are a band, since frames only know their neighbours."""

from __future__ import annotations

import numpy as np

from rigs.quat import FloatArray


def solve_band(band: FloatArray, right: FloatArray) -> FloatArray:
    """Solve A x = right for a symmetric positive definite band matrix A.

    Args:
        band: (W + 1, N) the diagonal and the W below it, as `scipy.linalg.solveh_banded` has them (lower).
        right: (N, K).

    Returns:
        x (N, K), by SciPy where it is there, which it is not in Blender.
    """
    try:
        from scipy.linalg import solveh_banded
    except ImportError:
        return solve_band_plainly(band, right)
    return np.asarray(solveh_banded(band, right, lower=True, check_finite=False))


def solve_band_plainly(band: FloatArray, right: FloatArray) -> FloatArray:
    """Solve as `solve_band` does, by an L D L^T factorisation (Golub and Van Loan, 4.3.5) in NumPy alone."""
    width, count = len(band) - 1, band.shape[1]
    lower, x = band.copy(), np.array(right, float)
    for j in range(count):
        reach = min(width, count - 1 - j)
        column = lower[1 : reach + 1, j] / lower[0, j]
        for k in range(reach):
            lower[: reach - k, j + 1 + k] -= column[k] * lower[k + 1 : reach + 1, j]
        lower[1 : reach + 1, j] = column
        x[j + 1 : j + 1 + reach] -= column[:, None] * x[j]
    x /= lower[0][:, None]
    for j in range(count - 2, -1, -1):
        reach = min(width, count - 1 - j)
        x[j] -= lower[1 : reach + 1, j] @ x[j + 1 : j + 1 + reach]
    return x


def smooth_band(frames: int, fps: float, bent: float, far: float) -> FloatArray:
    """Return the band (3, T) of a path that accelerates by `bent` m/s^2 and is `far` m from zero.

    Both as root mean squares, integrated over time, so that the frame rate does not matter.
    """
    band = np.zeros((3, frames))
    for k, row in enumerate((1.0, -2.0, 1.0)):
        for other, value in enumerate((1.0, -2.0, 1.0)):
            if other <= k:
                band[k - other, other : other + frames - 2] += row * value
    band *= fps**3 / bent**2
    band[0] += 1.0 / (far**2 * fps)
    return band


def along(band: FloatArray, axes: int) -> FloatArray:
    """Return the band of paths in several axes, alike and interleaved: (axes W + 1, axes N)."""
    out = np.zeros((axes * (len(band) - 1) + 1, axes * band.shape[1]))
    out[::axes] = np.repeat(band, axes, axis=1)
    return out
