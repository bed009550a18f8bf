"""Where a group of tracks was in space, and whether two such paths are one person's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.keypoints import Keypoints2D
from mocap.sight import landmarks_of
from mocap.ticks import Ticks
from mocap.track import Track, extent

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

ROBUST = 0.03  # of the body's height in the image
FEWEST = 5  # landmarks that tell where somebody is
APART = 0.5  # metres between the middles of two bodies that are not one
AT_ONCE = 10.0  # what two paths that run together speak for being one
GOES_ON = 6.0  # what speaks for a path that begins right where and when another ended
PAUSE = 2.0  # seconds that may lie between for that
DRIFT = (0.4, 1.0)  # metres that it may be off: at once, and more in each second
STEADY = 10  # ticks over which the end of a path is taken
CAME_BACK = 3.0  # what speaks for somebody of the very same build who comes after somebody left
BUILD = 0.04  # by which the build of one person is found to differ from time to time, at most
BONES = (
    ("hip", "knee"),
    ("knee", "ankle"),
    ("shoulder", "elbow"),
    ("shoulder", "hip"),
)


@dataclass(frozen=True, eq=False)
class Path:
    """One person in space.

    Args:
        landmarks: (T, J, 3) m at all ticks, NaN where unknown.
        seconds: from tick to tick.
        build: (B,) m, lengths of some bones, NaN where unknown.
    """

    landmarks: Floats
    seconds: float
    build: Floats

    @property
    def middle(self) -> Floats:
        """(T, 3) m; NaN where too little is known."""
        known = np.isfinite(self.landmarks[..., 0])
        out = np.full((len(known), 3), np.nan)
        enough = known.sum(axis=1) >= FEWEST
        out[enough] = np.nanmedian(self.landmarks[enough], axis=1)
        return out


def path_of(tracks: Sequence[Track], views: Sequence[Keypoints2D], ticks: Ticks, cameras: Cameras) -> Path:
    """Triangulate a group of tracks at the ticks of the common clock; no ticks where no two views see it."""
    who = [np.full(seen.points.shape[:2], -1, dtype=np.intp) for seen in views]
    for track in tracks:
        who[track.view][track.frames, track.lanes] = 0
    if not seen_by_two(who, 0, ticks):
        return Path(np.zeros((0, 0, 3)), ticks.step, np.full(len(BONES), np.nan))
    return placed(who, 0, views, ticks, cameras)


def seen_by_two(who: Sequence[Indices], person: int, ticks: Ticks) -> bool:
    """Whether two views ever see a person at once; `who` as for `placed`."""
    seen = np.zeros(len(ticks.times), dtype=np.intp)
    for v, labels in enumerate(who):
        tick, frame = ticks.of_view(v)
        seen[tick] += (labels == person).any(axis=1)[frame]
    return bool((seen > 1).any())


def placed(
    who: Sequence[Indices], person: int, views: Sequence[Keypoints2D], ticks: Ticks, cameras: Cameras
) -> Path:
    """Triangulate a person at the ticks of the common clock.

    Args:
        who: for each view (T, P) who each detection is.
        person: the number there.
        views: V detections.
        ticks: of the clock.
        cameras: V cameras.
    """
    rows, _ = landmarks_of(views[0].layout)
    pixels, confidence = at_ticks(who, person, views, ticks)
    pixels, confidence = pixels[:, :, rows], confidence[:, :, rows]
    out = np.full((*pixels.shape[1:3], 3), np.nan)
    some = (confidence > 0).any(axis=-1).sum(axis=0) >= 2
    if some.any():
        scale = max(ROBUST * _height(pixels[:, some]), 2.0)
        out[some], _ = triangulate(cameras, pixels[:, some], confidence[:, some] ** 2, scale_px=scale)
    return Path(out, ticks.step, _build(out, [views[0].layout.landmarks[row] for row in rows]))


def at_ticks(
    who: Sequence[Indices], person: int, views: Sequence[Keypoints2D], ticks: Ticks
) -> tuple[Floats, Floats]:
    """What each view saw of a person: points (V, T, J, 2) pixels and confidence (V, T, J) at the ticks."""
    joints = len(views[0].layout)
    pixels = np.full((len(views), len(ticks.times), joints, 2), np.nan)
    confidence = np.zeros(pixels.shape[:-1])
    for v, seen in enumerate(views):
        tick, frame = ticks.of_view(v)
        lane = (who[v][frame] == person).argmax(axis=1)
        there = who[v][frame, lane] == person
        pixels[v, tick[there]] = seen.points[frame[there], lane[there]]
        confidence[v, tick[there]] = seen.confidence[frame[there], lane[there]]
    return pixels, confidence


def _height(pixels: Floats) -> float:
    """Typical extent of a body (V, T, J, 2), pixels."""
    flat = pixels.reshape(-1, *pixels.shape[2:])
    some = flat[np.isfinite(flat[..., 0]).any(axis=1)][::5]
    return float(np.median(extent(some))) if len(some) else 1.0


def _build(landmarks: Floats, names: list[str]) -> Floats:
    lengths = []
    for upper, lower in BONES:
        ends = [
            (names.index(f"{side}_{upper}"), names.index(f"{side}_{lower}"))
            for side in ("left", "right")
            if f"{side}_{upper}" in names and f"{side}_{lower}" in names
        ]
        found = [np.linalg.norm(landmarks[:, a] - landmarks[:, b], axis=-1) for a, b in ends]
        known = np.concatenate(found)[np.isfinite(np.concatenate(found))] if found else np.zeros(0)
        lengths.append(float(np.median(known)) if len(known) > STEADY else np.nan)
    return np.array(lengths)


def same_path(first: Path, second: Path) -> float:
    """How much speaks for two paths being one person's; negative against, 0 where nothing tells."""
    a, b = first.middle, second.middle
    one, other = (np.flatnonzero(np.isfinite(middle[:, 0])) for middle in (a, b))
    if not len(one) or not len(other):
        return 0.0
    both = np.intersect1d(one, other)
    if len(both) > 1:
        apart = float(np.median(np.linalg.norm(a[both] - b[both], axis=-1)))
        return AT_ONCE * max(1 - (apart / APART) ** 2, -3.0)
    if one[0] > other[0]:
        a, b, one, other = b, a, other, one
    pause = float(other[0] - one[-1]) * first.seconds
    if pause <= PAUSE:
        off = jump(a[one], b[other], pause, first.seconds)
        return GOES_ON * max(1 - off / (DRIFT[0] + DRIFT[1] * pause), -1.0)
    return _same_build(first.build, second.build)


def jump(ended: Floats, began: Floats, pause: float, step: float) -> float:
    """Metres on the floor between where a path (N, 3) m would have gone on to, and where another begins.

    Args:
        ended: one of them, tick by tick.
        began: the other.
        pause: seconds between.
        step: seconds from tick to tick.
    """
    tail, head = ended[-STEADY:], began[:STEADY]
    speed = (tail[-1] - tail[0]) / max((len(tail) - 1) * step, step)
    ahead = tail[-1] + speed * min(pause, 0.5)
    return float(np.linalg.norm((ahead - head[0])[[0, 2]]))


def _same_build(first: Floats, second: Floats) -> float:
    """What the build tells of somebody who comes long after somebody left."""
    known = np.isfinite(first) & np.isfinite(second)
    if known.sum() < 2:
        return 0.0
    off = float(np.median(np.abs(np.log(first[known] / second[known]))))
    return CAME_BACK * max(1 - off / BUILD, -1.0)
