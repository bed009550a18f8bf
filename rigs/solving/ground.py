"""The floor: where feet stand, and a term that keeps them on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs.solving.body import Body, Floats
from rigs.solving.kinematics import Points, Posed, limb_derivative, locate, size_derivative
from rigs.solving.normal import Normal
from rigs.solving.robust import robust_cost, robust_weight
from rigs.stance import STANDING


def soles(body: Body, stature: float) -> tuple[Points, Floats]:
    """Return left and right ball, left and right heel, and their heights (4,) m on a standing foot."""
    names = ["LeftToeBase", "RightToeBase", "LeftFoot", "RightFoot"]
    offsets = np.zeros((4, len(body.names), 3))
    for row in (2, 3):
        offsets[row, body.index(names[row])] = np.array([0.0, -0.02, -0.02]) * stature
    return Points(np.array([body.index(n) for n in names]), offsets), np.array(STANDING) * stature


@dataclass
class Ground:
    """Feet near the floor (y = 0) are on it: robust, so feet well above it feel nothing.

    points: (N,) of the soles; heights: (N,) m above the floor when they stand; sd: metres; scale: robust
    scale in deviations; frame_weight: see `rigs.solving.terms`.
    """

    points: Points
    heights: Floats
    sd: float = 0.03
    scale: float = 2.0
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared heights, in deviations."""
        off = self._off(posed)
        return 0.5 * self.frame_weight * float(robust_cost(off**2, self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Gauss-Newton on the heights, which are within a frame."""
        off = self._off(posed)
        weight = self.frame_weight * robust_weight(off**2, self.scale)
        add_heights(posed, self.points, off, weight, self.sd, normal)

    def _off(self, posed: Posed) -> Floats:
        return (locate(posed, self.points)[..., 1] - self.heights) / self.sd


def add_heights(posed: Posed, points: Points, off: Floats, weight: Floats, sd: float, normal: Normal) -> None:
    """Add squares of heights of `points` off by (T, N) deviations of `sd` metres, by weight (T, N)."""
    for limb in posed.chain.limbs(points):
        rows = limb_derivative(posed, points, limb)[:, :, 1] / sd
        heavy = rows * weight[:, limb.rows, None]
        normal.add(0, limb.columns, rows.swapaxes(1, 2) @ heavy)
        normal.gradient[:, limb.columns] += (off[:, None, limb.rows] @ heavy)[:, 0]
        if normal.corner.size:
            sizes = size_derivative(posed, points)[:, limb.rows, 1] / sd
            heavy_sizes = sizes * weight[:, limb.rows, None]
            normal.border[:, limb.columns] += rows.swapaxes(1, 2) @ heavy_sizes
            normal.corner += np.einsum("tng,tnh->gh", sizes, heavy_sizes)
            normal.size_gradient += np.einsum("tng,tn->g", heavy_sizes, off[:, limb.rows])
