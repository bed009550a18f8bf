"""Motion files: one module a format, found by the suffix of the file's name."""

from collections.abc import Callable
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from rigs.errors import FormatError

if TYPE_CHECKING:
    from rigs.motion import Motion

# suffix: the module and the function in it that writes such a file; a new format adds its line here
_WRITERS = {".bvh": ("rigs.formats.bvh", "write_bvh")}


def writer(path: str | PathLike[str]) -> "Callable[..., None]":
    """Return the function ``write(path, motion, **options)`` for a file, by its suffix.

    Raises:
        FormatError: no format has that suffix.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        found = f"has the suffix {suffix!r}" if suffix else "has no suffix"
        raise FormatError(f"cannot write {path}: it {found}; use one of {', '.join(_WRITERS)}")
    module, function = _WRITERS[suffix]
    write: Callable[..., None] = getattr(import_module(module), function)
    return write


def write_motion(path: str | PathLike[str], motion: "Motion", **options: object) -> None:
    """Write a motion in the format that the file's suffix names; options are that format's own.

    Raises:
        FormatError: no format has that suffix, or that format refuses the motion.
    """
    writer(path)(path, motion, **options)
