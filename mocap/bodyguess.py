"""A detector's own 3D guess of the body, made into metres, camera axes and a place in space."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import numpy as np
import yaml
from numpy.typing import NDArray

from mocap.errors import MocapError
from mocap.keypoints import Layout

Floats = NDArray[np.float64]

PLACING_ROUNDS = 5
PLACING_SCALE = 0.03  # image distance, of the distance in metres, at which a landmark counts a quarter
DEPTHS = (0.3, 100.0)  # metres before the camera


@dataclass(frozen=True)
class Guess:
    """What a detector's 3D landmarks are worth.

    scale: metres of body per metre of landmark and metre of stature; tilt, below: see `in_camera_axes`;
    sd: (J,) scatter of the depth in units of stature, infinite for landmarks not to be used.
    """

    scale: float
    tilt: float
    below: float
    sd: Floats


@lru_cache
def load_guess(layout: Layout) -> Guess:
    """Load what is known of the 3D landmarks of `layout`; raises MocapError when nothing is."""
    source = resources.files("mocap") / "landmarks" / f"{layout.detector.name}_world.yaml"
    if not source.is_file():
        raise MocapError(
            f"layout {layout.name}: its detector gives no 3D guess; one camera needs one, use blazepose"
        )
    table = yaml.safe_load(source.read_text(encoding="utf-8"))
    sd = np.full(len(layout), np.inf)
    for name, value in table["sd"].items():
        for side in (name, name.replace("left", "right")):
            sd[layout.index(side)] = value
    return Guess(float(table["scale"]), float(table["tilt"]), float(table["below"]), sd)


def angles_off_axis(image: Floats, layout: Layout) -> tuple[Floats, Floats]:
    """Return how far right of and below the optical axis the hips are: (T,) each, radians, NaN where unseen.

    Args:
        image: (T, J, 2) undistorted x/z, y/z.
        layout: of the J axis.
    """
    hips = image[:, [layout.index("left_hip"), layout.index("right_hip")]].mean(axis=1)
    return np.arctan(hips[:, 0]), np.arctan(hips[:, 1])


def facing_the_eye(world: Floats, right: Floats) -> Floats:
    """Turn landmarks (T, J, 3) about the camera's y axis by the angle (T,) at which the person is off axis.

    The network sees a crop, and takes the ray to its middle for the optical axis.
    """
    c, s = np.cos(right)[:, None], np.sin(right)[:, None]
    x, y, z = np.moveaxis(world, -1, 0)
    return np.stack([c * x + s * z, y, c * z - s * x], axis=-1)


def in_camera_axes(guess: Guess, turned: Floats, below: Floats, tilt: float) -> Floats:
    """Undo the half of the tilt that the network took out: (T, J, 3) in, and out.

    Args:
        guess: the shares.
        turned: from `facing_the_eye`.
        below: (T,) angle of the person below the optical axis.
        tilt: the camera's, radians, down positive.
    """
    angle = guess.tilt * tilt + guess.below * below
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y, z = np.moveaxis(turned, -1, 0)
    return np.stack([x, c * y - s * z, s * y + c * z], axis=-1)


def place(shape: Floats, image: Floats, weight: Floats) -> Floats:
    """Return where each frame's shape stands before the camera: (T, 3), NaN where it cannot be told.

    The translation that brings the shape onto its image is linear in it; what does not fit counts less.

    Args:
        shape: (T, J, 3) metres, camera axes.
        image: (T, J, 2) undistorted x/z, y/z.
        weight: (T, J), 0 for landmarks not to be used.
    """
    known = np.isfinite(shape).all(axis=-1) & np.isfinite(image).all(axis=-1) & (weight > 0)
    shape, image = np.where(known[..., None], shape, 0.0), np.where(known[..., None], image, 0.0)
    base = np.where(known, weight, 0.0)
    robust = np.ones_like(base)
    where = np.full((len(shape), 3), np.nan)
    for _ in range(PLACING_ROUNDS):
        where = _translation(shape, image, base * robust)
        seen = shape + where[:, None]
        off = np.linalg.norm(seen[..., :2] - image * seen[..., 2:], axis=-1)
        scale = PLACING_SCALE * np.maximum(np.abs(where[:, 2:]), DEPTHS[0])
        robust = (1 / (1 + (off / scale) ** 2)) ** 2
    good = (where[:, 2] > DEPTHS[0]) & (where[:, 2] < DEPTHS[1]) & (known.sum(axis=1) >= 4)
    return np.where(good[:, None], where, np.nan)


def _translation(shape: Floats, image: Floats, weight: Floats) -> Floats:
    """Weighted least squares of x + t_x = u (z + t_z), and y likewise."""
    rows = np.zeros((*image.shape, 3))
    rows[..., 0, 0] = rows[..., 1, 1] = 1.0
    rows[..., 2] = -image
    right = image * shape[..., 2:] - shape[..., :2]
    normal = np.einsum("tjki,tj,tjkl->til", rows, weight, rows, optimize=True) + 1e-12 * np.eye(3)
    pull = np.einsum("tjki,tj,tjk->ti", rows, weight, right, optimize=True)
    return np.linalg.solve(normal, pull[..., None])[..., 0]
