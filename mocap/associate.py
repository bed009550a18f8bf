"""Who is who in all views, over the whole clip: tracks gathered into people.

Tracks of different views are one person where their lines of sight meet; those of one view where one goes
on as the other ended. All pairs that overlap in time have their say at once, so that a crossing that confuses
one view is decided by the others. Then everybody is placed in space, pieces of a path are joined, and every
detection is given to whom it fits (`mocap.recheck`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.cluster import IMPOSSIBLE, Pair, cluster
from mocap.keypoints import Keypoints2D
from mocap.paths import Path, path_of, same_path
from mocap.recheck import recheck
from mocap.sight import evidence, sights_of
from mocap.ticks import Ticks, common_ticks
from mocap.track import Track, distance, drift, straightened, tracks_in_place

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

TOGETHER = 2  # frames that two tracks of a view may share and be one person still
GOES_ON = 6.0  # what speaks for a track that begins right where and when another of its view ended
PAUSE = 1.0  # seconds that may lie between
DRIFT = (0.15, 0.5)  # of the body's height that one may be off: at once, and more in each second
RIVAL = 0.7  # of what speaks for the next best, that speaks against
BACK = 8  # frames from which a track's movement at its end is taken


@dataclass(frozen=True, eq=False)
class Labels:
    """Who each detection is.

    Args:
        who: for each view (T, P) number of the person from 0, -1 = nobody.
        count: how many people there are.
    """

    who: tuple[Indices, ...]
    count: int


def associate(views: Sequence[Keypoints2D], offsets: Sequence[float], cameras: Cameras | None) -> Labels:
    """Tell who is who.

    Args:
        views: V detections, of several people, in any order on the P axis.
        offsets: seconds to add to each view's own times.
        cameras: of the views; None with one view.
    """
    straight = [straightened(seen) for seen in views]
    labels = _associated([seen for seen, _ in straight], offsets, cameras)
    who = tuple(
        _back(found, lane, seen.people)
        for found, (_, lane), seen in zip(labels.who, straight, views, strict=True)
    )
    return Labels(who, labels.count)


def _back(who: Indices, lane: Indices, people: int) -> Indices:
    """Labels (T, P') of detections that were moved to other places, where they came from (T, P)."""
    out = np.full((len(who), people), -1, dtype=np.intp)
    frame, place = np.nonzero(lane >= 0)
    out[frame, lane[frame, place]] = who[frame, place]
    return out


def _associated(views: Sequence[Keypoints2D], offsets: Sequence[float], cameras: Cameras | None) -> Labels:
    ticks = common_ticks(views, offsets)
    tracks = [track for v, seen in enumerate(views) for track in tracks_in_place(v, seen)]
    said = dict(_of_one_view(tracks, views))
    if cameras is None:
        return _labels(views, tracks, cluster(len(tracks), said))
    said |= evidence(sights_of(tracks, views, ticks, cameras), ticks.step)
    groups = cluster(len(tracks), said)
    groups = _joined(groups, tracks, said, views, ticks, cameras)
    return recheck(_labels(views, tracks, groups), views, ticks, cameras)


def _of_one_view(tracks: Sequence[Track], views: Sequence[Keypoints2D]) -> Iterator[tuple[Pair, float]]:
    """Tracks that are there at once are two people; one may go on as another."""
    follows: dict[Pair, float] = {}
    order = sorted(range(len(tracks)), key=lambda k: (tracks[k].view, tracks[k].frames[0]))
    for n, a in enumerate(order):
        first, seen = tracks[a], views[tracks[a].view]
        latest = seen.times[first.frames[-1]] + PAUSE
        for b in order[n + 1 :]:
            second = tracks[b]
            if second.view != first.view or seen.times[second.frames[0]] > latest:
                break
            if first.frames[-1] - second.frames[0] >= TOGETHER:
                yield (min(a, b), max(a, b)), IMPOSSIBLE
            elif (value := _goes_on(first, second, seen)) > 0:
                follows[a, b] = value
    for (a, b), value in _mutual(follows):
        yield (min(a, b), max(a, b)), value


def _mutual(follows: dict[Pair, float]) -> Iterator[tuple[Pair, float]]:
    """Pairs each of which is the other's best, less what speaks for the next best."""
    after: dict[int, list[float]] = {}
    before: dict[int, list[float]] = {}
    for (a, b), value in follows.items():
        after.setdefault(a, []).append(value)
        before.setdefault(b, []).append(value)
    for (a, b), value in follows.items():
        rivals = sorted(after[a])[:-1][-1:] + sorted(before[b])[:-1][-1:]
        if value == max(after[a]) == max(before[b]):
            yield (a, b), value - RIVAL * max(rivals, default=0.0)


def _goes_on(first: Track, second: Track, seen: Keypoints2D) -> float:
    """How much speaks for the second being what became of the first."""
    pause = float(seen.times[second.frames[0]] - seen.times[first.frames[-1]])
    if pause > PAUSE:
        return 0.0
    at = second.frames[0], second.lanes[0]
    off = distance(_ahead(first, seen, pause), seen.points[at], seen.confidence[at])
    return GOES_ON * (1 - float(off) / (DRIFT[0] + DRIFT[1] * max(pause, 0.0)))


def _ahead(track: Track, seen: Keypoints2D, seconds: float) -> Floats:
    """Landmarks (J, 2) of a track that moves on as in its last frames."""
    frames, lanes = track.frames[-BACK:], track.lanes[-BACK:]
    last = seen.points[frames[-1], lanes[-1]]
    span = float(seen.times[frames[-1]] - seen.times[frames[0]])
    if span <= 0:
        return last
    return last + drift(last - seen.points[frames[0], lanes[0]]) / span * max(seconds, 0.0)


def _joined(
    groups: list[list[int]],
    tracks: Sequence[Track],
    said: dict[Pair, float],
    views: Sequence[Keypoints2D],
    ticks: Ticks,
    cameras: Cameras,
) -> list[list[int]]:
    """Groups whose paths through space are one person's made one."""
    paths = [path_of([tracks[k] for k in group], views, ticks, cameras) for group in groups]
    between = {
        (a, b): _between(paths[a], paths[b], groups[a], groups[b], said)
        for a, b in combinations(range(len(groups)), 2)
    }
    joined = cluster(len(groups), {pair: value for pair, value in between.items() if value})
    return [sorted(k for g in group for k in groups[g]) for group in joined]


def _between(a: Path, b: Path, one: list[int], other: list[int], said: dict[Pair, float]) -> float:
    direct = [said.get((min(k, m), max(k, m)), 0.0) for k in one for m in other]
    if IMPOSSIBLE in direct:
        return IMPOSSIBLE
    return same_path(a, b) + sum(direct)


def _labels(views: Sequence[Keypoints2D], tracks: Sequence[Track], groups: list[list[int]]) -> Labels:
    who = tuple(np.full(seen.points.shape[:2], -1, dtype=np.intp) for seen in views)
    for person, group in enumerate(groups):
        for k in group:
            who[tracks[k].view][tracks[k].frames, tracks[k].lanes] = person
    return Labels(who, len(groups))
