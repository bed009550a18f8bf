"""What the lifter is shown of a view: landmarks as a camera that looks at the person has them.

A person looks alike wherever he stands before a lens, but for the direction from which he is seen. So rays
are turned to a camera whose axis goes through the middle of the person and whose x axis stays level with the
true camera's, and are taken about that middle in units of the person's extent. The detector's own 3D guess
comes from such a crop already.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]

RATE = 30.0  # frames a second of what the network was trained on
FAINT = 0.05  # least confidence with which a landmark counts for the middle
LEAST = 1e-3  # rad: extent of a person
FARTHEST = 5.0  # extents from the middle, beyond which a landmark goes in as if it were no farther
NEAREST = 0.1  # least z of a ray of length one before the turned camera
GUESS = 3.0  # per metre of the detector's guess
EXTENT = (-1.9, 0.5)  # mean and deviation of the logarithm of the extent
AXIS = 3.0  # per tangent of the direction in which the person is


@dataclass(frozen=True, eq=False)
class Sight:
    """One person in one view: what goes in, and how what comes out is turned back.

    features (T, F); turn (T, 3, 3): the turned camera's axes from the camera's; extent (T,) root mean square
    of the landmarks' distance from the middle, as tangents.
    """

    features: Singles
    turn: Floats
    extent: Floats


def look(image: Floats, confidence: Floats, world: Floats, up: Floats | None) -> Sight:
    """Return what the network sees of one person.

    Args:
        image: (T, J, 2) undistorted x/z, y/z, NaN where unseen.
        confidence: (T, J), 0 where unseen.
        world: (T, J, 3) the detector's guess, metres, camera axes.
        up: (3,) the world's up in the camera's axes; None = unknown.
    """
    frames = len(image)
    weight = np.maximum(confidence, FAINT) * (confidence > 0)
    share = (weight / np.maximum(weight.sum(axis=1, keepdims=True), FAINT))[..., None]
    middle = (np.nan_to_num(image) * share).sum(axis=1)
    turn = turned(middle)
    ray = np.concatenate([np.nan_to_num(image), np.ones((*image.shape[:2], 1))], axis=-1)
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    seen = ray @ turn.swapaxes(1, 2)
    flat = seen[..., :2] / np.maximum(seen[..., 2:], NEAREST)
    extent = np.maximum(np.sqrt(((flat**2).sum(axis=-1, keepdims=True) * share).sum(axis=(1, 2))), LEAST)
    placed = np.clip(flat / extent[:, None, None], -FARTHEST, FARTHEST)
    here = (confidence > 0).any(axis=1, keepdims=True)
    upward = np.zeros((frames, 3)) if up is None else turn @ up
    columns = [
        np.where(confidence[..., None] > 0, placed, 0.0).reshape(frames, -1),
        confidence,
        GUESS * np.where(confidence[..., None] > 0, np.nan_to_num(world), 0.0).reshape(frames, -1),
        ((np.log(extent) - EXTENT[0]) / EXTENT[1])[:, None],
        AXIS * middle,
        upward,
        np.full((frames, 1), float(up is not None)),
    ]
    features = np.where(here, np.concatenate(columns, axis=1), 0.0)
    return Sight(features.astype(np.float32), turn, extent)


def turned(middle: Floats) -> Floats:
    """Return the axes (T, 3, 3), as rows, of a camera that looks along (x, y, 1), `middle` (T, 2)."""
    ahead = np.concatenate([middle, np.ones((len(middle), 1))], axis=1)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    right = np.stack([ahead[:, 2], np.zeros(len(middle)), -ahead[:, 0]], axis=1)
    right /= np.linalg.norm(right, axis=1, keepdims=True)
    return np.stack([right, np.cross(ahead, right), ahead], axis=1)
