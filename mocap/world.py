"""A world that nobody measured: its up, its floor and where it begins, from the person who moves in it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from calibration.align import Move
from calibration.camera import Cameras
from mocap.floor import fit_floor, levelling, turn_up
from mocap.keypoints import Layout

Floats = NDArray[np.float64]

LEVEL_SD = np.deg2rad(3.0)  # of a camera's x axis off the horizon: people level their cameras
UPRIGHT_SD = np.deg2rad(5.0)  # of the axis of a person who stands straight, over a clip
STRAIGHT = 0.97  # cosine between trunk and legs of who stands straight
ROUNDS = 10
SLOPE_SD = np.deg2rad(1.5)  # of what up is, before the feet are asked for the slope of the floor
BEGINNING = 0.3  # seconds in which the person says where the world begins
# Heights of landmarks above the floor that a foot stands on, in statures; means over rigged people in shoes.
STANDING = {"heel": 0.026, "foot_index": 0.020, "ankle": 0.047}


def stand_world(cameras: Cameras, landmarks: Floats, layout: Layout, stature: float, fps: float) -> Move:
    """Say how the world has to move: y up, the floor at 0 under the feet, the person starts at 0 facing +z.

    Args:
        cameras: in any axes, metres.
        landmarks: (T, J, 3) of one person, in the same axes, NaN unknown.
        layout: of the J axis.
        stature: metres.
        fps: frames a second.
    """
    stood = Move(turn_up(up_direction(cameras, landmarks, layout)), np.zeros(3))
    lowest = lowest_feet(stood.points(landmarks), layout, stature)
    lowest = lowest[np.isfinite(lowest).all(axis=-1)]
    if len(lowest):
        _, right, back = fit_floor(lowest, fps, (SLOPE_SD, SLOPE_SD))
        level = Move(levelling(right, back), np.zeros(3))
        height, _, _ = fit_floor(level.points(lowest), fps, (SLOPE_SD, SLOPE_SD))
        stood = stood.then(level).then(Move(np.eye(3), np.array([0.0, -height, 0.0])))
    return stood.then(_beginning(stood.points(landmarks), layout, fps))


def up_direction(cameras: Cameras, landmarks: Floats, layout: Layout) -> Floats:
    """Return which way is up (3,): along people who stand straight, across cameras that are held level.

    Args:
        cameras: V cameras.
        landmarks: (T, J, 3) in their world.
        layout: of the J axis.
    """
    sideways = np.stack([camera.camera_from_world[0, :3] for camera in cameras])
    body = _standing(landmarks, layout)
    held = -np.mean([camera.camera_from_world[1, :3] for camera in cameras], axis=0)
    up = body if body is not None else held / np.linalg.norm(held)
    for _ in range(ROUNDS):
        tangent = np.linalg.svd(up[None])[2][1:]  # (2, 3) across up
        rows, right = [sideways @ tangent.T / LEVEL_SD], [-sideways @ up / LEVEL_SD]
        if body is not None:
            rows.append(np.eye(2) / UPRIGHT_SD)
            right.append(tangent @ (body - up) / UPRIGHT_SD)
        step = np.linalg.lstsq(np.concatenate(rows), np.concatenate(right), rcond=None)[0]
        up = up + step @ tangent
        up /= np.linalg.norm(up)
    return np.asarray(up)


def lowest_feet(landmarks: Floats, layout: Layout, stature: float) -> Floats:
    """Return the lowest point of the feet (T, 3), as high above the floor as its foot is off it; NaN unknown.

    Args:
        landmarks: (T, J, 3) m, y up.
        layout: of the J axis.
        stature: metres.
    """
    names = ("heel", "foot_index") if "left_heel" in layout.landmarks else ("ankle",)
    feet = np.stack([landmarks[:, layout.index(s + n)] for n in names for s in ("left_", "right_")], axis=1)
    feet[..., 1] -= stature * np.repeat([STANDING[n] for n in names], 2)
    height = np.where(np.isfinite(feet[..., 1]), feet[..., 1], np.inf)
    which = height.argmin(axis=1)
    return np.asarray(feet[np.arange(len(feet)), which])


def _standing(landmarks: Floats, layout: Layout) -> Floats | None:
    """The typical axis of the person in frames in which they stand straight, if there are some."""
    hips, shoulders, ankles = (_middle(landmarks, layout, n) for n in ("hip", "shoulder", "ankle"))
    trunk, legs, whole = _unit(shoulders - hips), _unit(hips - ankles), _unit(shoulders - ankles)
    straight = (trunk * legs).sum(axis=-1) > STRAIGHT
    if straight.sum() < 3:
        return None
    axis = np.median(whole[straight], axis=0)
    return np.asarray(axis / np.linalg.norm(axis))


def _beginning(landmarks: Floats, layout: Layout, fps: float) -> Move:
    """Turn about y and shift along the floor: the person starts over the origin, facing +z."""
    hips, shoulders = _middle(landmarks, layout, "hip"), _middle(landmarks, layout, "shoulder")
    left = sum(
        landmarks[:, layout.index("left_" + n)] - landmarks[:, layout.index("right_" + n)]
        for n in ("hip", "shoulder")
    )
    known = np.flatnonzero(np.isfinite(hips + shoulders + left).all(axis=-1))[
        : max(1, round(BEGINNING * fps))
    ]
    if not len(known):
        return Move(np.eye(3), np.zeros(3))
    x, _, z = np.median(np.asarray(left)[known], axis=0)
    angle = np.arctan2(z, x)  # the left side has to point along +x
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    start = turn @ np.median(hips[known], axis=0)
    return Move(turn, np.array([-start[0], 0.0, -start[2]]))


def _middle(landmarks: Floats, layout: Layout, name: str) -> Floats:
    return np.asarray(landmarks[:, [layout.index(side + name) for side in ("left_", "right_")]].mean(axis=1))


def _unit(v: Floats) -> Floats:
    return np.asarray(v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-12))
