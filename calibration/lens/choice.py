"""Which images of a board to calibrate with: sharp ones, spread over positions, tilts and distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board, Sightings

Array = NDArray[np.float64]

_BLURRED = 0.6  # of the view's median sharpness; below it the board moved during the exposure
LEAST_CORNERS = 6  # in an image for it to say something about the lens
_CELLS = (8, 6)


def choose(sightings: Sightings, board: Board, most: int) -> NDArray[np.intp]:
    """Choose images that differ as much as they can.

    Args:
        sightings: of one view.
        board: that was seen.
        most: how many images at most.

    Returns:
        Indices of the images, rising. Farthest-point sampling, from the image with the most corners, over
        position, size and the two perspective slants of the board.
    """
    usable = usable_images(sightings, board)
    sharp = sightings.sharpness[usable]
    if np.isfinite(sharp).any():
        keen = usable[~(sharp < _BLURRED * np.nanmedian(sharp))]
        usable = keen if len(keen) >= min(most, 10) else usable
    if len(usable) <= most:
        return usable
    told = np.stack([_description(sightings, board, i) for i in usable])
    chosen = [int(np.argmax(sightings.seen[usable]))]
    distance = np.full(len(usable), np.inf)
    while len(chosen) < most:
        distance = np.minimum(distance, np.linalg.norm(told - told[chosen[-1]], axis=-1))
        chosen.append(int(np.argmax(distance)))
    return np.asarray(np.unique(usable[chosen]), dtype=np.intp)


def usable_images(sightings: Sightings, board: Board) -> NDArray[np.intp]:
    """Indices of the images with enough corners, not all on a line.

    Args:
        sightings: of one view.
        board: that was seen.
    """
    return np.array([i for i in range(len(sightings)) if _spread_out(board, sightings.corners[i])], np.intp)


def coverage(corners: Array, size: tuple[int, int]) -> float:
    """Tell which share of the image the board has been in.

    Args:
        corners: (N, C, 2) pixels.
        size: (width, height).

    Returns:
        Share of 8 x 6 cells in which a corner was seen.
    """
    points = corners[np.isfinite(corners).all(axis=-1)]
    cell = np.clip(np.floor(points / size * _CELLS).astype(int), 0, np.array(_CELLS) - 1)
    return len(np.unique(cell, axis=0)) / (_CELLS[0] * _CELLS[1])


def _spread_out(board: Board, corners: Array) -> bool:
    seen = np.isfinite(corners).all(axis=-1)
    if seen.sum() < LEAST_CORNERS:
        return False
    points = board.corners[seen, :2]
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return bool(spread[1] > board.square / 2)


def _description(sightings: Sightings, board: Board, index: int) -> Array:
    """(5,) place, size and perspective slants of the board's image, each about 0 to 1."""
    import cv2

    corners = sightings.corners[index]
    seen = np.isfinite(corners).all(axis=-1)
    flat = (board.corners - board.middle)[:, :2] / (board.square * max(board.squares) / 2)
    matrix, _ = cv2.findHomography(flat[seen], corners[seen])
    if matrix is None:
        return np.zeros(5)
    place = matrix[:2, 2] / matrix[2, 2] / sightings.size
    area = abs(np.linalg.det(matrix[:2, :2] / matrix[2, 2])) ** 0.5 / max(sightings.size)
    slant = 4 * np.linalg.lstsq(matrix[:2, :2].T, matrix[2, :2], rcond=None)[0] * max(sightings.size) / 4
    return np.array([*np.clip(place, -0.5, 1.5), 0.5 * np.log2(max(area, 1e-3)), *np.clip(slant, -1, 1)])
