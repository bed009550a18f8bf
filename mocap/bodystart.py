"""Where cameras stand, roughly, from the person alone: each view's 3D guess of the body laid onto the others.

A detector that guesses the body in 3D makes the person a known object before every camera. The guess is poor
in depth and proportion, but not biased to one side: over a clip, the relative places of cameras come out
within about 5 degrees and a tenth of the distance, whatever way they look, and without the mirror images and
planes that haunt geometry from image points alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.align import Move, lay_onto
from calibration.camera import Camera, Cameras
from mocap.bodyguess import angles_off_axis, facing_the_eye, in_camera_axes, load_guess, place
from mocap.errors import MocapError
from mocap.observations import Observations
from mocap.upright import camera_tilt

Floats = NDArray[np.float64]

LEAST_FRAMES = 5  # in which a view must see the body


def bodies_before_cameras(seen: Observations, lenses: Cameras, stature: float) -> Floats:
    """Put the detector's 3D guess of each frame where it stands before its camera.

    Args:
        seen: V views with the detector's 3D guess.
        lenses: V cameras; only their intrinsics are used.
        stature: metres.

    Returns:
        (V, T, J, 3) metres in each camera's axes; NaN where nobody is seen.

    Raises:
        MocapError: the detector has no 3D guess.
    """
    guess = load_guess(seen.layout)
    if seen.world is None:
        raise MocapError(
            "no calibration: the detector gives no 3D guess of the body, from which cameras are placed; use"
            " blazepose, or calibrate with a board"
        )
    guessed = slice(len(seen.layout.detector))  # of what was put beside its landmarks it guesses nothing
    placed = np.full((*seen.pixels.shape[:3], 3), np.nan)
    for v, lens in enumerate(lenses):
        image = lens.undistort(seen.pixels[v])
        right, below = angles_off_axis(image, seen.layout)
        turned = facing_the_eye(seen.world[v], right)
        if np.isfinite(turned[:, guessed]).all(axis=(1, 2)).sum() < LEAST_FRAMES:
            continue
        tilt, _ = camera_tilt(turned, below, seen.layout)
        shape = guess.scale * stature * in_camera_axes(guess, turned, below, tilt)
        where = place(shape, image, seen.confidence[v] * np.isfinite(guess.sd))
        placed[v] = shape + where[:, None]
    return placed


def start_cameras(seen: Observations, lenses: Cameras, stature: float) -> tuple[Cameras, Floats]:
    """Chain the views over the pairs whose bodies fit best.

    Args:
        seen: V views of one person, on one clock.
        lenses: V cameras; only their intrinsics are used.
        stature: metres.

    Returns:
        Cameras in the axes of the first of them, and the typical distance (V,) between a view's bodies and
        those of the view that it was chained to, metres (infinite = it sees no body; 0 for the first).
    """
    placed = bodies_before_cameras(seen, lenses, stature)
    sd = load_guess(seen.layout).sd
    trust = np.where(np.isfinite(sd), 1 / np.minimum(sd, 1e3) ** 2, 0.0) * seen.confidence
    views, moves = len(lenses), {}
    misfit = np.full((views, views), np.inf)
    for a in range(views):
        for b in range(views):
            if a != b:
                both = np.minimum(trust[a], trust[b]).reshape(-1)
                moves[a, b], misfit[a, b] = lay_onto(placed[a].reshape(-1, 3), placed[b].reshape(-1, 3), both)
    return _chained(lenses, moves, misfit)


def _chained(lenses: Cameras, moves: dict[tuple[int, int], Move], misfit: Floats) -> tuple[Cameras, Floats]:
    """Prim's tree from the first view: each next view hangs on the one whose bodies it fits best."""
    views = len(lenses)
    places: dict[int, Move] = {0: Move(np.eye(3), np.zeros(3))}
    left = np.zeros(views)
    while len(places) < views:
        edges = [(a, b) for a in places for b in range(views) if b not in places]
        a, b = min(edges, key=lambda edge: misfit[edge])
        places[b], left[b] = places[a].then(moves[a, b]), misfit[a, b]
    return Cameras(tuple(_placed(lens, places[v]) for v, lens in enumerate(lenses))), left


def _placed(lens: Camera, move: Move) -> Camera:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = move.rotation, move.shift
    return replace(lens, camera_from_world=pose)
