"""The keys that one curve needs: as few as keep every frame between within a bound.

First every stretch between keys that breaks the bound is parted at its worst frame, until none does (D.
Douglas and T. Peucker, 1973). Then keys are left out again wherever both their neighbours alone keep the
bound. Both work on all stretches of the clip at once.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rigs.cleanup.keyed import Between
from rigs.quat import FloatArray

GRID = 16  # frames between the keys that the search begins with
BoolArray = NDArray[np.bool_]


def fewest_keys(frames: int, error: Callable[[Between], FloatArray], bound: float) -> BoolArray:
    """Return keys (T,), the first and the last frame among them, between which the error is within the bound.

    Args:
        frames: T.
        error: tells of frames (N,) between keys how far off they are, (N,).
        bound: on that error.
    """
    keys = np.zeros(frames, bool)
    keys[[0, -1]] = True
    if not _part(keys, error, bound, once=True):
        return keys
    keys[::GRID] = True
    while _part(keys, error, bound):
        pass
    _thin(keys, error, bound)
    return keys


def _part(keys: BoolArray, error: Callable[[Between], FloatArray], bound: float, once: bool = False) -> bool:
    """Set a key at the worst frame of every stretch that breaks the bound; False where none does."""
    open_frames = ~keys
    parted = False
    while open_frames.any():
        between = Between.of(keys).at(open_frames)
        off = error(between)
        first = np.flatnonzero(np.diff(between.before, prepend=-1))
        worst = np.maximum.reduceat(off, first)
        if once or not (worst > bound).any():
            return bool((worst > bound).any())
        parted = True
        stretch = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(off))))
        at_worst = off == worst[stretch]
        keys[between.frame[at_worst & (worst > bound)[stretch]]] = True
        open_frames[between.frame[(worst <= bound)[stretch]]] = False
        open_frames &= ~keys
    return parted


def _thin(keys: BoolArray, error: Callable[[Between], FloatArray], bound: float) -> None:
    """Leave out keys whose neighbours do without them, every second one at a time, until all are needed."""
    tried = np.zeros((len(keys), 2), np.int64)  # the neighbours with which each key was found to be needed
    while True:
        removed = 0
        for parity in (1, 2):
            at = np.flatnonzero(keys)
            inner = np.arange(parity, len(at) - 1, 2)
            around = np.stack([at[inner - 1], at[inner + 1]], axis=1)
            fresh = (tried[at[inner]] != around).any(axis=1)
            inner, around = inner[fresh], around[fresh]
            if not len(inner):
                continue
            fits = error(_inside(around, at[inner])) <= bound  # there it is mostly worst, and quickly seen
            fits[fits] = _fits(around[fits], error, bound)
            tried[at[inner]] = around
            keys[at[inner[fits]]] = False
            removed += int(fits.sum())
        if not removed:
            return


def _fits(around: NDArray[np.int64], error: Callable[[Between], FloatArray], bound: float) -> BoolArray:
    """Whether each of the stretches (K, 2), from key to key, keeps the bound in every frame between (K,)."""
    if not len(around):
        return np.zeros(0, bool)
    counts = around[:, 1] - around[:, 0] - 1
    first = np.cumsum(counts) - counts
    frame = np.arange(counts.sum()) + np.repeat(around[:, 0] + 1 - first, counts)
    off = error(_inside(np.repeat(around, counts, axis=0), frame))
    return np.asarray(np.maximum.reduceat(off, first) <= bound)


def _inside(around: NDArray[np.int64], frame: NDArray[np.int64]) -> Between:
    """Return frames (N,) within stretches (N, 2)."""
    before, after = around.T
    return Between(frame, before, after, (frame - before) / (after - before))
