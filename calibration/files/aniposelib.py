"""The TOML layout of aniposelib, which we write ourselves: one table a camera.

It does not say its unit or axes, so metres and z up are assumed (as Pose2Sim writes it) unless `[metadata]`
has `units` and `up`, as our files have. A table may have `offset`, the seconds that are added to that
camera's own times to get the common clock. Other programs take the keys that they know and leave these alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from calibration.camera import Cameras
from calibration.errors import FileError
from calibration.files import tables
from calibration.files.document import Document, open_document
from calibration.files.source import Source
from calibration.saving import save


def claims(document: Document) -> bool:
    """Whether the document is of this format.

    Args:
        document: a parsed file.
    """
    return document.kind == "toml" and bool(tables.tables(document))


def read(document: Document) -> Source:
    """Take the cameras out of the document.

    Args:
        document: one that `claims` accepts.
    """
    found = tables.tables(document)
    entries = tuple(tables.entry(str(table.get("name", key)), table) for key, table in found.items())
    said = tables.metadata(document)
    return Source(document.path, entries, str(said.get("units", "m")), str(said.get("up", "z")))


def write_aniposelib(
    path: str | Path, cameras: Cameras, offsets: Mapping[str, float] | None = None
) -> tuple[Path, ...]:
    """Write cameras as an aniposelib TOML file, all at once or not at all.

    Args:
        path: the file; replaced if it exists.
        cameras: metres, y up; `[metadata]` says so, and `read_calibration` heeds it.
        offsets: seconds added to a camera's own times to get the common clock, by its name; a camera whose
            video started late has a positive one. Cameras that are not named get none.

    Returns:
        The file.

    Raises:
        FileError: the file cannot be written, or an offset is no number or of no camera.
    """
    target, given = Path(path), dict(offsets or {})
    _check_offsets(target, cameras, given)
    parts = []
    for key, camera in zip(tables.numbered(len(cameras)), cameras, strict=True):
        values = tables.fields(camera)
        if camera.model == "fisheye":
            values["fisheye"] = True
        if camera.name in given:
            values["offset"] = float(given[camera.name])
        parts.append(tables.written(key, values))
    parts.append(tables.written("metadata", {"units": "m", "up": "y"}))
    save(target, "\n".join(parts))
    return (target,)


def read_offsets(path: str | Path) -> dict[str, float]:
    """Read the time offsets that a calibration file says.

    Args:
        path: a calibration file or folder of any known program.

    Returns:
        Seconds that are added to a camera's own times to get the common clock, by its name; only of
        cameras for which the file says one, so empty for all formats but this.

    Raises:
        FileError: the file cannot be read, or an offset is no number.
    """
    document = open_document(Path(path))
    found = tables.tables(document) if document.kind == "toml" else {}
    said = {str(t.get("name", key)): t["offset"] for key, t in found.items() if "offset" in t}
    return {name: _seconds(document.path, name, value) for name, value in said.items()}


def _check_offsets(path: Path, cameras: Cameras, offsets: Mapping[str, float]) -> None:
    for name, value in offsets.items():
        if name not in cameras.names:
            raise FileError(
                f"{path}: offset of {name!r}: there is no such camera, only {', '.join(cameras.names)}"
            )
        _seconds(path, name, value)


def _seconds(path: Path, name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise FileError(f"{path}: camera {name!r}: offset: must be a number of seconds, got {value!r:.40}")
    return float(value)
