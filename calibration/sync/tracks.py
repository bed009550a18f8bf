"""Landmarks of one view over its own time, read between frames without favouring any phase."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Width of the kernel, in frames of the view. Reading between two frames then averages over as many frames as
# reading at one (noise gain 0.357 and 0.354): plain interpolation halves the noise midway and so draws every
# answer to half a frame.
KERNEL = 0.8
_REACH = 3  # frames either side; the kernel is 1e-3 there
_NEAREST = 0.75  # frames: what has no detection this near is unknown, so that gaps are not bridged
_FINER = 3  # points of the grid a frame; between them a line differs from the kernel by 2 % of its bend
_CHUNK = 4096
_FEWEST = 8  # frames, below which there is no motion to compare


@dataclass(frozen=True, eq=False)
class Track:
    """One body's landmarks as one view saw them.

    Args:
        times: (T,) seconds of the view's own clock, increasing.
        image: (T, J, 2) undistorted normalised image coordinates x/z, y/z; NaN = not seen.
        weight: (T, J) what each counts, 0 to 1, such as the detector's confidence.
        sd: typical scatter of a landmark, in the same units as `image`.
        shape: (T, J, 3) a detector's guess of the landmarks in space, metres, in axes that are fixed to the
            camera, about any origin; or None.
        shape_sd: typical scatter of that, metres.
        others: tracks of other bodies in the same view, on the same clock; nobody needs to say which of them
            is which in another view.
    """

    times: Array
    image: Array
    weight: Array
    sd: float
    shape: Array | None = None
    shape_sd: float = 0.1
    others: tuple[Track, ...] = ()

    @property
    def frame(self) -> float:
        """Seconds from one frame to the next (median)."""
        return float(np.median(np.diff(self.times))) if len(self.times) > 1 else np.inf

    @property
    def duration(self) -> float:
        """Seconds from the first frame to the last."""
        return float(self.times[-1] - self.times[0]) if len(self.times) else 0.0

    def values(self) -> Array:
        """(T, J, 2 or 5) image and guessed shape."""
        return self.image if self.shape is None else np.concatenate([self.image, self.shape], axis=-1)

    def seen(self) -> NDArray[np.bool_]:
        """(T, J) which landmarks are there."""
        return np.asarray(np.isfinite(self.values()).all(axis=-1) & (self.weight > 0))

    def bodies(self) -> list[Track]:
        """The tracks of this view in which there is anything to compare."""
        return [track for track in (self, *self.others) if track.usable()]

    def usable(self) -> bool:
        """Whether there is anything to compare: some frames with somebody in them."""
        return bool((self.seen().any(axis=1).sum() >= _FEWEST) and np.isfinite(self.sd) and self.sd > 0)


@dataclass(frozen=True, eq=False)
class Smooth:
    """A track, smoothed by local linear regression on a fine regular grid.

    Args:
        start: seconds of the view's clock of the first point.
        step: seconds between points.
        image: (G, J, 2), or (G, J, 5) with the guessed shape behind; 0 where unknown.
        weight: (G, J), 0 where unknown: further than most of a frame from a detection.
        sd: scatter of a landmark in the image.
        shape_sd: scatter of the guessed shape.

    Source: Fan and Gijbels 1996, local polynomial regression.
    """

    start: float
    step: float
    image: Array
    weight: Array
    sd: float
    shape_sd: float

    @classmethod
    def of(cls, track: Track) -> Smooth:
        """Smooth a track."""
        step = track.frame / _FINER
        grid = track.times[0] + step * np.arange(int(track.duration / step + 1e-6) + 1)
        parts = [_regress(track, grid[k : k + _CHUNK]) for k in range(0, len(grid), _CHUNK)]
        image, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
        return cls(float(track.times[0]), step, image, weight, track.sd, track.shape_sd)

    def at(self, times: Array) -> tuple[Array, Array]:
        """Read at times (Q,) of the view's clock: image (Q, J, 2 or 5) and weight (Q, J), 0 where unknown."""
        place = (times - self.start) / self.step
        last = len(self.weight) - 1
        inside = (place > -0.01) & (place < last + 0.01)
        before = np.clip(np.floor(place + 1e-6).astype(np.int64), 0, max(last - 1, 0))
        share = np.clip(place - before, 0.0, 1.0)[:, None]
        after = np.minimum(before + 1, last)
        image, other_image = self.image[before], self.image[after]
        other_image -= image
        other_image *= share[..., None]
        image += other_image
        one, other = self.weight[before], self.weight[after]
        weight = np.where((share < 0.01) | (share > 0.99) | ((one > 0) & (other > 0)), one, 0.0)
        weight = np.where(share > 0.99, other, weight)
        return image, weight * inside[:, None]


def _regress(track: Track, times: Array) -> tuple[Array, Array]:
    near, away = _neighbours(track, times)
    kernel = np.exp(-0.5 * (away / (KERNEL * track.frame)) ** 2)
    seen = track.seen()
    weight = kernel[..., None] * np.where(seen, track.weight, 0.0)[near]
    value = np.where(seen[..., None], track.values(), 0.0)[near]
    first = weight * away[..., None]
    s0, s1, s2 = weight.sum(axis=1), first.sum(axis=1), (first * away[..., None]).sum(axis=1)
    spread = s0 * s2 - s1 * s1
    nearest = np.where(weight > 1e-4, np.abs(away)[..., None], np.inf).min(axis=1)
    known = (nearest <= _NEAREST * track.frame) & (spread > 1e-4 * (s0 * track.frame) ** 2)
    mean = (weight[..., None] * value).sum(axis=1)
    slope = (first[..., None] * value).sum(axis=1)
    line = (s2[..., None] * mean - s1[..., None] * slope) / np.where(known, spread, 1.0)[..., None]
    share = np.minimum(s0 / kernel.sum(axis=1)[:, None], 1.0)
    return np.where(known[..., None], line, 0.0), np.where(known, share, 0.0)


def _neighbours(track: Track, times: Array) -> tuple[NDArray[np.intp], Array]:
    """Frames (Q, K) about each time, and how much later they are, seconds; far later where there is none."""
    near = np.searchsorted(track.times, times)[:, None] + np.arange(-_REACH - 1, _REACH + 1)
    there = (near >= 0) & (near < len(track.times))
    near = np.clip(near, 0, len(track.times) - 1)
    return near, np.where(there, track.times[near] - times[:, None], 1e3 * track.frame)
