"""Who is behind somebody else in a view until he is seen again.

Nobody leaves an image but over its edge. Who is lost in the middle of it is behind somebody or something, and
who appears there has been. If a body that went straight from where one was lost to where another appears
would have been behind somebody who is seen all the while, they may be one person, however long that takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mocap.cluster import Pair
from mocap.keypoints import Keypoints2D
from mocap.track import Track, area, boxes_of, shared

Floats = NDArray[np.float64]

LONGEST = 8.0  # seconds that somebody may be behind others
LEAST = 0.25  # seconds that somebody must be seen at a stretch: scraps are parts of the one in front
COVERED = 0.5  # of a body's box that somebody else's covers while it is not seen
MOSTLY = 0.8  # of that time: who is half hidden may go unseen, too
GROWS = 1.5  # times its height in the image that a body may have when it is seen again, or one over that
LARGER = 1.5  # times the area of a body's box in the image that of one must be who is before it
SWIFT = (0.3, 1.0)  # of its height that it may move, and in each second
SPEAKS = 4.0  # what speaks for one who appears where another was lost; half of it a body's height away


@dataclass(frozen=True)
class _Visit:
    """While somebody is seen.

    Attributes:
        first: frame with which the first stretch that is no scrap begins; last: with which the last ends.
        appears: (4,) the box of his body in the first frame; lost: in the last.
    """

    first: int
    last: int
    appears: Floats
    lost: Floats


def behind_others(people: Sequence[Track], seen: Keypoints2D) -> Iterator[tuple[Pair, float]]:
    """How much speaks for people being what became of others that were lost behind somebody.

    Args:
        people: all that is taken for one person each, in one view.
        seen: what it saw.

    Yields:
        The one that was lost and the one that appears, and what speaks for it, more than 0.
    """
    boxes = boxes_of(seen.points)
    visits = [_visit(person, boxes, seen) for person in people]
    for a, one in enumerate(visits):
        for b, other in enumerate(visits):
            if one is None or other is None or other.first <= one.last:
                continue
            seconds = float(seen.times[other.first] - seen.times[one.last])
            away = _moved(one.lost, other.appears)
            if seconds > LONGEST or away > SWIFT[0] + SWIFT[1] * seconds:
                continue
            if _grown(one.lost, other.appears) > GROWS:
                continue
            share = np.arange(1, other.first - one.last)[:, None] / (other.first - one.last)
            way = one.lost + share * (other.appears - one.lost)
            if _behind(way, boxes[one.last + 1 : other.first]) >= MOSTLY:
                yield (a, b), SPEAKS / (1 + away)


def without_borrowed_colours(seen: Keypoints2D) -> Keypoints2D:
    """The same, without colours of whoever is behind somebody much larger: they are that one's as a rule.

    Args:
        seen: (T, P) detections of a view; returned as it is where there are no colours, or one person.
    """
    if seen.colours is None or seen.people < 2:
        return seen
    boxes = boxes_of(seen.points)
    behind = np.zeros(boxes.shape[:2], bool)
    for k in range(seen.people):
        one = boxes[:, k, None]
        larger = area(boxes) > LARGER * area(one)
        behind[:, k] = (larger & (shared(one, boxes) > COVERED * area(one))).any(axis=1)
    return replace(seen, colours=np.where(behind[..., None, None], np.nan, seen.colours))


def _visit(person: Track, boxes: Floats, seen: Keypoints2D) -> _Visit | None:
    """When somebody is seen, None if never but in scraps."""
    parts = np.split(np.arange(len(person)), np.flatnonzero(np.diff(person.frames) > 1) + 1)
    kept = [part for part in parts if np.ptp(seen.times[person.frames[part]]) >= LEAST]
    if not kept:
        return None
    at = [int(kept[0][0]), int(kept[-1][-1])]
    frames = person.frames[at]
    appears, lost = boxes[frames, person.lanes[at]]
    return _Visit(int(frames[0]), int(frames[1]), appears, lost)


def _grown(lost: Floats, found: Floats) -> float:
    """The height of one of two boxes (4,) over the other's, of the larger one."""
    high, low = (max(float(box[3] - box[1]), 1.0) for box in (lost, found))
    return max(high / low, low / high)


def _moved(lost: Floats, found: Floats) -> float:
    """By how much a box (4,) moved, over its mean height."""
    apart = np.linalg.norm(found[:2] + found[2:] - lost[:2] - lost[2:])
    return float(apart / max(found[3] - found[1] + lost[3] - lost[1], 1.0))


def _behind(way: Floats, others: Floats) -> float:
    """In what share of frames a box (T, 4) is behind some of others (T, P, 4), NaN = not seen."""
    covered = np.nan_to_num(shared(way[:, None], others) / area(way)[:, None])
    return float((covered.max(axis=1, initial=0.0) >= COVERED).mean()) if len(way) else 0.0
