"""Robust bundle adjustment: cameras, and the points or boards that they saw, moved until all agree.

What the cameras saw is many small things: points (3 unknowns each) or boards with known corners (6 each).
They are eliminated from the normal equations, so that the system to solve is one of cameras.

Source: Triggs et al. 2000, "Bundle adjustment: a modern synthesis"; Geman & McClure 1987 for the loss.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.adjust.adjusted import Adjusted
from calibration.adjust.descent import descend
from calibration.adjust.freedom import Freedom
from calibration.adjust.projection import FOCAL, PARAMETERS, TIME, moved, project
from calibration.adjust.schur import System
from calibration.camera import Camera, Cameras
from calibration.rotation import from_rotvec

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Bundle(Adjusted):
    """Cameras and structure that agree; the covariance has the smallest-norm gauge.

    Args:
        cameras: V, adjusted.
        error: (V, S, C) reprojection error, pixels, NaN unseen.
        covariance: as in `Adjusted`.
        cost: as in `Adjusted`.
        structure: (S, 3) points or (S, 4, 4) world_from_board.
        times: (V,) seconds by which each view's times are late: subtract them.
        steps: (V, PARAMETERS) how far each parameter went.
    """

    structure: Array
    times: Array
    steps: Array


def adjust(
    cameras: Cameras,
    structure: Array,
    pixels: Array,
    sd: ArrayLike,
    freedom: Freedom,
    *,
    pattern: Array | None = None,
    robust: float = 3.0,
    velocity: Array | None = None,
    steps: int = 50,
    tolerance: float = 1e-6,
) -> Bundle:
    """Minimise the robust reprojection error over cameras and structure.

    Args:
        cameras: V cameras, where to start.
        structure: (S, 3) points in the world, or (S, 4, 4) world_from_board with a `pattern`.
        pixels: (V, S, C, 2) where each view saw what; C = 1 for points; NaN = unseen.
        sd: standard deviation of `pixels`, broadcastable to (V, S, C).
        freedom: of the cameras.
        pattern: (C, 3) corners in the board's axes, metres.
        robust: deviations at which an observation begins to lose its say; infinite = least squares.
        velocity: (V, S, C, 2) px/s of what was seen, for the time parameter; NaN = unknown.
        steps: at most.
        tolerance: relative decrease of the cost at which it ends.
    """
    problem = _Problem(pixels, _spread(sd, pixels), pattern, robust, velocity, freedom)
    start = _State(cameras, np.array(structure, dtype=float), np.zeros_like(freedom.sd))
    return problem.answer(*descend(problem, start, steps, tolerance))


@dataclass(frozen=True, eq=False)
class _State:
    cameras: Cameras
    structure: Array
    steps: Array


def _moved_structure(structure: Array, step: Array) -> Array:
    if structure.ndim == 2:
        return structure + step
    turned = structure.copy()
    for pose, turn in zip(turned, step[:, :3], strict=True):
        pose[:3, :3] = from_rotvec(turn) @ pose[:3, :3]
    turned[:, :3, 3] += step[:, 3:]
    return turned


@dataclass(frozen=True, eq=False)
class _Problem:
    pixels: Array  # (V, S, C, 2)
    sd: Array  # (V, S, C)
    pattern: Array | None
    robust: float
    velocity: Array | None
    freedom: Freedom
    used: NDArray[np.intp] = field(init=False)  # (K,) the parameters that are free in some view
    precision: Array = field(init=False)  # (V, P) of the priors
    basis: Array = field(init=False)  # (V * K, G) from what is free

    def __post_init__(self) -> None:
        used = np.flatnonzero((self.freedom.sd > 0).any(axis=0))
        basis = self.freedom.basis()
        wide = basis.reshape(*self.freedom.sd.shape, basis.shape[1])
        object.__setattr__(self, "used", used)
        object.__setattr__(self, "precision", self.freedom.precision())
        object.__setattr__(self, "basis", wide[:, used].reshape(len(wide) * len(used), basis.shape[1]))

    def moved(self, state: _State, shared: Array, own: Array) -> _State:
        """The state after the steps (V, K) of what is free of the cameras, and (S, D) of the structure."""
        by_camera = np.zeros(self.freedom.sd.shape)
        by_camera[:, self.used] = shared
        cameras = Cameras(tuple(moved(c, s) for c, s in zip(state.cameras, by_camera, strict=True)))
        return _State(cameras, _moved_structure(state.structure, own), state.steps + by_camera)

    def cost(self, state: _State) -> float:
        """Half the robust sum of squares, with the priors."""
        points, _ = self._points(state.structure)
        total = 0.0
        for v, camera in enumerate(state.cameras):
            miss = camera.project(points).reshape(self.pixels[v].shape) - self._seen(v, state)
            total += self._robust_cost(v, np.sum(miss * miss, axis=-1))
        return total + 0.5 * float(np.sum(self._pull(state) * state.steps))

    def linearise(self, state: _State) -> System:
        """Normal equations about a state."""
        (views, count, corners), width = self.sd.shape, 3 if self.pattern is None else 6
        points, by_structure = self._points(state.structure)
        free = len(self.used)
        corner, edge = np.zeros((views, free, free)), np.zeros((views, count, free, width))
        block, right_block = np.zeros((count, width, width)), np.zeros((count, width))
        right = -self._pull(state)[:, self.used]
        for v, camera in enumerate(state.cameras):
            miss, mine, theirs, weight = self._rows(v, camera, state, points, by_structure)
            heavy_theirs = theirs * weight[..., None, None]
            rows = 2 * count * corners
            flat = (mine * weight[..., None, None]).reshape(rows, free)
            corner[v] = flat.T @ mine.reshape(rows, free)
            right[v] -= flat.T @ miss.reshape(-1)
            across = heavy_theirs.reshape(count, -1, width).transpose(0, 2, 1)
            edge[v] = (across @ mine.reshape(count, 2 * corners, free)).transpose(0, 2, 1)
            block += across @ theirs.reshape(count, -1, width)
            right_block -= (across @ miss.reshape(count, -1, 1))[..., 0]
        corner[:, np.arange(free), np.arange(free)] += self.precision[:, self.used]
        return System(corner, edge, block, right, right_block, self.basis)

    def answer(self, state: _State, system: System, cost: float) -> Bundle:
        points, _ = self._points(state.structure)
        error = np.stack(
            [
                np.linalg.norm(
                    camera.project(points).reshape(self.pixels[v].shape) - self._seen(v, state), axis=-1
                )
                for v, camera in enumerate(state.cameras)
            ]
        )
        times = state.steps[:, TIME].copy()
        covariance = self._whole(system.covariance())
        return Bundle(state.cameras, error, covariance, cost, state.structure, times, state.steps)

    def _whole(self, covariance: Array) -> Array:
        rows = (np.arange(len(self.sd))[:, None] * PARAMETERS + self.used).reshape(-1)
        out = np.zeros((self.freedom.sd.size, self.freedom.sd.size))
        out[np.ix_(rows, rows)] = covariance
        return out

    def _points(self, structure: Array) -> tuple[Array, Array]:
        """World points (S * C, 3), and their derivative by the structure (S * C, 3, D)."""
        if self.pattern is None:
            return structure, np.broadcast_to(np.eye(3), (len(structure), 3, 3))
        arm = np.einsum("sij,cj->sci", structure[:, :3, :3], self.pattern)
        derivative = np.zeros((*arm.shape, 6))
        derivative[..., :3] = -_skew(arm)
        derivative[..., 3:] = np.eye(3)
        return (arm + structure[:, None, :3, 3]).reshape(-1, 3), derivative.reshape(-1, 3, 6)

    def _seen(self, v: int, state: _State) -> Array:
        """Where view v saw everything, at its time as it is now."""
        if self.velocity is None:
            return self.pixels[v]
        return np.asarray(self.pixels[v] + np.nan_to_num(self.velocity[v]) * state.steps[v, TIME])

    def _rows(
        self, v: int, camera: Camera, state: _State, points: Array, by_structure: Array
    ) -> tuple[Array, Array, Array, Array]:
        """Misses (S, C, 2), their derivatives by camera and structure, and weights (S, C); zero if unseen."""
        seen, by_point, by_camera = project(camera, points, lens=bool((self.used >= FOCAL.start).any()))
        shape = self.sd.shape[1:]
        miss = seen.reshape(*shape, 2) - self._seen(v, state)
        known = np.isfinite(miss).all(axis=-1)
        if self.velocity is not None:
            by_camera[:, :, TIME] = -np.nan_to_num(self.velocity[v]).reshape(-1, 2)
        square = np.where(known, np.sum(np.nan_to_num(miss) ** 2, axis=-1), 0.0) / self.sd[v] ** 2
        weight = np.where(known, (1 + square / self.robust**2) ** -2 / self.sd[v] ** 2, 0.0)
        mine = np.nan_to_num(by_camera[:, :, self.used]).reshape(*shape, 2, len(self.used))
        theirs = np.nan_to_num(by_point @ by_structure).reshape(*shape, 2, -1)
        return np.nan_to_num(miss), mine, theirs, weight

    def _robust_cost(self, v: int, square: Array) -> float:
        """A view that cannot see what it saw pays all that an outlier can."""
        given = np.isfinite(self.pixels[v]).all(axis=-1)
        scaled = square / self.sd[v] ** 2
        most = self.robust**2 if np.isfinite(self.robust) else 1e6
        cost = scaled if np.isinf(self.robust) else scaled / (1 + scaled / self.robust**2)
        return 0.5 * float(np.sum(np.where(given, np.where(np.isfinite(cost), cost, most), 0.0)))

    def _pull(self, state: _State) -> Array:
        """(V, P) gradient of the priors."""
        return self.precision * state.steps


def _skew(v: Array) -> Array:
    out = np.zeros((*v.shape, 3))
    out[..., 0, 1], out[..., 0, 2], out[..., 1, 2] = -v[..., 2], v[..., 1], -v[..., 0]
    return out - np.swapaxes(out, -1, -2)


def _spread(sd: ArrayLike, pixels: Array) -> Array:
    return np.broadcast_to(np.asarray(sd, dtype=float), pixels.shape[:-1])
