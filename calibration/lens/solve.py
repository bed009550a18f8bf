"""The least squares of one lens and the boards before it, with derivatives by OpenCV.

A bundle of one camera whose boards move instead of it: an image a time, hundreds of times a second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.adjust.schur import System
from calibration.boards.board import Board
from calibration.camera import Camera

Array = NDArray[np.float64]

_STEPS, _DONE = 30, 1e-6
_DAMPING, _MOST_DAMPING = 1e-4, 1e6


@dataclass(frozen=True, eq=False)
class Terms:
    """What the least squares weighs.

    Args:
        corners: (N, C, 2) px, NaN unseen.
        board: that was seen.
        scale: standard deviation of a corner, px.
        robust: deviations at which a corner begins to lose its say (Geman-McClure).
        prior: (4 + n,) deviations of fx / f, fy / f, cx, cy and the n coefficients about the start and 0; 0 =
            fixed, infinite = free.
        square: standard deviation of fx / fy about 1; infinite = any.
    """

    corners: Array
    board: Board
    scale: float
    robust: float
    prior: Array
    square: float = np.inf


@dataclass(frozen=True, eq=False)
class _State:
    lens: Array  # (4 + n,) fx, fy, cx, cy, coefficients
    turns: Array  # (N, 3) rotation vectors
    moves: Array  # (N, 3) metres

    def moved(self, lens: Array, boards: Array) -> _State:
        return _State(self.lens + lens, self.turns + boards[:, :3], self.moves + boards[:, 3:])


def solve_lens(camera: Camera, poses: Array, terms: Terms) -> tuple[Camera, Array, Array]:
    """Move a lens and the boards before it until they agree.

    Args:
        camera: where to start.
        poses: (N, 4, 4) camera_from_board, likewise.
        terms: what was seen.

    Returns:
        The camera, the poses, and (4 + n,) standard deviations of fx, fy, cx, cy and the coefficients.
    """
    import cv2

    turns = np.array([cv2.Rodrigues(pose[:3, :3])[0][:, 0] for pose in poses])
    lens = np.concatenate([[camera.K[0, 0], camera.K[1, 1]], camera.K[:2, 2], camera.distortion])
    problem = _Problem(camera, terms, lens.copy())
    state, damping = _State(lens, turns, poses[:, :3, 3].copy()), _DAMPING
    system, cost = problem.linearise(state)
    for _ in range(_STEPS):
        lens_step, board_step = system.step(damping)
        trial = state.moved(lens_step[0], board_step)
        ahead, after = problem.linearise(trial)
        if after < cost:
            done, state, system, cost = cost - after <= _DONE * cost, trial, ahead, after
            damping = max(damping / 5, 1e-9)
            if done:
                break
        else:
            damping *= 8
            if damping > _MOST_DAMPING:
                break
    return problem.camera(state), _poses(state), problem.spread(state, system)


def _matrix(state: _State) -> Array:
    fx, fy, cx, cy = state.lens[:4]
    return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])


def _poses(state: _State) -> Array:
    import cv2

    poses = np.tile(np.eye(4), (len(state.turns), 1, 1))
    poses[:, :3, :3] = [cv2.Rodrigues(turn)[0] for turn in state.turns]
    poses[:, :3, 3] = state.moves
    return poses


class _Problem:
    def __init__(self, camera: Camera, terms: Terms, start: Array) -> None:
        self.like, self.terms = camera, terms
        self.seen, self.points = np.isfinite(terms.corners).all(axis=-1), terms.board.corners
        scale = np.ones_like(start)
        scale[:2] = start[:2]
        deviation = terms.prior * scale
        bounded = (deviation > 0) & np.isfinite(deviation)
        self.precision = np.diag(np.where(bounded, 1 / np.where(bounded, deviation, 1.0) ** 2, 0.0))
        self.precision[:2, :2] += np.array([[1, -1], [-1, 1]]) / (terms.square * start[:2].mean()) ** 2
        self.basis = np.eye(len(start))[:, deviation > 0]
        self.centre = np.concatenate([np.repeat(start[:2].mean(), 2), start[2:4], np.zeros(len(start) - 4)])

    def camera(self, state: _State) -> Camera:
        return replace(self.like, K=_matrix(state), distortion=state.lens[4:])

    def linearise(self, state: _State) -> tuple[System, float]:
        """Normal equations about a state, and its robust cost; infinite where a board is behind the lens."""
        miss, by_lens, by_board, weight = self._weighted(state)
        heavy_lens, heavy_board = by_lens * weight[..., None], by_board * weight[..., None]
        pull = self.precision @ (state.lens - self.centre)
        system = System(
            (np.einsum("nrp,nrq->pq", heavy_lens, by_lens) + self.precision)[None],
            np.einsum("nrp,nrd->npd", heavy_lens, by_board)[None],
            np.einsum("nrc,nrd->ncd", heavy_board, by_board),
            -(np.einsum("nrp,nr->p", heavy_lens, miss) + pull)[None],
            -np.einsum("nrd,nr->nd", heavy_board, miss),
            self.basis,
        )
        cost = 0.5 * float(np.sum(self._square(miss) * self._share(miss)) + pull @ (state.lens - self.centre))
        possible = state.moves[:, 2].min() > 0 and state.lens[:2].min() > 0
        return system, cost if possible else np.inf

    def spread(self, state: _State, system: System) -> Array:
        """(4 + n,) standard deviations, larger where the errors of an image go together.

        Corners of an image share its blur, its rolling shutter and the bend of the board: the larger of what
        their scatter says and what the images say as clusters (White 1980, "sandwich").
        """
        covariance = system.covariance()
        miss, by_lens, _, weight = self._weighted(state)
        each = np.einsum("nrp,nr->np", by_lens * weight[..., None], miss)
        images, free = len(each), int(self.basis.shape[1])
        clusters = covariance @ each.T @ each @ covariance * images / max(images - free / 2, 1.0)
        return np.sqrt(np.maximum(np.maximum(np.diag(covariance), np.diag(clusters)), 0.0))

    def _weighted(self, state: _State) -> tuple[Array, Array, Array, Array]:
        """Rows, and their robust weights (N, 2C)."""
        miss, by_lens, by_board = self._rows(state)
        share = self._share(miss)
        weight = np.repeat(np.where(self.seen, share**2, 0.0) / self.terms.scale**2, 2, axis=1)
        return miss, by_lens, by_board, weight

    def _share(self, miss: Array) -> Array:
        return 1 / (1 + self._square(miss) / self.terms.robust**2)

    def _square(self, miss: Array) -> Array:
        return np.sum(miss.reshape(*self.seen.shape, 2) ** 2, axis=-1) / self.terms.scale**2

    def _rows(self, state: _State) -> tuple[Array, Array, Array]:
        """Misses (N, 2C), and their derivatives by lens (N, 2C, 4 + n) and board (N, 2C, 6); 0 if unseen."""
        import cv2

        matrix, bend, count = _matrix(state), state.lens[4:], len(state.lens)
        images, corners = self.seen.shape
        miss = np.zeros((images, corners, 2))
        rows = np.zeros((images, corners, 2, 6 + count))
        for i, seen in enumerate(self.seen):
            given = self.points[seen], state.turns[i], state.moves[i], matrix, bend
            if self.like.model == "fisheye":
                pixels, found = cv2.fisheye.projectPoints(given[0][None], *given[1:])
                order = [*range(8, 14), *range(8)]
            else:
                pixels, found = cv2.projectPoints(*given)
                order = [*range(6 + count)]
            miss[i, seen] = pixels.reshape(-1, 2) - self.terms.corners[i][seen]
            rows[i, seen] = np.asarray(found)[:, order].reshape(-1, 2, 6 + count)
        rows = rows.reshape(images, 2 * corners, 6 + count)
        return miss.reshape(images, -1), rows[..., 6:], rows[..., :6]
