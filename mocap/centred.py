"""What a second network says of joint centres, put beside a detector's landmarks.

Both look at the same image, so both err where it misleads; but how they err otherwise differs, and so does
what each means by a joint (`mocap/landmarks/blazepose33_centres.yaml`). The solve therefore hears both.
Centres are surer of themselves where they may be, and seldom exchange left and right: where a landmark lies
far from its centre, it is left out. What this buys stands in `docs/centres.md`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mocap.keypoints import Indices, Keypoints2D, Layout, load_layout

Floats = NDArray[np.float64]

# Spread of refined landmarks, which tells how they scatter but not what stays: times what it is; at least so
# many times the centre's, as both look at what is hidden; for heels and toes, drawn half by habit, more; and
# in the end less for elbows, which are seen better than is said.
DOUBT, ALSO, FEET, ELBOWS = 1.2, 1.5, 6.0, 0.75
ALIKE = 1.25  # times the spread of centres, whose errors are alike from frame to frame
# Of the body's extent: what a landmark and its centre are apart by meaning. Times what is usual between them:
# where a landmark is left out.
ELSEWHERE, ASTRAY = 0.02, 1.5
FAINT = 0.03  # of the body's extent: a centre that may be off by so much has half the confidence
UNSEEN = 1e-3  # least confidence of a centre that is there
CROSSED = 0.05  # of the body's extent: scatter of a landmark about its centre, when sides are compared
SURE = 4.0  # squared deviations at which a landmark's evidence for a side is full
CLEAR = 4.0  # evidence by which the other side must be better


def with_their_sides(view: Keypoints2D) -> Keypoints2D:
    """Exchange left and right of arms and legs as detected where centres are clearly of the other side."""
    if view.centres is None or not len(view):
        return view
    rows, at = _alike(view.layout)
    centres = np.full((*view.confidence.shape, view.centres.shape[-1]), np.nan)
    centres[:, :, rows] = view.centres[:, :, at]
    mirror, size = view.layout.mirror, CROSSED * _extent(view)
    swapped = np.zeros(view.confidence.shape, bool)
    for limb in ("arms", "legs"):
        members = view.layout.groups[limb]
        own = np.intersect1d(members, rows)
        straight = _misfit(view.points[:, :, own], centres[:, :, own], size)
        across = _misfit(view.points[:, :, own], centres[:, :, mirror[own]], size)
        swapped[:, :, members] |= (straight > across + CLEAR)[..., None]

    world = None if view.world is None else view.layout.exchanged(view.world, swapped)
    points, confidence = (view.layout.exchanged(a, swapped) for a in (view.points, view.confidence))
    return replace(view, points=points, confidence=confidence, world=world)


def with_centres(view: Keypoints2D) -> Keypoints2D:
    """Put the centres beside the landmarks, and say how far each may be off, and which way rather.

    Args:
        view: refined, see `mocap.refiner`.

    Returns:
        In the layout of the view's name and "_centres"; unchanged if nobody looked for centres.
    """
    if view.centres is None or view.spread is None or view.detected is None:
        return view
    size = _extent(view)
    seen = (view.confidence > 0).any(axis=2, keepdims=True)
    centres = np.where(seen[..., None], view.centres * (1.0, 1.0, ALIKE, 1.0, 1.0), np.nan)
    places, said = centres[..., :2], centres[..., 2]
    points, spread, slant = _held_against(view, centres, size)

    def beside(values: Floats, others: Floats) -> Floats:
        return np.concatenate([values, others], axis=2)

    return replace(
        view,
        layout=_whole(view.layout),
        points=beside(points, places),
        spread=beside(spread, said),
        confidence=beside(view.confidence, np.where(np.isfinite(said), sight_of(said, size), 0.0)),
        detected=beside(view.detected, places),
        world=None if view.world is None else beside(view.world, np.full((*said.shape, 3), np.nan)),
        slant=beside(slant, centres[..., 3:]),
    )


def sight_of(spread: Floats, extent: Floats) -> Floats:
    """Confidence of centres that may be off by `spread`, of people of that `extent`; pixels, any shapes."""
    return np.maximum(1 / (1 + (spread / (FAINT * extent)) ** 2), UNSEEN)


def _held_against(view: Keypoints2D, centres: Floats, size: Floats) -> tuple[Floats, Floats, Floats]:
    """Landmarks (T, P, J, 2), their spread (T, P, J) and slant; who is astray is where the centre is."""
    assert view.spread is not None
    rows, at = _alike(view.layout)
    points, spread, slant = view.points.copy(), DOUBT * view.spread, np.zeros_like(view.points)
    feet, elbows = (
        [j for j, name in enumerate(view.layout.landmarks) if name.endswith(ends)]
        for ends in (("heel", "foot_index"), "elbow")
    )
    spread[:, :, feet] *= FEET
    place, scatter = centres[:, :, at, :2], centres[:, :, at, 2]
    off = np.linalg.norm(points[:, :, rows] - place, axis=-1)
    usual = np.sqrt(spread[:, :, rows] ** 2 + scatter**2 + (ELSEWHERE * size) ** 2)
    astray = off > ASTRAY * usual
    points[:, :, rows] = np.where(astray[..., None], place, points[:, :, rows])
    also = ALSO * np.nan_to_num(scatter)
    widened = np.hypot(spread[:, :, rows], also)
    spread[:, :, rows] = np.where(astray, off, widened)
    share = np.where(astray, 0.0, also / widened) ** 2
    slant[:, :, rows] = share[..., None] * np.nan_to_num(centres[:, :, at, 3:])
    spread[:, :, elbows] *= ELBOWS
    return points, spread, slant


def _whole(layout: Layout) -> Layout:
    return load_layout(f"{layout.name}_centres")


def _alike(layout: Layout) -> tuple[Indices, Indices]:
    """Landmarks (N,) of a layout that mean the same place as a centre, and which (N,) of the centres."""
    rows, others = np.array(_whole(layout).same).T
    return rows, others - len(layout)


def _extent(view: Keypoints2D) -> Floats:
    """(T, P, 1) pixels from side to side of the landmarks, the longer way; NaN where nobody was detected."""
    extent = np.fmax.reduce(view.points, axis=2) - np.fmin.reduce(view.points, axis=2)
    return np.asarray(extent.max(axis=-1)[..., None])


def _misfit(points: Floats, centres: Floats, size: Floats) -> Floats:
    """How badly points (T, P, N, 2) fit centres (T, P, N, 5): (T, P); 0 where there are none."""
    square = ((points - centres[..., :2]) ** 2).sum(axis=-1) / (size**2 + centres[..., 2] ** 2)
    return np.asarray(np.minimum(np.nan_to_num(square), SURE).sum(axis=-1))
