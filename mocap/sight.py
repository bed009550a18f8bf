"""Whether bodies that two views see could be one: how closely their landmarks' lines of sight meet.

A distance in metres, since people stand apart by more than a detector errs, whatever the cameras are.
"""

from __future__ import annotations

from collections.abc import Sequence
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
LOOKS = 150  # ticks of a pair of tracks that are looked at


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


def evidence(first: Sight, second: Sight, seconds: float) -> float:
    """How much speaks for two tracks of different views being one person; negative against.

    Args:
        first: one track.
        second: the other.
        seconds: from tick to tick.
    """
    common, a, b = np.intersect1d(first.ticks, second.ticks, assume_unique=True, return_indices=True)
    if not len(common):
        return 0.0
    some = (
        np.unique(np.linspace(0, len(common) - 1, LOOKS).astype(int)) if len(common) > LOOKS else slice(None)
    )
    miss = miss_of(first, second, a[some], b[some])
    known = miss[np.isfinite(miss)]
    if not len(known):
        return 0.0
    said = np.maximum(1 - (known / MEET) ** 2, -WORST)
    return float(WORTH * seconds * said.mean() * len(common) * len(known) / len(miss))


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
    enough = usable.sum(axis=-1) >= FEWEST
    safe = np.where(usable, sine, 1.0)
    distance = np.abs(across @ gap) / safe
    depth = [np.einsum("njx,njx->nj", np.cross(gap, ray), across) / safe**2 for ray in (second, first)]
    distance = np.where((depth[0] > 0) & (depth[1] > 0), distance, np.maximum(distance, BEHIND))
    distance[~usable] = np.nan
    out = np.full(len(distance), np.nan)
    out[enough] = np.nanmedian(distance[enough], axis=-1)
    return out
