"""Lens distortion on the normalised image plane, both ways: Brown-Conrady and fisheye.

Both follow OpenCV: `pinhole` has no coefficients, or k1 k2 p1 p2, or these and k3, or these and k4 k5 k6
(rational); `fisheye` has k1 k2 k3 k4 (Kannala-Brandt). A polynomial that bends back far off the axis
sees two directions in one pixel; only the part up to that fold is a lens, and beyond it we say NaN.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

Array = NDArray[np.float64]

COEFFICIENTS = {"pinhole": (0, 4, 5, 8), "fisheye": (4,)}

_NEWTON_STEPS = 12
_NEWTON_DONE = 1e-13  # normalised units: 1e-10 px at a focal length of 1000 px
_NEWTON_GOOD = 1e-10
_WIDEST = 60.0  # x/z of a ray 89 degrees off the axis


def distort(xy: Array, coefficients: Array, model: str) -> Array:
    """Bend ideal image coordinates as the lens does.

    Args:
        xy: (..., 2) normalised coordinates x/z, y/z.
        coefficients: (n,) in OpenCV's order.
        model: "pinhole" or "fisheye".

    Returns:
        (..., 2) distorted normalised coordinates; NaN beyond the fold of the polynomial.
    """
    if model == "fisheye":
        return _fisheye(xy, coefficients)
    if not np.any(coefficients):
        return xy.copy()
    bent = _brown(xy, _padded(coefficients))
    bent[np.sum(xy * xy, axis=-1) >= _brown_fold(coefficients)] = np.nan
    return bent


def undistort(bent: Array, coefficients: Array, model: str) -> Array:
    """Undo `distort`, to rounding error wherever the lens can be undone.

    Args:
        bent: (..., 2) distorted normalised coordinates.
        coefficients: (n,) in OpenCV's order.
        model: "pinhole" or "fisheye".

    Returns:
        (..., 2) ideal normalised coordinates; NaN for NaN, and where no ray reaches the pixel.
    """
    if model == "fisheye":
        return _fisheye_inverse(bent, coefficients)
    if not np.any(coefficients):
        return bent.copy()
    return _brown_inverse(bent, coefficients)


def _padded(coefficients: Array) -> Array:
    full = np.zeros(8)
    full[: len(coefficients)] = coefficients
    return full


def _radial(k: Array) -> tuple[Polynomial, Polynomial]:
    """Numerator and denominator of the radial factor, as polynomials in r^2."""
    return Polynomial([1.0, k[0], k[1], k[4]]), Polynomial([1.0, k[5], k[6], k[7]])


def _brown(xy: Array, k: Array) -> Array:
    x, y = xy[..., 0], xy[..., 1]
    s = x * x + y * y
    factor = (1 + s * (k[0] + s * (k[1] + s * k[4]))) / (1 + s * (k[5] + s * (k[6] + s * k[7])))
    pull = 2 * (k[3] * x + k[2] * y)
    return np.stack([x * (factor + pull) + k[3] * s, y * (factor + pull) + k[2] * s], axis=-1)


def _brown_fold(coefficients: Array) -> float:
    """First r^2 at which r stops growing with the angle; infinite for a well-behaved lens."""
    return _fold(tuple(coefficients.tolist()))


@lru_cache(maxsize=256)
def _fold(coefficients: tuple[float, ...]) -> float:
    """The same, kept: a lens is asked again and again."""
    top, bottom = _radial(_padded(np.array(coefficients)))
    square = Polynomial([0.0, 2.0])
    growth = top * bottom + square * (_slope(top) * bottom - top * _slope(bottom))
    return min(_first_root(growth), _first_root(bottom))


def _slope(polynomial: Polynomial) -> Polynomial:
    """Derivative."""
    coefficients = polynomial.coef
    return Polynomial(np.append(coefficients[1:] * np.arange(1, len(coefficients)), 0.0))


def _first_root(polynomial: Polynomial) -> float:
    """Smallest positive real root, or infinity; terms that matter nowhere in sight are left out."""
    with np.errstate(divide="ignore"):
        size = np.log(np.abs(polynomial.coef)) + np.arange(len(polynomial.coef)) * np.log(_WIDEST**2)
    degree = np.flatnonzero(size > size.max() + np.log(np.finfo(float).eps))[-1]
    roots = np.roots(polynomial.coef[degree::-1])
    real = roots.real[(np.abs(roots.imag) < 1e-9 * (1 + np.abs(roots.real))) & (roots.real > 0)]
    return float(real.min()) if real.size else np.inf


def _brown_inverse(bent: Array, coefficients: Array) -> Array:
    """Newton in the plane from the inverse of the radial part, which is read off a table."""
    k, fold = _padded(coefficients), _brown_fold(coefficients)
    xy = _brown_guess(bent, k, fold)
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON_STEPS):
            miss = _brown(xy, k) - bent
            if not np.any(np.abs(miss) > _NEWTON_DONE):
                break
            xy = xy - _solve_2x2(_brown_jacobian(xy, k), miss)
        miss = _brown(xy, k) - bent
        good = (np.sum(xy * xy, axis=-1) < fold) & np.all(np.abs(miss) < _NEWTON_GOOD, axis=-1)
    return np.where(good[..., None], xy, np.nan)


def _brown_guess(bent: Array, k: Array, fold: float) -> Array:
    radius = np.linalg.norm(bent, axis=-1)
    reach = float(np.max(radius, where=np.isfinite(radius), initial=0.0))
    top, bottom = _radial(k)
    end = min(np.sqrt(fold), _WIDEST)
    while end > 1.0 and 0.5 * end * top(0.25 * end**2) / bottom(0.25 * end**2) > reach:
        end *= 0.5
    straight = np.linspace(0.0, end, 1025)
    curved = straight * top(straight**2) / bottom(straight**2)
    guess = np.interp(radius, curved, straight)
    return np.asarray(bent * (guess / np.maximum(radius, 1e-12))[..., None])


def _brown_jacobian(xy: Array, k: Array) -> tuple[Array, Array, Array]:
    """Entries xx, xy, yy of the (symmetric) derivative of `_brown`."""
    x, y = xy[..., 0], xy[..., 1]
    s = x * x + y * y
    top, bottom = 1 + s * (k[0] + s * (k[1] + s * k[4])), 1 + s * (k[5] + s * (k[6] + s * k[7]))
    d_top, d_bottom = k[0] + s * (2 * k[1] + 3 * s * k[4]), k[5] + s * (2 * k[6] + 3 * s * k[7])
    factor, slope = top / bottom, (d_top * bottom - top * d_bottom) / (bottom * bottom)
    cross = 2 * (x * y * slope + k[2] * x + k[3] * y)
    xx = factor + 2 * x * x * slope + 2 * k[2] * y + 6 * k[3] * x
    yy = factor + 2 * y * y * slope + 6 * k[2] * y + 2 * k[3] * x
    return xx, cross, yy


def _solve_2x2(matrix: tuple[Array, Array, Array], right: Array) -> Array:
    a, b, d = matrix
    e, f = right[..., 0], right[..., 1]
    return np.asarray(np.stack([d * e - b * f, a * f - b * e], axis=-1) / (a * d - b * b)[..., None])


def _fisheye_curve(k: Array) -> Polynomial:
    """Distorted angle as a polynomial in the true angle."""
    return Polynomial([0.0, 1.0, 0.0, k[0], 0.0, k[1], 0.0, k[2], 0.0, k[3]])


def _fisheye(xy: Array, k: Array) -> Array:
    radius = np.linalg.norm(xy, axis=-1)
    angle, curve = np.arctan(radius), _fisheye_curve(k)
    with np.errstate(invalid="ignore"):
        factor = np.where(radius > 1e-9, curve(angle) / np.maximum(radius, 1e-9), 1.0)
        factor = np.where(angle < _first_root(_slope(curve)), factor, np.nan)
    return np.asarray(xy * factor[..., None])


def _fisheye_inverse(bent: Array, k: Array) -> Array:
    bent_angle, curve = np.linalg.norm(bent, axis=-1), _fisheye_curve(k)
    slope = _slope(curve)
    end = min(_first_root(slope), 0.5 * np.pi)
    table = np.linspace(0.0, end, 1025)
    angle = np.interp(bent_angle, curve(table), table)
    with np.errstate(all="ignore"):
        for _ in range(_NEWTON_STEPS):
            angle = angle - (curve(angle) - bent_angle) / slope(angle)
        good = (angle < end) & (angle >= 0) & (np.abs(curve(angle) - bent_angle) < _NEWTON_GOOD)
        factor = np.where(bent_angle > 1e-9, np.tan(angle) / np.maximum(bent_angle, 1e-9), 1.0)
    return np.asarray(bent * np.where(good, factor, np.nan)[..., None])
