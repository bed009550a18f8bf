"""What heat maps say: where each point is, how far it may be off and which way, and where else it may be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Indices = NDArray[np.intp]

CELL = 4  # pixels of the crop in a cell of a map
NEAR = 3  # cells about the likeliest one whose mean is the place
# How far a place may be off along either axis of the scatter of the likelihood, crop pixels, at that scatter:
# measured, before all points are heard together (see `docs/centres.md`).
SLOPE, LESS, LEAST = 0.74, 1.3, 0.9
HALF = 32  # cells from a crop's edge to its middle
FAR = 100.0  # pixels from the image's edge from which on it does not matter
TINY = 1e-4  # likelihood that is none
ANYWHERE = 0.1  # how likely a point is far from where it is expected, of what is likely there


@dataclass(frozen=True, eq=False)
class Reading:
    """Heat maps of K points, read.

    Attributes:
        cells: (K,) the likeliest cell of each, row by row; other_cells: the likeliest that is not near it.
        places: (K, 2) cells, x and y: the mean about the likeliest one (an integral as by Sun et al. 2018,
            kept near the peak).
        scatter: (K, 3) xx, yy and xy of all the likelihood about the place, wherever it lies, cells squared.
        near: (K, 3) the same of the likelihood near the place.
        share: (K,) of the likelihood that is near; other_share: near the other cell.
        other: (K, 2) cells from the place to the other cell.
    """

    cells: Indices
    other_cells: Indices
    places: Floats
    scatter: Floats
    near: Floats
    share: Floats
    other_share: Floats
    other: Floats

    def points(self) -> Floats:
        """(K, 2) the places in pixels of the crop."""
        return self.places * CELL + (CELL - 1) / 2

    def ellipses(self) -> Floats:
        """(K, 3) xx, yy and xy of the logarithm of how far each may be off, pixels, as a matrix."""
        matrix = self.scatter[:, [0, 2, 2, 1]].reshape(-1, 2, 2)
        variance, axes = np.linalg.eigh(matrix)
        sizes = np.log(np.maximum(SLOPE * CELL * np.sqrt(np.maximum(variance, 0)) - LESS, LEAST))
        out = (axes * sizes[:, None]) @ axes.transpose(0, 2, 1)
        return np.stack([out[:, 0, 0], out[:, 1, 1], out[:, 0, 1]], axis=1)

    def numbers(self, edges: Floats) -> Singles:
        """(K, N) all of that as numbers of the size of 1, for a network that hears all points together.

        Args:
            edges: (E, 3) lines at which the camera's image ends: a x + b y + c, pixels, is positive beyond.
        """
        xx, yy, xy = np.maximum(self.near, (0.05, 0.05, -np.inf)).T
        lengthy = xy / np.sqrt(np.maximum(self.near[:, 0] * self.near[:, 1], 0.01))
        beyond = (self.points() @ edges[:, :2].T + edges[:, 2]).max(axis=1)
        columns = (
            self.places / HALF - 1,
            self.ellipses() / 2,
            np.stack([np.log(xx), np.log(yy), lengthy], axis=1) / 2,
            self.share,
            self.other / 10,
            np.log(np.maximum(self.other_share, TINY)) / 4,
            np.clip(beyond, -FAR, 0) / (FAR / 2) + 1,
        )
        return np.column_stack(columns).astype(np.float32)


def read_maps(logits: Singles) -> Reading:
    """Read heat maps (K, H, W) of logits."""
    count, rows, columns = logits.shape
    flat = logits.reshape(count, -1)
    share = np.exp(flat - flat.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    cells, grid = flat.argmax(axis=1), share.reshape(count, rows, columns)
    near = _Window.about(cells, rows, columns)
    local = near.of(grid)
    total = np.maximum(local.sum(axis=(1, 2)), 1e-9).astype(float)
    places = np.stack([(local * near.x).sum(axis=(1, 2)), (local * near.y).sum(axis=(1, 2))], axis=1)
    places = places / total[:, None]
    scatter = _scatter(grid, np.arange(columns), np.arange(rows), places)
    near_scatter = _scatter(local, near.x[:, 0], near.y[..., 0], places) / total[:, None]
    near.clear(grid)
    others = share.argmax(axis=1)
    other_y, other_x = np.divmod(others, columns)
    other_share = _Window.about(others, rows, columns).of(grid).sum(axis=(1, 2)).astype(float)
    other = np.stack([other_x, other_y], axis=1) - places
    return Reading(cells, others, places, scatter, near_scatter, total, other_share, other)


def weighed(logits: Singles, expected: Floats) -> Singles:
    """Heat maps (K, H, W) of logits, weighed by where points were expected before anything was seen.

    A picture often leaves it open which of two legs is the left one: then what is expected decides.

    Args:
        logits: (K, H, W).
        expected: (K, 3) x, y and by how much it may be elsewhere, pixels of the crop; NaN = anywhere.
    """
    _, rows, columns = logits.shape
    known = np.isfinite(expected).all(axis=1)
    cells = (expected[known, :2] - (CELL - 1) / 2) / CELL
    x, y = np.clip(cells, -1, (columns, rows)).T[..., None]
    away_x, away_y = (np.arange(columns) - x) ** 2, (np.arange(rows) - y) ** 2
    away = (away_x[:, None, :] + away_y[:, :, None]) / (expected[known, 2] / CELL)[:, None, None] ** 2
    out = logits.copy()
    out[known] += np.log(np.exp(-0.5 * away) + ANYWHERE).astype(np.float32)
    return out


@dataclass(frozen=True, eq=False)
class _Window:
    """Squares of cells in K maps: x (K, 1, S) and y (K, S, 1), and which of the S by S are on the map."""

    x: Indices
    y: Indices
    there: NDArray[np.bool_]

    @classmethod
    def about(cls, cells: Indices, rows: int, columns: int) -> _Window:
        y, x = np.divmod(cells[:, None], columns)
        reach = np.arange(-NEAR, NEAR + 1)
        x, y = (x + reach)[:, None, :], (y + reach)[:, :, None]
        there = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        return cls(x.clip(0, columns - 1), y.clip(0, rows - 1), there)

    def of(self, grid: Singles) -> Singles:
        """(K, S, S) of maps (K, H, W), 0 off the map."""
        return np.where(self.there, grid[self._maps, self.y, self.x], np.float32(0))

    def clear(self, grid: Singles) -> None:
        """Set the squares of the maps to 0."""
        grid[self._maps, self.y, self.x] = 0

    @property
    def _maps(self) -> Indices:
        return np.arange(len(self.x))[:, None, None]


def _scatter(grid: Singles, x: Indices, y: Indices, places: Floats) -> Floats:
    """xx, yy and xy (K, 3) of maps (K, H, W), whose cells are x and y, about places (K, 2), cells squared."""
    off_x, off_y = x - places[:, :1], y - places[:, 1:]
    xx, yy = (grid.sum(axis=1) * off_x**2).sum(axis=1), (grid.sum(axis=2) * off_y**2).sum(axis=1)
    xy = ((grid @ off_x[:, :, None].astype(np.float32))[..., 0] * off_y).sum(axis=1)
    return np.stack([xx, yy, xy], axis=1).astype(float)
