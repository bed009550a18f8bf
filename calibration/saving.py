"""Write files in one step: whoever looks sees the old ones or the whole new ones."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from calibration.errors import FileError


def save(path: str | Path, data: bytes | str) -> None:
    """Write a file all at once or not at all: beside its place first, then moved there.

    Args:
        path: the file; replaced if it exists.
        data: what will be in it; text as UTF-8, line feeds as they are.

    Raises:
        FileError: it cannot be written; what was there before stays.
    """
    target = Path(path)
    _save_together({target: data}, target)


def save_folder(folder: Path, texts: Mapping[str, str]) -> None:
    """Write several files into a folder; a new folder appears whole.

    Args:
        folder: made if it is not there. Other files in it are left alone.
        texts: what each file shall say, by its name.

    Raises:
        FileError: it cannot be written, or is a file.
    """
    if folder.is_dir():
        _save_together({folder / name: text for name, text in texts.items()}, folder)
        return
    beside: Path | None = None
    try:
        beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".part"))
        for name, text in texts.items():
            (beside / name).write_bytes(text.encode())
        os.chmod(beside, 0o755)  # mkdtemp makes it private
        os.rename(beside, folder)
    except OSError as error:
        raise _cannot(folder, error) from None
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def _save_together(files: Mapping[Path, bytes | str], asked: Path) -> None:
    """Write files, each complete beside its place before the first is moved; `asked` is for the message."""
    written: dict[Path, Path] = {}
    try:
        for target, data in files.items():
            handle, beside = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
            written[Path(beside)] = target
            with os.fdopen(handle, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
            os.chmod(beside, 0o644)  # mkstemp makes it private
        for scratch, target in written.items():
            os.replace(scratch, target)
    except OSError as error:
        raise _cannot(asked, error) from None
    finally:
        for scratch in written:
            scratch.unlink(missing_ok=True)


def _cannot(target: Path, error: OSError) -> FileError:
    return FileError(f"{target}: cannot be written: {error.strerror}; choose another place")
