"""Where boards are in the world, of all poses that the views allow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board
from calibration.camera import Cameras
from calibration.places.pairs import View, board_side

Array = NDArray[np.float64]

_WORST = 1.0  # squares: a view that is further off than that is plainly wrong, however far


def place_boards(
    cameras: Cameras, views: list[View], board: Board, known: Array | None = None
) -> tuple[Array, Array]:
    """Find where the boards are.

    Args:
        cameras: V, calibrated.
        views: what they saw.
        board: that was seen.
        known: (T, 4, 4) where they may be, besides.

    Returns:
        (T, 4, 4) world_from_board that all views together like best, NaN where none saw it; and corners
        (V, T, C, 2) px, in the order that this means.
    """
    guesses = [
        _guesses(camera.camera_from_world, view, board) for camera, view in zip(cameras, views, strict=True)
    ]
    if known is not None:
        guesses.append(known[:, None])
    every = np.concatenate(guesses, axis=1)  # (T, H, 4, 4)
    points = np.einsum("thab,cb->thca", every[..., :3, :3], board.corners) + every[..., None, :3, 3]
    seen = np.stack([view.corners for view in views])
    miss = np.stack([_misses(c.project(points), s, board) for c, s in zip(cameras, seen, strict=True)])
    total = np.nansum(np.minimum(miss.min(axis=3), _WORST), axis=0)  # (T, H)
    total[np.isnan(every[..., 0, 0])] = np.inf
    best = np.argmin(total, axis=1)
    rows = np.arange(len(best))
    order = board.orders[np.argmin(miss[:, rows, best], axis=2)]  # (V, T, C)
    boards = np.where(np.isfinite(total.min(axis=1))[:, None, None], every[rows, best], np.nan)
    return boards, np.take_along_axis(seen, order[..., None], axis=2)


def _guesses(camera_from_world: Array, view: View, board: Board) -> Array:
    """(T, H, 4, 4) every world_from_board that a view allows; NaN where it saw none."""
    world = np.linalg.inv(camera_from_world)
    found = np.einsum("ab,tibc,kcd->tikad", world, view.poses, board.turns)
    return found.reshape(len(view.poses), -1, 4, 4)


def _misses(found: Array, seen: Array, board: Board) -> Array:
    """(T, H, K) rms in squares of guesses (T, H, C, 2) px against each order of what was seen (T, C, 2)."""
    side = board_side(seen, board)
    out = np.full((*found.shape[:2], len(board.orders)), np.nan)
    for k, order in enumerate(board.orders):
        square = np.sum((found - seen[:, None, order]) ** 2, axis=-1)
        lost = np.isnan(found[..., 0]) & np.isfinite(seen[:, None, order, 0])
        count = np.isfinite(seen[..., 0]).sum(axis=1)
        total = np.nansum(np.where(lost, 1e12, square), axis=-1)
        with np.errstate(invalid="ignore", divide="ignore"):
            out[..., k] = np.sqrt(total / np.where(count > 0, count, np.nan)[:, None]) / side[:, None]
    return out
