"""Sightings of several views put on one clock, and how late each view is when nobody said so.

The board moves alike for all: at the right lag, one camera is at one place from the other in every image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import LEAST, Board, Sightings
from calibration.camera import Camera
from calibration.places.pairs import View, hypotheses, misses, spread_over, view

Array = NDArray[np.float64]

_BRIDGE = 2.5  # frames that interpolation between sightings may span
_SAME = 0.05  # of a frame: times as near as that are one
_MOST = 260  # times
_REACH = 4.0  # seconds that views are searched for each other
_ASKED, _ANSWERING = 8, 20
_AGREE, _APART = 0.15, 2.0  # squares of a good lag's miss; times by which any other lag must be worse
_LEAST_SHARED, _FEWEST = 6, 3  # images that must meet at a lag that was searched for; at no lag


@dataclass(frozen=True, eq=False)
class Lag:
    """How late one view is to another.

    Args:
        seconds: to add to the view's times; 0 where nothing better is known.
        found: whether it was searched for, and found.
        miss: squares by which boards are off at that lag, and at none.
    """

    seconds: float
    found: bool
    miss: tuple[float, float]


def on_one_clock(sightings: Sequence[Sightings], offsets: Sequence[float]) -> tuple[Array, Array]:
    """Put sightings at the times at which any view has one.

    Args:
        sightings: V views.
        offsets: (V,) seconds to add to each view's own times.

    Returns:
        times: (T,) seconds on the common clock, rising, 260 at most.
        corners: (V, T, C, 2) px, NaN unseen. A view whose images fall between those of the others is
            interpolated where it has sightings on both sides, at most 2.5 frames apart.
    """
    seen = [s.take(np.flatnonzero(s.seen >= LEAST)) for s in sightings]
    clocks = [s.times + offset for s, offset in zip(seen, offsets, strict=True)]
    frame = min((_frame(s.times) for s in sightings), default=0.0)
    every = np.sort(np.concatenate(clocks))
    times = every[np.concatenate([[True], np.diff(every) > _SAME * frame])] if len(every) else every
    times = times[spread_over(np.arange(len(times)), _MOST)]
    sampled = [
        _at(times, c, s.corners, _frame(o.times)) for c, s, o in zip(clocks, seen, sightings, strict=True)
    ]
    return times, np.stack(sampled)


def _frame(times: Array) -> float:
    """Time between neighbouring images of those that were looked at, seconds."""
    return float(np.min(np.diff(times))) if len(times) > 1 else 1.0


def _at(times: Array, clock: Array, corners: Array, frame: float) -> Array:
    """(T, C, 2) corners at other times."""
    out = np.full((len(times), *corners.shape[1:]), np.nan)
    if not len(clock):
        return out
    after = np.clip(np.searchsorted(clock, times), 0, len(clock) - 1)
    before = np.maximum(after - 1, 0)
    for side in (before, after):
        near = np.abs(clock[side] - times) <= _SAME * frame
        out[near] = corners[side[near]]
    gap = clock[after] - clock[before]
    if _in_phase(times, clock, frame):
        return out
    between = np.isnan(out).all(axis=(1, 2)) & (clock[before] < times) & (times < clock[after])
    between &= gap <= _BRIDGE * frame
    share = ((times - clock[before]) / np.where(gap > 0, gap, 1.0))[:, None, None]
    mixed = (1 - share) * corners[before] + share * corners[after]
    out[between] = mixed[between]
    return out


def _in_phase(times: Array, clock: Array, frame: float) -> bool:
    """Whether the times are those of a view's images, seen or not: then nothing lies between them."""
    phase = np.abs((times - clock[0]) / frame - np.round((times - clock[0]) / frame))
    return bool(np.percentile(phase, 90) < 2 * _SAME)


def find_lags(cameras: Sequence[Camera], sightings: Sequence[Sightings], board: Board) -> list[Lag]:
    """Find how late each view is to the first, from the board's motion.

    Args:
        cameras: (V,) their lenses.
        sightings: of the views.
        board: that was seen.

    Returns:
        (V,) lags; 0 where the views agree as they are, or where it cannot be told.
    """
    views, clocks = [], []
    for camera, seen in zip(cameras, sightings, strict=True):
        some = seen.take(np.flatnonzero(seen.seen >= LEAST))
        views.append(view(camera, some.corners, board, refine=False))
        clocks.append(some.times)
    frame = max(_frame(s.times) for s in sightings)
    pairs = list(combinations(range(len(views)), 2))
    edges = {(a, b): _no_lag(views[a], views[b], clocks[a], clocks[b], frame, board) for a, b in pairs}
    if not _connected(edges, len(views)):  # else what agrees as it is tells of the others, too
        for a, b in pairs:
            if edges[a, b][1] < _FEWEST:
                edges[a, b] = _pair_lag(views[a], views[b], clocks[a], clocks[b], frame, board)
    return _chained(edges, len(views))


def _no_lag(a: View, b: View, times_a: Array, times_b: Array, frame: float, board: Board) -> tuple[Lag, int]:
    """No lag, and in how many images two views meet if they agree as they are, else 0."""
    miss, count = _miss(a, b, times_a, times_b, 0.0, frame, board)
    return Lag(0.0, False, (miss, miss)), count if miss < _AGREE else 0


def _connected(edges: dict[tuple[int, int], tuple[Lag, int]], views: int) -> bool:
    group = {0}
    for _ in range(views):
        group |= {v for (i, j), (_, n) in edges.items() if n >= _FEWEST and {i, j} & group for v in (i, j)}
    return len(group) == views


def _pair_lag(
    a: View, b: View, times_a: Array, times_b: Array, frame: float, board: Board
) -> tuple[Lag, int]:
    """The lag of b to a, and in how many images they meet at it."""
    miss, _ = _miss(a, b, times_a, times_b, 0.0, frame, board)
    nothing = Lag(0.0, False, (miss, miss))
    lags = np.arange(-round(_REACH / frame), round(_REACH / frame) + 1) * frame
    tried = [_miss(a, b, times_a, times_b, lag, frame, board) for lag in lags]
    cost = np.array([m if n >= _LEAST_SHARED else np.inf for m, n in tried])
    best = int(np.argmin(cost))
    away = cost[np.abs(lags - lags[best]) > 4 * frame]
    clear = cost[best] < _AGREE and float(np.min(away, initial=np.inf)) > _APART * cost[best]
    return (
        (Lag(float(lags[best]), True, (float(cost[best]), miss)), tried[best][1]) if clear else (nothing, 0)
    )


def _miss(
    a: View, b: View, times_a: Array, times_b: Array, lag: float, frame: float, board: Board
) -> tuple[float, int]:
    """Median miss in squares if b's times are late by a lag, and in how many images both see the board."""
    if not len(times_a) or not len(times_b):
        return np.inf, 0
    nearest = _nearest(times_b + lag, times_a)
    both = np.flatnonzero(np.abs(times_b[nearest] + lag - times_a) <= 0.55 * frame)
    if len(both) < _FEWEST:
        return np.inf, len(both)
    first, second = _only(a, both), _only(b, nearest[both])
    everyone = np.arange(len(both))
    guesses = hypotheses(first, second, spread_over(everyone, _ASKED), board)
    miss = misses(first, second, spread_over(everyone, _ANSWERING), guesses, board)
    return float(np.min(np.mean(np.minimum(miss, 1.0), axis=1))), len(both)


def _nearest(those: Array, times: Array) -> NDArray[np.intp]:
    """For each time the index of the nearest of those, which rise."""
    after = np.minimum(np.searchsorted(those, times), len(those) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(np.abs(those[before] - times) < np.abs(those[after] - times), before, after).astype(
        np.intp
    )


def _only(view: View, chosen: NDArray[np.intp]) -> View:
    return View(view.camera, view.corners[chosen], view.flat[chosen], view.poses[chosen])


def _chained(edges: dict[tuple[int, int], tuple[Lag, int]], views: int) -> list[Lag]:
    """Lags to the first view, along the pairs that meet most often."""
    lags = {0: Lag(0.0, False, (0.0, 0.0))}
    while len(lags) < views:
        open_ = [(n, i, j) for (i, j), (_, n) in edges.items() if (i in lags) != (j in lags)]
        _, i, j = max(open_, key=lambda edge: (edge[0], -edge[1], -edge[2]))
        lag, known, new, sign = edges[i, j][0], *((i, j, 1.0) if i in lags else (j, i, -1.0))
        total = lags[known].seconds + sign * lag.seconds
        lags[new] = Lag(total, lag.found or lags[known].found, lag.miss)
    return [lags[v] for v in range(views)]
