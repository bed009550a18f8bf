"""How bodies move, seen or not: they accelerate moderately, and feet that stand, stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs.body import Floats
from rigs.kinematics import Points, Posed, limb_derivative, locate, size_derivative
from rigs.normal import Normal
from rigs.robust import robust_cost, robust_weight


@dataclass
class Acceleration:
    """Bodies accelerate moderately: the integral over time of (acceleration / density)^2 of points (N,).

    density: (N,) m / s^1.5, the root of the spectral density of the points' acceleration.
    """

    points: Points
    density: Floats
    fps: float

    def cost(self, posed: Posed) -> float:
        """Half the integral of squared acceleration over density."""
        return 0.5 * float((self._bend(posed) ** 2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Second differences couple three frames; every product of frames is formed once."""
        if len(posed.pose) < 3:
            return
        bend = self._bend(posed)
        back = _back_twice(bend)
        sizes = self._add_sizes(posed, bend, normal) if normal.corner.size else None
        for limb in posed.chain.limbs(self.points):
            rows = limb_derivative(posed, self.points, limb)
            rows *= self._gain[limb.rows, None, None]
            rows = rows.reshape(len(rows), -1, len(limb.columns))
            columns = rows.swapaxes(1, 2)
            for s, times in enumerate(_overlaps(len(rows))):
                products = columns[: len(times)] @ rows[s:]
                products *= times[:, None, None]
                normal.add(s, limb.columns, products)
            pull = back[:, limb.rows].reshape(len(rows), 1, -1)
            normal.gradient[:, limb.columns] += (pull @ rows)[:, 0]
            if sizes is not None:
                pull = sizes[:, limb.rows].reshape(*rows.shape[:2], -1)
                normal.border[:, limb.columns] += columns @ pull

    @property
    def _gain(self) -> Floats:
        return self.fps**1.5 / self.density

    def _bend(self, posed: Posed) -> Floats:
        return np.diff(locate(posed, self.points) * self._gain[:, None], n=2, axis=0)

    def _add_sizes(self, posed: Posed, bend: Floats, normal: Normal) -> Floats:
        """Add the sizes among themselves; returns their rows (T, N, 3, G) for the border."""
        sizes = np.diff(size_derivative(posed, self.points) * self._gain[:, None, None], n=2, axis=0)
        flat = sizes.reshape(-1, sizes.shape[-1])
        normal.corner += flat.T @ flat
        normal.size_gradient += bend.reshape(-1) @ flat
        return _back_twice(sizes)


def _overlaps(frames: int) -> list[Floats]:
    """How often a frame meets itself, the next and the one after in the squares of all second differences."""
    stencil = (1.0, -2.0, 1.0)
    counts = [np.zeros(frames - s) for s in range(3)]
    for s, count in enumerate(counts):
        for k in range(3 - s):
            count[k : frames - 2 + k] += stencil[k] * stencil[k + s]
    return counts


def _back_twice(values: Floats) -> Floats:
    """Apply the transpose of the second difference over frames: (T - 2, ...) to (T, ...)."""
    out = np.zeros((len(values) + 2, *values.shape[1:]))
    out[:-2] += values
    out[1:-1] -= 2 * values
    out[2:] += values
    return out


def _back_once(values: Floats) -> Floats:
    """Apply the transpose of the first difference over frames: (T - 1, ...) to (T, ...)."""
    out = np.zeros((len(values) + 1, *values.shape[1:]))
    out[:-1] -= values
    out[1:] += values
    return out


@dataclass
class Planted:
    """Feet that nearly stand, stand: robust zero velocity of points; fast ones feel nothing.

    sd: m/s that a standing point shows; scale: robust scale in deviations.
    """

    points: Points
    sd: float
    fps: float
    scale: float = 3.0
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared speeds, in deviations."""
        square = (self._speed(posed) ** 2).sum(axis=-1)
        return 0.5 * self.frame_weight * float(robust_cost(square, self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """First differences couple a frame with the next."""
        if len(posed.pose) < 2:
            return
        speed = self._speed(posed)
        weight = self.frame_weight * robust_weight((speed**2).sum(axis=-1), self.scale)
        add_speeds(posed, self.points, speed, weight, self.fps / self.sd, normal)

    def _speed(self, posed: Posed) -> Floats:
        return np.diff(locate(posed, self.points), axis=0) * self.fps / self.sd


def add_speeds(
    posed: Posed, points: Points, speed: Floats, weight: Floats, gain: float, normal: Normal
) -> None:
    """Add squares of speeds (T - 1, N, 3), `gain` times the steps of `points`, by weight (T - 1, N)."""
    weight = weight[..., None]
    back = _back_once(speed * weight)
    sizes = _add_size_speeds(posed, points, speed, weight, gain, normal) if normal.corner.size else None
    for limb in posed.chain.limbs(points):
        rows = limb_derivative(posed, points, limb) * gain
        rows = rows.reshape(len(rows), -1, len(limb.columns))
        columns, heavy = rows.swapaxes(1, 2), np.repeat(weight[:, limb.rows], 3, axis=1)
        normal.add(0, limb.columns, columns @ (_both(heavy) * rows))
        normal.add(1, limb.columns, columns[:-1] @ (-heavy * rows[1:]))
        pull = back[:, limb.rows].reshape(len(rows), 1, -1)
        normal.gradient[:, limb.columns] += (pull @ rows)[:, 0]
        if sizes is not None:
            pull = sizes[:, limb.rows].reshape(*rows.shape[:2], -1)
            normal.border[:, limb.columns] += columns @ pull


def _add_size_speeds(
    posed: Posed, points: Points, speed: Floats, weight: Floats, gain: float, normal: Normal
) -> Floats:
    """Add the sizes among themselves; returns their rows (T, N, 3, G) for the border."""
    sizes = np.diff(size_derivative(posed, points), axis=0) * gain
    heavy = sizes * weight[..., None]
    flat = heavy.reshape(-1, sizes.shape[-1])
    normal.corner += flat.T @ sizes.reshape(flat.shape)
    normal.size_gradient += speed.reshape(-1) @ flat
    return _back_once(heavy)


def _both(weight: Floats) -> Floats:
    """Weights of steps (T - 1, ...) summed onto the frames at both ends (T, ...)."""
    return np.concatenate([weight[:1], weight[1:] + weight[:-1], weight[-1:]])
