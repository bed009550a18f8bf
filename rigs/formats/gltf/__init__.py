"""glTF, Khronos' format for the web and for engines: .glb is binary, .gltf text; .vrm is read only.

The JSON and the bytes are parsed here, not by a library: what is needed of the format is small, every number
of a hostile file has to be checked by its reader in any case, and msgspec checks the types.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from rigs.clip import Clip
from rigs.formats.gltf.reading import read_gltf
from rigs.formats.gltf.writing import write_gltf

__all__ = ["read", "read_gltf", "write", "write_gltf"]


def write(path: str | PathLike[str], clips: Sequence[Clip]) -> None:
    """Write characters; see `write_gltf`."""
    write_gltf(path, clips)


def read(path: str | PathLike[str]) -> list[Clip]:
    """Read characters; see `read_gltf`."""
    return read_gltf(path)
