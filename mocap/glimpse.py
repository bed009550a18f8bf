"""What is known of landmarks that one view alone sees, and of people whom the image's edge cuts.

Where a view alone sees a hand, nothing tells its depth, and two poses of the arm fit alike. The detector's
own guess of the depth is not exact, but mostly knows which of the two it is: so the solve starts there. Of
somebody who is half out of the image a detector squeezes what it does not see into what it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from mocap.bodyguess import angles_off_axis, facing_the_eye, in_camera_axes, load_guess
from mocap.keypoints import Layout
from mocap.observations import Observations
from mocap.stature import stature_of

Floats = NDArray[np.float64]

SEEN = 0.5  # confidence of a landmark that its detector takes for seen
EDGE = 0.03  # of the body's height: who comes so near to the image's edge is cut by it
TRUNK = tuple(f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "hip"))


def without_squeezed(seen: Observations, sizes: Sequence[tuple[int, int]]) -> Observations:
    """Leave out what was hardly seen of a person whom the image's edge cuts.

    Args:
        seen: V views of one person.
        sizes: (width, height) of each view's images, pixels.
    """
    low = seen.pixels.min(axis=-1)
    far = np.array(sizes, dtype=np.float64)[:, None, None] - 1 - seen.pixels
    edge = np.nan_to_num(EDGE * seen.heights())[..., None]
    cut = (np.fmin(low, far.min(axis=-1)) < edge).any(axis=-1, keepdims=True)
    gone = cut & (seen.confidence < SEEN)
    pixels = np.where(gone[..., None], np.nan, seen.pixels)
    return replace(seen, pixels=pixels, confidence=np.where(gone, 0.0, seen.confidence))


def with_single_sights(
    seen: Observations, cameras: Cameras, landmarks: Floats, stature: float | None = None
) -> Floats:
    """Place landmarks that one view alone surely sees in line with it, as deep as its detector guesses.

    Args:
        seen: V views of one person.
        cameras: theirs.
        landmarks: (T, J, 3) m, triangulated.
        stature: m, which gives the guess its scale; None = from the landmarks.

    Returns:
        (T, J, 3) m. Landmarks that two views see stay as they are, and all do without a guess.
    """
    if seen.world is None:
        return landmarks
    stature = stature or stature_of(landmarks, seen.layout)
    if not np.isfinite(stature):
        return landmarks
    sure = seen.confidence > SEEN
    views = sure.sum(axis=0)
    known = np.where((views >= 2)[..., None], landmarks, np.nan)
    out = landmarks.copy()
    for v, camera in enumerate(cameras):
        found = _in_line(seen, v, camera, known, stature)
        use = (views == 1) & sure[v] & np.isfinite(found).all(axis=-1)
        out[use] = found[use]
    return out


def _in_line(seen: Observations, view: int, camera: Camera, known: Floats, stature: float) -> Floats:
    """All landmarks (T, J, 3) on one view's lines of sight, its guess laid into the depth of the trunk."""
    assert seen.world is not None
    image = camera.undistort(seen.pixels[view])
    rotation, translation = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    depth = _guessed_depth(seen.world[view], image, seen.layout, rotation, stature)
    trunk = [seen.layout.index(name) for name in TRUNK]
    true = known[:, trunk] @ rotation[2] + translation[2]
    off = true - depth[:, trunk]
    some = np.isfinite(off).any(axis=1)
    shift = np.full(len(off), np.nan)
    shift[some] = np.nanmedian(off[some], axis=1)
    along = (depth + shift[:, None])[..., None]
    local = np.concatenate([image * along, along], axis=-1)
    return np.asarray((local - translation) @ rotation)


def _guessed_depth(world: Floats, image: Floats, layout: Layout, rotation: Floats, stature: float) -> Floats:
    """(T, J) metres along the camera's axis, about the hips."""
    guess = load_guess(layout)
    right, below = angles_off_axis(image, layout)
    tilt = float(np.arctan2(-rotation[2, 1], -rotation[1, 1]))
    shape = in_camera_axes(guess, facing_the_eye(world, right), below, tilt)
    return np.asarray(shape[..., 2] * guess.scale * stature)
