"""One cloud of points laid onto another, and cameras moved from one world to another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.camera import Cameras

Array = NDArray[np.float64]

_ROUNDS = 10
_WIDTH = 1.5  # times the median distance at which a point counts a quarter


@dataclass(frozen=True, eq=False)
class Move:
    """From one world to another: new = scale * rotation @ old + shift.

    Args:
        rotation: (3, 3).
        shift: (3,) metres.
        scale: new metres per old metre.
    """

    rotation: Array
    shift: Array
    scale: float = 1.0

    def points(self, points: ArrayLike) -> Array:
        """Move points (..., 3)."""
        return np.asarray(self.scale * (np.asarray(points, dtype=float) @ self.rotation.T) + self.shift)

    def cameras(self, cameras: Cameras) -> Cameras:
        """Move cameras; they see the moved points where they saw the points."""
        placed = []
        for camera in cameras:
            pose = np.eye(4)
            pose[:3, :3] = camera.camera_from_world[:3, :3] @ self.rotation.T
            pose[:3, 3] = self.scale * camera.camera_from_world[:3, 3] - pose[:3, :3] @ self.shift
            placed.append(replace(camera, camera_from_world=pose))
        return Cameras(tuple(placed))

    def then(self, after: Move) -> Move:
        """This move, and another after it."""
        return Move(after.rotation @ self.rotation, after.points(self.shift), after.scale * self.scale)


def lay_onto(
    points: Array, target: Array, weights: Array, *, scaled: bool = False, robust: bool = True
) -> tuple[Move, float]:
    """Find the move that lays points onto their targets, whatever some of them do.

    Args:
        points: (N, 3), NaN unknown.
        target: (N, 3), likewise.
        weights: (N,), 0 = ignore.
        scaled: whether the size may change.
        robust: whether points that end far away lose their say.

    Returns:
        The move, and the median distance that is left, in units of the target; infinite and no move at all
        where fewer than three points are known in both.

    Source: Umeyama 1991, iteratively reweighted.
    """
    known = np.isfinite(points).all(axis=-1) & np.isfinite(target).all(axis=-1) & (weights > 0)
    if known.sum() < 3:
        return Move(np.eye(3), np.zeros(3)), float("inf")
    a, b, base = points[known], target[known], weights[known]
    share = base
    for _ in range(_ROUNDS if robust else 1):
        move = _fit(a, b, share / share.sum(), scaled)
        off = np.linalg.norm(move.points(a) - b, axis=-1)
        width = _WIDTH * max(float(np.median(off)), 1e-9)
        share = base / (1 + (off / width) ** 2)
    return move, float(np.median(off))


def _fit(a: Array, b: Array, share: Array, scaled: bool) -> Move:
    middle_a, middle_b = share @ a, share @ b
    out_a, out_b = a - middle_a, b - middle_b
    u, sizes, vt = np.linalg.svd((out_b * share[:, None]).T @ out_a)
    proper = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * proper) @ vt
    scale = float(sizes @ proper / (share @ np.sum(out_a**2, axis=-1))) if scaled else 1.0
    return Move(rotation, middle_b - scale * rotation @ middle_a, scale)
