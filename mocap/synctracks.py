"""What a detector saw, as the tracks that synchronisation compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from calibration.sync.tracks import Track
from mocap.bodyguess import angles_off_axis, facing_the_eye
from mocap.config import View
from mocap.keypoints import Keypoints2D, Layout
from mocap.lens import camera_with_field_of_view

Floats = NDArray[np.float64]

# Landmarks that say where limbs are. The many points of a face or a hand move as one and would only outvote.
TELLING = (
    "nose",
    "ear",
    "shoulder",
    "elbow",
    "wrist",
    "hip",
    "knee",
    "ankle",
    "heel",
    "foot_index",
    "big_toe",
)
SCATTER = 0.02  # of the person's height in the image
SHAPE_SCATTER = 0.1  # metres, of the detector's guess in space


def tracks_of(
    views: Sequence[View],
    keypoints: Mapping[str, Keypoints2D],
    cameras: Cameras | None = None,
    lenses: Sequence[Camera | None] | None = None,
) -> list[Track]:
    """Everybody's landmarks in each view as `calibration.sync` wants them, the first person's foremost."""
    out = []
    for v, view in enumerate(views):
        seen = keypoints[view.name]
        lens = cameras[v] if cameras is not None else (lenses[v] if lenses is not None else None)
        lens = lens or camera_with_field_of_view(view.name, seen.size, view.fov)
        first, *others = (_track(seen, lens, person) for person in range(seen.people))
        out.append(replace(first, others=tuple(others)))
    return out


def _track(seen: Keypoints2D, lens: Camera, person: int) -> Track:
    rows = _telling(seen.layout)
    image = lens.undistort(seen.points[:, person])
    shape = None
    if seen.world is not None:
        shape = facing_the_eye(seen.world[:, person], angles_off_axis(image, seen.layout)[0])[:, rows]
    sd = SCATTER * height(image)
    return Track(seen.times, image[:, rows], seen.confidence[:, person, rows], sd, shape, SHAPE_SCATTER)


def _telling(layout: Layout) -> list[int]:
    rows = [
        j
        for j, name in enumerate(layout.landmarks)
        if name.removeprefix("left_").removeprefix("right_") in TELLING
    ]
    return rows or list(range(len(layout)))


def height(image: Floats) -> float:
    """Typical extent of a person (T, J, 2) in an image, in its units; NaN if nobody is seen."""
    seen = image[np.isfinite(image).all(axis=-1).sum(axis=1) > 1]
    if not len(seen):
        return float("nan")
    return float(np.median(np.linalg.norm(np.nanmax(seen, axis=1) - np.nanmin(seen, axis=1), axis=-1)))
