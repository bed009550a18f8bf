"""Bundle adjustment of cameras and a moving body with rigid bones.

Free points trade their depth for the angle and the lens of a camera; a body cannot: its bones keep their
lengths, left is as long as right, and their proportions are known. Each frame's points are eliminated
together, since bones tie them; what remains is a system of cameras, lengths and the views' habits.

Errors of detectors stay alike for seconds and from landmark to landmark. `alike` says how many observations
are worth one, so that the priors have their say and the covariance is an honest one.

Source: Triggs et al. 2000, "Bundle adjustment: a modern synthesis"; Geman & McClure 1987 for the loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.adjust.adjusted import Adjusted
from calibration.adjust.border import Bordered
from calibration.adjust.descent import descend
from calibration.adjust.freedom import Freedom
from calibration.adjust.habits import COUNT, Habits
from calibration.adjust.projection import PARAMETERS, moved, project
from calibration.camera import Camera, Cameras

Array = NDArray[np.float64]

_SHORTEST = 1e-3  # metres: of a bone


@dataclass(frozen=True, eq=False)
class Bones:
    """Pairs of joints that keep their distance.

    Args:
        pairs: (B, 2) joints.
        kind: (B,) which of the K lengths it has; left and right share one.
        give: (B,) by how much its length varies in time, share (detector's errors left aside).
        length: (K,) expected, metres.
        covariance: (K, K) of the natural logarithms of the lengths; a size that is not known well is a
            constant added to all of it.
    """

    pairs: NDArray[np.intp]
    kind: NDArray[np.intp]
    give: Array
    length: Array
    covariance: Array


@dataclass(frozen=True, eq=False)
class Rigid(Adjusted):
    """Cameras and a body that agree.

    Args:
        cameras: V, adjusted.
        error: (V, T, J) reprojection error, pixels, NaN unseen.
        covariance: as in `Adjusted`.
        cost: as in `Adjusted`.
        points: (T, J, 3) metres.
        lengths: (K,) of the bones, metres.
        habits: (V, COUNT) of the views; zeros without.
    """

    points: Array
    lengths: Array
    habits: Array


def adjust_rigid(
    cameras: Cameras,
    points: Array,
    pixels: Array,
    sd: ArrayLike,
    bones: Bones,
    freedom: Freedom,
    *,
    habits: Habits | None = None,
    alike: float = 1.0,
    robust: float = 4.5,
    steps: int = 40,
    tolerance: float = 1e-4,
) -> Rigid:
    """Minimise the robust reprojection and bone errors over cameras, points, lengths and habits.

    Args:
        cameras: V cameras, where to start; the priors of `freedom` are about these.
        points: (T, J, 3) in the world, where to start, all known.
        pixels: (V, T, J, 2); NaN = unseen.
        sd: of `pixels`, broadcastable to (V, T, J).
        bones: of the body.
        freedom: of the cameras; fix a camera's pose (the lengths give the scale).
        habits: of the detector; None = it has none.
        alike: how many observations are worth one.
        robust: deviations at which an observation begins to lose its say.
        steps: at most.
        tolerance: relative decrease of the cost at which it ends.

    Raises:
        ValueError: a point to start from is not known.
    """
    if not np.isfinite(points).all():
        raise ValueError("points: must all be known, got NaN")
    problem = _Problem(pixels, _weight(sd, pixels), bones, freedom, habits, alike, robust)
    return problem.answer(*descend(problem, problem.start(cameras, points), steps, tolerance))


def _weight(sd: ArrayLike, pixels: Array) -> Array:
    """(V, T, J) one over the variance, 0 where unseen."""
    spread = np.broadcast_to(np.asarray(sd, dtype=float), pixels.shape[:-1])
    seen = np.isfinite(pixels).all(axis=-1) & np.isfinite(spread) & (spread > 0)
    return np.where(seen, 1 / np.where(seen, spread, 1.0) ** 2, 0.0)


@dataclass(frozen=True, eq=False)
class _State:
    cameras: Cameras
    points: Array  # (T, J, 3)
    logs: Array  # (K,) of the lengths
    habits: Array  # (V, M), M = 0 without
    steps: Array  # (V, P) from the start


@dataclass(frozen=True, eq=False)
class _Problem:
    pixels: Array  # (V, T, J, 2)
    weight: Array  # (V, T, J)
    bones: Bones
    freedom: Freedom
    expected: Habits | None
    alike: float
    robust: float

    def start(self, cameras: Cameras, points: Array) -> _State:
        count = 0 if self.expected is None else COUNT
        views = len(cameras)
        logs = np.log(self.bones.length)
        return _State(cameras, points, logs, np.zeros((views, count)), np.zeros((views, PARAMETERS)))

    def moved(self, state: _State, shared: Array, own: Array) -> _State:
        basis, kinds = self.freedom.basis(), len(state.logs)
        free = basis.shape[1]
        by_camera = (basis @ shared[:free]).reshape(state.steps.shape)
        cameras = tuple(moved(c, s) for c, s in zip(state.cameras, by_camera, strict=True))
        return _State(
            Cameras(cameras),
            state.points + own.reshape(state.points.shape),
            state.logs + shared[free : free + kinds],
            state.habits + shared[free + kinds :].reshape(state.habits.shape),
            state.steps + by_camera,
        )

    def cost(self, state: _State) -> float:
        """Half the robust sum of squares, with the priors."""
        most, total = self.robust**2, 0.0
        for v, camera in enumerate(state.cameras):
            miss = camera.project(state.points) + self._bent(v, state) - self.pixels[v]
            square = np.sum(miss * miss, axis=-1) * self.weight[v]
            loss = np.where(np.isfinite(square), square / (1 + square / most), most)
            total += float(np.sum(loss[self.weight[v] > 0]))
        strain = self._strain(state)[0] ** 2
        total = (total + float(np.sum(strain / (1 + strain / most)))) / self.alike
        odd = state.logs - np.log(self.bones.length)
        total += float(odd @ np.linalg.solve(self.bones.covariance, odd))
        total += float(np.sum(self.freedom.precision() * state.steps**2))
        return 0.5 * (total + float(np.sum(self._pull_habits(state) ** 2)))

    def linearise(self, state: _State) -> Bordered:
        """Normal equations about a state: cameras, lengths, habits; and each frame's points."""
        basis = self.freedom.basis()
        (frames, joints, _), kinds = state.points.shape, len(state.logs)
        system = Bordered.empty(basis.shape[1] + kinds + state.habits.size, frames, 3 * joints)
        for v, camera in enumerate(state.cameras):
            self._add_view(system, v, camera, state, basis)
        self._add_bones(system, state, basis.shape[1])
        self._add_priors(system, state, basis)
        return system

    def answer(self, state: _State, system: Bordered, cost: float) -> Rigid:
        seen = [c.project(state.points) + self._bent(v, state) for v, c in enumerate(state.cameras)]
        error = np.where(self.weight > 0, np.linalg.norm(np.stack(seen) - self.pixels, axis=-1), np.nan)
        basis = self.freedom.basis()
        free = basis.shape[1]
        covariance = basis @ system.covariance()[:free, :free] @ basis.T
        habits = state.habits if state.habits.size else np.zeros((len(state.cameras), COUNT))
        return Rigid(state.cameras, error, covariance, cost, state.points, np.exp(state.logs), habits)

    def _bent(self, v: int, state: _State) -> Array | float:
        """How far (T, J, 2) the habits move what view v sees, pixels."""
        if self.expected is None:
            return 0.0
        return np.asarray(self.expected.patterns(state.cameras[v], state.points) @ state.habits[v])

    def _strain(self, state: _State) -> tuple[Array, Array, Array]:
        """Logarithm of each length over what it should be, in deviations (T, B); unit axes; lengths."""
        axis = state.points[:, self.bones.pairs[:, 0]] - state.points[:, self.bones.pairs[:, 1]]
        length = np.maximum(np.linalg.norm(axis, axis=-1), _SHORTEST)
        strain = (np.log(length) - state.logs[self.bones.kind]) / self.bones.give
        return strain, axis / length[..., None], length

    def _pull_habits(self, state: _State) -> Array:
        """(V, M) deviations of the habits from what is expected."""
        if self.expected is None:
            return state.habits
        expected = np.stack([self.expected.expected(c, state.points) for c in state.cameras])
        return np.asarray((state.habits - expected) / self.expected.sd)

    def _add_view(self, system: Bordered, v: int, camera: Camera, state: _State, basis: Array) -> None:
        frames, joints, _ = state.points.shape
        seen, by_point, by_camera = project(camera, state.points.reshape(-1, 3))
        miss = seen.reshape(frames, joints, 2) + self._bent(v, state) - self.pixels[v]
        known = np.isfinite(miss).all(axis=-1) & (self.weight[v] > 0)
        miss = np.where(known[..., None], miss, 0.0)
        square = np.sum(miss * miss, axis=-1) * self.weight[v]
        root = np.sqrt(self.weight[v] * known / self.alike) / (1 + square / self.robust**2)
        mine = basis[v * PARAMETERS : (v + 1) * PARAMETERS]
        columns = np.flatnonzero(mine.any(axis=0))
        shared = (np.nan_to_num(by_camera) @ mine[:, columns]).reshape(frames, joints, 2, -1)
        if self.expected is not None:
            shared = np.concatenate([shared, self.expected.patterns(camera, state.points)], axis=-1)
            first = basis.shape[1] + len(state.logs) + v * COUNT
            columns = np.concatenate([columns, first + np.arange(COUNT)])
        own = np.nan_to_num(by_point).reshape(frames, joints, 2, 3) * root[..., None, None]
        _add_rows(system, columns, shared * root[..., None, None], own, miss * root[..., None])

    def _add_bones(self, system: Bordered, state: _State, free: int) -> None:
        strain, axis, length = self._strain(state)
        root = 1 / (1 + strain**2 / self.robust**2) / np.sqrt(self.alike)
        miss, pull = strain * root, axis * (root / (self.bones.give * length))[..., None]
        by_log = -root / self.bones.give
        block, edge, right = system.by_joint()
        for b, (one, other) in enumerate(self.bones.pairs):
            row = free + self.bones.kind[b]
            outer = pull[:, b, :, None] * pull[:, b, None, :]
            for here, there, sign in ((one, one, 1), (other, other, 1), (one, other, -1), (other, one, -1)):
                block[:, here, :, there] += sign * outer
            for joint, sign in ((one, 1), (other, -1)):
                right[:, joint] -= sign * pull[:, b] * miss[:, b, None]
                edge[:, row, joint] += sign * pull[:, b] * by_log[:, b, None]
            system.corner[row, row] += float(np.sum(by_log[:, b] ** 2))
            system.right[row] -= float(np.sum(by_log[:, b] * miss[:, b]))

    def _add_priors(self, system: Bordered, state: _State, basis: Array) -> None:
        free, kinds = basis.shape[1], len(state.logs)
        cameras, lengths = slice(0, free), slice(free, free + kinds)
        precision = self.freedom.precision().reshape(-1)
        system.corner[cameras, cameras] += basis.T @ (precision[:, None] * basis)
        system.right[cameras] -= basis.T @ (precision * state.steps.reshape(-1))
        inverse = np.linalg.inv(self.bones.covariance)
        system.corner[lengths, lengths] += inverse
        system.right[lengths] -= inverse @ (state.logs - np.log(self.bones.length))
        if self.expected is not None:
            rows = np.arange(free + kinds, len(system.right))
            spread = np.tile(self.expected.sd, len(state.cameras))
            system.corner[rows, rows] += 1 / spread**2
            system.right[rows] -= self._pull_habits(state).reshape(-1) / spread


def _add_rows(system: Bordered, columns: NDArray[np.intp], shared: Array, own: Array, miss: Array) -> None:
    """Add weighted rows of one view: derivatives (T, J, 2, n), (T, J, 2, 3) and misses (T, J, 2)."""
    joints = np.arange(own.shape[1])
    flat = shared.reshape(-1, len(columns)) if len(columns) else np.zeros((miss.size, 0))
    block, edge, right = system.by_joint()
    system.corner[np.ix_(columns, columns)] += flat.T @ flat
    system.right[columns] -= flat.T @ miss.reshape(-1)
    edge[:, columns] += np.einsum("tjkp,tjkd->tpjd", shared, own)
    block[:, joints, :, joints] += np.einsum("tjkd,tjke->jtde", own, own)
    right -= np.einsum("tjkd,tjk->tjd", own, miss)
