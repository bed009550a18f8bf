"""BVH, Biovision's motion file: a text tree of joints with channels, then one row of numbers a frame.

It knows no rest rotations: a character that has some gets joints whose axes are the world's in its rest pose.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from rigs.clip import Clip
from rigs.formats.bvh.reading import read_bvh
from rigs.formats.bvh.writing import write_bvh
from rigs.formats.unturned import unturned

__all__ = ["read", "read_bvh", "write", "write_bvh"]


def write(path: str | PathLike[str], clips: Sequence[Clip], unit: str = "cm") -> None:
    """Write one character; see `write_bvh`."""
    (clip,) = clips
    write_bvh(path, unturned(clip), unit)


def read(path: str | PathLike[str]) -> list[Clip]:
    """Read the one character; see `read_bvh`."""
    return [Clip(Path(path).stem, read_bvh(path))]
