"""Write files in one step: whoever looks sees the old ones or the whole new ones."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from calibration.errors import FileError


def write_file(target: Path, text: str) -> None:
    """Write one file, all at once or not at all.

    Args:
        target: the file; replaced if it exists.
        text: what it shall say; UTF-8, line feeds as they are.

    Raises:
        FileError: it cannot be written; the old file, if there was one, is untouched.
    """
    write_files(target.parent, {target.name: text}, target)


def write_folder(target: Path, texts: Mapping[str, str]) -> None:
    """Write several files into a folder; a new folder appears whole.

    Args:
        target: the folder; made if it is not there. Other files in it are left alone.
        texts: what each file shall say, by its name.

    Raises:
        FileError: it cannot be written, or is a file.
    """
    if target.is_dir():
        write_files(target, texts, target)
        return
    beside: Path | None = None
    try:
        beside = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
        for name, text in texts.items():
            (beside / name).write_text(text, encoding="utf-8", newline="\n")
        os.chmod(beside, 0o755)  # mkdtemp makes it private
        os.rename(beside, target)
    except OSError as error:
        raise _cannot(target, error) from None
    finally:
        if beside is not None:
            shutil.rmtree(beside, ignore_errors=True)


def write_files(folder: Path, texts: Mapping[str, str], target: Path) -> None:
    """Write files that belong together: each is complete beside its place before the first is renamed.

    Args:
        folder: where they go.
        texts: what each shall say, by its name.
        target: what the user asked to write, for the message.

    Raises:
        FileError: they cannot be written.
    """
    written: dict[Path, Path] = {}
    try:
        for name, text in texts.items():
            handle, beside = tempfile.mkstemp(dir=folder, prefix=f".{name}.", suffix=".part")
            written[Path(beside)] = folder / name
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(beside, 0o644)  # mkstemp makes it private
        for scratch, place in written.items():
            os.replace(scratch, place)
    except OSError as error:
        raise _cannot(target, error) from None
    finally:
        for scratch in written:
            scratch.unlink(missing_ok=True)


def _cannot(target: Path, error: OSError) -> FileError:
    return FileError(f"{target}: cannot be written: {error.strerror}; choose another place")
