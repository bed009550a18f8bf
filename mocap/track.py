"""Detections of one view made into tracks: stretches of time in which it is beyond doubt who is who.

A detector says who is there in each frame, and nothing of who he was before. Neighbouring frames are linked
by nearness; a track ends where two people overlap, because there a detector slides from one to the other, and
is cut up for as long as they do. Who the pieces belong to is told by other views (`mocap.associate`), or by
how they go on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mocap.keypoints import Keypoints2D

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Indices = NDArray[np.intp]

REACH = 0.15  # of the body's height that it may move in 1/30 s
LOOK_BACK = 3  # frames in which somebody may go undetected within a track
OVERLAP = 0.4  # of the smaller of two boxes that is common to both where people are in each other's way
NEAR_END = 4  # frames within which another track's beginning or end counts as an overlap
PIECE = 0.5  # seconds of a track: longer ones may hold a slide from one person to another
SHORT = 0.15  # of those that are told once it is known about who is who
ROUNDING = 1e-6  # of a piece


@dataclass(frozen=True, eq=False)
class Track:
    """Detections of a view that are one person.

    Args:
        view: number of the view.
        frames: (N,) increasing frame numbers.
        lanes: (N,) where on the P axis the person is in each.
        doubtful: whether others are in the way.
    """

    view: int
    frames: Indices
    lanes: Indices
    doubtful: bool = False

    def __len__(self) -> int:
        return len(self.frames)

    def part(self, start: int, stop: int, doubtful: bool) -> Track:
        """The detections from number `start` up to but without `stop`."""
        return Track(self.view, self.frames[start:stop], self.lanes[start:stop], doubtful)

    def runs_on_as(self, other: Track) -> bool:
        """Whether the other one is what follows in the same link, and nobody is in the way of either."""
        follows = 0 < other.frames[0] - self.frames[-1] <= LOOK_BACK
        same = self.view == other.view and self.lanes[-1] == other.lanes[0]
        return bool(follows and same and not self.doubtful and not other.doubtful)


def tracks_in_place(
    view: int, straight: Keypoints2D, offset: float = 0.0, longest: float = PIECE
) -> list[Track]:
    """Find the tracks of a view, cut up where doubt begins and ends, and every while.

    All views are cut at the same times: a piece in which a detector slides from one person to another, and
    which so fits both, then joins none of before to any of afterwards.

    Args:
        view: its number.
        straight: detections with everybody in a place of his own for as long as links hold (`straightened`).
        offset: seconds to add to the view's own times.
        longest: seconds of a track.
    """
    linked = []
    for lane in range(straight.people):
        there = np.flatnonzero((straight.confidence[:, lane] > 0).any(axis=-1))
        ends = np.flatnonzero(np.diff(there) > LOOK_BACK) + 1
        linked += [Track(view, run, np.full(len(run), lane)) for run in np.split(there, ends) if len(run)]
    return _cut(linked, straight, offset, longest)


def _cut(linked: list[Track], seen: Keypoints2D, offset: float, longest: float) -> list[Track]:
    boxes = [boxes_of(seen.points[track.frames, track.lanes]) for track in linked]
    part = np.floor((seen.times + offset) / longest + ROUNDING).astype(np.intp)
    return [
        piece
        for k, track in enumerate(linked)
        for piece in _pieces(track, _doubtful(k, linked, boxes), part[track.frames])
    ]


def straightened(seen: Keypoints2D) -> tuple[Keypoints2D, Indices]:
    """Put everybody in a place of his own on the P axis for as long as links hold.

    Args:
        seen: (T, P) detections, in any order in each frame.

    Returns:
        The same detections, with as many places as it takes; and (T, P') where on the given P axis each is,
        -1 where there is nobody.
    """
    places: list[list[Track]] = []
    for track in sorted(_linked(0, seen), key=lambda track: track.frames[0]):
        free = (place for place in places if place[-1].frames[-1] + LOOK_BACK < track.frames[0])
        place = next(free, None)
        if place is None:
            places.append([track])
        else:
            place.append(track)
    lane = np.full((len(seen), max(len(places), 1)), -1, dtype=np.intp)
    for k, place in enumerate(places):
        for track in place:
            lane[track.frames, k] = track.lanes
    return seen.placed(lane), lane


def _linked(view: int, seen: Keypoints2D) -> list[Track]:
    """Frame by frame, nearest pairs first; a track goes on for as long as somebody is near enough."""
    open_: list[list[tuple[int, int]]] = []
    done: list[list[tuple[int, int]]] = []
    step = float(np.median(np.diff(seen.times))) if len(seen) > 1 else 1 / 30
    for t in range(len(seen)):
        here = np.flatnonzero((seen.confidence[t] > 0).any(axis=-1))
        done += [track for track in open_ if t - track[-1][0] > LOOK_BACK]
        open_ = [track for track in open_ if t - track[-1][0] <= LOOK_BACK]
        taken: set[int] = set()
        for k, lane in _nearest_pairs(seen, open_, t, here, step):
            open_[k].append((t, lane))
            taken.add(lane)
        open_ += [[(t, int(lane))] for lane in here if lane not in taken]
    return [_track(view, rows) for rows in done + open_]


def _track(view: int, rows: list[tuple[int, int]]) -> Track:
    table = np.array(rows, dtype=np.intp)
    return Track(view, table[:, 0], table[:, 1])


def _nearest_pairs(
    seen: Keypoints2D, tracks: list[list[tuple[int, int]]], t: int, here: Indices, step: float
) -> Iterator[tuple[int, int]]:
    """Pairs of a track and a lane in frame t that are near enough, nearest first, each at most once."""
    if not tracks or not len(here):
        return
    foretold = np.stack([_foretold(seen, rows, t) for rows in tracks])
    far = distance(foretold[:, None], seen.points[t, here], seen.confidence[t, here])
    reach = REACH * np.maximum(30 * step * (t - np.array([rows[-1][0] for rows in tracks])), 0.5)
    near = np.argwhere(far < reach[:, None])
    tracks_taken: set[int] = set()
    lanes_taken: set[int] = set()
    for k, n in near[np.argsort(far[near[:, 0], near[:, 1]], kind="stable")].tolist():
        if k not in tracks_taken and n not in lanes_taken:
            tracks_taken.add(k)
            lanes_taken.add(n)
            yield k, int(here[n])


def _foretold(seen: Keypoints2D, rows: list[tuple[int, int]], t: int) -> Floats:
    """Landmarks (J, 2) of a track in frame t, moving on as in its last two frames."""
    last, lane = rows[-1]
    now = seen.points[last, lane]
    if len(rows) < 2:
        return now
    before, lane = rows[-2]
    return now + drift(now - seen.points[before, lane]) * (t - last) / (last - before)


def drift(moved: Floats) -> Floats:
    """Median movement (2,) of landmarks (J, 2); 0 where nothing is known."""
    known = moved[np.isfinite(moved[:, 0])]
    return np.median(known, axis=0) if len(known) else np.zeros(2)


def distance(first: Floats, second: Floats, weight: Floats) -> Floats:
    """Median distance (...) of bodies' surer landmarks (..., J, 2) over the second's height.

    Args:
        first: (..., J, 2) pixels.
        second: (..., J, 2) pixels.
        weight: (..., J) confidence of the second.

    Returns:
        (...) infinite where they have nothing in common.
    """
    apart = np.linalg.norm(first - second, axis=-1)
    both = np.isfinite(apart) & (weight > 0)
    sure = both & (weight >= _median(weight, both)[..., None])
    return np.asarray(_median(apart, sure) / extent(second))


def _median(values: Floats, use: Bools) -> Floats:
    """Lower median over the last axis of the values to be used; infinite where there is none."""
    ordered = np.sort(np.where(use, values, np.inf), axis=-1)
    middle = np.maximum(use.sum(axis=-1) - 1, 0) // 2
    middle = np.broadcast_to(middle, ordered.shape[:-1])
    return np.take_along_axis(ordered, middle[..., None], axis=-1)[..., 0]


def extent(points: Floats) -> Floats:
    """Diagonal (...) of the boxes about landmarks (..., J, 2), pixels; at least 1."""
    known = np.isfinite(points)
    low = np.where(known, points, np.inf).min(axis=-2)
    high = np.where(known, points, -np.inf).max(axis=-2)
    there = np.isfinite(low).all(axis=-1, keepdims=True)
    size = np.linalg.norm(np.where(there, high, 1.0) - np.where(there, low, 0.0), axis=-1)
    return np.maximum(size, 1.0)


def boxes_of(points: Floats) -> Floats:
    """(..., 4) left, top, right, bottom of landmarks (..., J, 2), pixels; NaN where none is known."""
    return np.concatenate([np.fmin.reduce(points, axis=-2), np.fmax.reduce(points, axis=-2)], axis=-1)


def _doubtful(k: int, tracks: list[Track], boxes: list[Floats]) -> Bools:
    """(N,) in which frames of track k somebody else is in the way, or came or went there."""
    own, box = tracks[k].frames, boxes[k]
    out = np.zeros(len(own), bool)
    for m, other in enumerate(tracks):
        first, last = other.frames[0] - NEAR_END, other.frames[-1] + NEAR_END
        if m == k or first > own[-1] or last < own[0]:
            continue
        near = np.clip(np.searchsorted(other.frames, own), 0, len(other) - 1)
        other_box = boxes[m][near]
        common = shared(box, other_box) / np.minimum(area(box), area(other_box))
        out |= (own >= first) & (own <= last) & (common > OVERLAP)
    return out


def shared(a: Floats, b: Floats) -> Floats:
    """(...) area that boxes (..., 4) have in common, square pixels; NaN where one is unknown."""
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=-1))


def area(boxes: Floats) -> Floats:
    """(...) area of boxes (..., 4), square pixels, each side taken for at least 1."""
    return np.asarray(np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 1.0), axis=-1))


def _pieces(track: Track, doubt: Bools, part: Indices) -> Iterator[Track]:
    """Cut a track where doubt (N,) begins and ends, and where another part (N,) of the clock does."""
    cuts = np.flatnonzero((np.diff(doubt) != 0) | (np.diff(part) != 0)) + 1
    for start, stop in pairwise([0, *cuts.tolist(), len(track)]):
        yield track.part(start, stop, bool(doubt[start]))
