"""Whether the board in the images is the one that was said: its colours, its age, its size, its markers.

What changes nothing for the user is taken as found and noted: light on dark, and the pattern of OpenCV before
4.6. A board of another size or with other markers is refused with the words that would be right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import DICTIONARIES, Board
from calibration.boards.find import charuco, find, to_grey
from calibration.errors import BoardError

Array = NDArray[np.float64]
Image = NDArray[np.uint8]
Markers = tuple[NDArray[np.intp], Array]  # ids (M,), corners (M, 4, 2) px

_ALIKE = 3  # markers that must lie in an image as on the board; two always do, nearly
_OFF = 0.2  # of a marker's edge that its corners may be off a plane, for lenses bend
_ENOUGH = 9  # markers in all images together that prove a board
_NEARLY_ALL = 0.95
_LOOKED_AT = 3  # images with a chessboard that are searched for a larger one
_MORE = 4  # markers more that another board must explain
_FAMILIES = [name for name in DICTIONARIES if not name.endswith(("_50", "_100", "_250"))]


@dataclass(frozen=True)
class Recognised:
    """The board as it is, and what is worth saying about it."""

    board: Board
    notes: tuple[str, ...] = ()


def recognise(board: Board, images: Sequence[Image]) -> Recognised:
    """Hold a board against images that should show it.

    Args:
        board: as the user said it is.
        images: some, (H, W) or (H, W, 3); not all need show the board.

    Raises:
        BoardError: another board is there, or none.
    """
    grey = [to_grey(image) for image in images]
    return _charuco(board, grey) if board.type == "charuco" else _chessboard(board, grey)


def _charuco(board: Board, images: list[Image]) -> Recognised:
    assert board.dictionary is not None
    best, score = board, 0
    for inverted in (False, True):
        found = [_markers(image, board.dictionary, inverted) for image in images]
        likely, most = _best_shape(replace(board, inverted=inverted), found)
        if most > score:
            best, score = likely, most
        if score >= 4 * _ENOUGH:
            break
    if score < _ENOUGH:
        raise BoardError(_other_markers(board, images))
    there = _never_seen(best, images) or best.squares
    if there != board.squares:
        raise BoardError(_other_size(board, there))
    notes = ["the board is light on dark"] if best.inverted else []
    notes += ["the board begins with a marker, as those of OpenCV before 4.6"] if best.legacy else []
    return Recognised(best, tuple(notes))


def _best_shape(board: Board, found: list[Markers]) -> tuple[Board, int]:
    """The board itself and how many markers it explains, unless a variant explains clearly more of them."""
    own = most = sum(_explained(board, markers) for markers in found)
    if own >= _NEARLY_ALL * sum(len(ids) for ids, _ in found if len(ids) >= _ALIKE):
        return board, own
    best = board
    for squares in [board.squares, *_shapes(board.squares)]:
        for legacy in (False, True)[: 2 - squares[1] % 2]:  # with odd rows both are one
            variant = replace(board, squares=squares, legacy=legacy)
            score = sum(_explained(variant, markers) for markers in found)
            if score >= max(most, own) + _MORE:
                best, most = variant, score
    return best, most


def _shapes(squares: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes that a person may have meant: one off, columns for rows, both; the likeliest first."""
    columns, rows = squares
    steps = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, -1), (1, -1), (-1, 1)]
    near = [(columns + c, rows + r) for c, r in steps]
    swapped = [(rows, columns), *((rows + r, columns + c) for c, r in steps)]
    unique = dict.fromkeys([*near, *swapped])
    return [shape for shape in unique if shape != squares and min(shape) >= 2]


def _markers(image: Image, dictionary: str, inverted: bool) -> Markers:
    corners, ids, _ = _marker_detector(dictionary).detectMarkers(255 - image if inverted else image)
    if ids is None:
        return np.zeros(0, dtype=np.intp), np.zeros((0, 4, 2))
    return ids[:, 0].astype(np.intp), np.stack([c[0] for c in corners]).astype(float)


@lru_cache(maxsize=32)
def _marker_detector(dictionary: str):  # type: ignore[no-untyped-def]
    import cv2

    return cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary)))


@lru_cache(maxsize=256)
def _layout(board: Board) -> dict[int, Array]:
    """Corners (4, 2) of every marker on the board, metres."""
    made = charuco(board)
    points = made.getObjPoints()
    ids = np.asarray(made.getIds()).reshape(-1)
    return {int(i): np.asarray(p, dtype=float)[:, :2] for i, p in zip(ids, points, strict=True)}


def _explained(board: Board, markers: Markers) -> int:
    """How many of an image's markers lie there as on this board; 0 if too few do."""
    import cv2

    layout = _layout(board)
    mine = [(layout[int(i)], corners) for i, corners in zip(*markers, strict=True) if int(i) in layout]
    if len(mine) < _ALIKE:
        return 0
    flat, seen = np.stack([m[0] for m in mine]), np.stack([m[1] for m in mine])
    edge = float(np.median(np.linalg.norm(np.diff(seen, axis=1), axis=-1)))
    matrix, _ = cv2.findHomography(flat.reshape(-1, 2), seen.reshape(-1, 2), cv2.RANSAC, _OFF * edge)
    if matrix is None:
        return 0
    mapped = cv2.perspectiveTransform(flat.reshape(-1, 1, 2), matrix).reshape(seen.shape)
    alike = int((np.linalg.norm(mapped - seen, axis=-1).max(axis=-1) < _OFF * edge).sum())
    return alike if alike >= _ALIKE else 0


def _never_seen(board: Board, images: list[Image]) -> tuple[int, int] | None:
    """The board without its last row, if all of that was seen again and again and the last row never."""
    assert board.dictionary is not None
    shorter = replace(board, squares=(board.squares[0], board.squares[1] - 1))
    if shorter.squares[1] < 2 or (board.legacy and board.squares[1] % 2):
        return None
    left = set(_layout(board)) - set(_layout(shorter))
    whole = 0
    for image in images:
        ids = {int(i) for i in _markers(image, board.dictionary, board.inverted)[0]}
        if ids & left:
            return None
        whole += set(_layout(shorter)) <= ids
    return shorter.squares if whole >= 3 else None


def _other_size(board: Board, squares: tuple[int, int]) -> str:
    there = f"{squares[0]}x{squares[1]}"
    said = f"{board.squares[0]}x{board.squares[1]}"
    hint = ""
    if board.type == "chessboard" and squares == (board.squares[0] + 1, board.squares[1] + 1):
        hint = " (squares are counted, of which there is one more than inner corners)"
    return (
        f"the board seems to have {there} squares (columns x rows), not {said}: write"
        f" squares: [{squares[0]}, {squares[1]}]{hint}"
    )


def _other_markers(board: Board, images: list[Image]) -> str:
    """What to say where the markers of the board are not found: others are there, or none."""
    for name in _FAMILIES:
        for inverted in (False, True):
            found = [_markers(image, name, inverted) for image in images]
            base = replace(board, dictionary=name, inverted=inverted)
            likely, score = _best_shape(base, found)
            if score < _ENOUGH:
                continue
            fits = _smallest(name, max(_layout(likely)))
            said = f"the board's markers are of {fits}, not {board.dictionary}: write dictionary: {fits}"
            if likely.squares == board.squares:
                return said
            return f"{said} and squares: [{likely.squares[0]}, {likely.squares[1]}]"
    return (
        f"no board with markers of {board.dictionary} in {len(images)} images looked at:"
        " is the board in the picture, flat, sharp and large enough?"
    )


def _smallest(name: str, last: int) -> str:
    """The smallest dictionary of a family that has a marker of that number."""
    family = name.rsplit("_", 1)[0]
    sizes = [n for n in DICTIONARIES if n.startswith(f"{family}_") and n.rsplit("_", 1)[1].isdigit()]
    fitting = [n for n in sizes if int(n.rsplit("_", 1)[1]) > last]
    return min(fitting, key=lambda n: int(n.rsplit("_", 1)[1])) if fitting else name


def _chessboard(board: Board, images: list[Image]) -> Recognised:
    for inverted in (False, True):
        said = replace(board, inverted=inverted)
        showing = [image for image in images if np.isfinite(find(said, image)).any()]
        if showing:
            _refuse_part(said, showing[:_LOOKED_AT])
            return Recognised(said, ("the board is light on dark",) if inverted else ())
    for squares in _shapes(board.squares):
        if _shows(replace(board, squares=squares), images):
            raise BoardError(_other_size(board, squares))
    raise BoardError(
        f"no chessboard of {board} in {len(images)} images looked at: is all of it in the picture, flat,"
        " sharp, with a light rim around it? (squares are counted, not inner corners)"
    )


def _refuse_part(board: Board, images: list[Image]) -> None:
    """Refuse a board that is a part of a larger one, as OpenCV's detector finds it, too."""
    columns, rows = board.squares
    larger = [(columns + 1, rows + 1), (columns + 1, rows), (columns, rows + 1)]
    for squares in larger:
        if _shows(replace(board, squares=squares), images):
            raise BoardError(_other_size(board, squares))


def _shows(board: Board, images: list[Image]) -> bool:
    return min(board.squares) >= 4 and any(
        np.isfinite(find(board, image, thorough=False)).any() for image in images
    )
