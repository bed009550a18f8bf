"""OptiTrack's `.mcal` of Motive 3.2 and later: XML in UTF-16, metres, y up. Read only.

`OrientMatrix0..8` are, row by row, the matrix that takes the camera to the world, the camera's axes being x
right, y up and z *backward*; X, Y, Z is where the camera is. `IntrinsicStandardCameraModel` has OpenCV's
distortion; `Intrinsic` is Motive's own, which is used only where it has none. Cameras without intrinsics
(sync boxes) are left out. Older `.cal` files can be read by Motive alone, which can save them as `.mcal`.
Sources: OptiTrack's page "`.mcal` XML calibration files"; files of others show the axes (level cameras have a
level first column).
"""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from calibration.errors import FileError
from calibration.files.document import Document
from calibration.files.source import Entry, Source

_LENS = ("k1", "k2", "TangentialX", "TangentialY", "k3")


def claims(document: Document) -> bool:
    """Whether the document is of this format.

    Args:
        document: a parsed file.
    """
    root = document.root
    return root is not None and root.find("Calibration/Cameras/Camera/Extrinsic") is not None


def read(document: Document) -> Source:
    """Take the cameras out of the document.

    Args:
        document: one that `claims` accepts.

    Raises:
        FileError: a missing or unreadable attribute; names camera and attribute.
    """
    assert document.root is not None
    found = [c for c in document.root.findall("Calibration/Cameras/Camera") if _lens(c) is not None]
    return Source(document.path, tuple(_entry(document, camera) for camera in found), up="y")


def _lens(camera: Element) -> Element | None:
    standard = camera.find("IntrinsicStandardCameraModel")
    return camera.find("Intrinsic") if standard is None else standard


def _entry(document: Document, camera: Element) -> Entry:
    name = camera.get("Serial", "")
    where = f"{document.path}: camera {name!r}"
    lens = _lens(camera)
    assert lens is not None
    size = _values(where, camera.find("Attributes"), ("ImagerPixelWidth", "ImagerPixelHeight"))
    fx, fy = _values(where, lens, ("HorizontalFocalLength", "VerticalFocalLength"))
    cx, cy = _values(where, lens, ("LensCenterX", "LensCenterY"))
    rotation, translation = _pose(where, camera)
    matrix = [[fx, 0.0, cx], [0.0, fy, cy], [0.0, 0.0, 1.0]]
    return Entry(name, size, matrix, _distortion(where, lens), rotation, translation)


def _distortion(where: str, lens: Element) -> list[float]:
    coefficients = _values(where, lens, _LENS)
    if lens.tag == "Intrinsic" and any(coefficients):
        raise FileError(
            f"{where}: IntrinsicStandardCameraModel: is missing, and Motive's own lens is no other program's;"
            " save the calibration with Motive 3.2 or later"
        )
    return coefficients


def _pose(where: str, camera: Element) -> tuple[Any, Any]:
    """Camera from world with y down and z forward."""
    place = camera.find("Extrinsic")
    axes = np.array(_values(where, place, tuple(f"OrientMatrix{i}" for i in range(9)))).reshape(3, 3)
    rotation = np.diag([1.0, -1.0, -1.0]) @ axes.T
    return rotation, -rotation @ np.array(_values(where, place, ("X", "Y", "Z")))


def _values(where: str, element: Element | None, names: tuple[str, ...]) -> list[float]:
    found = []
    for name in names:
        text = None if element is None else element.get(name)
        if text is None:
            raise FileError(f"{where}: {name}: is missing; save the calibration again")
        try:
            found.append(float(text))
        except ValueError:
            raise FileError(f"{where}: {name}: must be a number, got {text!r:.40}") from None
    return found
