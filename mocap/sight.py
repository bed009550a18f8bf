"""Whether bodies that two views see could be one: how closely their landmarks' lines of sight meet.

A distance in metres, since people stand apart by more than a detector errs, whatever the cameras are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from mocap.keypoints import Keypoints2D, Layout
from mocap.refining import common_rows
from mocap.ticks import Ticks
from mocap.track import Track

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

SURE = 0.3  # confidence of a landmark that counts
FEWEST = 5  # landmarks that both must see
PARALLEL = 0.05  # sine of the angle between lines of sight that meet nowhere in particular
BEHIND = 1.0  # metres that lines of sight miss by which meet behind a camera
MEET = 0.15  # metres by which those of one body miss at most; the mean is 0.03 to 0.06
WORST = 3.0  # times what one tick may say for, that it may say against
WORTH = 10.0  # of a second of full agreement
EVERY = 2  # ticks: detectors err alike in neighbouring ones
RIVAL = 0.7  # of what speaks for another track of the same view, that speaks against


@dataclass(frozen=True, eq=False)
class Sight:
    """A track's lines of sight at the ticks of the common clock.

    Args:
        view: number of the view.
        ticks: (N,) increasing.
        centre: (3,) m, of the camera.
        rays: (N, J, 3) unit vectors in the world, NaN where unsure.
        mirror: (J,) landmark of the other side.
    """

    view: int
    ticks: Indices
    centre: Floats
    rays: Floats
    mirror: Indices


def sights_of(
    tracks: Sequence[Track],
    views: Sequence[Keypoints2D],
    ticks: Ticks,
    cameras: Cameras,
) -> list[Sight]:
    """Lines of sight of all tracks.

    Args:
        tracks: of all views.
        views: V detections.
        ticks: of the common clock.
        cameras: V cameras.
    """
    return [
        _sight(track, views[track.view], *ticks.of_view(track.view), cameras[track.view]) for track in tracks
    ]


def _sight(track: Track, seen: Keypoints2D, ticks: Indices, frames: Indices, camera: Camera) -> Sight:
    rows, mirror = landmarks_of(seen.layout)
    where = np.searchsorted(track.frames, frames).clip(0, len(track) - 1)
    there = track.frames[where] == frames
    frame, lane = frames[there], track.lanes[where[there]]
    points, sure = seen.points[frame, lane][:, rows], seen.confidence[frame, lane][:, rows] > SURE
    return Sight(track.view, ticks[there], camera.centre, _rays(camera, points, sure), mirror)


def landmarks_of(layout: Layout) -> tuple[list[int], Indices]:
    """Rows of the landmarks that are compared, and which of them is each one's mirror image."""
    rows = common_rows(layout) or list(range(len(layout)))
    number = {row: k for k, row in enumerate(rows)}
    return rows, np.array([number.get(int(layout.mirror[row]), k) for k, row in enumerate(rows)])


def _rays(camera: Camera, points: Floats, sure: NDArray[np.bool_]) -> Floats:
    image = camera.undistort(np.where(sure[..., None], points, np.nan))
    local = np.concatenate([image, np.ones((*image.shape[:-1], 1))], axis=-1)
    rays = local @ camera.camera_from_world[:3, :3]
    return np.asarray(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def evidence(sights: Sequence[Sight], seconds: float) -> dict[tuple[int, int], float]:
    """How much speaks for pairs of tracks of different views being one person; negative against.

    Where lines of sight meet, they say so; but less, the better those of another track of either view meet
    there: of two people who stand together, the nearer one is meant.

    Args:
        sights: tracks.
        seconds: from tick to tick.

    Returns:
        By pair of numbers, the smaller first, for those that say something.
    """
    pairs = {pair: _said(sights[pair[0]], sights[pair[1]]) for pair in _at_once(sights)}
    rivals = {(k, v): _Rivals(len(sights[k].ticks)) for pair in pairs for k, v in _sides(pair, sights)}
    for (a, b), (first, second, said) in pairs.items():
        rivals[a, sights[b].view].hear(b, first, said)
        rivals[b, sights[a].view].hear(a, second, said)
    out = {}
    for (a, b), (first, second, said) in pairs.items():
        other = np.fmax(rivals[a, sights[b].view].but(b, first), rivals[b, sights[a].view].but(a, second))
        left = np.maximum(said - RIVAL * np.fmax(other, 0.0), -WORST)
        if len(left):
            out[a, b] = float(WORTH * seconds * EVERY * np.nansum(left))
    return {pair: value for pair, value in out.items() if value}


def _sides(pair: tuple[int, int], sights: Sequence[Sight]) -> list[tuple[int, int]]:
    """Each of a pair, with the view of the other."""
    a, b = pair
    return [(a, sights[b].view), (b, sights[a].view)]


def _at_once(sights: Sequence[Sight]) -> Iterator[tuple[int, int]]:
    """Pairs of different views that are there at once."""
    order = sorted((k for k in range(len(sights)) if len(sights[k].ticks)), key=lambda k: sights[k].ticks[0])
    for n, a in enumerate(order):
        for b in order[n + 1 :]:
            if sights[b].ticks[0] > sights[a].ticks[-1]:
                break
            if sights[a].view != sights[b].view:
                yield min(a, b), max(a, b)


def _said(first: Sight, second: Sight) -> tuple[Indices, Indices, Floats]:
    """At which ticks (by number in each) a pair says what: 1 for being one, down to -WORST against."""
    common, a, b = np.intersect1d(first.ticks, second.ticks, assume_unique=True, return_indices=True)
    some = common % EVERY == 0
    a, b = a[some], b[some]
    return a, b, np.maximum(1 - (miss_of(first, second, a, b) / MEET) ** 2, -WORST)


class _Rivals:
    """What the two best tracks of a view say for being one with a track, at each of its ticks."""

    def __init__(self, ticks: int) -> None:
        self.best, self.second = np.full(ticks, -np.inf), np.full(ticks, -np.inf)
        self.who = np.full(ticks, -1)

    def hear(self, track: int, at: Indices, said: Floats) -> None:
        said = np.where(np.isfinite(said), said, -np.inf)
        better = said > self.best[at]
        self.second[at] = np.maximum(np.where(better, self.best[at], said), self.second[at])
        self.best[at] = np.where(better, said, self.best[at])
        self.who[at] = np.where(better, track, self.who[at])

    def but(self, track: int, at: Indices) -> Floats:
        """What the best other one says."""
        return np.where(self.who[at] == track, self.second[at], self.best[at])


def miss_of(first: Sight, second: Sight, a: Indices, b: Indices) -> Floats:
    """Median distance (N,) between lines of sight, m, of tick numbers `a` of one and `b` of the other.

    The sides of one are exchanged where they fit better so: detectors do that. NaN where too little is seen.
    """
    rays, gap = second.rays[b], second.centre - first.centre
    straight = _apart(first.rays[a], rays, gap)
    crossed = _apart(first.rays[a][:, first.mirror], rays, gap)
    return np.fmin(straight, crossed)


def _apart(first: Floats, second: Floats, gap: Floats) -> Floats:
    """(N,) median over landmarks of the distance between lines (N, J, 3) that start `gap` apart."""
    across = np.cross(first, second)
    sine = np.linalg.norm(across, axis=-1)
    usable = sine > PARALLEL
    safe = np.where(usable, sine, 1.0)
    distance = np.abs(across @ gap) / safe
    depth = [np.einsum("njx,njx->nj", np.cross(gap, ray), across) / safe**2 for ray in (second, first)]
    distance = np.where((depth[0] > 0) & (depth[1] > 0), distance, np.maximum(distance, BEHIND))
    ordered = np.sort(np.where(usable, distance, np.inf), axis=-1)  # np.nanmedian is slow on rows this short
    count = usable.sum(axis=-1)
    low, high = (np.take_along_axis(ordered, at[:, None], -1)[:, 0] for at in ((count - 1) // 2, count // 2))
    return np.where(count >= FEWEST, (low + high) / 2, np.nan)
