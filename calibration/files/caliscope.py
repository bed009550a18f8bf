"""Caliscope's `camera_array.toml`: tables `[cameras.0]`, or `[cam_0]` in its older `config.toml`.

Metres, z up where its user set the origin on a board lying on the floor. `rotation_count` only says how
frames are shown to its trackers: the calibration is for frames as they are filmed, so it is not used.
Cameras that its user set to `ignore` are left out. Caliscope calls cameras by number; written are the numbers
at the ends of our names where those differ, and the names beside them, which it leaves alone.
Its lenses have five coefficients, or four of a fisheye: eight are refused.
Source: Caliscope, `cameras/camera_array.py`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from calibration.camera import Camera, Cameras
from calibration.files import tables
from calibration.files.document import Document
from calibration.files.source import Source, refuse_models
from calibration.files.world import from_metres_y_up
from calibration.saving import save

_MARKS = ("cam_id", "port", "rotation_count")


def claims(document: Document) -> bool:
    """Whether the document is of this format.

    Args:
        document: a parsed file.
    """
    return document.kind == "toml" and bool(_tables(document))


def read(document: Document) -> Source:
    """Take the cameras out of the document.

    Args:
        document: one that `claims` accepts.
    """
    kept = {key: table for key, table in _tables(document).items() if table.get("ignore") is not True}
    entries = tuple(tables.entry(_name(key, table), table) for key, table in kept.items())
    return Source(document.path, entries)


def write(path: Path, cameras: Cameras) -> tuple[Path, ...]:
    """Write metres, z up.

    Args:
        path: the file; replaced if it exists.
        cameras: metres, y up.

    Returns:
        The file.

    Raises:
        FileError: a lens with eight coefficients, or the file cannot be written.
    """
    refuse_models(path, cameras, "Caliscope", rational=True)
    placed = [from_metres_y_up(camera, "m", "z") for camera in cameras]
    numbers = _numbers(cameras.names)
    parts = [
        tables.written(f"cameras.{n}", _fields(n, camera)) for n, camera in zip(numbers, placed, strict=True)
    ]
    save(path, "\n".join(parts))
    return (path,)


def _tables(document: Document) -> dict[str, dict[str, Any]]:
    nested = document.data.get("cameras")
    found = nested if isinstance(nested, dict) else document.data
    return {
        key: table
        for key, table in found.items()
        if isinstance(table, dict) and any(mark in table for mark in _MARKS)
    }


def _name(key: str, table: dict[str, Any]) -> str:
    number = next((table[mark] for mark in ("cam_id", "port") if mark in table), None)
    return str(table.get("name", key if number is None else f"cam_{number}"))


def _numbers(names: tuple[str, ...]) -> list[int]:
    """The numbers that the names end in, if they all do and differ; else 0, 1, ..."""
    ends = [re.search(r"\d{1,9}$", name) for name in names]
    numbers = [int(end.group()) for end in ends if end]
    return numbers if len(set(numbers)) == len(names) else list(range(len(names)))


def _fields(number: int, camera: Camera) -> dict[str, Any]:
    fisheye = camera.model == "fisheye"
    coefficients = tables.at_least(camera.distortion, 4 if fisheye else 5)[: 4 if fisheye else 5]
    values = {"cam_id": number, **tables.fields(camera, coefficients)}
    return {**values, "rotation_count": 0, "ignore": False, "fisheye": fisheye}
