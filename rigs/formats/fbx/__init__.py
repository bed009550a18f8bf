"""FBX, Autodesk's scene file: what Maya, MotionBuilder, 3ds Max, Unreal, Unity and Blender exchange."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from rigs.clip import Clip
from rigs.formats.fbx.reading import read_fbx
from rigs.formats.fbx.writing import write_fbx

__all__ = ["read", "read_fbx", "write", "write_fbx"]


def write(path: str | PathLike[str], clips: Sequence[Clip], unit: str = "cm", up: str = "y") -> None:
    """Write characters; see `write_fbx`."""
    write_fbx(path, clips, unit, up)


def read(path: str | PathLike[str]) -> list[Clip]:
    """Read all characters; see `read_fbx`."""
    return read_fbx(path)
