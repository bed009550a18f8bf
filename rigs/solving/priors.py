"""How bodies move, seen or not: they accelerate moderately, and feet that stand, stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs.solving.body import Floats
from rigs.solving.inertia import Carried
from rigs.solving.kinematics import Points, Posed, limb_derivative, locate, size_derivative
from rigs.solving.normal import Normal
from rigs.solving.robust import robust_cost, robust_weight


@dataclass
class Acceleration:
    """Bodies accelerate moderately: the integral over time of (acceleration / density)^2 of points (N,).

    density: m / s^1.5, the root of the spectral density of the points' acceleration, (N,), or (T - 2, N)
    where it differs from frame to frame.
    about: (T, N, 3) m, a motion that the points share and that costs nothing.
    """

    points: Points
    density: Floats
    fps: float
    about: Floats | float = 0.0

    def cost(self, posed: Posed) -> float:
        """Half the integral of squared acceleration over density."""
        return 0.5 * float((self._bend(posed) ** 2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Second differences couple three frames; every product of frames is formed once."""
        if len(posed.pose) < 3:
            return
        gain = np.broadcast_to(self._gain, (len(posed.pose) - 2, len(self.points)))
        pull = back_twice(self._bend(posed) * gain[..., None])
        _add_products(posed, self.points, overlaps(gain**2), pull, normal)

    @property
    def _gain(self) -> Floats:
        return self.fps**1.5 / self.density

    def _bend(self, posed: Posed) -> Floats:
        bend = np.diff(locate(posed, self.points) - self.about, n=2, axis=0)
        return np.asarray(bend * self._gain[..., None])


def overlaps(weight: Floats) -> list[Floats]:
    """How much a frame shares with itself, the next and the one after: (T, ...), (T - 1, ...), (T - 2, ...).

    In the squares of all second differences, which have `weight` (T - 2, ...).
    """
    stencil, frames = (1.0, -2.0, 1.0), len(weight) + 2
    shared = [np.zeros((frames - s, *weight.shape[1:])) for s in range(3)]
    for s, share in enumerate(shared):
        for k in range(3 - s):
            share[k : frames - 2 + k] += stencil[k] * stencil[k + s] * weight
    return shared


def back_twice(values: Floats) -> Floats:
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
    pull = _back_once(speed * weight[..., None]) * gain
    weights = [gain**2 * _both(weight), -(gain**2) * weight]
    _add_products(posed, points, weights, pull, normal)


def _add_products(posed: Posed, points: Points, weights: list[Floats], pull: Floats, normal: Normal) -> None:
    """Add weights[s] (T - s, N) on the products of points' shifts in frames t and t + s; pull (T, N, 3)."""
    (rows, stiff), (others, loose) = points.stiff, points.loose
    if len(rows):
        inertia, carried = normal.bones(len(posed.chain.body.names)), Carried.at(posed, stiff)
        inertia.pull(carried, pull[:, rows])
        for s, weight in enumerate(weights):
            inertia.add_scalars(s, carried, weight[:, rows])
    if len(others):
        _add_loose(posed, loose, [weight[:, others] for weight in weights], pull[:, others], normal)


def _add_loose(posed: Posed, points: Points, weights: list[Floats], pull: Floats, normal: Normal) -> None:
    frames, couple = len(pull), None
    if normal.corner.size:
        sizes = size_derivative(posed, points)
        couple, flat = _coupled(sizes, weights), sizes.reshape(-1, sizes.shape[-1])
        normal.corner += flat.T @ couple.reshape(flat.shape)
        normal.size_gradient += pull.reshape(-1) @ flat
    for limb in posed.chain.limbs(points):
        rows = limb_derivative(posed, points, limb).reshape(frames, -1, len(limb.columns))
        columns = rows.swapaxes(1, 2)
        for s, weight in enumerate(weights):
            heavy = np.repeat(weight[:, limb.rows], 3, axis=1)[..., None]
            normal.add(s, limb.columns, columns[: frames - s] @ (heavy * rows[s:]))
        normal.gradient[:, limb.columns] += (pull[:, limb.rows].reshape(frames, 1, -1) @ rows)[:, 0]
        if couple is not None:
            normal.border[:, limb.columns] += columns @ couple[:, limb.rows].reshape(*rows.shape[:2], -1)


def _coupled(values: Floats, weights: list[Floats]) -> Floats:
    """Each frame's values (T, N, ...) and those of the frames it is coupled with, by weight."""
    out = np.zeros_like(values)
    for s, weight in enumerate(weights):
        heavy = weight[..., None, None]
        out[: len(values) - s] += heavy * values[s:]
        if s:
            out[s:] += heavy * values[: len(values) - s]
    return out


def _both(weight: Floats) -> Floats:
    """Weights of steps (T - 1, ...) summed onto the frames at both ends (T, ...)."""
    return np.concatenate([weight[:1], weight[1:] + weight[:-1], weight[-1:]])
