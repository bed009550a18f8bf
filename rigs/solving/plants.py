"""Feet that are known to stand: they hold still, at their height, and none is below the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs.solving.body import Floats
from rigs.solving.evidence import add_points
from rigs.solving.kinematics import Points, Posed, locate
from rigs.solving.normal import Normal
from rigs.solving.priors import add_speeds


@dataclass
class Held:
    """Points that stand in a frame and in the next do not move between them.

    A plant's place is nobody's unknown: pulling neighbours together, however hard, keeps the normal equations
    a band, and the place comes out as what all frames of the plant agree on.

    hold: (T - 1, N) weight of each step, 0 where the point is free; sd: m/s that a standing point shows.
    """

    points: Points
    hold: Floats
    sd: float
    fps: float

    def cost(self, posed: Posed) -> float:
        """Half the weighted sum of squared speeds, in deviations."""
        return 0.5 * float((self.hold[..., None] * self._speed(posed) ** 2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """First differences couple a frame with the next."""
        if self.hold.any():
            add_speeds(posed, self.points, self._speed(posed), self.hold, self.fps / self.sd, normal)

    def _speed(self, posed: Posed) -> Floats:
        return np.diff(locate(posed, self.points), axis=0) * self.fps / self.sd


@dataclass
class Stood:
    """Points that stand are at a height, and no point is below another.

    height: (T, N) metres, NaN where the point does not stand; lowest: (N,) metres, below which no point goes;
    sd: metres; frame_weight: see `rigs.solving.terms`.
    """

    points: Points
    height: Floats
    lowest: Floats
    sd: float
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the sum of squared heights off, in deviations."""
        off, weight = self._off(posed)
        return 0.5 * float((weight * off**2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Gauss-Newton on the heights, which are within a frame."""
        off, weight = self._off(posed)
        information, pull = np.zeros((*off.shape, 3, 3)), np.zeros((*off.shape, 3))
        information[..., 1, 1] = weight / self.sd**2
        pull[..., 1] = weight * off / self.sd
        add_points(posed, self.points, information, pull, normal)

    def _off(self, posed: Posed) -> tuple[Floats, Floats]:
        """Heights off, in deviations, and their weights, both (T, N)."""
        height = locate(posed, self.points)[..., 1]
        stands = np.isfinite(self.height)
        off = np.where(stands, height - np.nan_to_num(self.height), np.minimum(height - self.lowest, 0.0))
        return off / self.sd, np.where(off != 0, self.frame_weight, 0.0)
