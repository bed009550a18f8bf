"""Landmarks that a view cannot have seen, as somebody nearer stands before them.

A detector that is shown half a person completes the other half from whatever is there: it is sure of an elbow
that is somebody else's. Once people have places in space it is known who stands before whom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.keypoints import Layout
from mocap.observations import Observations

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SEEN = 0.3  # confidence of a landmark that shows where somebody is
BEFORE = 0.2  # metres by which who hides somebody is nearer
STATURE = 1.7  # metres; how thick people are need not be known better
ROBUST = 0.02  # of the height in the image
LEAST_DEPTH = 0.1  # metres
# Half the thickness of what is between two landmarks (or middles of a left and a right), of the stature.
LIMBS = {
    ("shoulder", "elbow"): 0.035,
    ("elbow", "wrist"): 0.03,
    ("wrist", "index"): 0.03,
    ("hip", "knee"): 0.055,
    ("knee", "ankle"): 0.04,
    ("ankle", "foot_index"): 0.035,
    ("shoulder", "hip"): 0.05,
}
MIDDLES = {("shoulder", "hip"): 0.09, ("ear", "shoulder"): 0.05, ("ear", "eye"): 0.06}


def without_hidden(people: Sequence[Observations], cameras: Cameras) -> tuple[Observations, ...]:
    """Leave out what each view shows of somebody nearer.

    Args:
        people: what the views saw of each, on one clock.
        cameras: of the views.
    """
    if len(people) < 2:
        return tuple(people)
    bodies = [_Body.of(seen, cameras) for seen in people]
    return tuple(
        _without(
            seen,
            np.stack([_covered(seen.pixels[v], v, k, bodies, seen.layout) for v in range(len(cameras))]),
        )
        for k, seen in enumerate(people)
    )


def hidden_by_others(people: Sequence[Floats], layout: Layout, cameras: Cameras) -> list[Bools]:
    """Which landmarks of solved people lie behind somebody nearer, in each view: (V, T, J) of each.

    Args:
        people: landmarks (T, J, 3) m of each, NaN when he was not there.
        layout: of the landmarks.
        cameras: of the views.
    """
    bodies = [_Body.at(cameras.project(where), where, layout, cameras) for where in people]
    return [
        np.stack([_covered(body.ends[v], v, k, bodies, layout) for v in range(len(cameras))])
        for k, body in enumerate(bodies)
    ]


def _without(seen: Observations, hidden: Bools) -> Observations:
    pixels = np.where(hidden[..., None], np.nan, seen.pixels)
    return replace(seen, pixels=pixels, confidence=np.where(hidden, 0.0, seen.confidence))


@dataclass(frozen=True, eq=False)
class _Body:
    """A person in all views: outline's ends (V, T, J, 2) px, depth (V, T) m, pixels a metre there (V, T)."""

    ends: Floats
    depth: Floats
    scale: Floats

    @classmethod
    def of(cls, seen: Observations, cameras: Cameras) -> _Body:
        scale = max(float(np.nanmedian(seen.heights())) * ROBUST, 2.0)
        landmarks, _ = triangulate(cameras, seen.pixels, seen.confidence**2, scale_px=scale)
        sure = (seen.confidence > SEEN)[..., None]
        ends = np.where(sure, seen.pixels, cameras.project(landmarks))
        return cls.at(ends, landmarks, seen.layout, cameras)

    @classmethod
    def at(cls, ends: Floats, landmarks: Floats, layout: Layout, cameras: Cameras) -> _Body:
        """With an outline's ends, and landmarks (T, J, 3) m."""
        hips = landmarks[:, [layout.index(f"{side}_hip") for side in ("left", "right")]].mean(axis=1)
        where = np.stack([c.camera_from_world[2] for c in cameras])
        depth = np.maximum(where[:, :3] @ hips.T + where[:, 3:], LEAST_DEPTH)
        return cls(ends, depth, np.array([c.K[0, 0] for c in cameras])[:, None] / depth)


def _covered(points: Floats, view: int, person: int, bodies: Sequence[_Body], layout: Layout) -> Bools:
    """(T, J) which landmarks (T, J, 2) px of a person lie on somebody nearer."""
    out = np.zeros(points.shape[:2], bool)
    for k, body in enumerate(bodies):
        with np.errstate(invalid="ignore"):
            before = body.depth[view] < bodies[person].depth[view] - BEFORE
        if k == person or not before.any():
            continue
        reach = body.scale[view, before] * STATURE
        out[before] |= _on(points[before], body.ends[view, before], reach, layout)
    return out


def _on(points: Floats, ends: Floats, reach: Floats, layout: Layout) -> Bools:
    """(T, J) which points lie on the limbs, trunk or head of a body (T, J, 2) of `reach` (T,) pixels."""
    out = np.zeros(points.shape[:2], bool)
    for first, second, thick in limbs(ends, layout):
        with np.errstate(invalid="ignore"):
            out |= _distance(points, first, second) < (thick * reach)[:, None]
    return out


def limbs(ends: Floats, layout: Layout) -> Iterator[tuple[Floats, Floats, float]]:
    """Ends (..., D) of limbs, trunk and head of landmarks (..., J, D); half their thickness, of stature."""

    def end(name: str) -> Floats:
        return ends[..., layout.index(name), :]

    def both(part: str) -> Floats:
        return (end(f"left_{part}") + end(f"right_{part}")) / 2

    for (a, b), thick in LIMBS.items():
        if f"left_{b}" in layout.landmarks:
            for side in ("left", "right"):
                yield end(f"{side}_{a}"), end(f"{side}_{b}"), thick
    for (a, b), thick in MIDDLES.items():
        yield both(a), both(b), thick


def _distance(points: Floats, first: Floats, second: Floats) -> Floats:
    """(T, J) distance of points (T, J, 2) from lines between `first` and `second` (T, 2)."""
    along = (second - first)[:, None]
    away = points - first[:, None]
    length = np.maximum((along**2).sum(axis=-1), 1e-9)
    part = np.clip((away * along).sum(axis=-1) / length, 0, 1)[..., None]
    return np.linalg.norm(away - part * along, axis=-1)
