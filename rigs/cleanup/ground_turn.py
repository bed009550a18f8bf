"""Moves over the floor: a turn about the upright axis, then a shift along the floor, and parts of such moves.

The floor is the plane of complex numbers z + i x, in which a turn by an angle is a factor exp(i angle).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.quat import FloatArray

LOW = 0.1  # metres higher up, points count 1 / e of those on the floor
ComplexArray = NDArray[np.complex128]


def on_floor(points: FloatArray) -> ComplexArray:
    """Return where points (..., 3) stand on the floor, (...)."""
    return np.asarray(points[..., 2] + 1j * points[..., 0])


@dataclass(frozen=True)
class GroundMove:
    """Turns by an angle (radians, about +y), then shifts by a place on the floor."""

    angle: float
    shift: complex

    @classmethod
    def between(cls, start: FloatArray, end: FloatArray) -> GroundMove:
        """Return the move that brings points (N, 3) nearest to where they end up (N, 3), by least squares.

        Low points count most, so that feet on the floor meet.
        Source: L. Kovar, M. Gleicher and F. Pighin, "Motion graphs", 2002, section 3.1.
        """
        a, b = on_floor(start), on_floor(end)
        low = np.minimum(start[:, 1], end[:, 1])
        weight = np.exp((low.min() - low) / LOW)
        weight /= weight.sum()
        a_middle, b_middle = np.sum(weight * a), np.sum(weight * b)
        angle = float(np.angle(np.sum(weight * np.conj(a - a_middle) * (b - b_middle))))
        return cls(angle, complex(b_middle - np.exp(1j * angle) * a_middle))

    def places(self, points: FloatArray, part: FloatArray | float = 1.0) -> FloatArray:
        """Return points (T, 3) after a part (T,) of the move, along the arc that it takes steadily."""
        part = np.asarray(part, float)
        half = self.angle / (2.0 * np.pi)  # np.sinc takes half turns
        share = part * np.sinc(part * half) / np.sinc(half) * np.exp(0.5j * (part - 1.0) * self.angle)
        there = on_floor(points) * np.exp(1j * part * self.angle) + share * self.shift
        return np.stack([there.imag, points[..., 1], there.real], axis=-1)

    def turn(self, part: FloatArray | float = 1.0) -> FloatArray:
        """Return the rotation (..., 4) of a part (...) of the move."""
        return quat.from_rotvec(np.asarray(part, float)[..., None] * np.array([0.0, self.angle, 0.0]))
