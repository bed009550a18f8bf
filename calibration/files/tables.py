"""One TOML table a camera, which aniposelib, FreeMoCap, Pose2Sim and Caliscope have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from calibration.camera import Camera
from calibration.files.document import Document
from calibration.files.source import Entry
from calibration.rotation import to_rotvec


def tables(document: Document) -> dict[str, dict[str, Any]]:
    """The tables of cameras at the top of a TOML document, by their keys.

    Args:
        document: a parsed TOML file.
    """
    return {
        key: table
        for key, table in document.data.items()
        if isinstance(table, dict) and key != "metadata" and ("matrix" in table or "translation" in table)
    }


def metadata(document: Document) -> dict[str, Any]:
    """What `[metadata]` says; empty if there is none.

    Args:
        document: a parsed TOML file.
    """
    said = document.data.get("metadata")
    return said if isinstance(said, dict) else {}


def entry(name: str, table: dict[str, Any]) -> Entry:
    """One camera from its table.

    Args:
        name: what to call it.
        table: the keys size, matrix, distortions, rotation, translation, fisheye, as far as there are.
    """
    return Entry(
        name,
        table.get("size"),
        table.get("matrix"),
        table.get("distortions"),
        table.get("rotation"),
        table.get("translation"),
        "fisheye" if table.get("fisheye") is True else "pinhole",
    )


def fields(camera: Camera, distortion: Sequence[float] | None = None) -> dict[str, Any]:
    """What a camera's table says, in the camera's own world.

    Args:
        camera: in the unit and axes of the file.
        distortion: the coefficients as the format wants them; None = as the camera has them.
    """
    pose = camera.camera_from_world
    return {
        "name": camera.name,
        "size": list(camera.size),
        "matrix": camera.K.tolist(),
        "distortions": camera.distortion.tolist() if distortion is None else list(distortion),
        "rotation": to_rotvec(pose[:3, :3]).tolist(),
        "translation": pose[:3, 3].tolist(),
    }


def written(key: str, values: Mapping[str, Any]) -> str:
    """A table as TOML.

    Args:
        key: of the table; a bare key, or several with dots.
        values: texts, numbers, truth values, and nested lists of numbers.
    """
    return f"[{key}]\n" + "".join(f"{name} = {_value(value)}\n" for name, value in values.items())


def numbered(count: int, first: int = 0) -> list[str]:
    """Keys cam_0, cam_1, ... that sort as they count, as aniposelib orders its cameras.

    Args:
        count: how many.
        first: the first number.
    """
    width = len(str(first + count - 1))
    return [f"cam_{first + index:0{width}d}" for index in range(count)]


def at_least(coefficients: np.ndarray, count: int) -> list[float]:
    """Coefficients, filled up with zeros to a count.

    Args:
        coefficients: (n,) in OpenCV's order.
        count: the least number of them.
    """
    return [*coefficients.tolist(), *[0.0] * (count - len(coefficients))]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):  # JSON's escapes, and DEL, which JSON leaves alone
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)
