"""Calibration boards as values: ChArUco boards and chessboards, their corners, and what was seen of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LEAST = 4  # corners; with fewer a board has no pose
_SIZES = (50, 100, 250, 1000)
DICTIONARIES = (
    *(f"DICT_{bits}X{bits}_{size}" for bits in (4, 5, 6, 7) for size in _SIZES),
    "DICT_ARUCO_ORIGINAL",
    *(f"DICT_APRILTAG_{name}" for name in ("16h5", "25h9", "36h10", "36h11")),
    "DICT_ARUCO_MIP_36h12",
)


@dataclass(frozen=True)
class Board:
    """A flat board whose inner corners are known.

    Axes of the board: x along a row, y down the columns, z into the board, origin at the outer corner of
    the first square, as in OpenCV.

    Args:
        squares: (columns, rows) of squares, counting those at the rim.
        square: edge of a square, metres.
        marker: edge of a marker, metres; None for a chessboard.
        dictionary: ArUco dictionary of the markers, a name of `DICTIONARIES`; None for a chessboard.
        type: "charuco" or "chessboard".
        legacy: whether a ChArUco board with an even number of rows begins with a marker, as those made by
            OpenCV before 4.6 do.
        inverted: whether it is printed light on dark.
    """

    squares: tuple[int, int]
    square: float
    marker: float | None = None
    dictionary: str | None = None
    type: Literal["charuco", "chessboard"] = "charuco"
    legacy: bool = False
    inverted: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """(columns, rows) of inner corners."""
        return self.squares[0] - 1, self.squares[1] - 1

    @property
    def inner(self) -> int:
        """How many inner corners there are."""
        return self.shape[0] * self.shape[1]

    @property
    def count(self) -> int:
        """How many corners there are, those of markers too, C."""
        return len(self.corners)

    @cached_property
    def corners(self) -> Array:
        """(C, 3) corners in the board's axes, metres: the inner ones row by row, then four of each marker."""
        columns, rows = self.shape
        y, x = np.mgrid[1 : rows + 1, 1 : columns + 1].reshape(2, -1)
        inner = np.stack([x, y, np.zeros_like(x)], axis=-1) * self.square
        corners = np.concatenate([inner, self._marker_corners()])
        corners.setflags(write=False)
        return corners

    def _marker_corners(self) -> Array:
        """(4 M, 3) clockwise from the top left of each marker, in the order of their numbers."""
        if self.marker is None:
            return np.zeros((0, 3))
        y, x = np.mgrid[: self.squares[1], : self.squares[0]].reshape(2, -1)
        first = self.legacy and self.squares[1] % 2 == 0  # whether the first square has a marker
        light = (x + y) % 2 == (0 if first else 1)
        around = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * self.marker / 2
        middles = (np.stack([x, y], axis=-1)[light] + 0.5) * self.square
        flat = (middles[:, None] + around).reshape(-1, 2)
        return np.concatenate([flat, np.zeros((len(flat), 1))], axis=1)

    @property
    def middle(self) -> Array:
        """(3,) the middle of the board in its axes, metres."""
        return np.array([self.squares[0], self.squares[1], 0.0]) * self.square / 2

    @property
    def orders(self) -> NDArray[np.intp]:
        """(K, C) the orders in which the corners of one sighting may really be, the one given first.

        Markers name the corners. A chessboard looks the same after half a turn unless it has an odd number of
        squares one way and an even one the other; a square one with odd numbers after each quarter turn.
        """
        columns, rows = self.shape
        if self.type == "charuco":
            return np.arange(self.count)[None]
        given = np.arange(self.count).reshape(rows, columns)
        if (columns + rows) % 2:
            turns = [0]
        elif columns == rows and columns % 2 == 0:
            turns = [0, 1, 2, 3]
        else:
            turns = [0, 2]
        return np.stack([np.rot90(given, turn).reshape(-1) for turn in turns])

    @property
    def turns(self) -> Array:
        """(K, 4, 4) the board turned as in each of `orders`: corner i of an order is turn @ corner i."""
        turns = np.tile(np.eye(4), (len(self.orders), 1, 1))
        given = self.corners - self.middle
        for turn, order in zip(turns, self.orders, strict=True):
            # Two corners that do not lie on a line with the middle tell the turn about it.
            turn[:2, :2] = np.linalg.lstsq(given[:, :2], given[order, :2], rcond=None)[0].T
            turn[:3, 3] = self.middle - turn[:3, :3] @ self.middle
        return turns

    def __str__(self) -> str:
        """Say its size, such as 5x4 squares."""
        return f"{self.squares[0]}x{self.squares[1]} squares"


@dataclass(frozen=True, eq=False)
class Sightings:
    """Where one view saw the corners of a board.

    Args:
        name: of the view.
        size: (width, height) of its images, pixels.
        times: (N,) seconds on the view's own clock, rising; for photographs 0, 1, 2, ...
        corners: (N, C, 2) pixels, NaN where unseen.
        sharpness: (N,) steepest edges of the board as a share of its contrast per pixel; NaN if unseen.
        labels: (N,) what to call each image, such as a file name or "frame 12".
    """

    name: str
    size: tuple[int, int]
    times: Array
    corners: Array
    sharpness: Array
    labels: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of images, N."""
        return len(self.times)

    @property
    def seen(self) -> NDArray[np.intp]:
        """(N,) how many corners each image shows."""
        return np.asarray(np.isfinite(self.corners).all(axis=-1).sum(axis=-1), dtype=np.intp)

    def take(self, chosen: NDArray[np.intp]) -> Sightings:
        """Return only the chosen images.

        Args:
            chosen: indices of images.
        """
        return Sightings(
            self.name,
            self.size,
            self.times[chosen],
            self.corners[chosen],
            self.sharpness[chosen],
            tuple(self.labels[i] for i in chosen),
        )
