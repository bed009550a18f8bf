"""Which way is up before a camera that nobody levelled, told by the person: people mostly stand upright."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mocap.keypoints import Layout

Floats = NDArray[np.float64]

STRAIGHT = np.deg2rad(40.0)  # bend of a knee at which a frame counts e^-1
# Lean to the side of which half is taken for the camera's roll. Below, it says next to nothing: over cameras
# held level to 2 degrees a lean of 1 degree is worth 0.02 to 0.1 degrees of roll.
ROLL_BELIEVED = np.deg2rad(15.0)
# The camera's tilt (down positive, radians) from the leans of trunk and legs away from the eye, from how much
# the person faces away, and from the angle of the hips below the axis. Least squares over 500 still cameras
# with known tilt (sd 10 degrees); on other people and takes the median error is 3 degrees, 90 % are within 9.
TILT = {"trunk": -0.632, "legs": -0.476, "facing": 0.073, "below": -0.673, "always": 0.026}


def camera_tilt(turned: Floats, below: Floats, layout: Layout) -> tuple[float, float]:
    """Estimate a still camera's tilt and roll from a person who stands upright now and then.

    Args:
        turned: (T, J, 3) the detector's 3D landmarks from `bodyguess.facing_the_eye`, NaN unseen.
        below: (T,) radians, how far below the optical axis the hips are.
        layout: of the J axis.

    Returns:
        (tilt, roll) radians: tilt is positive when the camera looks down, roll when the world's up leans to
        the right of the image.
    """
    guessed = turned[:, : len(layout.detector)]  # of what was put beside its landmarks it guesses nothing
    rows = np.isfinite(guessed).all(axis=(1, 2)) & np.isfinite(below)
    point = {n: turned[rows][:, layout.index(n)] for n in layout.landmarks}

    def middle(name: str) -> Floats:
        return (point[f"left_{name}"] + point[f"right_{name}"]) / 2

    hips, shoulders, ankles = middle("hip"), middle("shoulder"), middle("ankle")
    weight = np.exp(-((_knee_bend(point) / STRAIGHT) ** 2)) + 1e-3
    forward = np.cross(point["left_shoulder"] - point["right_shoulder"], shoulders - hips)
    away = forward[:, 2] / np.maximum(np.linalg.norm(forward, axis=-1), 1e-9)
    trunk, legs = shoulders - hips, hips - ankles
    tilt = (
        TILT["trunk"] * _typical(_lean(trunk, 2), weight)
        + TILT["legs"] * _typical(_lean(legs, 2), weight)
        + TILT["facing"] * float(np.average(away, weights=weight))
        + TILT["below"] * float(np.average(below[rows], weights=weight))
        + TILT["always"]
    )
    side = _typical(_lean(shoulders - ankles, 0), weight)
    return tilt, side * side**4 / (side**4 + ROLL_BELIEVED**4)


def up_of(tilt: float, roll: float) -> Floats:
    """Return the world's up (3,) in the axes of a camera that is tilted and rolled.

    Args:
        tilt: radians, down positive.
        roll: radians, positive when the world's up leans to the right of the image.
    """
    return np.array([np.sin(roll), -np.cos(roll) * np.cos(tilt), -np.cos(roll) * np.sin(tilt)])


def world_axes(up: Floats) -> Floats:
    """Return the rotation camera from world (3, 3) of a camera that looks along -z.

    Args:
        up: (3,) the world's, in the camera's axes, of length one; not along the optical axis.
    """
    back = -np.array([0.0, 0.0, 1.0])
    back = back - (back @ up) * up
    back /= np.linalg.norm(back)
    return np.stack([np.cross(up, back), up, back], axis=1)


def _knee_bend(point: dict[str, Floats]) -> Floats:
    """The larger bend of the two knees (T,), radians."""
    bends = []
    for side in ("left_", "right_"):
        thigh = point[side + "knee"] - point[side + "hip"]
        shin = point[side + "ankle"] - point[side + "knee"]
        length = np.linalg.norm(thigh, axis=-1) * np.linalg.norm(shin, axis=-1)
        bends.append(np.arccos(np.clip((thigh * shin).sum(axis=-1) / np.maximum(length, 1e-12), -1.0, 1.0)))
    return np.maximum(*bends)


def _lean(upward: Floats, axis: int) -> Floats:
    """Angle (T,) of vectors off the image's up towards a camera axis."""
    return np.arctan2(upward[:, axis], -upward[:, 1])


def _typical(values: Floats, weight: Floats) -> float:
    """Weighted median."""
    order = np.argsort(values)
    reached = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
