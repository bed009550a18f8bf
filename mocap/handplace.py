"""Where hands are in the images: squares in which to look for fingers.

Several views tell where solved wrists are, and so where each view has them. A lone view, whose depths and
floor may be wrong, is looked at where itself saw wrists and knuckles; that needs no solve.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter

from calibration.camera import Camera
from mocap.bodyguess import load_guess
from mocap.keypoints import Layout
from mocap.observations import Observations
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
LIMBS = tuple(f"{s}_{k}" for s in ("left", "right") for k in ("shoulder", "elbow", "hip", "knee", "ankle"))
# Pixels and radians to which squares are rounded: what is the same but for last digits the next time is then
# the same square, and is not looked at once more.
GRID = np.array([0.25, 0.25, 0.25, 1 / 64])
STEADY = 0.5  # seconds over which a person's size in the image is taken


def hand_regions(
    motion: Motion,
    stature: float,
    camera: Camera,
    size: tuple[int, int],
    frames: Floats,
    least: float = LEAST,
) -> Floats:
    """Place a square about each hand of a solved person, its top where the fingers point.

    Args:
        motion: the person's.
        stature: metres.
        camera: of the view.
        size: (width, height) of its images, pixels.
        frames: (T,) where the view's frames lie among those of the motion, in frames of the motion.
        least: pixels, the smallest side that is worth a look.

    Returns:
        (T, 2, 4): see `mocap.detect.hands.Hands`.
    """
    positions, rotations = motion.world()
    out = np.empty((len(frames), 2, 4))
    for side, name in enumerate(SIDES):
        hand = motion.skeleton.index(f"{name}Hand")
        ahead = stature * PALM * (MIRROR if name == "Right" else 1.0)
        middle = positions[:, hand] + quat.rotate(rotations[:, hand], ahead)
        wrist_at, middle_at = (_at(path, frames) for path in (positions[:, hand], middle))
        depth = middle_at @ camera.camera_from_world[2, :3] + camera.camera_from_world[2, 3]
        width = SQUARE * stature * camera.K[0, 0] / depth
        out[:, side] = _squares(camera.project(wrist_at), camera.project(middle_at), width)
    return _worthy(out, size, least, frames, len(motion))


def hand_regions_seen(
    seen: Observations, size: tuple[int, int], frames: Floats, least: float = LEAST
) -> Floats:
    """Place a square about each hand that a lone view saw, its top where the knuckles are.

    Args:
        seen: one view of the person, with the detector's 3D guess, which tells how large he is in the image.
        size: (width, height) of its images, pixels.
        frames: (T,) where the view's frames lie among those of the clock.
        least: pixels, the smallest side that is worth a look.

    Returns:
        (T, 2, 4): see `mocap.detect.hands.Hands`.
    """
    pixels = seen.pixels[0]
    width = SQUARE * _at(_tall(seen)[:, None], frames)[:, 0]
    out = np.empty((len(frames), 2, 4))
    for side, name in enumerate(SIDES):
        wrist, knuckles = _hand_rows(seen.layout, name.lower())
        out[:, side] = _squares(
            _at(pixels[:, wrist], frames), _at(pixels[:, knuckles].mean(axis=1), frames), width
        )
    return _worthy(out, size, least, frames, seen.frames)


def _hand_rows(layout: Layout, side: str) -> tuple[int, list[int]]:
    """The landmark at a wrist, and those whose middle is that of the hand."""
    if f"{side}_centre_middle_01" in layout.landmarks:
        return layout.index(f"{side}_centre_hand"), [layout.index(f"{side}_centre_middle_01")]
    return layout.index(f"{side}_wrist"), [layout.index(f"{side}_{k}") for k in ("index", "pinky")]


def _tall(seen: Observations) -> Floats:
    """(T,) pixels that the person would measure if he stood upright before a lone view."""
    assert seen.world is not None
    rows = [seen.layout.index(name) for name in LIMBS]
    image, shape = seen.pixels[0][:, rows], seen.world[0][:, rows, :2]
    there = np.isfinite(image).all(axis=(1, 2)) & np.isfinite(shape).all(axis=(1, 2))
    if not there.any():
        return np.full(seen.frames, np.nan)
    extents = [np.linalg.norm(a - a.mean(axis=1, keepdims=True), axis=(1, 2)) for a in (image, shape)]
    tall = extents[0] / np.maximum(extents[1], 1e-3) / load_guess(seen.layout).scale
    known, frames = np.flatnonzero(there), np.arange(seen.frames)
    span = 2 * round(STEADY * float(seen.fps) / 2) + 1
    return np.asarray(median_filter(np.interp(frames, known, tall[known]), span, mode="nearest"))


def worth_looking(times: Floats, rate: float = RATE) -> NDArray[np.bool_]:
    """Which frames (T,) of a view, at times (T,) s, are looked at: about `rate` a second, or all."""
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    return np.arange(len(times)) % max(1, round(1 / (rate * step))) == 0


def _squares(wrist: Floats, middle: Floats, width: Floats) -> Floats:
    """Squares (T, 4) of widths (T,) about the middles (T, 2) of hands at wrists (T, 2), all in pixels."""
    x, y = (middle - wrist).T
    return np.column_stack([middle + 0.5, width, np.arctan2(x, -y)])


def _worthy(regions: Floats, size: tuple[int, int], least: float, frames: Floats, count: int) -> Floats:
    """Regions (T, 2, 4), NaN where they are small, out of the image, or beyond the ends of `count` frames."""
    there = (frames >= -BEYOND) & (frames <= count - 1 + BEYOND)
    regions = np.round(regions / GRID) * GRID
    inside = (regions[..., :2] > 0).all(axis=-1) & (regions[..., :2] < size).all(axis=-1)
    return np.where((inside & (regions[..., 2] >= least) & there[:, None])[..., None], regions, np.nan)


def _at(path: Floats, frames: Floats) -> Floats:
    """A path (N, C) at frames (T,), held at its ends."""
    known = np.arange(len(path))
    return np.stack([np.interp(frames, known, column) for column in path.T], axis=1)
