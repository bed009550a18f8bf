"""Vicon's `.xcp`: XML, millimetres, z up; the cameras that film, or all if none does. Read only.

ORIENTATION is a quaternion x y z w that takes the world to the camera, whose axes are OpenCV's; POSITION is
where the camera is. VICON_RADIAL2 (`Vicon3Parameter cx cy k1 k2 k3`, older files VICON_RADIAL: k1 k2 about
the principal point) *corrects*: a pixel at distance r from the centre belongs at r (1 + k1 r^2 + k2 r^4 +
k3 r^6), in pixels: the other way round than OpenCV's, and in another unit, so OpenCV's coefficients are
fitted to it. Cameras that move have several key frames and are refused.
Sources: Vicon's reference of the XCP format (Cara), and readers that project markers into the videos.
"""

from __future__ import annotations

from collections.abc import Callable
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from calibration.errors import FileError
from calibration.files.correction import distortion_of
from calibration.files.document import Document
from calibration.files.quaternion import to_matrix
from calibration.files.source import Entry, Source

Array = NDArray[np.float64]

_FILMING = ("video", "vue")
_LARGEST_MISS = 0.5  # px: of OpenCV's coefficients; more than a detector would notice is no calibration


def claims(document: Document) -> bool:
    """Whether the document is of this format.

    Args:
        document: a parsed file.
    """
    root = document.root
    return root is not None and root.tag == "Cameras" and root.find("Camera") is not None


def read(document: Document) -> Source:
    """Take the video cameras out of the document (all cameras, if none says that it films).

    Args:
        document: one that `claims` accepts.

    Raises:
        FileError: no camera is calibrated, one moves, or an attribute is missing or unreadable.
    """
    assert document.root is not None
    found = [c for c in document.root.findall("Camera") if c.find("KeyFrames/KeyFrame") is not None]
    if not found:
        raise FileError(f"{document.path}: no camera has a KeyFrame, so none is calibrated; calibrate them")
    films = [c for c in found if _films(c)] or found
    return Source(document.path, tuple(_entry(document, camera) for camera in films), units="mm")


def _films(camera: Element) -> bool:
    kind = f"{camera.get('TYPE', '')} {camera.get('DISPLAY_TYPE', '')}".lower()
    return any(mark in kind for mark in _FILMING)


def _entry(document: Document, camera: Element) -> Entry:
    name = camera.get("DEVICEID", "")
    where = f"{document.path}: camera {name!r}"
    frames = camera.findall("KeyFrames/KeyFrame")
    if len(frames) > 1:
        raise FileError(
            f"{where}: KeyFrames: has {len(frames)}, so it moves; only cameras that stand are read"
        )
    frame = frames[0]
    size = _values(where, camera, "SENSOR_SIZE", 2)
    matrix = _matrix(where, camera, frame)
    x, y, z, w = _values(where, frame, "ORIENTATION", 4)
    rotation = to_matrix((w, x, y, z))
    translation = -rotation @ _values(where, frame, "POSITION", 3)
    return Entry(name, size, matrix, _distortion(where, frame, matrix, size), rotation, translation)


def _matrix(where: str, camera: Element, frame: Element) -> Array:
    (focal,) = _values(where, frame, "FOCAL_LENGTH", 1)
    cx, cy = _values(where, frame, "PRINCIPAL_POINT", 2)
    aspect = _ratio(where, camera, "PIXEL_ASPECT_RATIO")
    if abs(_ratio(where, frame, "PIXEL_ASPECT_RATIO_CORRECTION") - 1.0) > 1e-6:
        raise FileError(
            f"{where}: PIXEL_ASPECT_RATIO_CORRECTION: only 1 is understood, got"
            f" {frame.get('PIXEL_ASPECT_RATIO_CORRECTION')!r}; calibrate without it"
        )
    return np.array([[focal, 0.0, cx], [0.0, focal / aspect, cy], [0.0, 0.0, 1.0]])


def _ratio(where: str, element: Element, name: str) -> float:
    value = 1.0 if element.get(name) is None else float(_values(where, element, name, 1)[0])
    if not value > 0:
        raise FileError(f"{where}: {name}: must be above 0, got {element.get(name)!r:.40}")
    return value


def _distortion(where: str, frame: Element, matrix: Array, size: Array) -> Array:
    centre, k = _radial(where, frame, matrix)
    if not np.any(k):
        return np.zeros(5)
    if not np.all(np.isfinite(matrix)) or min(matrix[0, 0], matrix[1, 1]) <= 0 or not np.all(size >= 1):
        return np.zeros(5)  # the camera is refused for these, with better words
    fitted, miss = distortion_of(_correction(centre, k), matrix, (int(size[0]), int(size[1])))
    if not miss <= _LARGEST_MISS:
        raise FileError(
            f"{where}: VICON_RADIAL2: OpenCV's lens misses this one by {miss:.2g} px; calibrate it as another"
        )
    return fitted


def _correction(centre: Array, k: Array) -> Callable[[Array], Array]:
    def undo(pixels: Array) -> Array:
        off = pixels - centre
        s = np.sum(off * off, axis=-1, keepdims=True)
        return np.asarray(centre + off * (1 + s * (k[0] + s * (k[1] + s * k[2]))))

    return undo


def _radial(where: str, frame: Element, matrix: Array) -> tuple[Array, Array]:
    """Centre and the three coefficients, pixels."""
    newer = (frame.get("VICON_RADIAL2") or "").split()
    if newer and newer[0] != "Vicon3Parameter":
        raise FileError(f"{where}: VICON_RADIAL2: only Vicon3Parameter is understood, got {newer[0]!r:.40}")
    if newer:
        values = _numbers(where, "VICON_RADIAL2", newer[1:], 5)
        return values[:2], values[2:]
    if frame.get("VICON_RADIAL") is None:
        return matrix[:2, 2], np.zeros(3)
    return matrix[:2, 2], np.append(_values(where, frame, "VICON_RADIAL", 2), 0.0)


def _values(where: str, element: Element, name: str, count: int) -> Array:
    text = element.get(name)
    if text is None:
        raise FileError(f"{where}: {name}: is missing; export the calibration again")
    return _numbers(where, name, text.split(), count)


def _numbers(where: str, name: str, words: list[str], count: int) -> Array:
    try:
        found = np.array([float(word) for word in words])
    except ValueError:
        found = np.zeros(0)
    if len(found) != count:
        raise FileError(f"{where}: {name}: must be {count} numbers, got {' '.join(words)!r:.60}")
    return found
