"""People looked for again in the views that lost them, where the views that see them say they are.

A detector that has to find people by itself misses who is small, far or half hidden. But whom two views see
has a place in space, and so a place in every other image; a look right there mostly finds him. What it finds
counts where it lies on that place: of somebody behind another person, the other one is found. Who has others
about him is looked at again as well, with these painted over: a detector takes their limbs for his.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from mocap.covering import Outlines
from mocap.crowd import Crowd
from mocap.detect.base import Sought
from mocap.hiding import BEFORE
from mocap.keypoints import Keypoints2D, Layout
from mocap.paths import placed
from mocap.recheck import BRIDGE, bridged, median_miss
from mocap.sight import SURE, landmarks_of
from mocap.stature import stature_of
from mocap.ticks import Ticks, common_ticks

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Bools = NDArray[np.bool_]
Views = Mapping[str, Keypoints2D]
Look = Callable[[Mapping[str, Sought]], Views]

RADIUS = 0.54  # of the stature: the circle about the hips that BlazePose puts about people
ENLARGED = 1.25  # of the circle: the region, see `mocap.detect.follow`
TIGHT = 0.9  # of the region, where somebody else would be in it
INSIDE = 0.5  # share of the known landmarks that must be in the image
FEWEST = 5  # landmarks that must be known
NEAREST = 0.5  # metres before a camera
HIDDEN = 0.8  # share of the known landmarks within the outline of somebody nearer
SHORT = 0.15  # seconds without somebody that are bridged well enough without looking
FITS = 0.08  # of the height, by which what is found misses the place at most; right ones 0.01 to 0.06
RIVAL = 0.7  # of the miss of any other person, that the own one must stay below
ASTRAY = 0.1  # of the height, by which a landmark counts as off at most
ONE_BODY = 0.05  # of the height, by which what is found differs from what was seen of another at least


def seek(crowd: Crowd, offsets: Sequence[float], cameras: Cameras, look: Look) -> Crowd:
    """Look again for people in the frames of views in which they were not seen.

    Args:
        crowd: people and their detections.
        offsets: seconds to add to each view's own times.
        cameras: of the views.
        look: see `mocap.detect.run.look_again`.

    Returns:
        The same people as they were detected, before anything refined them, with what was found beside; or
        the crowd as it is, if nobody was found.
    """
    people = [{name: seen.as_detected() for name, seen in views.items()} for views in crowd.views]
    ticks = common_ticks(list(people[0].values()), offsets)
    bodies = [_Body.of(list(views.values()), ticks, cameras) for views in people]
    views = {
        name: _View(camera, [seen[name] for seen in people], bodies, ticks.ticks[v])
        for v, (name, camera) in enumerate(zip(people[0], cameras, strict=True))
    }
    sought = {name: view.sought() for name, view in views.items()}
    asked = {name: where for name, where in sought.items() if len(where)}
    found = look(asked) if asked else {}
    for name, seen in found.items():
        added = views[name].with_found(seen, sought[name].span[0])
        for person, now in zip(people, added, strict=True):
            person[name] = now
    return replace(crowd, views=tuple(people)) if found else crowd


@dataclass(frozen=True, eq=False)
class _Body:
    """A person in space: landmarks (T, J, 3) m at the ticks, NaN unknown; stature m."""

    landmarks: Floats
    stature: float

    @classmethod
    def of(cls, views: Sequence[Keypoints2D], ticks: Ticks, cameras: Cameras) -> _Body:
        layout = views[0].layout
        rows, _ = landmarks_of(layout)
        who = [np.where(seen.confidence.max(axis=-1) > 0, 0, -1) for seen in views]
        found = bridged(placed(who, 0, views, ticks, cameras).landmarks, round(BRIDGE / ticks.step))
        out = np.full((len(found), len(layout), 3), np.nan)
        out[:, rows] = found
        return cls(out, stature_of(out, layout))


class _View:
    """A view with everybody in it: what was seen of each, and where each must be.

    Args:
        camera: of the view.
        seen: of each person (P = 1), frame by frame.
        bodies: in space.
        ticks: (F,) tick of each frame.
    """

    def __init__(
        self, camera: Camera, seen: Sequence[Keypoints2D], bodies: Sequence[_Body], ticks: Indices
    ) -> None:
        self.seen, self.layout = seen, seen[0].layout
        where = np.stack([body.landmarks[ticks] for body in bodies])
        self.image = camera.project(where)  # (K, F, J, 2)
        hips = _middle(where, self.layout, "hip")
        self.depth = hips @ camera.camera_from_world[2, :3] + camera.camera_from_world[2, 3]  # (K, F)
        stature = np.array([body.stature for body in bodies])[:, None]
        depth = np.where(self.depth > NEAREST, self.depth, np.nan)
        self.height = stature * camera.K[0, 0] / depth  # (K, F) pixels, of somebody upright
        self.regions = self._regions()  # (K, F, 4), the square about each person
        self.shapes = self._shapes()

    def _regions(self) -> Floats:
        hips, shoulders = (_middle(self.image, self.layout, part) for part in ("hip", "shoulder"))
        right, down = np.moveaxis(shoulders - hips, -1, 0)
        side = 2 * ENLARGED * RADIUS * self.height
        return np.stack([*np.moveaxis(hips, -1, 0), side, np.arctan2(right, -down)], axis=-1)

    def sought(self) -> Sought:
        """Where to look for whom."""
        wanted = self._in_image() & np.isfinite(self.regions).all(axis=-1)
        for k, seen in enumerate(self.seen):
            wanted[k] &= (seen.confidence[:, 0].max(axis=-1) == 0) | self._crowded(k)
            wanted[k, wanted[k]] = self._hidden(k, np.flatnonzero(wanted[k])) <= HIDDEN
            wanted[k] = _lasting(wanted[k], round(SHORT / _step(seen)))
        frames, lanes = np.nonzero(wanted.T)
        regions = self.regions[lanes, frames]
        outlines = Outlines(self.shapes, self.depth, self.height, self.layout)
        cover = outlines.cover(lanes, frames, regions)
        regions[np.unique(cover.owners), 2] *= TIGHT
        return Sought(frames, lanes, regions, cover)

    def _nearer(self, person: int, frame: int) -> Indices:
        with np.errstate(invalid="ignore"):
            return np.flatnonzero(self.depth[:, frame] < self.depth[person, frame] - BEFORE)

    def _crowded(self, person: int) -> Bools:
        """(F,) whether somebody else reaches into the box about a person."""
        own = self.shapes[person]
        with np.errstate(invalid="ignore"):
            low, high = np.fmin.reduce(own, axis=1), np.fmax.reduce(own, axis=1)
            inside = ((self.shapes > low[:, None]) & (self.shapes < high[:, None])).all(axis=-1)
        inside[person] = False
        return inside.any(axis=-1).any(axis=0)

    def _astray(self, person: int, frames: Indices, what: Keypoints2D, lane: int) -> Floats:
        """(N,) how far landmarks are on average from where a person's must be; infinite where unknown."""
        off = np.linalg.norm(what.points[:, lane] - self.image[person, frames], axis=-1)
        off = np.minimum(off / self.height[person, frames][:, None], ASTRAY)
        use = np.isfinite(off) & (what.confidence[:, lane] > SURE)
        total = np.where(use, off, 0.0).sum(axis=1)
        return np.where(use.any(axis=1), total / np.maximum(use.sum(axis=1), 1), np.inf)

    def _shapes(self) -> Floats:
        """(K, F, J, 2) landmarks as seen, those not seen as they must be."""
        points, confidence = (
            np.stack([getattr(seen, name)[:, 0] for seen in self.seen]) for name in ("points", "confidence")
        )
        return np.where((confidence > SURE)[..., None], points, self.image)

    def _in_image(self) -> Bools:
        known = np.isfinite(self.image[..., 0])
        size = np.array(self.seen[0].size)
        with np.errstate(invalid="ignore"):
            inside = ((self.image >= 0) & (self.image <= size - 1)).all(axis=-1)
        count = known.sum(axis=-1)
        return np.asarray((count >= FEWEST) & (inside.sum(axis=-1) >= INSIDE * count))

    def _hidden(self, person: int, frames: Indices) -> Floats:
        """(N,) share of a person's known landmarks within the outline of the one nearer who hides most."""
        out = np.zeros(len(frames))
        for n, t in enumerate(frames):
            points = self.image[person, t]
            points = points[np.isfinite(points[:, 0])]
            for k in self._nearer(person, t):
                outline = self.shapes[k, t]
                out[n] = max(out[n], _share_within(outline[np.isfinite(outline[:, 0])], points))
        return out

    def with_found(self, found: Keypoints2D, first: int) -> list[Keypoints2D]:
        """What was seen of each person, and found, from frame `first` on, where it is that person."""
        frames = np.arange(first, first + len(found))
        good = self._fits(found, frames)
        return [self._added(k, found, frames, good[k]) for k in range(len(self.seen))]

    def _added(self, person: int, found: Keypoints2D, frames: Indices, good: Bools) -> Keypoints2D:
        seen = self.seen[person]
        if person >= found.people or not good.any():
            return seen
        points, confidence = seen.points.copy(), seen.confidence.copy()
        old, new = (self._astray(person, frames, *what) for what in ((seen.take(frames), 0), (found, person)))
        good = good & (new < old)
        points[frames[good], 0] = found.points[good, person]
        confidence[frames[good], 0] = found.confidence[good, person]
        world, centres = (
            None if old is None or new is None else _with(old, frames[good], new[good, person])
            for old, new in ((seen.world, found.world), (seen.centres, found.centres))
        )
        return seen.replace(points, confidence, world, centres)

    def _fits(self, found: Keypoints2D, frames: Indices) -> Bools:
        """(K, N) whether what was found for each person is that person."""
        out = np.zeros((len(self.seen), len(frames)), bool)
        for k in range(min(found.people, len(self.seen))):
            miss = np.stack([self._miss(found, k, m, frames) for m in range(len(self.seen))])
            own = miss[k]
            others = np.delete(miss, k, axis=0)
            others = np.where(np.isfinite(others), others, np.inf).min(axis=0, initial=np.inf)
            out[k] = (own < FITS) & (own < RIVAL * others) & ~self._taken(found, k, frames)
        return out

    def _miss(self, found: Keypoints2D, lane: int, person: int, frames: Indices) -> Floats:
        """(N,) how far what was found in a lane is from a person, over the height of who was sought."""
        image = self.image[person, frames]
        sure = found.confidence[:, lane] > SURE
        off = [
            median_miss(found.points[:, lane], expected, sure)
            for expected in (image, image[:, self.layout.mirror])
        ]
        return np.fmin(*off) / self.height[lane, frames]

    def _taken(self, found: Keypoints2D, lane: int, frames: Indices) -> Bools:
        """(N,) whether what was found is what was seen of somebody else."""
        out = np.zeros(len(frames), bool)
        for k, seen in enumerate(self.seen):
            if k != lane:
                sure = found.confidence[:, lane] > SURE
                off = median_miss(found.points[:, lane], seen.points[frames, 0], sure)
                out |= off < ONE_BODY * self.height[lane, frames]
        return out


def _with(values: Floats, frames: Indices, others: Floats) -> Floats:
    """Values (F, 1, ...) with others (N, ...) in some frames."""
    out = values.copy()
    out[frames, 0] = others
    return out


def _middle(points: Floats, layout: Layout, part: str) -> Floats:
    """(..., D) between the left and the right `part` of landmarks (..., J, D)."""
    left, right = (points[..., layout.index(f"{side}_{part}"), :] for side in ("left", "right"))
    return np.asarray((left + right) / 2)


def _lasting(wanted: Bools, least: int) -> Bools:
    """The same (F,) without runs of fewer than `least` frames."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], wanted, [False]]).astype(int)))
    out = wanted.copy()
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        out[start:stop] = stop - start >= least
    return out


def _step(seen: Keypoints2D) -> float:
    """Seconds from frame to frame."""
    return float(np.median(np.diff(seen.times))) if len(seen) > 1 else 1.0


def _share_within(outline: Floats, points: Floats) -> float:
    """Share of points (N, 2) that lie within the convex hull of others (M, 2)."""
    from cv2 import convexHull

    if len(outline) < 3 or not len(points):
        return 0.0
    hull = convexHull(outline.astype(np.float32))[:, 0].astype(float)
    side = np.roll(hull, -1, axis=0) - hull
    away = points[:, None] - hull
    turn = side[:, 0] * away[..., 1] - side[:, 1] * away[..., 0]
    return float(((turn >= 0).all(axis=1) | (turn <= 0).all(axis=1)).mean())
