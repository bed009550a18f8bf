"""FreeMoCap's TOML: aniposelib's tables in millimetres, with notes about the board in `[metadata]`.

The world is z up where the board lay on the floor (`groundplane_calibration = true`); where it did not, the
world is that of the first camera, so up is about -y. Files too old to say are taken as z up. A board's square
of less than 1 cannot be in millimetres and is taken as metres. Written are also `world_position` and
`world_orientation` (of the camera), which FreeMoCap's Blender add-on asks for.
Source: FreeMoCap 1.x, `anipose_camera_calibration`, and its add-on's `add_capture_cameras`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from calibration.camera import Camera, Cameras
from calibration.files import aniposelib, tables
from calibration.files.document import Document
from calibration.files.source import Source
from calibration.files.world import from_metres_y_up
from calibration.saving import save

_MARKS = ("charuco_square_size", "charuco_board_object", "groundplane_calibration")


def claims(document: Document) -> bool:
    """Whether the document is of this format.

    Args:
        document: a parsed file.
    """
    marked = any(mark in tables.metadata(document) for mark in _MARKS)
    return aniposelib.claims(document) and marked


def read(document: Document) -> Source:
    """Take the cameras out of the document.

    Args:
        document: one that `claims` accepts.
    """
    said = tables.metadata(document)
    square = said.get("charuco_square_size", 1)
    units = "m" if isinstance(square, int | float) and square < 1 else "mm"
    up = "-y" if said.get("groundplane_calibration") is False else "z"
    found = aniposelib.read(document)
    return Source(document.path, found.entries, str(said.get("units", units)), str(said.get("up", up)))


def write(path: Path, cameras: Cameras) -> tuple[Path, ...]:
    """Write millimetres, z up, at least five coefficients a pinhole lens.

    Args:
        path: the file; replaced if it exists.
        cameras: metres, y up.

    Returns:
        The file.

    Raises:
        FileError: the file cannot be written.
    """
    placed = [from_metres_y_up(camera, "mm", "z") for camera in cameras]
    keys = tables.numbered(len(placed))
    parts = [tables.written(key, _fields(camera)) for key, camera in zip(keys, placed, strict=True)]
    note = {"groundplane_calibration": True, "units": "mm", "up": "z"}
    save(path, "\n".join([*parts, tables.written("metadata", note)]))
    return (path,)


def _fields(camera: Camera) -> dict[str, Any]:
    fisheye = camera.model == "fisheye"
    return {
        **tables.fields(camera, tables.at_least(camera.distortion, 4 if fisheye else 5)),
        **({"fisheye": True} if fisheye else {}),
        "world_position": camera.centre.tolist(),
        "world_orientation": camera.camera_from_world[:3, :3].T.tolist(),
    }
