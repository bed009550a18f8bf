"""What a calibration file says about its cameras, in its own unit and axes, before it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera, Cameras
from calibration.errors import CalibrationError, FileError
from calibration.rotation import from_rotvec

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Entry:
    """One camera as its file has it; None = the file does not say.

    Args:
        name: what the file calls it.
        size: two numbers, width and height, pixels.
        matrix: 3 x 3 camera matrix, pixels.
        distortion: coefficients in OpenCV's order.
        rotation: 3 x 3 matrix or rotation vector, camera from world.
        translation: 3 numbers, camera from world, in the file's unit.
        model: "pinhole" or "fisheye".
    """

    name: str
    size: Any
    matrix: Any
    distortion: Any
    rotation: Any
    translation: Any
    model: str = "pinhole"


@dataclass(frozen=True)
class Source:
    """All cameras of a file, and what it says, or its format implies, about unit and axes.

    Args:
        path: the file.
        entries: its cameras.
        units: "m", "cm", "mm" or "in"; None = its program has no unit.
        up: which axis points up: "x", "y", "z", "-x", "-y" or "-z"; None = its program has no up.
    """

    path: Path
    entries: tuple[Entry, ...]
    units: str | None = "m"
    up: str | None = "z"


def to_camera(source: Source, entry: Entry, sizes: Mapping[str, tuple[int, int]], poses: bool) -> Camera:
    """Check one entry and make a camera of it, still in the file's unit and axes.

    Args:
        source: the file, for its path.
        entry: the camera.
        sizes: (width, height) by camera name, used where the file is silent.
        poses: False = a camera without a pose is put at the origin.

    Raises:
        FileError: something is missing or wrong; names file, camera and field.
    """
    where = f"{source.path}: camera {entry.name!r}"
    size = sizes.get(entry.name) if entry.size is None else entry.size
    for field, value in (("size", size), ("matrix", entry.matrix)):
        if value is None:
            raise FileError(f"{where}: {field}: is missing; add it to the file")
    distortion = _coefficients(where, entry.distortion)
    pose = _pose(where, entry, poses)
    try:
        return Camera(entry.name, size, entry.matrix, distortion, pose, entry.model)  # type: ignore[arg-type]
    except CalibrationError as error:
        raise FileError(f"{source.path}: {error}") from None


def refuse_models(
    path: Path, cameras: Cameras, program: str, fisheye: bool = False, rational: bool = False
) -> None:
    """Refuse cameras whose lens a program would read as another.

    Args:
        path: the file that was to be written.
        cameras: the cameras.
        program: whose file it is.
        fisheye: whether it has no fisheye lenses.
        rational: whether it has no lenses with eight coefficients.

    Raises:
        FileError: names file, camera, and the formats that have such a lens.
    """
    for camera in cameras:
        lens = "a fisheye lens" if camera.model == "fisheye" else "eight coefficients"
        if fisheye if camera.model == "fisheye" else (rational and bool(np.any(camera.distortion[5:]))):
            raise FileError(
                f"{path}: camera {camera.name!r}: distortion: {program} has none with {lens};"
                " write aniposelib or colmap"
            )


def _coefficients(where: str, value: Any) -> Array:
    """None and two coefficients filled up; OpenCV's 12 and 14 cut to 8 where the rest is zero."""
    array = numbers(where, "distortion", [] if value is None else value).reshape(-1)
    if len(array) in (12, 14) and not np.any(array[8:]):
        return array[:8]
    return np.append(array, [0.0, 0.0]) if len(array) == 2 else array


def _pose(where: str, entry: Entry, poses: bool) -> Array:
    transform = np.eye(4)
    missing = [f for f in ("rotation", "translation") if getattr(entry, f) is None]
    if missing and not poses:
        return transform
    if missing:
        raise FileError(f"{where}: {missing[0]}: is missing; calibrate where the camera stands, or remove it")
    rotation = numbers(where, "rotation", entry.rotation)
    if rotation.shape == (3, 3):
        transform[:3, :3] = rotation
    elif rotation.size == 3 and np.all(np.isfinite(rotation)):
        transform[:3, :3] = from_rotvec(rotation)
    else:
        wanted = "3 finite numbers or 3 x 3"
        raise FileError(f"{where}: rotation: must be {wanted}, got shape {rotation.shape}")
    translation = numbers(where, "translation", entry.translation)
    if translation.size != 3:
        raise FileError(f"{where}: translation: must be 3 numbers, got shape {translation.shape}")
    transform[:3, 3] = translation.reshape(3)
    return transform


def numbers(where: str, field: str, value: Any) -> Array:
    """Turn what a file has into an array of numbers.

    Args:
        where: file and camera, for the message.
        field: which field, for the message.
        value: nested lists, text or numbers.

    Raises:
        FileError: it is no regular array of numbers.
    """
    try:
        return np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise FileError(f"{where}: {field}: must be numbers, got {value!s:.60}") from None
