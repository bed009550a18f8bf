"""Qualisys' `.qca.txt`: XML, millimetres, z up.

Focal length, centre and sensor are in 1/64 pixel; distortion is not scaled (checkerboards filmed with the
same cameras agree with the raw values). The rows of r11..r33 are the camera's axes in the world, with y up
and z *backward*; x, y, z is where the camera is. The picture is the part `fov_video` of the sensor;
`video_resolution` ("540p") says that it was filmed smaller. `viewrotation` only turns the display.
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from calibration.errors import FileError
from calibration.files.document import Document
from calibration.files.source import Entry, Source

_SUBPIXEL = 64.0
_FULL_RESOLUTION = 1080.0
_DISTORTION = (
    "radialDistortion1",
    "radialDistortion2",
    "tangentalDistortion1",
    "tangentalDistortion2",
    "radialDistortion3",
)


def claims(document: Document) -> bool:
    """Whether the document is of this format.

    Args:
        document: a parsed file.
    """
    root = document.root
    return root is not None and root.tag == "calibration" and root.find("cameras/camera") is not None


def read(document: Document) -> Source:
    """Take the video cameras out of the document (all cameras, if none says that it films).

    Args:
        document: one that `claims` accepts.

    Raises:
        FileError: a missing or unreadable attribute; names camera and attribute.
    """
    assert document.root is not None
    found = [c for c in document.root.findall("cameras/camera") if c.get("active", "1") != "0"]
    films = [c for c in found if "video" in c.get("model", "").lower()] or found
    entries = tuple(_entry(document, camera) for camera in films)
    return Source(document.path, entries, units="mm")


def _entry(document: Document, camera: Element) -> Entry:
    name = camera.get("serial", "")
    where = f"{document.path}: camera {name!r}"
    scale = _scale(where, camera.get("video_resolution"))
    left, top, right, bottom = _values(where, camera, "fov_video", ("left", "top", "right", "bottom"))
    size = np.round(scale * np.array([right - left + 1, bottom - top + 1]))
    distortion = _values(where, camera, "intrinsic", _DISTORTION, default=0.0)
    rotation, translation = _pose(where, camera)
    matrix = _matrix(where, camera, left, top, scale)
    return Entry(name, size, matrix, distortion, rotation, translation)


def _matrix(where: str, camera: Element, left: float, top: float, scale: float) -> Any:
    names = ("focalLengthU", "focalLengthV", "centerPointU", "centerPointV", "skew")
    fu, fv, cu, cv, skew = np.array(_values(where, camera, "intrinsic", names, default=0.0)) / _SUBPIXEL
    # The picture is scaled about the corner of its first pixel, half a pixel before the pixel's centre.
    cu, cv = scale * (cu - left + 0.5) - 0.5, scale * (cv - top + 0.5) - 0.5
    return [[scale * fu, scale * skew, cu], [0.0, scale * fv, cv], [0.0, 0.0, 1.0]]


def _pose(where: str, camera: Element) -> tuple[Any, Any]:
    """Camera from world with y down and z forward."""
    names = tuple(f"r{row}{column}" for row in (1, 2, 3) for column in (1, 2, 3))
    axes = np.array(_values(where, camera, "transform", names)).reshape(3, 3)
    rotation = np.diag([1.0, -1.0, -1.0]) @ axes
    centre = np.array(_values(where, camera, "transform", ("x", "y", "z")))
    return rotation, -rotation @ centre


def _values(
    where: str, camera: Element, tag: str, names: tuple[str, ...], default: float | None = None
) -> list[float]:
    element = camera.find(tag)
    if element is None:
        raise FileError(f"{where}: {tag}: is missing; export the calibration again")
    return [_value(where, element, name, default) for name in names]


def _value(where: str, element: Element, name: str, default: float | None) -> float:
    text = element.get(name)
    if text is None and default is not None:
        return default
    if text is None:
        raise FileError(f"{where}: {element.tag}: {name} is missing; export the calibration again")
    try:
        return float(text)
    except ValueError:
        raise FileError(f"{where}: {element.tag}: {name} must be a number, got {text!r:.40}") from None


def _scale(where: str, resolution: str | None) -> float:
    if resolution is None:
        return 1.0
    try:
        lines = float(resolution.rstrip("pP"))
    except ValueError:
        raise FileError(f"{where}: video_resolution: must be like '1080p', got {resolution!r:.40}") from None
    return lines / _FULL_RESOLUTION
