"""Calibration files of other programs, and the one that we write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from calibration.camera import Camera, Cameras
from calibration.errors import CameraError, FileError
from calibration.files import aniposelib, caliscope, easymocap, opencv, qualisys
from calibration.files.aniposelib import write_aniposelib
from calibration.files.document import Document, open_document
from calibration.files.source import Source, to_camera
from calibration.files.world import check_distances, known_units, known_up, to_metres_y_up

__all__ = ["read_calibration", "write_aniposelib"]

# In this order: who comes first is the more particular.
_FORMATS = (qualisys, easymocap, opencv, caliscope, aniposelib)
_KNOWN = (
    "aniposelib / FreeMoCap / Pose2Sim (.toml), Caliscope (camera_array.toml), Qualisys (.qca.txt), "
    "EasyMocap (intri.yml + extri.yml), OpenCV FileStorage (.yml, .xml)"
)


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
        path: the file; for EasyMocap either of the two or their folder, for OpenCV also a folder of files.
        units: "m", "cm", "mm" or "in"; None = what the file says, else what its program writes
            (Qualisys mm, FreeMoCap mm when its board says so, everything else m).
        up: "x", "y", "z", "-x", "-y" or "-z"; None = what the file says, else z.
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
    document = open_document(Path(path))
    source = _recognised(document)
    units, up = known_units(units or source.units, source.path), known_up(up or source.up, source.path)
    cameras = [_camera(source, index, units, up, sizes or {}, poses) for index in range(len(source.entries))]
    if poses:
        check_distances(cameras, units, source.path)
    try:
        return Cameras(tuple(cameras))
    except CameraError as error:
        raise FileError(f"{source.path}: {error}") from None


def _recognised(document: Document) -> Source:
    for form in _FORMATS:
        if form.claims(document):
            return form.read(document)
    raise FileError(f"{document.path}: not a calibration that is known here; known are {_KNOWN}")


def _camera(
    source: Source, index: int, units: str, up: str, sizes: Mapping[str, tuple[int, int]], poses: bool
) -> Camera:
    return to_metres_y_up(to_camera(source, source.entries[index], sizes, poses), units, up)
