"""Where hands are in the images, as the solved wrists tell: squares in which to look for fingers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera
from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import MIRROR

Floats = NDArray[np.float64]

SIDES = ("Left", "Right")
PALM = np.array([0.055, 0.0, 0.0])  # of stature: the middle of a left hand, from its wrist along its bone
# Of stature. Rendered people, 13 px from wrist to knuckle, squares of 0.12 to 0.25: hands are found more
# often in smaller ones, and their fingers are best in 0.16 to 0.2.
SQUARE = 0.17
LEAST = 24.0  # pixels: the side of a square under which a hand is a smudge
# Looks a second, by default and at most. Fingers are slower than what carries them: rendered ones, which curl
# slowly, come out 1 to 3 % worse with half the looks, which are the half of what hands cost.
RATE, MOST = 15.0, 30.0
BEYOND = 0.5  # frames beyond the ends of a motion that are still looked at


def hand_regions(
    motion: Motion,
    stature: float,
    camera: Camera,
    size: tuple[int, int],
    frames: Floats,
    least: float = LEAST,
    wrists: Floats | None = None,
) -> Floats:
    """Place a square about each hand, its top where the fingers point.

    Args:
        motion: a person's.
        stature: metres.
        camera: of the view.
        size: (width, height) of its images, pixels.
        frames: (T,) where the view's frames lie among those of the motion, in frames of the motion.
        least: pixels, the smallest side that is worth a look.
        wrists: (N, 2, 2) pixels, where the view saw left and right wrist in the N frames of the motion: for a
            lone view, whose depths and floor may be wrong. NaN, or without: as solved.

    Returns:
        (T, 2, 4): see `mocap.detect.hands.Hands`.
    """
    positions, rotations = motion.world()
    out = np.empty((len(frames), 2, 4))
    there = (frames >= -BEYOND) & (frames <= len(motion) - 1 + BEYOND)
    for side, name in enumerate(SIDES):
        hand = motion.skeleton.index(f"{name}Hand")
        ahead = stature * PALM * (MIRROR if name == "Right" else 1.0)
        middle = positions[:, hand] + quat.rotate(rotations[:, hand], ahead)
        wrist_at, middle_at = (_at(path, frames) for path in (positions[:, hand], middle))
        out[:, side] = _squares(camera, wrist_at, middle_at, SQUARE * stature)
        if wrists is not None:
            shift = _at(wrists[:, side], frames) - camera.project(wrist_at)
            out[:, side, :2] += np.nan_to_num(shift)
    inside = (out[..., :2] > 0).all(axis=-1) & (out[..., :2] < size).all(axis=-1)
    return np.where((inside & (out[..., 2] >= least) & there[:, None])[..., None], out, np.nan)


def worth_looking(times: Floats, rate: float = RATE) -> NDArray[np.bool_]:
    """Which frames (T,) of a view, at times (T,) s, are looked at: about `rate` a second, or all."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    return np.arange(len(times)) % max(1, round(1 / (rate * step))) == 0


def _squares(camera: Camera, wrist: Floats, middle: Floats, side: float) -> Floats:
    """Squares (T, 4) of `side` metres about the middles (T, 3) of hands in the image."""
    start, centre = camera.project(wrist), camera.project(middle)
    x, y = (centre - start).T
    depth = middle @ camera.camera_from_world[2, :3] + camera.camera_from_world[2, 3]
    turn = np.arctan2(x, -y)
    return np.column_stack([centre + 0.5, side * camera.K[0, 0] / depth, turn])


def _at(path: Floats, frames: Floats) -> Floats:
    """A path (N, 3) at frames (T,), held at its ends."""
    known = np.arange(len(path))
    return np.stack([np.interp(frames, known, column) for column in path.T], axis=1)
