"""Who is who in all views, over the whole clip: tracks gathered into people.

Tracks of different views are one person where their lines of sight meet; those of one view where one goes
on as the other ended. Pieces that are there at once come first, all pairs of them together, so that a
crossing that confuses one view is decided by the others; then time, by how they go on in each view and in
space (`mocap.continued`), and by what they wear (`mocap.clothes`). Then everybody is placed in space, pieces
of a path are joined, and every detection is given to whom it fits (`mocap.recheck`). With that to begin with
all is told once more, of shorter pieces, each of which goes to those for whom most speaks, as all of
somebody before or after a moment does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from mocap.behind import behind_others, without_borrowed_colours
from mocap.clothes import groups_alike, pieces_alike
from mocap.cluster import IMPOSSIBLE, Pair, cluster
from mocap.continued import continued
from mocap.keypoints import Keypoints2D
from mocap.paths import Path, path_of, same_path
from mocap.recheck import recheck
from mocap.sight import evidence, sights_of
from mocap.ticks import Ticks, common_ticks
from mocap.track import SHORT, Track, distance, drift, straightened, tracks_in_place

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
    straight = [straightened(without_borrowed_colours(seen)) for seen in views]
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
    in_each = list(enumerate(zip(views, offsets, strict=True)))
    long = [track for v, (seen, offset) in in_each for track in tracks_in_place(v, seen, offset)]
    short = [track for v, (seen, offset) in in_each for track in tracks_in_place(v, seen, offset, SHORT)]
    labels = _told(long, views, ticks, cameras)
    return _told(short, views, ticks, cameras, _as_told(short, labels))


def _told(
    tracks: Sequence[Track],
    views: Sequence[Keypoints2D],
    ticks: Ticks,
    cameras: Cameras | None,
    begin: Sequence[Sequence[int]] | None = None,
) -> Labels:
    """Tell who tracks are, beginning with groups of them that are about right, if there are any."""
    said = dict(_of_one_view(tracks, views))
    never = {pair: value for pair, value in said.items() if value == IMPOSSIBLE}
    dressed = pieces_alike(tracks, views, never)
    when = [float(ticks.ticks[t.view][t.frames[0]]) for t in tracks] if begin is not None else None
    if cameras is None:
        _add(said, dressed)
        groups = _joined(cluster(len(tracks), said, begin, when), tracks, said, views, never)
        return _labels(views, tracks, groups)
    seen_at_once = evidence(sights_of(tracks, views, ticks, cameras), ticks.step)
    said |= seen_at_once
    if begin is None:
        begin = cluster(len(tracks), seen_at_once | never)
        _add(said, continued(begin, tracks, views, ticks, cameras))
    _add(said, dressed)
    groups = cluster(len(tracks), said, begin, when)
    paths = [path_of([tracks[k] for k in group], views, ticks, cameras) for group in groups]
    groups = _joined(groups, tracks, said, views, never, paths)
    return recheck(_labels(views, tracks, groups), views, ticks, cameras)


def _as_told(tracks: Sequence[Track], labels: Labels) -> list[list[int]]:
    """Tracks in groups by whom most of each was taken for; whom nobody knows is alone."""
    groups: dict[tuple[int, int], list[int]] = {}
    for k, track in enumerate(tracks):
        who = labels.who[track.view][track.frames, track.lanes]
        known = np.bincount(who[who >= 0], minlength=1)
        person = int(known.argmax())
        told = 2 * known[person] > len(track)
        groups.setdefault((0, person) if told else (1, k), []).append(k)
    return list(groups.values())


def _add(said: dict[Pair, float], more: Mapping[Pair, float]) -> None:
    for pair, value in more.items():
        said[pair] = said.get(pair, 0.0) + value


def _of_one_view(tracks: Sequence[Track], views: Sequence[Keypoints2D]) -> Iterator[tuple[Pair, float]]:
    """Tracks that are there at once are two people; one may go on as another."""
    near = list(_soon_after(tracks, views))
    runs_on = [(a, b) for a, b in near if tracks[a].runs_on_as(tracks[b])]
    open_ended = set(range(len(tracks))) - {a for a, _ in runs_on}
    beginning = set(range(len(tracks))) - {b for _, b in runs_on}
    follows: dict[Pair, float] = {}
    for a, b in near:
        first, second = tracks[a], tracks[b]
        if first.frames[-1] - second.frames[0] >= TOGETHER:
            yield (min(a, b), max(a, b)), IMPOSSIBLE
        elif a in open_ended and b in beginning:
            value = _goes_on(first, second, views[first.view])
            if value > 0:
                follows[a, b] = value
    for a, b in runs_on:
        yield (min(a, b), max(a, b)), GOES_ON
    for (a, b), value in _mutual(follows):
        yield (min(a, b), max(a, b)), value


def _soon_after(tracks: Sequence[Track], views: Sequence[Keypoints2D]) -> Iterator[Pair]:
    """Pairs of tracks of a view whose second begins after the first did, and before a pause is over."""
    order = sorted(range(len(tracks)), key=lambda k: (tracks[k].view, tracks[k].frames[0]))
    for n, a in enumerate(order):
        first, seen = tracks[a], views[tracks[a].view]
        latest = seen.times[first.frames[-1]] + PAUSE
        for b in order[n + 1 :]:
            second = tracks[b]
            if second.view != first.view or seen.times[second.frames[0]] > latest:
                break
            yield a, b


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
    said: Mapping[Pair, float],
    views: Sequence[Keypoints2D],
    never: Iterable[Pair],
    paths: Sequence[Path] | None = None,
) -> list[list[int]]:
    """Groups that are one person's made one: by what they wear, and by their paths through space.

    With one view there is no space; there who was lost behind somebody goes on as who appears from there.
    """
    group_of = {k: number for number, group in enumerate(groups) for k in group}
    between: dict[Pair, float] = {}
    for (k, m), value in said.items():
        a, b = sorted((group_of[k], group_of[m]))
        if a != b:
            between[a, b] = between.get((a, b), 0.0) + value
    _add(between, groups_alike(groups, tracks, views, never))
    if paths is None:
        _add(between, _lost_and_found(groups, tracks, views[0]))
    else:
        _add(between, {(a, b): same_path(paths[a], paths[b]) for a, b in combinations(range(len(groups)), 2)})
    joined = cluster(len(groups), {pair: value for pair, value in between.items() if value})
    return [sorted(k for g in group for k in groups[g]) for group in joined]


def _lost_and_found(
    groups: Sequence[Sequence[int]], tracks: Sequence[Track], seen: Keypoints2D
) -> dict[Pair, float]:
    """What speaks for groups of tracks of the only view being one person who was behind somebody."""
    people = [_gathered([tracks[k] for k in group]) for group in groups]
    found = _mutual(dict(behind_others(people, seen)))
    return {(min(pair), max(pair)): value for pair, value in found}


def _gathered(tracks: Sequence[Track]) -> Track:
    """All detections of tracks of a view as one track, one a frame."""
    frames, first = np.unique(np.concatenate([track.frames for track in tracks]), return_index=True)
    return Track(tracks[0].view, frames, np.concatenate([track.lanes for track in tracks])[first])


def _labels(views: Sequence[Keypoints2D], tracks: Sequence[Track], groups: list[list[int]]) -> Labels:
    who = tuple(np.full(seen.points.shape[:2], -1, dtype=np.intp) for seen in views)
    for person, group in enumerate(groups):
        for k in group:
            who[tracks[k].view][tracks[k].frames, tracks[k].lanes] = person
    return Labels(who, len(groups))
