"""Build a glTF document: numbers in one buffer, and the JSON that points into it."""

from __future__ import annotations

import base64
import json
import struct
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rigs.errors import FormatError
from rigs.formats.gltf.file import BIN_CHUNK, JSON_CHUNK, MAGIC
from rigs.formats.replacing import replacing

VERTICES, INDICES = 34962, 34963  # what a buffer view is for
_COMPONENTS = {"f4": 5126, "u4": 5125, "u2": 5123, "u1": 5121}
_TYPES = {(): "SCALAR", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
_MOST_BYTES = 2**32 - 1


class GltfBuilder:
    """A document that grows; nodes, meshes, skins and animations are lists for the caller to append to."""

    def __init__(self) -> None:
        self.nodes: list[dict[str, Any]] = []
        self.meshes: list[dict[str, Any]] = []
        self.skins: list[dict[str, Any]] = []
        self.animations: list[dict[str, Any]] = []
        self.roots: list[int] = []
        self.extensions: dict[str, Any] = {}
        self._accessors: list[dict[str, Any]] = []
        self._views: list[dict[str, Any]] = []
        self._bytes = bytearray()

    def node(self, name: str, **rest: Any) -> int:
        """Add a node, and return its index."""
        self.nodes.append({"name": name, **rest})
        return len(self.nodes) - 1

    def numbers(self, values: NDArray[Any], purpose: int | None = None, bounds: bool = False) -> int:
        """Add an array of elements (N, ...), and return the index of its accessor.

        Args:
            values: (N,), (N, 3), (N, 4) or (N, 4, 4); float64 becomes float32, matrices go column by column.
            purpose: VERTICES or INDICES, of what a mesh has.
            bounds: say the least and the greatest.
        """
        values = values.astype("<f4") if values.dtype.kind == "f" else values
        kind = _TYPES[values.shape[1:]]
        data = np.swapaxes(values, 1, 2).tobytes() if kind == "MAT4" else values.tobytes()
        view = {"buffer": 0, "byteOffset": len(self._bytes), "byteLength": len(data)}
        self._views.append(view | ({"target": purpose} if purpose else {}))
        self._bytes += data + bytes(-len(data) % 4)
        accessor = {
            "bufferView": len(self._views) - 1,
            "componentType": _COMPONENTS[values.dtype.str[1:]],
            "count": len(values),
            "type": kind,
        }
        if bounds:
            flat = values.reshape(len(values), -1)
            accessor |= {"min": flat.min(axis=0).tolist(), "max": flat.max(axis=0).tolist()}
        self._accessors.append(accessor)
        return len(self._accessors) - 1

    def write(self, path: str | PathLike[str]) -> None:
        """Write it: as binary, or for .gltf as text with the bytes inside.

        Raises:
            FormatError: it cannot be written there, or is larger than the format holds.
        """
        text = Path(path).suffix.lower() == ".gltf"
        buffer: dict[str, Any] = {"byteLength": len(self._bytes)}
        if text:
            buffer["uri"] = "data:application/octet-stream;base64," + base64.b64encode(self._bytes).decode(
                "ascii"
            )
        document = json.dumps(self._document(buffer), allow_nan=False, separators=(",", ":")).encode()
        if text:
            with replacing(path, "wb") as file:
                file.write(document)
            return
        document += b" " * (-len(document) % 4)
        total = 12 + 8 + len(document) + 8 + len(self._bytes)
        if total > _MOST_BYTES:
            raise FormatError(
                f"cannot write {path}: {total} bytes, and GLB holds {_MOST_BYTES}; write shorter clips"
            )
        with replacing(path, "wb") as file:
            file.write(MAGIC + struct.pack("<II", 2, total))
            file.write(struct.pack("<II", len(document), JSON_CHUNK) + document)
            file.write(struct.pack("<II", len(self._bytes), BIN_CHUNK) + self._bytes)

    def _document(self, buffer: dict[str, Any]) -> dict[str, Any]:
        parts = {
            "asset": {"version": "2.0", "generator": "mocap"},
            "scene": 0,
            "scenes": [{"nodes": self.roots}],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "skins": self.skins,
            "animations": self.animations,
            "accessors": self._accessors,
            "bufferViews": self._views,
            "buffers": [buffer],
            "extensionsUsed": list(self.extensions),
            "extensions": self.extensions,
        }
        return {name: part for name, part in parts.items() if part not in ([], {})}
