"""Calibration files of other programs, read and written; the door to all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from calibration.camera import Camera, Cameras
from calibration.errors import CameraError, FileError
from calibration.files.aniposelib import read_offsets, write_aniposelib
from calibration.files.document import Document, open_document
from calibration.files.registry import ASKED, REGISTRY
from calibration.files.source import Source, to_camera
from calibration.files.world import check_distances, known_units, known_up, to_metres_y_up

__all__ = ["FORMATS", "read_calibration", "read_offsets", "write_aniposelib", "write_calibration"]

FORMATS = {name: f"{form.title}: {form.world}" for name, form in REGISTRY.items() if form.write is not None}
"""The formats that `write_calibration` writes, each with a line for a person."""

_KNOWN = ", ".join(form.title for form in REGISTRY.values())
_BY_NAME = {
    "camera_array.toml": "caliscope",
    "intri.yml": "easymocap",
    "extri.yml": "easymocap",
    "cameras.txt": "colmap",
    "images.txt": "colmap",
}
_BY_SUFFIX = {".toml": "aniposelib", ".yml": "opencv", ".yaml": "opencv", ".xml": "opencv"}


def read_calibration(
    path: str | Path,
    units: str | None = None,
    up: str | None = None,
    sizes: Mapping[str, tuple[int, int]] | None = None,
    poses: bool = True,
) -> Cameras:
    """Read calibrated cameras from a file of any known program, into metres and y up.

    The program is recognised by what is in the file, not by its name.

    Args:
        path: the file; for EasyMocap and COLMAP either of the two or their folder, for OpenCV and OpenCap
            also a folder of files.
        units: "m", "cm", "mm" or "in"; None = what the file says, else what its program writes
            (Qualisys, Vicon, OpenCap and FreeMoCap mm, everything else m; COLMAP has none).
        up: "x", "y", "z", "-x", "-y" or "-z"; None = what the file says, else what its program writes
            (OptiTrack y, OpenCap -y, everything else z; COLMAP has none).
        sizes: (width, height) of the frames by camera name, used where the file does not say
            (EasyMocap, OpenCV).
        poses: False = only the intrinsics are wanted: cameras without a pose are put at the origin and
            their distances are not checked.

    Returns:
        The cameras in the order of the file.

    Raises:
        FileError: the file is missing, unknown, damaged, incomplete, or in an implausible unit; one line
            with file, camera and field.
    """
    source = _recognised(open_document(Path(path)))
    units, up = _said(source, "units", units, poses), _said(source, "up", up, poses)
    units, up = known_units(units, source.path), known_up(up, source.path)
    cameras = [_camera(source, index, units, up, sizes or {}, poses) for index in range(len(source.entries))]
    if poses:
        check_distances(cameras, units, source.path)
    try:
        return Cameras(tuple(cameras))
    except CameraError as error:
        raise FileError(f"{source.path}: {error}") from None


def write_calibration(path: str | Path, cameras: Cameras, form: str | None = None) -> tuple[Path, ...]:
    """Write cameras as another program has them, in its unit and axes, all at once or not at all.

    Args:
        path: the file, or for formats of several files their folder; replaced where it exists.
        cameras: metres, y up.
        form: a name in FORMATS; None = by the path: .toml aniposelib (camera_array.toml Caliscope), .yml
            and .xml OpenCV (intri.yml EasyMocap), cameras.txt COLMAP.

    Returns:
        The files.

    Raises:
        FileError: the format is unknown or cannot hold a camera, or the file cannot be written; one line.
    """
    target = Path(path)
    name = form or _BY_NAME.get(target.name.lower()) or _BY_SUFFIX.get(target.suffix.lower())
    write = REGISTRY[name].write if name in REGISTRY else None
    if write is None:
        what = f"the format {form!r} is not written" if form else "its name does not tell the format"
        raise FileError(f"{target}: {what}; choose one of {', '.join(FORMATS)}")
    return write(target, cameras)


def _recognised(document: Document) -> Source:
    for name in ASKED:
        form = REGISTRY[name]
        if form.claims is not None and form.read is not None and form.claims(document):
            return form.read(document)
    raise FileError(f"{document.path}: not a calibration that is known here; known are {_KNOWN}")


def _said(source: Source, what: str, given: str | None, poses: bool) -> str:
    """What the caller says, else the file; where neither does, it matters only to poses."""
    said = given or getattr(source, what)
    if said is None and poses:
        raise FileError(f"{source.path}: {what}: its program has none, so you have to say; give {what}")
    return said or {"units": "m", "up": "y"}[what]


def _camera(
    source: Source, index: int, units: str, up: str, sizes: Mapping[str, tuple[int, int]], poses: bool
) -> Camera:
    return to_metres_y_up(to_camera(source, source.entries[index], sizes, poses), units, up)
