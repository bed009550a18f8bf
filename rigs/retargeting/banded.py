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
    lower = np.pad(band, ((0, 0), (0, width)))  # so that the last columns are like the others
    x = np.pad(np.array(right, float), ((0, width), (0, 0)))
    row, column = np.tril_indices(width)
    for j in range(count):
        below = lower[1:, j].copy()
        lower[1:, j] /= lower[0, j]
        lower[row - column, j + 1 + column] -= lower[1 + column, j] * below[row]
        x[j + 1 : j + 1 + width] -= lower[1:, j, None] * x[j]
    x[:count] /= lower[0, :count, None]
    for j in range(count - 1, -1, -1):
        x[j] -= lower[1:, j] @ x[j + 1 : j + 1 + width]
    return x[:count]


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


def banded(blocks: list[FloatArray]) -> FloatArray:
    """Return the band (K N, T N) of a symmetric matrix made of blocks.

    Args:
        blocks: K of them: (T, N, N) on the diagonal, (T - 1, N, N) below it, and so on.
    """
    size = blocks[0].shape[1]
    out = np.zeros((size * len(blocks), size * len(blocks[0])))
    for k, block in enumerate(blocks):
        for i in range(size):
            for j in range(size if k else i + 1):
                out[size * k + i - j, j::size][: len(block)] = block[:, i, j]
    return out
