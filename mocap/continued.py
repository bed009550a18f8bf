"""Whether pieces of people go on as one another through space, from one part of the clock to the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.cluster import Pair
from mocap.keypoints import Keypoints2D
from mocap.paths import jump, placed
from mocap.ticks import Ticks
from mocap.track import PIECE, Track

Floats = NDArray[np.float64]
Span = tuple[int, int]

SPEAKS = 6.0  # what speaks for a group that is where another would have gone on to
OFF = 0.3  # metres between the two from which on it speaks against
WORST = 3.0  # times `SPEAKS`, at most
PAUSE = PIECE / 2  # seconds between the two at most
OBLIQUE = 0.5  # sine of the angle between lines of sight from which on they tell well how far somebody is


def continued(
    groups: Sequence[Sequence[int]],
    tracks: Sequence[Track],
    views: Sequence[Keypoints2D],
    ticks: Ticks,
    cameras: Cameras,
) -> dict[Pair, float]:
    """How much speaks for tracks of a group being one person with those of another a moment later.

    Of groups that two views see: what speaks for two of them is shared out among all pairs of their tracks.

    Args:
        groups: numbers of tracks that are one person, each within a part of the clock.
        tracks: of all views.
        views: V detections.
        ticks: of the common clock.
        cameras: V cameras.
    """
    spans = [_span([tracks[k] for k in group], ticks) for group in groups]
    paths: dict[int, tuple[int, int, Floats]] = {}  # first and last tick, and where the body is until then
    for row in _side_by_side(spans):
        for group, middle in _middles(row, groups, spans, tracks, views, ticks, cameras):
            known = np.flatnonzero(np.isfinite(middle[:, 0]))
            eyes = np.stack([cameras[v].centre for v in sorted({tracks[k].view for k in groups[group]})])
            if len(known) and _from_aside(eyes, np.median(middle[known], axis=0)):
                start = spans[group][0]
                paths[group] = start + int(known[0]), start + int(known[-1]), middle[known]
    order = sorted(paths, key=lambda group: paths[group][0])
    out: dict[Pair, float] = {}
    for n, a in enumerate(order):
        for b in order[n + 1 :]:
            pause = (paths[b][0] - paths[a][1]) * ticks.step
            if pause > PAUSE + PIECE:
                break
            if 0 < pause <= PAUSE:
                off = jump(paths[a][2], paths[b][2], pause, ticks.step) / OFF
                share = SPEAKS * max(1 - off**2, -WORST) / (len(groups[a]) * len(groups[b]))
                out |= {(min(k, m), max(k, m)): share for k in groups[a] for m in groups[b]}
    return out


def _middles(
    row: Sequence[int],
    groups: Sequence[Sequence[int]],
    spans: Sequence[Span],
    tracks: Sequence[Track],
    views: Sequence[Keypoints2D],
    ticks: Ticks,
    cameras: Cameras,
) -> Iterator[tuple[int, Floats]]:
    """Each group of a row with the middle (N, 3) m of its body over its span."""
    who = [np.full(seen.points.shape[:2], -1, dtype=np.intp) for seen in views]
    for group in row:
        for track in (tracks[k] for k in groups[group]):
            who[track.view][track.frames, track.lanes] = 0
    middle = placed(who, 0, views, ticks, cameras).middle
    for group in row:
        yield group, middle[slice(*spans[group])]


def _from_aside(eyes: Floats, place: Floats) -> bool:
    """Whether some of eyes (N, 3) m see a place (3,) from directions that tell well how far it is."""
    rays = (eyes - place) / np.linalg.norm(eyes - place, axis=-1, keepdims=True)
    return bool(np.linalg.norm(np.cross(rays[:, None], rays[None]), axis=-1).max() > OBLIQUE)


def _span(tracks: Sequence[Track], ticks: Ticks) -> tuple[int, int]:
    """Ticks [start, stop) of a group."""
    first = min(ticks.ticks[track.view][track.frames[0]] for track in tracks)
    last = max(ticks.ticks[track.view][track.frames[-1]] for track in tracks)
    return int(first), int(last) + 1


def _side_by_side(spans: Sequence[Span]) -> list[list[int]]:
    """Numbers of spans in as few rows as they fit in without overlapping: so few clips are triangulated."""
    rows: list[list[int]] = []
    for group in sorted(range(len(spans)), key=lambda k: spans[k]):
        free = next((row for row in rows if spans[row[-1]][1] <= spans[group][0]), None)
        if free is None:
            rows.append([group])
        else:
            free.append(group)
    return rows
