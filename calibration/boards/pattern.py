"""What is black on a ChArUco board or a chessboard."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import DICTIONARIES
from calibration.errors import BoardError

Box = tuple[float, float, float, float]

KINDS = ("charuco", "chessboard")
# Columns and rows. Odd and even for a chessboard, so that it cannot be taken upside down.
SQUARES = {"charuco": (5, 7), "chessboard": (6, 9)}
MARKER = 0.75  # of the square: an eighth of a square of white on each side keeps the corners clear
_LARGEST = 5.0  # metres, of a square


@dataclass(frozen=True)
class Pattern:
    """What is printed on a board, checked.

    Args:
        kind: "charuco" or "chessboard".
        squares: (columns, rows).
        square: edge of a square, metres.
        marker: edge of a marker, metres; None for a chessboard.
        dictionary: a name of `calibration.boards.board.DICTIONARIES`, in small letters and without DICT_ too;
            None for a chessboard.

    Raises:
        BoardError: there can be no such board; says what would do.
    """

    kind: str
    squares: tuple[int, int]
    square: float
    marker: float | None = None
    dictionary: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if self.kind not in KINDS:
            raise BoardError(f"board: type: must be {' or '.join(KINDS)}, not {self.kind!r}")
        if min(self.squares) < 3:
            raise BoardError(f"board: squares: must be at least 3x3, not {self.squares[0]}x{self.squares[1]}")
        _check_edge("square", self.square)
        if self.kind == "chessboard":
            if self.marker is not None or self.dictionary is not None:
                raise BoardError("board: a chessboard has no markers: leave out marker and dictionary")
            return
        if self.marker is None or self.dictionary is None:
            raise BoardError("board: a ChArUco board needs the edge of its markers and a dictionary")
        object.__setattr__(self, "dictionary", _checked_dictionary(self.dictionary, self.markers))
        self._check_marker(self.marker)

    def _check_marker(self, marker: float) -> None:
        _check_edge("marker", marker)
        if marker >= self.square:
            raise BoardError(
                f"board: marker: {in_mm(marker)} mm is not smaller than the square, {in_mm(self.square)} mm;"
                f" {in_mm(default_marker(self.square))} mm would do"
            )

    @property
    def markers(self) -> int:
        """How many squares are white: each holds a marker on a ChArUco board."""
        return self.squares[0] * self.squares[1] // 2

    @property
    def size(self) -> tuple[float, float]:
        """(width, height) of the board, mm."""
        return self.squares[0] * self.square * 1000, self.squares[1] * self.square * 1000

    @property
    def symmetric(self) -> bool:
        """Whether it looks the same upside down, so that its corners cannot be told one from another."""
        return self.kind == "chessboard" and sum(self.squares) % 2 == 0

    def words(self) -> str:
        """Say what board it is, in a line."""
        columns, rows = self.squares
        what = f"{columns} x {rows} squares of {in_mm(self.square)} mm"
        if self.marker is None:
            return f"Chessboard, {what}"
        return f"ChArUco board, {what}, markers of {in_mm(self.marker)} mm, {self.dictionary}"

    def entry(self) -> str:
        """The line for the views file, YAML, metres."""
        fields = [f"type: {self.kind}", f"squares: [{self.squares[0]}, {self.squares[1]}]"]
        fields.append(f"square: {self.square:.9g}")
        if self.marker is not None:
            fields += [f"marker: {self.marker:.9g}", f"dictionary: {self.dictionary}"]
        return f"board: {{{', '.join(fields)}}}"


def default_dictionary(squares: tuple[int, int]) -> str:
    """Name the smallest dictionary of 4x4 bits, whose bits are the largest, with enough markers."""
    needed = squares[0] * squares[1] // 2
    return next((f"DICT_4X4_{n}" for n in (50, 100, 250) if n >= needed), "DICT_4X4_1000")


def default_marker(square: float) -> float:
    """Three quarters of the square (m), in half millimetres where those are fine enough."""
    marker = MARKER * square
    return math.floor(marker * 2000) / 2000 if square >= 0.01 else marker


def black_boxes(pattern: Pattern) -> list[Box]:
    """What is black on a board: (x, y, width, height) in mm from its top left corner, x right, y down.

    The top left square is black and markers stand row by row in the white ones, as in
    cv2.aruco.CharucoBoard since OpenCV 4.6 (not its "legacy" pattern).
    """
    columns, rows = pattern.squares
    edge = pattern.square * 1000
    places = [(column, row) for row in range(rows) for column in range(columns)]
    boxes = [(c * edge, r * edge, edge, edge) for c, r in places if (c + r) % 2 == 0]
    if pattern.marker is None:
        return boxes
    white = [(c * edge, r * edge) for c, r in places if (c + r) % 2]
    marker, gap = pattern.marker * 1000, (pattern.square - pattern.marker) * 500
    for bits, (x, y) in zip(_marker_bits(str(pattern.dictionary), len(white)), white, strict=True):
        bit = marker / len(bits)
        boxes += [(x + gap + a * bit, y + gap + b * bit, n * bit, bit) for a, b, n in _runs(bits)]
    return boxes


def _marker_bits(dictionary: str, count: int) -> list[NDArray[np.bool_]]:
    """Which cells of the first markers are black, border included, row by row."""
    import cv2

    found = _dictionary(dictionary)
    side = found.markerSize + 2
    return [cv2.aruco.generateImageMarker(found, marker, side) == 0 for marker in range(count)]


def _runs(bits: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """(column, row, length) of the black runs in every row."""
    runs = []
    for row, line in enumerate(bits):
        edges = np.flatnonzero(np.diff(np.pad(line.astype(np.int8), 1)))
        runs += [(int(a), row, int(b - a)) for a, b in edges.reshape(-1, 2)]
    return runs


def _dictionary(name: str) -> Any:
    import cv2

    return cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, name))


def _checked_dictionary(name: str, needed: int) -> str:
    """OpenCV's spelling of the name of a dictionary with enough markers."""
    asked = name.upper() if name.upper().startswith("DICT_") else f"DICT_{name.upper()}"
    found = next((spelt for spelt in DICTIONARIES if spelt.upper() == asked), None)
    if found is None:
        near = difflib.get_close_matches(asked, DICTIONARIES, 3, 0.0)
        raise BoardError(f"board: dictionary: OpenCV has no {name!r}; close to it are {', '.join(near)}")
    held = len(_dictionary(found).bytesList)
    if needed > held:
        raise BoardError(
            f"board: dictionary: the board needs {needed} markers and {found} holds {held};"
            " take a larger dictionary or fewer squares"
        )
    return found


def _check_edge(field: str, edge: float) -> None:
    if not 0.0005 <= edge <= _LARGEST:
        raise BoardError(
            f"board: {field}: must be an edge between 0.5 and {_LARGEST * 1000:g} mm, not {in_mm(edge)} mm"
        )


def in_mm(metres: float) -> str:
    """Millimetres of a length in metres, to read."""
    return f"{metres * 1000:.6g}"
