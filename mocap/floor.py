"""The floor of a world that nobody calibrated: the plane on which the lower foot of each frame stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, percentile_filter

from rigs.solving.initial import fill_gaps

Floats = NDArray[np.float64]

STANDING_SD = 0.03  # metres: scatter of the lower sole's height while somebody stands
STEADY = 2.0  # seconds in which errors of height are alike
SLOPE_SD = (
    np.deg2rad(1.5),
    np.deg2rad(4.0),
)  # of the world's axes before the feet are asked: to the side, away
ABOVE, BELOW = 1.0, 3.0  # robust scales in deviations: both feet may be in the air, none is under the floor
ROUNDS = 20
UPRIGHT = 0.3  # metres from the sole to the hips of a person who stands, squats or sits
AIRBORNE = 1.2  # seconds: longer than a leap


def fit_floor(
    lowest: Floats, fps: float, slope_sd: tuple[float, float] = SLOPE_SD
) -> tuple[float, float, float]:
    """Fit y = height + right * x + back * z to where the lower sole of each frame is.

    A robust regression with the level floor as prior: a person who stays in place says nothing of the slope.

    Args:
        lowest: (T, 3) metres, y up.
        fps: frames a second.
        slope_sd: radians, of the slopes along x and z before the feet are asked.

    Returns:
        (height at the middle of the points, slope along x, slope along z).
    """
    share = min(1.0, 1.0 / (STEADY * fps))  # of a frame's evidence that is its own
    offset = lowest - np.median(lowest, axis=0)
    rows = np.stack([np.ones(len(offset)), offset[:, 0], offset[:, 2]], axis=1)
    prior = np.diag([0.0, 1 / slope_sd[0] ** 2, 1 / slope_sd[1] ** 2])
    plane = np.array([np.percentile(offset[:, 1], 20), 0.0, 0.0])
    for _ in range(ROUNDS):
        off = (offset[:, 1] - rows @ plane) / STANDING_SD
        weight = share / STANDING_SD**2 / (1 + (off / np.where(off > 0, ABOVE, BELOW)) ** 2) ** 2
        heavy = rows * weight[:, None]
        plane = np.linalg.solve(rows.T @ heavy + prior + 1e-9 * np.eye(3), heavy.T @ offset[:, 1])
    middle = np.median(lowest, axis=0)
    return float(middle[1] + plane[0]), float(plane[1]), float(plane[2])


def support_height(lowest: Floats, hips: Floats, fps: float) -> Floats:
    """Return the height (T,) of what the feet stand on, slowly changing: the low of about each second.

    Args:
        lowest: (T, 3) metres, the lower sole.
        hips: (T,) metres, height of the hips; frames in which they are not well above the soles do not count.
        fps: frames a second.
    """
    upright = hips - lowest[:, 1] > UPRIGHT
    height = fill_gaps(np.where(upright, lowest[:, 1], np.nan)) if upright.any() else np.zeros(len(hips))
    width = 2 * round(AIRBORNE / 2 * fps) + 1
    low = percentile_filter(height, 15, size=width, mode="nearest")
    return np.asarray(gaussian_filter1d(low, max(AIRBORNE / 4 * fps, 0.5), mode="nearest"))


def levelling(right: float, back: float) -> Floats:
    """Return the smallest rotation (3, 3) that turns a plane with these slopes along x and z level."""
    normal = np.array([-right, 1.0, -back])
    return turn_up(normal / np.linalg.norm(normal))


def turn_up(up: Floats) -> Floats:
    """Return the smallest rotation (3, 3) that takes the direction `up` to +y."""
    target = np.array([0.0, 1.0, 0.0])
    cosine = float(up @ target)
    if cosine < -1 + 1e-9:
        return np.diag([1.0, -1.0, -1.0])
    x, y, z = np.cross(up, target)
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1.0 + cosine))
