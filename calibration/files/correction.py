"""Lenses whose file says how to correct a pixel, turned into OpenCV's, which say how to distort one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from calibration.distortion import distort

Array = NDArray[np.float64]

_ACROSS = 41  # pixels looked at along the width and along the height of the frame
_ALIKE = 0.1  # px: five coefficients that are this near need no more; eight are wild outside the frame


def distortion_of(
    undo: Callable[[Array], Array], matrix: Array, size: tuple[int, int]
) -> tuple[Array, float]:
    """Fit OpenCV's coefficients to a correction, by least squares over the frame.

    Args:
        undo: takes (N, 2) pixels to the (N, 2) pixels where they would be without the lens' distortion.
        matrix: (3, 3) camera matrix, pixels.
        size: (width, height) of the frames, pixels.

    Returns:
        (5,) coefficients, or (8,) where five are not enough; and by how many pixels they miss at worst,
        infinite where they fold.
    """
    x, y = (np.linspace(0.0, side - 1.0, _ACROSS) for side in size)
    pixels = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    inverse: Array = np.linalg.inv(matrix[:2, :2])
    bent: Array = (pixels - matrix[:2, 2]) @ inverse.T
    xy: Array = (undo(pixels) - matrix[:2, 2]) @ inverse.T
    best, miss = np.zeros(5), np.inf
    plain = _brown(xy, bent)
    for tried in (plain, *(_rational(xy, bent, plain, terms) for terms in (1, 2, 3))):
        worst = _worst(tried, xy, bent, matrix)
        if worst < miss:
            best, miss = tried, worst
        if miss <= _ALIKE:
            break
    return best, miss


def _brown(xy: Array, bent: Array) -> Array:
    """k1 k2 p1 p2 k3, in which the distortion is linear."""
    s = np.sum(xy * xy, axis=-1, keepdims=True)
    return _solve([s * xy, s**2 * xy, *_tangential(xy), s**3 * xy], bent - xy)


def _rational(xy: Array, bent: Array, plain: Array, terms: int) -> Array:
    """All eight, with p1 and p2 of the five: times its denominator the radial part is linear too.

    The denominator has one to three terms; the fewer, the tamer it is outside the frame.
    """
    s = np.sum(xy * xy, axis=-1, keepdims=True)
    p1, p2 = _tangential(xy)
    radial = bent - plain[2] * p1 - plain[3] * p2
    columns = [s**n * xy for n in (1, 2, 3)] + [-(s**n) * radial for n in range(1, terms + 1)]
    k1, k2, k3, *below = _solve(columns, radial - xy)
    return np.array([k1, k2, plain[2], plain[3], k3, *below, *[0.0] * (3 - terms)])


def _tangential(xy: Array) -> tuple[Array, Array]:
    """What one p1 and one p2 add."""
    cross = 2 * xy[:, :1] * xy[:, 1:]
    squares = np.sum(xy * xy, axis=-1, keepdims=True) + 2 * xy * xy
    return np.concatenate([cross, squares[:, 1:]], -1), np.concatenate([squares[:, :1], cross], -1)


def _solve(columns: list[Array], target: Array) -> Array:
    design = np.stack([column.ravel() for column in columns], axis=-1)
    scale = np.linalg.norm(design, axis=0)
    return np.asarray(np.linalg.lstsq(design / scale, target.ravel(), rcond=None)[0] / scale)


def _worst(coefficients: Array, xy: Array, bent: Array, matrix: Array) -> float:
    miss = (distort(xy, coefficients, "pinhole") - bent) @ matrix[:2, :2].T
    return float(np.max(np.nan_to_num(np.linalg.norm(miss, axis=-1), nan=np.inf)))
