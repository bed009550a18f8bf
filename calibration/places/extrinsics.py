"""How all cameras stand to each other, from a board that is moved before them."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board
from calibration.camera import Cameras
from calibration.errors import LensError, PlacesError
from calibration.lens.intrinsics import Lens, uncertain_focal
from calibration.places.bundle import Rig, adjust_rig
from calibration.places.pairs import Pair, View, relate, view

Array = NDArray[np.float64]

__all__ = ["Rig", "calibrate_places"]

_LEAST_SHARED = 3  # images in which two views see the board and agree
_UNCERTAIN = 0.05  # of the distance to the next camera: a place less certain than that is refused


def calibrate_places(lenses: list[Lens], corners: Array, times: Array, board: Board) -> Rig:
    """Find lenses and places of all cameras together.

    Args:
        lenses: V, as each view alone tells, or as given; what they have free is estimated again.
        corners: (V, T, C, 2) px at the times that all views share, NaN unseen.
        times: (T,) seconds.
        board: that was seen.

    Raises:
        PlacesError: views that no image connects, or a place that stays uncertain.
        LensError: a focal length that stays uncertain.
    """
    views = [view(lens.camera, seen, board) for lens, seen in zip(lenses, corners, strict=True)]
    pairs = [relate(views, a, b, board) for a, b in combinations(range(len(views)), 2)]
    cameras = _placed(views, pairs)
    rig = adjust_rig(cameras, lenses, corners, times, board, tuple(pairs))
    _require_certain(rig, lenses)
    return rig


def _placed(views: list[View], pairs: list[Pair]) -> Cameras:
    """Cameras chained along the pairs that most images support, from the best supported view on."""
    support = np.zeros((len(views), len(views)), dtype=int)
    for pair in pairs:
        known = pair.agreeing >= _LEAST_SHARED
        support[pair.a, pair.b] = support[pair.b, pair.a] = pair.agreeing if known else 0
    root = int(np.argmax(support.sum(axis=1)))
    placed: dict[int, Array] = {root: np.eye(4)}
    while len(placed) < len(views):
        open_ = [(support[i, j], i, j) for i in placed for j in range(len(views)) if j not in placed]
        strength, near, far = max(open_, key=lambda edge: (edge[0], -edge[1], -edge[2]))
        if not strength:
            raise PlacesError(_unconnected(views, support, pairs))
        pair = next(p for p in pairs if {p.a, p.b} == {near, far})
        far_from_near = pair.a_from_b if far == pair.a else np.linalg.inv(pair.a_from_b)
        placed[far] = far_from_near @ placed[near]
    return Cameras(tuple(replace(v.camera, camera_from_world=placed[i]) for i, v in enumerate(views)))


def _unconnected(views: list[View], support: NDArray[np.int_], pairs: list[Pair]) -> str:
    names, groups, left = [v.camera.name for v in views], [], set(range(len(views)))
    while left:
        group, edge = set(), {min(left)}
        while edge:
            group |= edge
            edge = {j for i in edge for j in left - group if support[i, j]}
        groups.append(sorted(group))
        left -= group
    said = " and ".join(", ".join(names[i] for i in group) for group in groups)
    apart = [p for p in pairs if not any({p.a, p.b} <= set(group) for group in groups)]
    near = max(apart, key=lambda pair: (pair.shared, -pair.a, -pair.b))
    walk = f"walk with the board between views {names[near.a]} and {names[near.b]}"
    if near.shared >= _LEAST_SHARED and not near.agreeing:
        walk += f", which saw it together {near.shared} times but do not agree (are their times right?)"
    return f"the board does not connect the views: {said} stand alone: {walk}, so that both see it"


def _require_certain(rig: Rig, lenses: list[Lens]) -> None:
    places = np.stack([camera.centre for camera in rig.cameras])
    for v, (camera, lens) in enumerate(zip(rig.cameras, lenses, strict=True)):
        if lens.free.any() or np.isfinite(lens.rms):
            sd = np.repeat(rig.focal_sd[v], 2) * np.diag(camera.K)[:2]
            problem = uncertain_focal(camera.name, camera, sd, rig.scale)
            if problem:
                raise LensError(problem)
        others = np.delete(places, v, axis=0)
        if not len(others):
            continue
        near = float(np.linalg.norm(others - camera.centre, axis=-1).min())
        if rig.centre_sd[v] > _UNCERTAIN * max(near, 0.1):
            raise PlacesError(
                f"view {camera.name}: its place is uncertain by {100 * rig.centre_sd[v]:.0f} cm at"
                f" {near:.2f} m from the next camera: show the board longer and larger to it and another view"
            )
