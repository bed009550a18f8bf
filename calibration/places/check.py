"""Each camera judged by what the others say of the board: what it would have missed without itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.adjust.bundle import adjust
from calibration.adjust.freedom import Freedom
from calibration.boards.board import LEAST, Board
from calibration.camera import Camera, Cameras
from calibration.places.boards import place_boards
from calibration.places.pairs import spread_over, view

Array = NDArray[np.float64]

_MOST = 24  # times


def left_out_error(cameras: Cameras, corners: Array, board: Board) -> Array:
    """Tell how far each view sees the board from where the other views put it.

    Args:
        cameras: V, calibrated.
        corners: (V, T, C, 2) px at the times that all share, NaN unseen.
        board: that was seen.

    Returns:
        (V,) median px; NaN where no other view saw the board at the same time. A place from one other view
        alone is far less certain than one from two: those are only used where there is nothing better.
    """
    return np.array([_error(cameras, corners, board, v) for v in range(len(cameras))])


def _error(cameras: Cameras, corners: Array, board: Board, left_out: int) -> float:
    seen = np.isfinite(corners[..., 0]).sum(axis=2) >= LEAST
    others = seen.sum(axis=0) - seen[left_out]
    chosen = np.flatnonzero(seen[left_out] & (others >= 2))
    if len(chosen) < 5:
        chosen = np.flatnonzero(seen[left_out] & (others >= 1))
    if not len(chosen):
        return float("nan")
    chosen = spread_over(chosen, _MOST)
    rest = [v for v in range(len(cameras)) if v != left_out]
    kept = Cameras(tuple(cameras[v] for v in rest))
    boards = _boards(kept, corners[rest][:, chosen], board)
    return _miss(cameras[left_out], boards, corners[left_out, chosen], board)


def _boards(cameras: Cameras, corners: Array, board: Board) -> Array:
    """(T, 4, 4) world_from_board as those cameras see them."""
    views = [view(camera, seen, board) for camera, seen in zip(cameras, corners, strict=True)]
    boards, seen = place_boards(cameras, views, board)
    fixed = Freedom.of(len(cameras), pose=0.0)
    found = adjust(
        cameras, boards, seen, 0.3, fixed, pattern=board.corners, robust=10.0, steps=8, tolerance=1e-3
    )
    return found.structure


def _miss(camera: Camera, boards: Array, corners: Array, board: Board) -> float:
    points = np.einsum("tab,cb->tca", boards[:, :3, :3], board.corners) + boards[:, None, :3, 3]
    found = camera.project(points)
    each = [np.linalg.norm(found - corners[:, order], axis=-1) for order in board.orders]
    with np.errstate(invalid="ignore"):
        best = np.min([np.nansum(e, axis=1) for e in each], axis=0) / np.isfinite(each[0]).sum(axis=1)
    return float(np.nanmedian(best))
