"""Where people are looked at closer: squares about them, and who is painted over there.

A detector lays its crop where it saw somebody in the frame before; whom the image's edge cuts, or another
person hides, it crops askew or loses. The solved body, which all views and frames tell of, lies in each image
where it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera
from mocap.attach import load_attachment
from mocap.covering import Outlines
from mocap.detect.centres import squares_about
from mocap.detect.closer import SQUARES
from mocap.detect.cover import Cover
from mocap.handplace import BEYOND as BEYOND_ENDS
from mocap.handplace import GRID, worth_looking
from mocap.keypoints import Keypoints2D, Layout
from mocap.placing import Placed
from mocap.solving import Solved
from rigs.solving.body import load_body

Floats = NDArray[np.float64]

CLOSE = 1.15  # times the extent of what a square holds: its side
ELSEWHERE = 0.08  # of the body's extent, by which joints may be elsewhere than the rough solve has them
DRAWN = 0.75  # share of the way beyond the image's edge by which landmarks are drawn to it in laying squares
RATE = 30.0  # looks a second
FEWEST = 3  # landmarks of a square, or joints, that are in the image of somebody who is looked at
NEAREST = 0.3  # metres before a camera
LOW = ("ankle", "heel", "foot_index")  # landmarks that are not in the upper square
HIGH = ("shoulder", "hip", "knee", *LOW)  # and those in the lower


def closer_regions(
    solved: Sequence[Solved], placed: Placed, keypoints: Mapping[str, Keypoints2D]
) -> dict[str, Floats]:
    """Where to look closer: by view, (T, P, L + C, 4), see `mocap.detect.closer.CloserLooks`.

    Args:
        solved: P people.
        placed: the views.
        keypoints: what was detected in each, in the order of the cameras; for the times of its frames.
    """
    layout = placed.seen.layout
    out = {}
    for v, ((name, view), bodies) in enumerate(
        zip(keypoints.items(), _by_view(solved, placed, keypoints), strict=True)
    ):
        people = [
            _where(body, one.cameras[v], view.size, layout) for one, body in zip(solved, bodies, strict=True)
        ]
        where = np.stack(people, axis=1)
        where[~worth_looking(view.times, RATE)] = np.nan
        out[name] = np.round(where / GRID) * GRID
    return out


def closer_covers(
    solved: Sequence[Solved],
    placed: Placed,
    keypoints: Mapping[str, Keypoints2D],
    regions: Mapping[str, Floats],
) -> dict[str, Cover]:
    """What to paint over for those looks: everybody else who is near, by view; see `CloserLooks`.

    Args:
        solved: P people.
        placed: the views.
        keypoints: as for `closer_regions`.
        regions: which that gave.
    """
    layout = placed.seen.layout.detector
    stature = np.array([one.animated.stature for one in solved])[:, None]
    out = {}
    for v, (name, bodies) in enumerate(zip(keypoints, _by_view(solved, placed, keypoints), strict=True)):
        body, camera = np.stack(bodies)[:, :, : len(layout)], solved[0].cameras[v]
        hips = body[:, :, [layout.index(f"{side}_hip") for side in ("left", "right")]].mean(axis=2)
        depth = hips @ camera.camera_from_world[2, :3] + camera.camera_from_world[2, 3]
        tall = stature * camera.K[0, 0] / np.maximum(depth, NEAREST)
        frames, people = np.nonzero(np.isfinite(regions[name][:, :, 0]).all(axis=-1))
        cover = Outlines(camera.project(body), depth, tall, layout).cover(
            people, frames, regions[name][frames, people, 0]
        )
        looks = frames * len(solved) + people
        out[name] = Cover(cover.strokes, looks[cover.owners])
    return out


def crowded_regions(
    before: Mapping[str, Floats], after: Mapping[str, Floats], covers: Mapping[str, Cover]
) -> dict[str, Floats]:
    """Where to look once more: of `after`, where somebody is expected elsewhere than he was looked for.

    Whose limb the rough solve had taken for another's was looked for there, and so was seen there again. Only
    where others are painted over: for who is alone a second look is no better.

    Args:
        before: by view, as of `closer_regions`, where people were looked at.
        after: the same as those looks tell.
        covers: what was painted over then.

    Returns:
        By view, (T, P, L + C, 4), `after`, or NaN where nobody need look.
    """
    out = {}
    for name, where in after.items():
        was, now = (a[:, :, len(SQUARES) :] for a in (before[name], where))
        away = np.linalg.norm(now[..., :2] - was[..., :2], axis=-1) / was[..., 2]
        crowded = np.isin(np.arange(where[:, :, 0, 0].size), covers[name].owners).reshape(where.shape[:2])
        again = crowded & (np.nan_to_num(away).max(axis=-1) > 1.0)
        out[name] = np.where(again[..., None, None], where, np.nan)
    return out


def _by_view(
    solved: Sequence[Solved], placed: Placed, keypoints: Mapping[str, Keypoints2D]
) -> Iterator[list[Floats]]:
    """Landmarks (F, J, 3) m of everybody at the times of the frames of each view."""
    bodies = [landmarks_of(one, placed) for one in solved]
    for v, view in enumerate(keypoints.values()):
        ticks = (view.times + placed.offsets[v] - placed.seen.start) * float(placed.seen.fps)
        yield [_at(body, ticks) for body in bodies]


def landmarks_of(one: Solved, placed: Placed) -> Floats:
    """Landmarks (T, J, 3) m of a solved person at all ticks of the clock; NaN when he was not there.

    Args:
        one: the person.
        placed: the views, for the clock and the layout.
    """
    motion, layout = one.animated.motion, placed.seen.layout
    body = load_body()
    attachment = load_attachment(layout, body)
    joints = [motion.skeleton.index(name) for name in body.names]
    positions, rotations = (values[:, joints] for values in motion.world())
    out = np.full((placed.seen.frames, len(layout), 3), np.nan)
    points = attachment.points(one.animated.stature).on(positions, rotations)
    out[one.first : one.first + len(motion), attachment.rows] = points
    return out


def _at(path: Floats, ticks: Floats) -> Floats:
    """A path (T, J, 3) at ticks (F,) that may lie between two; NaN beyond its ends."""
    last = len(path) - 1
    low = np.clip(np.floor(ticks).astype(int), 0, last)
    high = np.minimum(low + 1, last)
    part = np.clip(ticks - low, 0.0, 1.0)[:, None, None]
    between = np.where(part == 0, path[low], path[low] + part * (path[high] - path[low]))
    inside = (ticks >= -BEYOND_ENDS) & (ticks <= last + BEYOND_ENDS)
    return np.where(inside[:, None, None], between, np.nan)


def _where(body: Floats, camera: Camera, size: tuple[int, int], layout: Layout) -> Floats:
    """The squares (F, L, 4) about a body (F, J, 3) in a view, and where centres (F, C, 4) are expected.

    NaN where the body is not in the image.
    """
    own = len(layout.detector)
    squares = _squares(body[:, :own], camera, size, layout)
    expected = np.zeros((len(body), len(layout) - own, 4))
    expected[..., :2] = camera.project(body[:, own:])
    expected[..., 2] = ELSEWHERE / CLOSE * squares[:, :1, 2]
    expected[np.isnan(squares[:, 0]).any(axis=1)] = np.nan
    return np.concatenate([squares, expected], axis=1)


def _squares(body: Floats, camera: Camera, size: tuple[int, int], layout: Layout) -> Floats:
    """The squares (F, L, 4) about landmarks (F, J, 3) in a view, NaN where they are not in the image."""
    places = camera.project(body)
    depth = body @ camera.camera_from_world[2, :3] + camera.camera_from_world[2, 3]
    last = np.array(size) - 1.0
    inside = ((places >= 0) & (places <= last)).all(axis=-1)
    there = np.isfinite(places).all(axis=(1, 2)) & (depth > NEAREST).all(axis=1)
    drawn = places + DRAWN * (np.clip(places, 0.0, last) - places)
    hips, shoulders = (
        drawn[:, [layout.index(f"{side}_{part}") for side in ("left", "right")]].mean(axis=1)
        for part in ("hip", "shoulder")
    )
    out = np.full((len(body), len(SQUARES), 4), np.nan)
    for square, rows in enumerate(_held(layout)):
        at = there & (inside[:, rows].sum(axis=1) >= FEWEST)
        out[at, square] = squares_about(drawn[at][:, rows], hips[at], shoulders[at], CLOSE)
    return out


def _held(layout: Layout) -> list[list[int]]:
    """Which landmarks each of `SQUARES` holds."""
    names = [name.removeprefix("left_").removeprefix("right_") for name in layout.detector.landmarks]
    rows = range(len(names))
    return [
        list(rows),
        [row for row in rows if names[row] not in LOW],
        [row for row in rows if names[row] in HIGH],
    ]
