"""Where a flat board is before a camera, from one image: it may have two poses, and both are told."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import LEAST, Board
from calibration.camera import Camera

Array = NDArray[np.float64]


def board_poses(camera: Camera, corners: Array, board: Board) -> Array:
    """Find the pose of the board in each image.

    Args:
        camera: V = 1; its place is of no account.
        corners: (N, C, 2) px, NaN unseen.
        board: that was seen.

    Returns:
        (N, 4, 4) camera_from_board, the better of the two that there may be; NaN with fewer than 4 corners.
    """
    both = both_poses(camera, corners, board)
    return both[:, 0]


def both_poses(camera: Camera, corners: Array, board: Board, *, refine: bool = True) -> Array:
    """Find both poses that the board may have in each image.

    Args:
        camera: V = 1; its place is of no account.
        corners: (N, C, 2) px, NaN unseen.
        board: that was seen.
        refine: whether to bring each to its least error, which takes three times as long.

    Returns:
        (N, 2, 4, 4) camera_from_board, the better first; NaN where there is none.

    Source: Collins & Bartoli 2014, "Infinitesimal plane-based pose estimation", each refined by itself.
    """
    import cv2

    flat = camera.undistort(corners)
    poses = np.full((len(corners), 2, 4, 4), np.nan)
    for i, image in enumerate(flat):
        seen = np.isfinite(image).all(axis=-1)
        if seen.sum() < LEAST:
            continue
        points = board.corners[seen] - board.middle
        try:
            _, turns, moves, _ = cv2.solvePnPGeneric(
                points, image[seen], np.eye(3), np.zeros(0), flags=cv2.SOLVEPNP_IPPE
            )
        except cv2.error:  # corners on a line
            continue
        both = zip(turns, moves, strict=True)
        found = [_posed(points, image[seen], np.array(turn), np.array(move), refine) for turn, move in both]
        found.sort(key=lambda pair: pair[0])
        for k, (_, pose) in enumerate(found):
            pose[:3, 3] -= pose[:3, :3] @ board.middle
            poses[i, k] = pose
    return poses


def _posed(points: Array, image: Array, turn: Array, move: Array, refine: bool) -> tuple[float, Array]:
    """Mean square error and camera_from_board of a pose, perhaps brought to its minimum."""
    import cv2

    if refine:
        cv2.solvePnPRefineLM(points, image, np.eye(3), np.zeros(0), turn, move)  # in place
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = cv2.Rodrigues(turn)[0], move[:, 0]
    placed = points @ pose[:3, :3].T + pose[:3, 3]
    if placed[:, 2].min() <= 0:
        return np.inf, pose
    return float(np.mean(np.sum((placed[:, :2] / placed[:, 2:] - image) ** 2, axis=-1))), pose
