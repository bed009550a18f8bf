"""OpenCap's `cameraIntrinsicsExtrinsics.pickle`, one a camera: millimetres, up is -y. Read only.

`intrinsicMat`, `distortion`, `imageSize` (height, width), and `rotation` and `translation` from the world of
its checkerboard to the camera. The board stands upright, its y pointing down; where it lay on the floor,
give `up`. A camera is called after its file, or after the folder `Cam0` that OpenCap keeps it in. The pickle
is not run: its numbers are picked out.
Sources: OpenCap's `utilsChecker.py`; Pose2Sim's `calib_opencap_fun`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from calibration.files.document import Document
from calibration.files.source import Entry, Source

_STEM = "cameraIntrinsicsExtrinsics"


def claims(document: Document) -> bool:
    """Whether the document is of this format: one such file, or a folder of them.

    Args:
        document: a parsed file or folder.
    """
    parts = _parts(document)
    return bool(parts) and all("intrinsicMat" in part.data for part in parts)


def read(document: Document) -> Source:
    """Take the cameras out of the document.

    Args:
        document: one that `claims` accepts.
    """
    return Source(document.path, tuple(_entry(part) for part in _parts(document)), units="mm", up="-y")


def _parts(document: Document) -> tuple[Document, ...]:
    if document.kind == "folder":
        return tuple(member for member in document.members if member.kind == "pickle")
    return (document,) if document.kind == "pickle" else ()


def _entry(document: Document) -> Entry:
    said = document.data
    size = said.get("imageSize")
    return Entry(
        _name(document.path),
        None if size is None else np.ravel(size)[::-1],
        said.get("intrinsicMat"),
        said.get("distortion"),
        said.get("rotation"),
        said.get("translation"),
    )


def _name(path: Path) -> str:
    return path.absolute().parent.name if path.stem == _STEM else path.stem
