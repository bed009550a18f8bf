"""Files that are whole or not there."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from calibration.errors import FileError


def save(path: str | Path, data: bytes) -> None:
    """Write a file all at once or not at all: beside its place first, then moved there.

    Args:
        path: the file; replaced if it exists.
        data: what will be in it.

    Raises:
        FileError: it cannot be written; what was there before stays.
    """
    target = Path(path)
    try:
        _replace(target, data)
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error.strerror}; choose another place") from None


def _replace(target: Path, data: bytes) -> None:
    if target.is_dir():
        raise IsADirectoryError(21, "is a folder")
    handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(beside, 0o644)  # mkstemp makes it private
        os.replace(beside, target)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
