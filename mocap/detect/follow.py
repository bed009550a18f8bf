"""Several people followed through one view: each by the region in which the last frame left them.

A region that has slid onto another person shows as two bodies that are one; then the one is dropped that is
astray, and whoever lost his region is sought where he would have gone on to: the network that finds people
seldom finds two who are near each other, but that of the landmarks, shown the right place with the other
painted over, does. Nothing here decides who is who: regions come and go, and `mocap.track` and
`mocap.associate` make people of what they saw.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mocap.video import Image

Floats = NDArray[np.float64]
Part = tuple[int, int, int, int]  # left, top, right, bottom of a part of an image, pixels

SCAN = 1 / 3  # seconds between two looks for new people, each into the next part of the image
PART = 0.45  # of a square part's side by which the next one may lie further along
SAME_PLACE = 0.12  # of a region's side between the middles of two that hold the same person
SAME_SIZE = 1.35
ONE_BODY = 0.04  # of a region's side, median distance of the landmarks of two bodies that are one
SEEN = 0.5  # visibility of a landmark that counts in that
FAINT = 0.3  # visibility of a landmark that shows where a body is
GREY = 128
WHOLE = 0.3  # share of landmarks that must be seen of somebody new
WHOLE_SOUGHT = 0.5  # and of somebody lost, looked at where he would have gone on to
SOUGHT = 2.0  # seconds for which a lost person is sought where he was
OFTEN = 4  # frames between two such looks
AROUND = 1.3  # times the lost region's side that is searched
COASTS = 1.0  # seconds for which somebody lost is taken to go on as before
SLID = 0.2  # seconds before the loss in which the region may have slid to somebody else already
NEAR = 0.6  # of the larger region's side between people of whom one's region may hold the other
SLIDES = 0.15  # of a region's side by which its body is astray that slid to somebody else
WALKED = 0.6  # seconds before the loss from which on it is told how somebody moves
MOST = 16  # people at once in a view
RATE, CUTOFF, SPEEDING, SPEED_CUTOFF = 1e6 / 33333, 0.01, 10.0, 1.0  # Hz: see `_Lane`
ENLARGED = 1.25  # of the circle about a body, as in MediaPipe's graph


@dataclass(frozen=True)
class Region:
    """A turned square about a body: middle and side in pixels, turn in radians."""

    x: float
    y: float
    size: float
    turn: float

    @classmethod
    def about(cls, axis: Floats) -> Region:
        """About a body whose hips' middle, and a point above on the circle about it, are `axis` (2, 2) px."""
        (x, y), (right, down) = axis[0], axis[1] - axis[0]
        turn = np.pi / 2 - np.arctan2(-down, right)
        turned = turn - 2 * np.pi * np.floor((turn + np.pi) / (2 * np.pi))
        return cls(float(x), float(y), float(2 * ENLARGED * np.hypot(right, down)), float(turned))

    def like(self, other: Region) -> bool:
        """Whether both hold the same person, as far as place and size tell."""
        size = min(self.size, other.size)
        near = np.hypot(self.x - other.x, self.y - other.y) < SAME_PLACE * size
        return bool(near and max(self.size, other.size) < SAME_SIZE * size)


@dataclass(frozen=True, eq=False)
class Body:
    """A person in one frame.

    points (J, 2) pixels, confidence (J,), world (J, 3) m: see `Detection`; axis (2, 2) pixels: the middle of
    the hips, and a point above on the circle about the body.
    """

    points: Floats
    confidence: Floats
    world: Floats
    axis: Floats

    @property
    def region(self) -> Region:
        """The square about the person."""
        return Region.about(self.axis)

    def is_one_with(self, other: Body) -> bool:
        """Whether two bodies are the same person seen twice."""
        both = (self.confidence > SEEN) & (other.confidence > SEEN)
        if both.sum() < 5:
            both = np.ones(len(both), bool)
        apart = np.linalg.norm(self.points[both] - other.points[both], axis=-1)
        return bool(np.median(apart) < ONE_BODY * min(self.region.size, other.region.size))


class Networks(Protocol):
    """What finds people: see `mocap.detect.posegraph`."""

    def find(self, image: Image, corner: tuple[int, int] = ...) -> list[Region]:
        """Where people may be in an image."""

    def look(self, image: Image, region: Region) -> Body | None:
        """The person in a region of an image."""


@dataclass(frozen=True, eq=False)
class _Lost:
    """Somebody who is not followed since `time` s: his region at `last` s, and speed (2,) px/s then."""

    region: Region
    time: float
    speed: Floats
    last: float = np.nan

    def at(self, time: float) -> Region:
        """Where he is, if he goes on like that."""
        if not self.speed.any():
            return self.region
        x, y = self.speed * min(time - self.last, COASTS)
        return replace(self.region, x=self.region.x + float(x), y=self.region.y + float(y))


class _Lane:
    """One person who is followed: the last body, and where to look next.

    The place is steadied as MediaPipe's own graph does (1-Euro filter, Casiez et al. 2012): without, regions
    tremble, and with them the landmarks.
    """

    def __init__(self, body: Body, time: float) -> None:
        self.body, self.steady, self.speed = body, body.axis, np.zeros((2, 2))
        self.places = deque([(time, body.axis)])
        self.guarded = False

    @property
    def region(self) -> Region:
        return Region.about(self.steady)

    def astray(self, time: float) -> float:
        """How far the body is from where it would have gone on to, pixels."""
        return _apart(self.body, self.lost(time).at(time))

    def restart(self, time: float) -> None:
        """Forget where the lane was before `time`: that was somebody else."""
        self.places = deque([(time, self.body.axis)])

    def lost(self, time: float) -> _Lost:
        """Where to seek whom this lane lost."""
        before = [place for place in self.places if place[0] <= time - SLID]
        if len(before) < 2:
            return _Lost(self.region, time, np.zeros(2))
        (first, start), (last, end) = before[0], before[-1]
        return _Lost(Region.about(end), time, (end[0] - start[0]) / (last - first), last)

    def is_near(self, other: _Lane) -> bool:
        """Whether the region may hold somebody else, too."""
        apart = np.hypot(*(self.body.axis[0] - other.body.axis[0]))
        return bool(apart < NEAR * max(self.region.size, other.region.size))

    def move(self, body: Body, time: float) -> None:
        self.places.append((time, body.axis))
        while time - self.places[0][0] > WALKED:
            self.places.popleft()
        size = body.region.size / ENLARGED
        speed = (body.axis - self.body.axis) * RATE / size
        self.speed = self.speed + _share(SPEED_CUTOFF) * (speed - self.speed)
        share = _share(CUTOFF + SPEEDING * np.abs(self.speed))
        self.steady = self.steady + share * (body.axis - self.steady)
        self.body = body


def _share(cutoff: Floats | float) -> Floats:
    """What the newest value counts in a low-pass filter of that cutoff, Hz."""
    return np.asarray(1 / (1 + RATE / (2 * np.pi * np.asarray(cutoff))))


@dataclass
class Follower:
    """Follows people from frame to frame.

    Args:
        networks: what finds them.
        alone: whether one person is all there is: the first that is found, and nobody else is looked for.
    """

    networks: Networks
    alone: bool = False
    lanes: dict[int, _Lane] = field(default_factory=dict)
    lost: list[_Lost] = field(default_factory=list)
    frame: int = -1
    time: float = 0.0
    scans: int = 0
    next_scan: float = 0.0

    def step(self, image: Image, time: float) -> dict[int, Body]:
        """The people in the next frame, at `time` s, by lane; who is followed keeps his lane."""
        self.frame, self.time = self.frame + 1, time
        for number, lane in list(self.lanes.items()):
            near = [other for n, other in self.lanes.items() if n != number and lane.is_near(other)]
            lane.guarded = lane.guarded and bool(near)
            found = self.networks.look(_without(image, near) if lane.guarded else image, lane.region)
            if found is None:
                self._lose(number)
            else:
                lane.move(found, time)
        self._drop_doubles()
        self._notice_slides()
        if not self.alone:
            for region in self._scanned(image):
                self._take(image, region)
        elif not self.lanes:
            for region in self.networks.find(image)[:1]:
                self._take(image, region, whole=0.0)
        return {number: lane.body for number, lane in self.lanes.items()}

    def _scanned(self, image: Image) -> Iterator[Region]:
        """Regions that may hold somebody new."""
        whole, *squares = parts(image)
        looks: list[Part] = []
        if not self.lanes:
            looks = [whole, *squares, whole] if self.frame % OFTEN == 0 else [whole]
        elif self.time >= self.next_scan:
            looks = [[whole, *squares][self.scans % (1 + len(squares))]]
            self.scans, self.next_scan = self.scans + 1, self.time + SCAN
        self.lost = [lost for lost in self.lost if self.time - lost.time < SOUGHT]
        if self.frame % OFTEN == 0:
            sought = [lost.at(self.time) for lost in self.lost]
            looks = looks + [_around(image, region) for region in sought]
            for region in sought:
                self._take(self._without_known(image), region, whole=WHOLE_SOUGHT, guarded=True)
        for left, top, right, low in looks:
            shown = self._without_known(image) if (left, top, right, low) == whole else image
            yield from self.networks.find(shown[top:low, left:right], (left, top))

    def _without_known(self, image: Image) -> Image:
        """The image with everybody who is followed painted over, so that the search sees who is left."""
        return _without(image, self.lanes.values())

    def _take(self, image: Image, region: Region, whole: float = WHOLE, guarded: bool = False) -> None:
        """Begin to follow whoever is in the region, unless it is nobody or somebody who is followed.

        A guarded one is looked at with those who are near painted over.
        """
        if len(self.lanes) >= MOST or any(lane.region.like(region) for lane in self.lanes.values()):
            return
        body = self.networks.look(image, region)
        if body is None or (body.confidence > SEEN).mean() < whole:
            return
        if any(body.is_one_with(lane.body) for lane in self.lanes.values()):
            return
        free = next(lane for lane in range(MOST) if lane not in self.lanes)
        self.lanes[free] = _Lane(body, self.time)
        self.lanes[free].guarded = guarded
        self.lost = [lost for lost in self.lost if not _near(lost.at(self.time), body.region)]

    def _drop_doubles(self) -> None:
        """Of two bodies that are one, the lane goes that is farther from where it would have gone on to."""
        for number, other in combinations(sorted(self.lanes), 2):
            if not {number, other} <= set(self.lanes):
                continue
            if self.lanes[other].body.is_one_with(self.lanes[number].body):
                astray = {n: self.lanes[n].astray(self.time) for n in (other, number)}
                self._lose(max(astray, key=lambda n: astray[n]))

    def _notice_slides(self) -> None:
        """Seek whom a lane held that is now where somebody lost must be, and not where it would have gone."""
        for lane in self.lanes.values():
            was, size = lane.lost(self.time), lane.region.size
            for n, lost in enumerate(self.lost):
                from_lost, from_own = (_apart(lane.body, who.at(self.time)) for who in (lost, was))
                if from_own > SLIDES * size and from_own > from_lost:
                    self.lost[n] = was
                    lane.restart(self.time)
                    break

    def _lose(self, number: int) -> None:
        self.lost.append(self.lanes.pop(number).lost(self.time))


def _apart(body: Body, region: Region) -> float:
    """Pixels between the middles of a body and of a region."""
    return float(np.hypot(*(body.axis[0] - (region.x, region.y))))


def _without(image: Image, lanes: Iterable[_Lane]) -> Image:
    """The image with the bodies of lanes painted over."""
    from cv2 import convexHull, fillConvexPoly

    out = image.copy()
    for lane in lanes:
        seen = lane.body.points[lane.body.confidence > FAINT]
        if len(seen) > 2:
            fillConvexPoly(out, convexHull(seen.round().astype(np.int32)), (GREY, GREY, GREY))
    return out


def parts(image: Image) -> list[Part]:
    """The parts (left, top, right, bottom) of an image that are scanned in turn: all of it, then squares.

    The network sees 224 pixels whatever it is given; in squares of the shorter side people are larger. Two
    people who meet were found in 44 % of the frames in the whole image, in 60 % with the squares too, and in
    68 % with another look at the whole in which the known are painted over.
    """
    high, wide = image.shape[:2]
    side, spare = min(high, wide), abs(wide - high)
    count = int(np.ceil(spare / (PART * side))) + 1
    whole = [(0, 0, wide, high)]
    if count == 1:
        return whole
    starts: Iterable[int] = np.linspace(0, spare, count).round().astype(int).tolist()
    if wide > high:
        return whole + [(s, 0, s + side, high) for s in starts]
    return whole + [(0, s, wide, s + side) for s in starts]


def _around(image: Image, region: Region) -> Part:
    high, wide = image.shape[:2]
    half = AROUND * region.size / 2
    left, top = (int(np.clip(c - half, 0, most - 32)) for c, most in ((region.x, wide), (region.y, high)))
    right, low = (int(np.clip(c + half, 32, most)) for c, most in ((region.x, wide), (region.y, high)))
    return left, top, max(right, left + 32), max(low, top + 32)


def _near(a: Region, b: Region) -> bool:
    return bool(np.hypot(a.x - b.x, a.y - b.y) < 0.5 * max(a.size, b.size))
