"""The TOML layout of aniposelib, which FreeMoCap and Pose2Sim write too: one table a camera.

It does not say its unit or axes, so metres and z up are assumed unless `[metadata]` has `units` and `up`
(as `write_aniposelib` says them), or a board's square of 1 or more, which FreeMoCap gives in millimetres.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from calibration.camera import Camera, Cameras
from calibration.errors import FileError
from calibration.files.document import Document
from calibration.files.source import Entry, Source
from calibration.rotation import to_rotvec


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
    entries = tuple(entry(str(table.get("name", key)), table) for key, table in _tables(document).items())
    metadata = document.data.get("metadata")
    said = metadata if isinstance(metadata, dict) else {}
    square = said.get("charuco_square_size")
    implied = "mm" if isinstance(square, int | float) and square >= 1 else "m"
    return Source(document.path, entries, str(said.get("units", implied)), str(said.get("up", "z")))


def entry(name: str, table: dict[str, Any]) -> Entry:
    """One camera from its table.

    Args:
        name: what to call it.
        table: the keys size, matrix, distortions, rotation, translation, fisheye, as far as there are.
    """
    model = "fisheye" if table.get("fisheye") is True else "pinhole"
    return Entry(
        name,
        table.get("size"),
        table.get("matrix"),
        table.get("distortions"),
        table.get("rotation"),
        table.get("translation"),
        model,
    )


def write_aniposelib(path: str | Path, cameras: Cameras) -> None:
    """Write cameras as an aniposelib TOML file, all at once or not at all.

    Args:
        path: the file; replaced if it exists.
        cameras: metres, y up; `[metadata]` says so, and `read_calibration` heeds it.

    Raises:
        FileError: the file cannot be written.
    """
    target = Path(path)
    tables = [_table(index, camera) for index, camera in enumerate(cameras)]
    text = "\n".join([*tables, '[metadata]\nunits = "m"\nup = "y"\n'])
    try:
        _replace(target, text)
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error.strerror}; choose another place") from None


def _tables(document: Document) -> dict[str, dict[str, Any]]:
    return {
        key: table
        for key, table in document.data.items()
        if isinstance(table, dict) and key != "metadata" and ("matrix" in table or "translation" in table)
    }


def _table(index: int, camera: Camera) -> str:
    pose = camera.camera_from_world
    lines = [
        f"[cam_{index}]",
        f"name = {_quoted(camera.name)}",
        f"size = {list(camera.size)}",
        f"matrix = {camera.K.tolist()}",
        f"distortions = {camera.distortion.tolist()}",
        f"rotation = {to_rotvec(pose[:3, :3]).tolist()}",
        f"translation = {pose[:3, 3].tolist()}",
        *(["fisheye = true"] if camera.model == "fisheye" else []),
    ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's escapes, and DEL, which JSON leaves alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _replace(target: Path, text: str) -> None:
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(beside, 0o644)  # mkstemp makes it private
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
