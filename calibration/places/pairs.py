"""How two cameras stand to each other, from images in which both see the board.

A flat board may have two poses in an image, and a chessboard without marks several orders of its corners:
each combination is a hypothesis, and the one that explains most of the other images is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board
from calibration.boards.poses import both_poses
from calibration.camera import Camera
from calibration.rotation import nearest

Array = NDArray[np.float64]

_ASKED, _ANSWERING = 30, 60  # images that make hypotheses, and that judge them
_BEHIND = 1e6  # (x/z)^2: by how much a board behind the camera is off
_EXPLAINED = (
    1.0  # squares by which a board may be off in the other view: a far board's depth is off by as much
)


@dataclass(frozen=True, eq=False)
class View:
    """One view's boards, at the times that all views share.

    Args:
        camera: its lens.
        corners: (T, C, 2) px, NaN unseen.
        flat: (T, C, 2) the same without the lens, x/z and y/z.
        poses: (T, 2, 4, 4) both camera_from_board; NaN unseen.
    """

    camera: Camera
    corners: Array
    flat: Array
    poses: Array

    @property
    def seen(self) -> NDArray[np.bool_]:
        """(T,) whether there is a board with a pose."""
        return np.asarray(np.isfinite(self.poses[:, 0, 0, 0]))


@dataclass(frozen=True, eq=False)
class Pair:
    """Where view `a` is from view `b`.

    Args:
        a: index of a view.
        b: likewise, above a.
        a_from_b: (4, 4).
        shared: images in which both see the board.
        agreeing: those of them that it explains.
    """

    a: int
    b: int
    a_from_b: Array
    shared: int
    agreeing: int


def view(camera: Camera, corners: Array, board: Board, *, refine: bool = True) -> View:
    """Put together what a view has seen.

    Args:
        camera: its lens.
        corners: (T, C, 2) px, NaN unseen.
        board: that was seen.
        refine: whether its poses are brought to their least error.
    """
    poses = both_poses(camera, corners, board, refine=refine)
    return View(camera, corners, camera.undistort(corners), poses)


def relate(views: list[View], a: int, b: int, board: Board) -> Pair:
    """Find where a view is from another.

    Args:
        views: all.
        a: index of one.
        b: index of the other.
        board: that was seen.
    """
    both = np.flatnonzero(views[a].seen & views[b].seen)
    nothing = Pair(a, b, np.full((4, 4), np.nan), len(both), 0)
    if not len(both):
        return nothing
    judging = spread_over(both, _ANSWERING)
    asked = spread_over(both, _ASKED)
    guesses = hypotheses(views[a], views[b], asked, board)
    miss = misses(views[a], views[b], judging, guesses, board)
    best = int(np.argmin(np.sum(np.minimum(miss, _EXPLAINED) ** 2, axis=1)))
    agreeing = miss[best] < _EXPLAINED
    if not agreeing.any():
        return nothing
    share = len(both) / len(judging)
    mean = _mean_near(guesses[best], guesses)
    better = misses(views[a], views[b], judging, mean[None], board)[0]
    took = (
        mean if np.sum(np.minimum(better, 1) ** 2) < np.sum(np.minimum(miss[best], 1) ** 2) else guesses[best]
    )
    return Pair(a, b, took, len(both), round(share * int(agreeing.sum())))


def spread_over(indices: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """At most so many of the indices, evenly.

    Args:
        indices: rising.
        most: how many.
    """
    if len(indices) <= most:
        return indices
    return indices[np.linspace(0, len(indices) - 1, most).round().astype(int)]


def hypotheses(a: View, b: View, times: NDArray[np.intp], board: Board) -> Array:
    """Every a_from_b that an image of both may mean.

    Args:
        a: one view.
        b: the other.
        times: indices of images that both see.
        board: that was seen.

    Returns:
        (H, 4, 4).
    """
    back = np.linalg.inv(_invertible(b.poses[times]))
    found = np.einsum("tiab,kbc,tjcd->tijkad", a.poses[times], board.turns, back).reshape(-1, 4, 4)
    return found[np.isfinite(found).all(axis=(1, 2))]


def misses(a: View, b: View, times: NDArray[np.intp], guesses: Array, board: Board) -> Array:
    """Measure how far hypotheses put boards from where they were seen.

    Args:
        a: one view.
        b: the other.
        times: indices of images that both see.
        guesses: (H, 4, 4) a_from_b.
        board: that was seen.

    Returns:
        (H, T) rms in squares; each view's board, as the other sees it, the better of the two ways.
    """
    one = _one_way(a, b, times, np.linalg.inv(guesses), board)
    other = _one_way(b, a, times, guesses, board)
    return np.minimum(one, other)


def _one_way(source: View, target: View, times: NDArray[np.intp], moves: Array, board: Board) -> Array:
    """(H, T) rms in squares, in the target, of the inner corners of the source's boards."""
    best = np.full((len(moves), len(times)), np.inf)
    seen = target.flat[times, : board.inner]
    known = np.isfinite(seen[..., 0])
    side, count = board_side(target.flat[times], board), np.maximum(known.sum(axis=1), 1)
    for pose in np.moveaxis(source.poses[times], 1, 0):
        for turn in board.turns:
            points = _placed(pose @ turn, board.corners[: board.inner])
            placed = np.einsum("hab,tcb->htca", moves[:, :3, :3], points) + moves[:, None, None, :3, 3]
            depth = np.where(placed[..., 2] > 0, placed[..., 2], np.nan)
            miss = np.sum((placed[..., :2] / depth[..., None] - seen) ** 2, axis=-1)
            square = np.where(known, np.where(np.isnan(miss), _BEHIND, miss), 0.0).sum(axis=-1) / count
            best = np.minimum(best, np.sqrt(square) / side)
    return best


def _placed(poses: Array, corners: Array) -> Array:
    """(T, C, 3) corners put where boards are."""
    return np.asarray(np.einsum("tab,cb->tca", poses[:, :3, :3], corners) + poses[:, None, :3, 3])


def board_side(flat: Array, board: Board) -> Array:
    """Tell the typical size of a square in the image.

    Args:
        flat: (T, C, 2) positions of corners, NaN unseen.
        board: that was seen.

    Returns:
        (T,) in the unit of `flat`, along the direction in which it is larger: from aside, the other is short.
    """
    seen = np.isfinite(flat).all(axis=-1)[..., None]
    ours = np.broadcast_to(board.corners[:, :2], flat.shape)
    spread = [_spread(np.where(seen, points, 0.0), seen) for points in (flat, ours)]
    return np.asarray(board.square * spread[0] / np.maximum(spread[1], 1e-3 * board.square))


def _spread(points: Array, seen: NDArray[np.bool_]) -> Array:
    """(T,) standard deviation of points (T, C, 2) along the axis where it is larger."""
    count = np.maximum(seen.sum(axis=1), 1)
    middle = points.sum(axis=1) / count
    off = np.where(seen, points - middle[:, None], 0.0)
    square = np.einsum("tci,tcj->tij", off, off) / count[..., None]
    return np.asarray(np.sqrt(np.maximum(np.linalg.eigvalsh(square)[:, -1], 1e-18)))


def _invertible(poses: Array) -> Array:
    """Poses, those that are missing replaced by one that is far away and matches nothing."""
    filled = poses.copy()
    missing = ~np.isfinite(poses).all(axis=(-1, -2))
    filled[missing] = np.diag([1.0, 1.0, 1.0, 1.0])
    filled[missing, 2, 3] = 1e6
    return filled


def _mean_near(best: Array, guesses: Array) -> Array:
    """Mean of the hypotheses near one: median places, chordal mean of rotations."""
    distance = max(float(np.linalg.norm(best[:3, 3])), 1e-3)
    apart = np.linalg.norm(guesses[:, :3, 3] - best[:3, 3], axis=-1) / distance
    cosine = (np.einsum("hab,ab->h", guesses[:, :3, :3], best[:3, :3]) - 1) / 2
    near = guesses[(apart < 0.2) & (cosine > np.cos(np.deg2rad(12)))]
    mean = best.copy()
    mean[:3, :3] = nearest(near[:, :3, :3].mean(axis=0))
    mean[:3, 3] = np.median(near[:, :3, 3], axis=0)
    return mean
