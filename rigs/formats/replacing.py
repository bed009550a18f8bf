"""Write a file in one step: whoever looks sees the old one or the whole new one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import IO, Any

from rigs.errors import FormatError


@contextmanager
def replacing(path: str | PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a temporary file beside path; put it in path's place when the block ends without an error.

    Args:
        path: the file to write; its folder must exist.
        mode: "w" for UTF-8 text with plain line feeds, "wb" for bytes.

    Raises:
        FormatError: the file cannot be written there.
    """
    target = Path(path)
    scratch = target.with_name(f".{target.name}.{os.getpid()}.part")
    text = {} if "b" in mode else {"encoding": "utf-8", "newline": "\n"}
    try:
        with open(scratch, mode, **text) as file:  # type: ignore[call-overload]
            yield file
        os.replace(scratch, target)
    except OSError as error:
        raise FormatError(
            f"cannot write {path}: {error.strerror}; choose a folder you can write to"
        ) from error
    finally:
        with suppress(OSError):  # where it could not even be made
            scratch.unlink(missing_ok=True)
