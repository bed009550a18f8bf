"""Boards in the videos of all views, or in folders of images."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board, Sightings
from calibration.boards.guess import recognise
from mocap.boardsearch import Film, Search
from mocap.progress import Progress, Quiet

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

_COARSE = 60  # frames of each video looked at first, evenly spread
# More of each, evenly among those near which it and another view see the board, and where it alone does: that
# is near the camera, where the lens shows.
_SHARED, _ALONE = 140, 40
_PHOTOGRAPHS = 300  # of a folder

__all__ = ["Film", "Found", "find_boards"]


@dataclass(frozen=True)
class Found:
    """What was found.

    Args:
        board: the board as it is.
        sightings: of each film; images without a board are among them.
        notes: what is worth saying.
    """

    board: Board
    sightings: tuple[Sightings, ...]
    notes: tuple[str, ...]


def find_boards(films: Sequence[Film], board: Board, *, progress: Progress | None = None) -> Found:
    """Find the board in every film: in a few frames, then in more near those in which it was.

    Args:
        films: at least one.
        board: as the user said it is.
        progress: told of each image that is looked at.

    Raises:
        calibration.CalibrationError: another board is there, or none.
        MocapError: a video or image cannot be read.
    """
    following, searches = progress or Quiet(), [Search(film) for film in films]
    first = [_evenly(s.length, _COARSE if s.is_video else _PHOTOGRAPHS) for s in searches]
    following.start(None)
    try:
        _at_once([partial(s.look, board, some, following) for s, some in zip(searches, first, strict=True)])
        told, notes = _recognised(board, searches)
        if told != board:
            _at_once([partial(s.again, told, following) for s in searches])
        _at_once([partial(s.look, told, more, following) for s, more in _worth_looking(searches)])
    finally:
        following.done()
    return Found(told, tuple(s.sightings(told) for s in searches), notes)


def _recognised(board: Board, searches: list[Search]) -> tuple[Board, tuple[str, ...]]:
    told = recognise(board, [image for s in searches for image in s.samples])
    return told.board, told.notes


def _worth_looking(searches: list[Search]) -> list[tuple[Search, Indices]]:
    """Frames of each film near those in which it saw the board, those that another film shared above all.

    All films leave out the same frames in time, so that what they look at stays together.
    """
    when = [s.when() for s in searches]
    films = [s if s.is_video and len(w) else None for s, w in zip(searches, when, strict=True)]
    split = [_split(s, when, i) for i, s in enumerate(films) if s is not None]
    step = max((-(-len(both) // _SHARED) for both, _ in split), default=1)
    worth = []
    for search, (both, alone) in zip((s for s in films if s is not None), split, strict=True):
        first = round(search.film.offset / search.frame())
        kept = both[(both + first) % max(step, 1) == 0]
        worth.append((search, np.sort(np.concatenate([kept, alone[_evenly(len(alone), _ALONE)]]))))
    return worth


def _split(search: Search, when: list[Floats], own: int) -> tuple[Indices, Indices]:
    """Frames near those in which a film and another saw the board, and it alone."""
    others = np.sort(np.concatenate([np.zeros(0), *(t for j, t in enumerate(when) if j != own)]))
    clock = search.clock()
    reach = 1.5 * search.frame() * max(1, -(-search.length // _COARSE))
    mine, shared = _near(clock, when[own], reach), _near(clock, others, reach)
    return np.flatnonzero(mine & shared), np.flatnonzero(mine & ~shared)


def _near(times: Floats, those: Floats, reach: float) -> NDArray[np.bool_]:
    """(N,) which times are within reach of some of those, which rise."""
    if not len(those):
        return np.zeros(len(times), dtype=bool)
    after = np.minimum(np.searchsorted(those, times), len(those) - 1)
    before = np.maximum(after - 1, 0)
    return np.asarray(np.minimum(np.abs(those[after] - times), np.abs(those[before] - times)) <= reach)


def _evenly(count: int, most: int) -> Indices:
    """At most so many of the indices 0 to count - 1, in equal steps."""
    return np.arange(0, count, max(1, -(-count // most)), dtype=np.intp)


def _at_once(tasks: Sequence[Callable[[threading.Event], None]]) -> None:
    """Do all in threads (decoding and OpenCV leave Python free); the first error stops the others."""
    stop = threading.Event()
    with ThreadPoolExecutor(max(1, len(tasks))) as pool:
        running = [pool.submit(task, stop) for task in tasks]
        try:
            for each in running:
                each.result()
        except BaseException:
            stop.set()
            raise
