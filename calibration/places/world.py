"""The world of a calibration with a board: the floor where it lay still, else what is up for the cameras."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board
from calibration.camera import Cameras
from calibration.rotation import nearest

Array = NDArray[np.float64]

_STILL = (0.01, np.deg2rad(1.0))  # metres and radians that a board lying still may seem to move
_REST = (0.3, 4)  # seconds and images at least that it lies
_FLAT = np.deg2rad(40.0)  # between the board's normal and the cameras' mean up: people tilt cameras down
_BELOW = 0.08  # metres below the floor that a board may be held, by error
_LEVEL = np.deg2rad(10.0)  # cameras whose sides are level within this were set up upright


@dataclass(frozen=True, eq=False)
class Placed:
    """Cameras and boards in the world, y up.

    Args:
        cameras: V.
        boards: (T, 4, 4) world_from_board; NaN where there is none.
        floor: whether y = 0 is known to be the floor.
        note: where the world's origin and axes come from, in words.
    """

    cameras: Cameras
    boards: Array
    floor: bool
    note: str


def put_in_world(cameras: Cameras, boards: Array, times: Array, board: Board) -> Placed:
    """Turn cameras and boards into a world with y up.

    A board that lies still and face up at the end, or at the beginning, lies on the floor: its first corner
    is the origin, its rows run along x. Otherwise up is what the cameras, set up level, have in common; the
    origin is below the place that they look at, and y = 0 the lowest place at which the board was held.

    Args:
        cameras: V, in one world that may lie anyhow.
        boards: (T, 4, 4) world_from_board in it; NaN where there is none.
        times: (T,) seconds.
        board: that was seen.
    """
    for end, pose in (("end", _resting(boards[::-1], -times[::-1])), ("beginning", _resting(boards, times))):
        if pose is not None and _is_floor(pose, cameras, boards, board):
            moved = _moved(cameras, boards, _axes_of(pose))
            return Placed(
                *moved, True, f"the floor is where the board lies at the {end}; origin at its corner"
            )
    return _without_floor(cameras, boards, board)


def _without_floor(cameras: Cameras, boards: Array, board: Board) -> Placed:
    up, level = _up(cameras)
    pose, corners = np.eye(4), _corners(boards, board)
    pose[:3, :3] = _upright(up, -cameras[0].camera_from_world[2, :3])
    pose[:3, 3] = _looked_at(cameras)
    if np.isfinite(corners).any():
        pose[:3, 3] += up * np.nanmin((corners - pose[:3, 3]) @ up)
    said = "level" if level else "not level, so that it is a guess"
    note = (
        f"the floor is unknown: up is that of the cameras, which are {said}; y = 0 is the lowest place of the"
        " board (lay it on the floor at the end, face up)"
    )
    return Placed(*_moved(cameras, boards, pose), False, note)


def _resting(boards: Array, times: Array) -> Array | None:
    """World_from_board of a board that lies still from the first image on, or None."""
    seen = np.flatnonzero(np.isfinite(boards[:, 0, 0]))
    if not len(seen):
        return None
    still = [int(seen[0])]
    for i in seen[1:]:
        if not _same(boards[i], _mean(boards[still])):
            break
        still.append(int(i))
    long = times[still[-1]] - times[still[0]] >= _REST[0] - 1e-6
    return _mean(boards[still]) if long and len(still) >= _REST[1] else None


def _same(a: Array, b: Array) -> bool:
    cosine = (np.trace(a[:3, :3].T @ b[:3, :3]) - 1) / 2
    return bool(np.linalg.norm(a[:3, 3] - b[:3, 3]) < _STILL[0] and cosine > np.cos(_STILL[1]))


def _mean(poses: Array) -> Array:
    mean = np.eye(4)
    mean[:3, :3] = nearest(poses[:, :3, :3].mean(axis=0))
    mean[:3, 3] = np.median(poses[:, :3, 3], axis=0)
    return mean


def _is_floor(pose: Array, cameras: Cameras, boards: Array, board: Board) -> bool:
    """Whether a board lies face up, with all cameras and all other boards above it."""
    normal = -pose[:3, 2]
    if normal @ _up(cameras)[0] < np.cos(_FLAT):
        return False
    heights = (_corners(boards, board) - pose[:3, 3]) @ normal
    above = [(camera.centre - pose[:3, 3]) @ normal > 0 for camera in cameras]
    return all(above) and float(np.nanpercentile(heights, 2)) > -_BELOW


def _axes_of(pose: Array) -> Array:
    """World_from_new: x along the board's rows, y out of its face, origin at its corner."""
    axes = pose.copy()
    axes[:3, :3] = np.stack([pose[:3, 0], -pose[:3, 2], pose[:3, 1]], axis=1)
    return axes


def _up(cameras: Cameras) -> tuple[Array, bool]:
    """(3,) the cameras' common up, and whether their sides are level to it.

    Cameras set up level have x axes that lie in one plane, however far they look down.
    """
    sides = np.stack([camera.camera_from_world[0, :3] for camera in cameras])
    ups = -np.stack([camera.camera_from_world[1, :3] for camera in cameras]).mean(axis=0)
    mean = ups / max(float(np.linalg.norm(ups)), 1e-9)
    _, values, axes = np.linalg.svd(sides)
    if len(cameras) < 2 or values[1] < 0.3:  # all look one way: their pitch cannot be told from a slope
        return mean, False
    up = axes[2] * np.sign(axes[2] @ mean)
    level = bool(np.abs(np.arcsin(np.clip(sides @ up, -1, 1))).max() < _LEVEL)
    return (up, True) if level and up @ mean > np.cos(_FLAT) else (mean, False)


def _looked_at(cameras: Cameras) -> Array:
    """(3,) the place nearest to all optical axes; that of a lone camera is 3 m before it."""
    normal, right = np.zeros((3, 3)), np.zeros(3)
    for camera in cameras:
        axis = camera.camera_from_world[2, :3]
        off = np.eye(3) - np.outer(axis, axis) + 1e-3 * np.outer(axis, axis)
        normal, right = normal + off, right + off @ (camera.centre + 3.0 * axis)
    return np.linalg.solve(normal, right)


def _upright(up: Array, towards: Array) -> Array:
    """(3, 3) columns x, y, z of a world whose y is up, and whose z points as `towards` in the level."""
    z = towards - (towards @ up) * up
    z = z / max(float(np.linalg.norm(z)), 1e-9)
    return nearest(np.stack([np.cross(up, z), up, z], axis=1))


def _corners(boards: Array, board: Board) -> Array:
    return np.asarray(np.einsum("tab,cb->tca", boards[:, :3, :3], board.corners) + boards[:, None, :3, 3])


def _moved(cameras: Cameras, boards: Array, world_from_new: Array) -> tuple[Cameras, Array]:
    turned = tuple(replace(c, camera_from_world=c.camera_from_world @ world_from_new) for c in cameras)
    return Cameras(turned), np.linalg.inv(world_from_new) @ boards
