"""Every detection held against everybody's place in space, and given to whom it fits.

A detector that slides from one person to another leaves no trace in its own view; but once people are placed
by the other views, its landmarks are seen to leave one and to arrive at another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from calibration.camera import Camera, Cameras
from mocap.keypoints import Keypoints2D
from mocap.paths import placed, seen_by_two
from mocap.sight import SURE, landmarks_of
from mocap.ticks import Ticks
from mocap.track import extent

if TYPE_CHECKING:
    from mocap.associate import Labels

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]

ROUNDS = 2
FITS = 0.12  # of the body's height by which a detection misses the person that it is given to, at most
LEAVES = 0.25  # by which it misses the person whom it was taken for, if it is let go
BETTER = 0.7  # of its own miss under which another person's must be
BRIDGE = 0.4  # seconds without a place that are bridged in a straight line
SMOOTH = 0.25  # seconds over which misses are taken together
FEWEST = 5  # landmarks that must be known


def recheck(labels: Labels, views: Sequence[Keypoints2D], ticks: Ticks, cameras: Cameras) -> Labels:
    """Give detections to the people whom they fit.

    Args:
        labels: who each detection was taken for.
        views: V detections.
        ticks: of the common clock.
        cameras: V cameras.

    Returns:
        The same people; detections that fit nobody who is seen by two other views are nobody's.
    """
    for _ in range(ROUNDS):
        placeable = [k for k in range(labels.count) if seen_by_two(labels.who, k, ticks)]
        if not placeable:
            break
        others = [_places(labels, v, placeable, views, ticks, cameras) for v in range(len(views))]
        who = tuple(
            _given(labels, v, seen, np.array(placeable), others[v], ticks, cameras[v])
            for v, seen in enumerate(views)
        )
        same = all((new == old).all() for new, old in zip(who, labels.who, strict=True))
        labels = type(labels)(who, labels.count)
        if same:
            break
    return labels


def _places(
    labels: Labels,
    view: int,
    people: Sequence[int],
    views: Sequence[Keypoints2D],
    ticks: Ticks,
    cameras: Cameras,
) -> Floats:
    """Landmarks (K, T, J, 3) of K people by all views but one, short gaps bridged."""
    who = [np.full_like(w, -1) if v == view else w for v, w in enumerate(labels.who)]
    found = [placed(who, k, views, ticks, cameras).landmarks for k in people]
    return np.stack([bridged(landmarks, round(BRIDGE / ticks.step)) for landmarks in found])


def bridged(landmarks: Floats, longest: int) -> Floats:
    """Landmarks (T, J, 3) with gaps of up to `longest` ticks filled in straight lines."""
    out = landmarks.copy()
    ticks = np.arange(len(landmarks))
    for j in range(landmarks.shape[1]):
        known = np.flatnonzero(np.isfinite(landmarks[:, j, 0]))
        if len(known) < 2:
            continue
        gap = np.diff(known)[np.clip(np.searchsorted(known, ticks, side="right") - 1, 0, len(known) - 2)]
        inside = (ticks > known[0]) & (ticks < known[-1]) & (gap <= longest)
        for axis in range(3):
            filled = np.interp(ticks, known, landmarks[known, j, axis])
            out[inside, j, axis] = filled[inside]
    return out


def _given(
    labels: Labels,
    view: int,
    seen: Keypoints2D,
    people: Indices,
    places: Floats,
    ticks: Ticks,
    camera: Camera,
) -> Indices:
    """Who each detection (T, P) of a view is, as `people` (K,) are at `places` (K, T, J, 3)."""
    step = float(np.median(np.diff(seen.times))) if len(seen) > 1 else ticks.step
    off = _misses(seen, places[:, ticks.ticks[view]], camera, round(SMOOTH / step))  # (K, T, P)
    own = labels.who[view]
    row = np.full(labels.count + 1, -1)  # the last stands for nobody
    row[people] = np.arange(len(people))
    at = row[own]
    mine = np.where(at >= 0, np.take_along_axis(off, np.maximum(at, 0)[None], axis=0)[0], np.nan)
    known = np.where(np.isfinite(off), off, np.inf)
    best, nearest = known.min(axis=0), known.argmin(axis=0)
    fits = best < FITS
    bad = (mine > LEAVES) | (fits & (best < BETTER * mine)) | (fits & (own < 0))
    return _one_each(np.where(bad, np.where(fits, people[nearest], -1), own), best)


def _misses(seen: Keypoints2D, places: Floats, camera: Camera, smooth: int) -> Floats:
    """(K, T, P) how far each detection is from each person, over its height; NaN where that is unknown."""
    rows, mirror = landmarks_of(seen.layout)
    points, sure = seen.points[:, :, rows], seen.confidence[:, :, rows] > SURE
    height = extent(seen.points)
    out = np.full((len(places), *points.shape[:2]), np.nan)
    for k, landmarks in enumerate(places):
        expected = camera.project(landmarks)[:, None]
        off = [median_miss(points, other, sure) for other in (expected, expected[:, :, mirror])]
        out[k] = np.fmin(*off) / height
    return _calm(out, max(smooth, 1))


def median_miss(points: Floats, expected: Floats, sure: Bools, fewest: int = FEWEST) -> Floats:
    """Median distance (...) of the sure ones of landmarks (..., J, 2); NaN where fewer are known."""
    off = np.where(sure, np.linalg.norm(points - expected, axis=-1), np.nan)
    enough = np.isfinite(off).sum(axis=-1) >= fewest
    out = np.full(enough.shape, np.nan)
    out[enough] = np.nanmedian(off[enough], axis=-1)
    return out


def _calm(off: Floats, width: int) -> Floats:
    """Medians (K, T, P) over a few ticks, so that no single frame changes hands."""
    filled = np.where(np.isfinite(off), off, np.inf)
    calm = median_filter(filled, size=(1, 2 * (width // 2) + 1, 1), mode="nearest")
    return np.where(np.isfinite(off) & np.isfinite(calm), calm, off)


def _one_each(who: Indices, off: Floats) -> Indices:
    """The same (T, P) with each person at most once a frame: where it fits best."""
    out = who.copy()
    for k in np.unique(who[who >= 0]):
        mine = who == k
        for n in np.flatnonzero(mine.sum(axis=1) > 1):
            lanes = np.flatnonzero(mine[n])
            keep = lanes[np.argmin(np.where(np.isfinite(off[n, lanes]), off[n, lanes], np.inf))]
            out[n, lanes[lanes != keep]] = -1
    return out
