"""The fields that describe a board, in a views file or on the command line, checked."""

from __future__ import annotations

import difflib
from typing import Literal

from calibration.boards.board import DICTIONARIES, Board
from mocap.errors import ConfigError

# OpenCV finds chessboards of 3x3 inner corners and more.
_LEAST = {"charuco": 2, "chessboard": 4}


class BoardFieldError(ConfigError):
    """A field of a board is wrong; `field` is its name, and the message does not repeat it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def checked_board(
    type: Literal["charuco", "chessboard"],
    squares: tuple[int, int],
    square: float,
    marker: float | None = None,
    dictionary: str | None = None,
) -> Board:
    """Make a board of its fields.

    Args:
        type: of board.
        squares: (columns, rows) of squares, those at the rim too.
        square: edge of a square, metres.
        marker: edge of a marker, metres; for a ChArUco board.
        dictionary: ArUco dictionary; for a ChArUco board.

    Raises:
        BoardFieldError: a field is missing, superfluous or implausible.
    """
    if min(squares) < _LEAST[type]:
        least = f"must be [columns, rows] of at least {_LEAST[type]}, not {list(squares)}"
        raise BoardFieldError("squares", least)
    _check_edge("square", square)
    if type == "charuco":
        return Board(squares, square, _checked_marker(square, marker), _checked_dictionary(dictionary))
    for field, value in (("marker", marker), ("dictionary", dictionary)):
        if value is not None:
            raise BoardFieldError(field, "a chessboard has no markers: leave it out, or take charuco")
    return Board(squares, square, type="chessboard")


def _check_edge(field: str, edge: float) -> None:
    if not 0 < edge < 5:
        raise BoardFieldError(field, f"must be the edge in metres, between 0 and 5, not {edge:g}")


def _checked_marker(square: float, marker: float | None) -> float:
    if marker is None:
        raise BoardFieldError("marker", "missing; a charuco board needs marker and dictionary")
    _check_edge("marker", marker)
    if marker >= square:
        raise BoardFieldError("marker", f"{marker:g} m is not smaller than the square, {square:g} m")
    return marker


def _checked_dictionary(name: str | None) -> str:
    if name is None:
        raise BoardFieldError("dictionary", "missing; a charuco board needs marker and dictionary")
    if name not in DICTIONARIES:
        near = difflib.get_close_matches(name.upper(), DICTIONARIES, 1, 0.3)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(DICTIONARIES)}"
        raise BoardFieldError("dictionary", f"unknown dictionary {name!r}; {hint}")
    return name
