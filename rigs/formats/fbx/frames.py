"""The frames of an FBX animation: which times they are, between its first key and its last."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rigs.formats.fbx.animation import Curves
from rigs.formats.fbx.curves import Curve
from rigs.formats.fbx.records import Damage
from rigs.formats.fbx.time import TICKS

_MOST_POSES = 2_000_000  # frames times nodes, of all skeletons; and two for each key


def frames_of(
    curves: Curves, span: tuple[int, int], rate: Fraction, nodes: int, others: int
) -> tuple[int, NDArray[np.int64]]:
    """Return the first frame with a key, counted from where the animation begins, and all ticks (T,).

    Args:
        curves: what moves a skeleton; without any there is one frame.
        span: first and last tick of the animation; keys outside it do not count.
        rate: frames per second.
        nodes: how many nodes stand in every frame.
        others: how many more skeletons the file has.

    Raises:
        Damage: more frames than so few keys can be meant for, and than memory holds.
    """
    times = [axis.times for axes in curves.values() for axis in axes if isinstance(axis, Curve)]
    if not times:
        return 0, np.zeros(1, np.int64)
    start, stop, begin = min(int(t[0]) for t in times), max(int(t[-1]) for t in times), 0
    if span[0] < span[1] and span[0] <= stop and start <= span[1]:
        begin, stop = span[0], min(stop, span[1])
        start = min(_start(times, start, begin, int(TICKS / rate)), stop)
    count = round((stop - start) * rate / TICKS) + 1
    if count * nodes > _MOST_POSES // (others + 1) + 2 * sum(map(len, times)):
        raise Damage(f"its animation has {count} frames and few keys")
    first = round((start - begin) * rate / TICKS)
    if abs(start - begin - first * TICKS / rate) > 1:  # keys between frames make frames of their own
        return first, start + _ticks(0, count, rate)
    return first, begin + _ticks(first, count, rate)


def _ticks(first: int, count: int, rate: Fraction) -> NDArray[np.int64]:
    """Return the ticks of frames; a float alone would not hold those of long clips exactly."""
    frames = np.arange(first, first + count, dtype=np.int64)
    whole, part = divmod(Fraction(TICKS) / rate, 1)
    return frames * int(whole) + np.rint(frames * float(part)).astype(np.int64)


def _start(times: list[NDArray[np.int64]], first: int, begin: int, frame: int) -> int:
    """Return the tick of the first key, or, where it lies before the animation begins, of the first frame."""
    if first >= begin:
        return first
    inside = [int(t[k]) for t in times for k in [np.searchsorted(t, begin)] if k < len(t)]
    return min([key for key in inside if key - begin < frame], default=begin)
