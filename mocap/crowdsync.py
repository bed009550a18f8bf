"""When each view began, where there are several people and nobody has said yet who is who."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np

from calibration.camera import Camera, Cameras
from mocap.associate import associate
from mocap.config import View
from mocap.errors import SyncError
from mocap.keypoints import Array, Keypoints2D
from mocap.sync import Synchronised, synchronise

TRIED = 24  # choices of one person in each view
CHAINS = 3  # people of a view among whom one is chosen


def main_people(keypoints: Mapping[str, Keypoints2D]) -> dict[str, Keypoints2D]:
    """The person seen most in each view, by time and size: P is 1. They need not be the same one."""
    return {name: _chains(seen)[0] for name, seen in keypoints.items()}


def synchronise_crowd(
    views: Sequence[View],
    keypoints: Mapping[str, Keypoints2D],
    *,
    cameras: Cameras | None = None,
    lenses: Sequence[Camera | None] | None = None,
) -> Synchronised:
    """Find when each view began, whoever is who.

    Where the cameras are known, everybody is held against everybody: of different people, lines of sight miss
    one another at any lag. Otherwise it goes by the person seen most in each view, or by one person after the
    other: of different people, views hardly ever agree on when they began. What was heard needs nobody.

    Args:
        views: V views.
        keypoints: by name of the view, of several people.
        cameras: of the views, if their places are known.
        lenses: of the views, if only they are known.

    Raises:
        SyncError: when a view began cannot be told.
    """
    if all(seen.people == 1 for seen in keypoints.values()) or all(v.offset is not None for v in views):
        return synchronise(views, keypoints, cameras=cameras, lenses=lenses)
    chains = {name: _chains(seen) for name, seen in keypoints.items()}
    if cameras is not None:
        everybody = {name: _side_by_side(found[:CHAINS]) for name, found in chains.items()}
        return synchronise(views, everybody, cameras=cameras)
    failed: SyncError | None = None
    for choice in _choices(chains):
        try:
            return synchronise(views, choice, lenses=lenses)
        except SyncError as error:
            failed = failed or error
    assert failed is not None
    raise failed


def _choices(chains: Mapping[str, list[Keypoints2D]]) -> Iterator[dict[str, Keypoints2D]]:
    """One person in each view, those seen most first."""
    counts = [range(min(len(found), CHAINS)) for found in chains.values()]
    order = sorted(product(*counts), key=lambda picks: (sum(picks), picks))
    for picks in order[:TRIED]:
        yield {name: found[k] for (name, found), k in zip(chains.items(), picks, strict=True)}


def _chains(seen: Keypoints2D) -> list[Keypoints2D]:
    """People of a view by how its own tracks go on, from the one seen most."""
    if seen.people == 1:
        return [seen]
    labels = associate([seen], [0.0], None)
    found = [seen.of(labels.who[0], k) for k in range(labels.count)]
    return sorted(found, key=_weight, reverse=True) or [seen.of(labels.who[0], 0)]


def _side_by_side(people: Sequence[Keypoints2D]) -> Keypoints2D:
    """People of one view on the P axis of one value."""

    def joined(values: list[Array | None]) -> Array | None:
        known = [v for v in values if v is not None]
        return np.concatenate(known, axis=1) if len(known) == len(values) else None

    first = people[0]
    points, confidence = joined([p.points for p in people]), joined([p.confidence for p in people])
    assert points is not None and confidence is not None
    world = joined([p.world for p in people])
    return Keypoints2D(first.layout, points, confidence, first.times, first.size, world)


def _weight(seen: Keypoints2D) -> float:
    """Frames and heights in which somebody is seen."""
    points = seen.points[np.isfinite(seen.points).all(axis=-1).any(axis=-1)]
    if not len(points):
        return 0.0
    return float((np.nanmax(points[..., 1], axis=-1) - np.nanmin(points[..., 1], axis=-1)).sum())
