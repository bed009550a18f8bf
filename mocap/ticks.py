"""A common clock for views that differ in rate and offset: for each tick the frame that is nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocap.keypoints import Keypoints2D

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

RATE = 30.0  # ticks a second at most: people do not change places faster
NEAR = 0.75  # of the time between two frames, within which the nearest one counts


@dataclass(frozen=True, eq=False)
class Ticks:
    """T ticks of a clock and V views.

    Args:
        times: (T,) s.
        frames: (V, T) the nearest frame of each view, -1 where there is none.
        ticks: for each view (F,) the nearest tick of each of its frames.
    """

    times: Floats
    frames: Indices
    ticks: tuple[Indices, ...]

    @property
    def step(self) -> float:
        """Seconds from tick to tick."""
        return float(self.times[1] - self.times[0]) if len(self.times) > 1 else 1 / RATE

    def of_view(self, view: int) -> tuple[Indices, Indices]:
        """Ticks (N,) at which a view has a frame, and which (N,)."""
        there = np.flatnonzero(self.frames[view] >= 0)
        return there, self.frames[view, there]


def common_ticks(views: Sequence[Keypoints2D], offsets: Sequence[float]) -> Ticks:
    """Ticks from the first frame of any view to the last.

    Args:
        views: V detections.
        offsets: seconds to add to each view's own times.
    """
    own = [seen.times + offset for seen, offset in zip(views, offsets, strict=True)]
    steps = [float(np.median(np.diff(t))) if len(t) > 1 else 1 / RATE for t in own]
    step = max(min(steps), 1 / RATE)
    start, stop = min(t[0] for t in own), max(t[-1] for t in own)
    times = start + step * np.arange(int(np.floor((stop - start) / step + 0.5)) + 1)
    frames = np.stack([_nearest(t, times, s) for t, s in zip(own, steps, strict=True)])
    ticks = [np.rint((t - start) / step).astype(np.intp).clip(0, len(times) - 1) for t in own]
    return Ticks(times, frames, tuple(ticks))


def _nearest(own: Floats, times: Floats, step: float) -> Indices:
    after = np.clip(np.searchsorted(own, times), 1 if len(own) > 1 else 0, len(own) - 1)
    before = np.maximum(after - 1, 0)
    best = np.where(np.abs(own[before] - times) <= np.abs(own[after] - times), before, after)
    return np.asarray(np.where(np.abs(own[best] - times) <= NEAR * step, best, -1), dtype=np.intp)
