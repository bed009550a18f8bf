"""Finding a board's corners in an image, to a tenth of a pixel."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import LEAST, Board
from calibration.boards.markers import marker_corners

if TYPE_CHECKING:
    import cv2

Array = NDArray[np.float64]
Image = NDArray[np.uint8]

# Half the window of the refinement as a share of the square: as large as the bright margin about a corner
# allows, for a marker's edge in the window pulls. ChArUco with 12 % margin, against truth: 0.10 of the square
# leaves 0.10 px (median), 0.06 leaves 0.117, 0.2 leaves 0.128.
_MARGIN_USED = 0.85
_CHESS_WINDOW = 0.3
_WINDOW = (2, 15)  # px
_STRAYED = 1.5  # px that the refinement of a ChArUco corner may move it; the detector is within 0.5
# px: images are reduced to this to look for a board (a chessboard in photographs; in the many frames of a
# video), whose corners are then refined in the whole image.
_MARKERS, _THOROUGH, _QUICK = 1280, 1100, 640


def find(board: Board, image: Image, *, thorough: bool = True) -> Array:
    """Find the inner corners of a board.

    Args:
        board: what to look for.
        image: (H, W) grey or (H, W, 3) RGB.
        thorough: whether to take a second a photograph to find a chessboard, for there are few.

    Returns:
        (C, 2) pixels, pixel centres at integers; NaN for corners that are not seen, all of them where fewer
        than 4 are. A chessboard is found whole or not at all, its corners in one of `board.orders`.
    """
    grey = to_grey(image)
    if board.inverted:
        grey = np.asarray(255 - grey, dtype=np.uint8)
    marked = board.type == "charuco"
    found = _find_charuco(board, grey) if marked else _find_chessboard(board, grey, thorough)
    if np.isfinite(found).all(axis=-1).sum() < LEAST:
        found[:] = np.nan
    return found


def sharpness(board: Board, image: Image, corners: Array) -> float:
    """Measure how steep the board's edges are.

    Args:
        board: the board.
        image: (H, W) or (H, W, 3).
        corners: (C, 2) as found.

    Returns:
        Change per pixel across the edges between squares as a share of the change in all, median: about 0.5
        when sharp, 1 / length of the smear when blurred; NaN if no two neighbouring corners are seen.
    """
    import cv2

    grid = corners[: board.inner].reshape(board.shape[1], board.shape[0], 2)
    pairs = [(grid[1:], grid[:-1]), (grid[:, 1:], grid[:, :-1])]
    middle = np.concatenate([((a + b) / 2).reshape(-1, 2) for a, b in pairs])
    along = np.concatenate([(a - b).reshape(-1, 2) for a, b in pairs])
    seen = np.isfinite(along).all(axis=-1)
    if not seen.any():
        return float("nan")
    middle, along = middle[seen], along[seen]
    length = np.linalg.norm(along, axis=-1)
    across = along[:, ::-1] * (-1, 1) / length[:, None]
    reach = np.clip(0.1 * length.min(), 2, 12)
    steps = np.linspace(-reach, reach, int(4 * reach) + 1)
    path = middle[:, None] + across[:, None] * steps[:, None]
    profile = cv2.remap(to_grey(image), path.astype(np.float32), np.empty(0), cv2.INTER_LINEAR).astype(float)
    steep = np.abs(profile[:, 4:] - profile[:, :-4]).max(axis=1) / (4 * (steps[1] - steps[0]))
    return float(np.median(steep / np.maximum(np.ptp(profile, axis=1), 1.0)))


def to_grey(image: Image) -> Image:
    """Turn an image grey.

    Args:
        image: (H, W) or (H, W, 3) RGB.
    """
    import cv2

    if image.ndim == 2:
        return image
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def charuco(board: Board) -> cv2.aruco.CharucoBoard:
    """Make OpenCV's board of ours.

    Args:
        board: a ChArUco board.
    """
    import cv2

    assert board.marker is not None and board.dictionary is not None
    dictionary = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, board.dictionary))
    made = cv2.aruco.CharucoBoard(board.squares, board.square, board.marker, dictionary)
    made.setLegacyPattern(board.legacy)
    return made


@lru_cache(maxsize=32)
def _detector(board: Board, thread: int) -> cv2.aruco.CharucoDetector:
    """One detector for each thread: OpenCV does not promise that they can be shared."""
    import cv2

    return cv2.aruco.CharucoDetector(charuco(board))


def _find_charuco(board: Board, grey: Image) -> Array:
    """OpenCV 4.11 answers corners that are 0.5 px too large in x and y (measured); refined without that."""
    found = np.full((board.count, 2), np.nan)
    small, scale = _reduced(grey, _MARKERS)
    corners, ids, squares, numbers = _detector(board, threading.get_ident()).detectBoard(small)
    if ids is None or len(ids) < LEAST:
        return found
    found[ids[:, 0]] = corners[:, 0] * scale - 0.5  # (corners - 0.5 + 0.5) scale - 0.5: pixel centres
    assert board.marker is not None
    margin = (1 - board.marker / board.square) / 2
    refined = _refined(grey, found, _MARGIN_USED * margin * _side(board, found))
    strayed = np.linalg.norm(refined - found, axis=-1) > _STRAYED * scale.max()
    refined[strayed] = np.nan
    if squares is not None and numbers is not None:
        coarse = [(q[0].astype(float) + 0.5) * scale - 0.5 for q in squares]
        refined[board.inner :] = marker_corners(
            board, grey, refined, np.asarray(numbers, dtype=float).reshape(-1), np.array(coarse)
        )
    return refined


def _reduced(grey: Image, most: int) -> tuple[Image, Array]:
    """The image with a long side of so many pixels at most, and (2,) by how much it was reduced."""
    import cv2

    reduce = min(1.0, most / max(grey.shape))
    if reduce == 1:
        return grey, np.ones(2)
    size = [round(n * reduce) for n in grey.shape[::-1]]
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), np.array(grey.shape[::-1]) / size


def _find_chessboard(board: Board, grey: Image, thorough: bool) -> Array:
    small, scale = _reduced(grey, _THOROUGH if thorough else _QUICK)
    corners = _coarse_chessboard(board, small, thorough)
    if corners is None:
        return np.full((board.count, 2), np.nan)
    whole = (corners + 0.5) * scale - 0.5
    return _oriented(board, grey, _refined(grey, whole, _CHESS_WINDOW * _side(board, whole)))


def _coarse_chessboard(board: Board, grey: Image, thorough: bool) -> Array | None:
    """(C, 2) by the detector of quadrangles, which is quick; else by that of saddles, which sees more."""
    import cv2

    flags = cv2.CALIB_CB_ADAPTIVE_THRESH | cv2.CALIB_CB_NORMALIZE_IMAGE
    flags |= 0 if thorough else cv2.CALIB_CB_FAST_CHECK
    found, corners = cv2.findChessboardCorners(grey, board.shape, flags=flags)
    if not found and thorough:
        flags = cv2.CALIB_CB_NORMALIZE_IMAGE | cv2.CALIB_CB_EXHAUSTIVE
        found, corners = cv2.findChessboardCornersSB(grey, board.shape, flags=flags)
    return corners[:, 0].astype(float) if found else None


def _refined(grey: Image, corners: Array, half: float) -> Array:
    """Corners where the grey values say, in windows of that half width, NaN staying NaN."""
    import cv2

    seen = np.isfinite(corners).all(axis=-1)
    window = int(np.clip(round(half), *_WINDOW))
    start = corners[seen].astype(np.float32).reshape(-1, 1, 2)
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-3)
    refined = corners.copy()
    refined[seen] = cv2.cornerSubPix(grey, start, (window, window), (-1, -1), stop)[:, 0]
    return refined


def _side(board: Board, corners: Array) -> float:
    """Shortest distance between neighbouring corners, px; what a square measures at least in the image."""
    grid = corners[: board.inner].reshape(board.shape[1], board.shape[0], 2)
    steps = [np.linalg.norm(np.diff(grid, axis=axis), axis=-1) for axis in (0, 1)]
    lengths = np.concatenate([step[np.isfinite(step)] for step in steps])
    return float(lengths.min()) if len(lengths) else 0.0


def _oriented(board: Board, grey: Image, corners: Array) -> Array:
    """The order in which the board is seen from its front and, if that tells, its first inner square is dark.

    Half a turn (on a square board a quarter) exchanges the colours of some boards: there the order is one.
    """
    columns, rows = board.shape
    grid = corners.reshape(rows, columns, 2)
    if np.cross(grid[0, -1] - grid[0, 0], grid[-1, 0] - grid[0, 0]) < 0:
        grid = grid[:, ::-1]
    quarters = (0, 1, 2, 3) if columns == rows else (0, 2)
    turned = [np.rot90(grid, quarter).reshape(-1, 2) for quarter in quarters]
    return min(turned, key=lambda order: _brightness(board, grey, order))


def _brightness(board: Board, grey: Image, corners: Array) -> bool:
    """Whether the first inner square, and those of its colour, are the bright ones."""
    import cv2

    columns, rows = board.shape
    grid = corners.reshape(rows, columns, 2)
    middles = (grid[:-1, :-1] + grid[1:, :-1] + grid[:-1, 1:] + grid[1:, 1:]) / 4
    values = cv2.remap(grey, middles.astype(np.float32), np.empty(0), cv2.INTER_LINEAR)
    y, x = np.mgrid[: rows - 1, : columns - 1]
    first = (x + y) % 2 == 0
    return bool(values[first].mean() > values[~first].mean())
