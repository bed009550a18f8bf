"""Pose2Sim's TOML: aniposelib's tables in metres, z up, with four coefficients a lens.

It is read as aniposelib's. Pose2Sim itself writes k1 k2 p1 p2 and `fisheye = false`; on reading it hands the
coefficients to OpenCV as they are, so five and eight are written where the lens has them, and it never looks
at `fisheye`, so a fisheye lens would be taken for another: that is refused.
Source: Pose2Sim, `calibration.toml_write` and `common.retrieve_calib_params`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calibration.camera import Camera, Cameras
from calibration.files import tables
from calibration.files.source import refuse_models
from calibration.files.world import from_metres_y_up
from calibration.saving import save


def write(path: Path, cameras: Cameras) -> tuple[Path, ...]:
    """Write metres, z up.

    Args:
        path: the file; replaced if it exists.
        cameras: metres, y up.

    Returns:
        The file.

    Raises:
        FileError: a fisheye lens, or the file cannot be written.
    """
    refuse_models(path, cameras, "Pose2Sim", fisheye=True)
    placed = [from_metres_y_up(camera, "m", "z") for camera in cameras]
    keys = tables.numbered(len(placed), first=1)
    parts = [tables.written(key, _fields(camera)) for key, camera in zip(keys, placed, strict=True)]
    note = tables.written("metadata", {"adjusted": False, "error": 0.0})
    save(path, "\n".join([*parts, note]))
    return (path,)


def _fields(camera: Camera) -> dict[str, Any]:
    coefficients = tables.at_least(camera.distortion, 4)
    plain = coefficients if np.any(coefficients[4:]) else coefficients[:4]
    values = {**tables.fields(camera, plain), "fisheye": False}
    return {**values, "size": [float(side) for side in camera.size]}
