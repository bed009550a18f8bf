"""Which way a point in an image is rather off: two numbers beside its standard deviation.

A deviation sd and a slant (p, q) stand for the covariance sd^2 [[1 + p, q], [q, 1 - p]]: sd is the root of
the mean square along the two axes of an ellipse, hypot(p, q), which is less than 1, tells how long it is, and
half of atan2(q, p) where its longer axis points. (0, 0) is round.
"""

from __future__ import annotations

import numpy as np

from rigs.solving.body import Floats


def slant_of(least: Floats, most: Floats, way: Floats) -> Floats:
    """Slants (..., 2) of ellipses with deviations least and most (...), the longer along way (..., 2)."""
    angle, squares = 2 * np.arctan2(way[..., 1], way[..., 0]), (least**2, most**2)
    size = (squares[1] - squares[0]) / (squares[1] + squares[0])
    return np.asarray(size[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1))


def turned(slant: Floats, angle: float) -> Floats:
    """Slants (..., 2) in an image that is turned by an angle, radians from x to y."""
    c, s = np.cos(2 * angle), np.sin(2 * angle)
    return np.asarray(slant @ np.array([[c, s], [-s, c]]))


def inverse_shape(slant: Floats) -> tuple[Floats, Floats, Floats]:
    """xx, xy and yy of the inverse of [[1 + p, q], [q, 1 - p]], of slants (..., 2)."""
    p, q = slant[..., 0], slant[..., 1]
    area = 1 - p**2 - q**2
    return (1 - p) / area, -q / area, (1 + p) / area
