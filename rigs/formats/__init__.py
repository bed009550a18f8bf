"""Animation files: one module a format, found by the suffix of the file's name.

A format's module has ``write(path, clips, **options)`` or ``read(path)``, or both.
Nothing is loaded before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rigs.errors import FormatError

if TYPE_CHECKING:
    from rigs.clip import Clip


@dataclass(frozen=True)
class Format:
    """What a suffix stands for: the module, and what it is able to do.

    several: holds several characters; sparse: a joint may have keys in some frames only.
    """

    module: str
    reads: bool = False
    writes: bool = True
    several: bool = False
    sparse: bool = False


# a new format adds its lines here
FORMATS = {
    ".bvh": Format("rigs.formats.bvh", reads=True),
    ".c3d": Format("rigs.formats.c3d", several=True),
    ".trc": Format("rigs.formats.trc", several=True),
    ".mot": Format("rigs.formats.mot"),
    ".csv": Format("rigs.formats.csv"),
    ".json": Format("rigs.formats.json", reads=True, several=True),
    ".npz": Format("rigs.formats.npz", reads=True),
    ".fbx": Format("rigs.formats.fbx", reads=True, several=True, sparse=True),
    ".glb": Format("rigs.formats.gltf", reads=True, several=True, sparse=True),
    ".gltf": Format("rigs.formats.gltf", reads=True, several=True, sparse=True),
    ".vrm": Format("rigs.formats.gltf", reads=True, writes=False),
    ".vrma": Format("rigs.formats.vrma", reads=True, sparse=True),
    ".usd": Format("rigs.formats.usd", several=True),
    ".usda": Format("rigs.formats.usd", several=True),
    ".usdc": Format("rigs.formats.usd", several=True),
}


def write_clips(path: str | PathLike[str], clips: Sequence[Clip], **options: object) -> None:
    """Write characters in the format that the file's suffix names; options are that format's own.

    Raises:
        FormatError: no format has that suffix, the format holds one character and several are given, or it
            refuses the motion.
    """
    found = format_of(path, "write")
    if len(clips) > 1 and not found.several:
        raise FormatError(
            f"cannot write {path}: {len(clips)} characters, and {Path(path).suffix.lower()} holds one; "
            "write a file for each"
        )
    _module(found).write(path, clips, **options)


def read_clips(path: str | PathLike[str]) -> list[Clip]:
    """Read the characters of a file, each with its rest pose; one without animation rests for one frame.

    Raises:
        FormatError: no format with that suffix can be read, or the file is damaged, or has no skeleton.
    """
    clips: list[Clip] = _module(format_of(path, "read")).read(path)
    return clips


def format_of(path: str | PathLike[str], to: str) -> Format:
    """Return the format of a file, by its suffix, to "read" or to "write".

    Raises:
        FormatError: no format has that suffix.
    """
    able = {suffix: f for suffix, f in FORMATS.items() if (f.reads if to == "read" else f.writes)}
    suffix = Path(path).suffix.lower()
    if suffix not in able:
        found = f"has the suffix {suffix!r}" if suffix else "has no suffix"
        raise FormatError(f"cannot {to} {path}: it {found}; use one of {', '.join(able)}")
    return able[suffix]


def options_of(path: str | PathLike[str]) -> tuple[str, ...]:
    """Return the names of the options that writing a file's format takes.

    Raises:
        FormatError: no format has that suffix.
    """
    return tuple(signature(_module(format_of(path, "write")).write).parameters)[2:]


def _module(found: Format) -> Any:
    return import_module(found.module)
