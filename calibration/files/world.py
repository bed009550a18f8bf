"""From the unit and the axes of a file to ours, metres and y up, and back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera
from calibration.errors import FileError

Array = NDArray[np.float64]

METRES = {"m": 1.0, "cm": 0.01, "mm": 0.001, "in": 0.0254}

# Rows: where our x, y, z are in the file's axes. For z up: (x, y, z) becomes (x, z, -y).
TURNS = {
    "y": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "z": ((1, 0, 0), (0, 0, 1), (0, -1, 0)),
    "x": ((0, -1, 0), (1, 0, 0), (0, 0, 1)),
    "-y": ((1, 0, 0), (0, -1, 0), (0, 0, -1)),
    "-z": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "-x": ((0, 1, 0), (-1, 0, 0), (0, 0, 1)),
}

_APART = (0.05, 100.0)  # metres: farthest pair at least, nearest pair at most
_LIKELY = (0.3, 60.0)  # metres: how far the farthest pair of cameras around people is


def known_units(units: str, where: Path) -> str:
    """Return the unit's canonical name.

    Args:
        units: as the caller or the file has it.
        where: the file, for the message.

    Raises:
        FileError: not a unit that is known; lists them.
    """
    if units.lower() not in METRES:
        raise FileError(f"{where}: units: must be one of {', '.join(METRES)}, got {units!r}")
    return units.lower()


def known_up(up: str, where: Path) -> str:
    """Return the up axis' canonical name.

    Args:
        up: as the caller or the file has it; a leading + is dropped.
        where: the file, for the message.

    Raises:
        FileError: not an axis; lists them.
    """
    axis = up.lower().removeprefix("+")
    if axis not in TURNS:
        raise FileError(f"{where}: up: must be one of {', '.join(TURNS)}, got {up!r}")
    return axis


def to_metres_y_up(camera: Camera, units: str, up: str) -> Camera:
    """Put a camera into our world.

    Args:
        camera: in the file's unit and axes.
        units: a key of METRES.
        up: a key of TURNS.
    """
    pose = camera.camera_from_world.copy()
    pose[:3, :3] = pose[:3, :3] @ np.array(TURNS[up], dtype=np.float64).T
    pose[:3, 3] *= METRES[units]
    return replace(camera, camera_from_world=pose)


def from_metres_y_up(camera: Camera, units: str, up: str) -> Camera:
    """Put one of our cameras into another unit and axes: the inverse of `to_metres_y_up`.

    Args:
        camera: metres, y up.
        units: a key of METRES.
        up: a key of TURNS.
    """
    pose = camera.camera_from_world.copy()
    pose[:3, :3] = pose[:3, :3] @ np.array(TURNS[up], dtype=np.float64)
    pose[:3, 3] /= METRES[units]
    return replace(camera, camera_from_world=pose)


def check_distances(cameras: Sequence[Camera], units: str, where: Path) -> None:
    """Refuse cameras that stand as no cameras around people stand, which a wrong unit does.

    Args:
        cameras: in metres.
        units: the unit that was assumed.
        where: the file, for the message.

    Raises:
        FileError: all pairs are more than 100 m apart, or none more than 5 cm.
    """
    apart = [float(np.linalg.norm(a.centre - b.centre)) for a, b in combinations(cameras, 2)]
    if not apart or (max(apart) >= _APART[0] and min(apart) <= _APART[1]):
        return
    raw = max(apart) / METRES[units]
    likely = [unit for unit, metre in METRES.items() if _LIKELY[0] <= raw * metre <= _LIKELY[1]]
    advice = f"units {' or '.join(likely)} would make sense" if likely else "no unit known would make sense"
    raise FileError(
        f"{where}: read as {units}, the cameras are at most {max(apart):.3g} m apart, "
        f"at least {min(apart):.3g} m: {advice}; give the right units"
    )
