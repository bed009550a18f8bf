"""glTF files made by hand, to be read: a document and its numbers, and a small rig to begin with."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

COMPONENTS = {"i1": 5120, "u1": 5121, "i2": 5122, "u2": 5123, "u4": 5125, "f4": 5126}


def glb(document: dict[str, Any], binary: bytes = b"") -> bytes:
    """Return a GLB of a document and its buffer."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = ((0x4E4F534A, text), (0x004E4942, binary))
    body = b"".join(struct.pack("<II", len(data), kind) + data for kind, data in chunks)
    return b"glTF" + struct.pack("<II", 2, 12 + len(body)) + body


def taken_apart(data: bytes) -> tuple[dict[str, Any], bytes]:
    """Return document and buffer of a GLB."""
    size = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + size]), data[28 + size :]


class Made:
    """A document that grows, with its buffer."""

    def __init__(self, nodes: list[dict[str, Any]], **parts: Any) -> None:
        self.document: dict[str, Any] = {"asset": {"version": "2.0"}, "nodes": nodes, **parts}
        self.document |= {"accessors": [], "bufferViews": [], "buffers": [{"byteLength": 0}]}
        self.binary = b""

    def view(self, data: bytes, **rest: Any) -> int:
        view = {"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data), **rest}
        self.document["bufferViews"].append(view)
        self.binary += data + bytes(-len(data) % 4)
        self.document["buffers"][0]["byteLength"] = len(self.binary)
        return len(self.document["bufferViews"]) - 1

    def numbers(self, values: Any, kind: str, dtype: str = "f4", **rest: Any) -> int:
        array = np.asarray(values).astype(f"<{dtype}")
        accessor = {"bufferView": self.view(array.tobytes()), "componentType": COMPONENTS[dtype]}
        self.document["accessors"].append(accessor | {"type": kind, "count": len(array), **rest})
        return len(self.document["accessors"]) - 1

    def animate(
        self, node: int, path: str, times: Any, values: Any, mode: str = "LINEAR", **rest: Any
    ) -> None:
        kind = "VEC4" if path == "rotation" else "VEC3"
        output = values if isinstance(values, int) else self.numbers(values, kind, **rest)
        sampler = {"input": self.numbers(times, "SCALAR"), "output": output, "interpolation": mode}
        animations = self.document.setdefault("animations", [{"channels": [], "samplers": []}])
        animations[0]["samplers"].append(sampler)
        target = {"node": node, "path": path}
        animations[0]["channels"].append({"sampler": len(animations[0]["samplers"]) - 1, "target": target})

    def save(self, path: Path) -> Path:
        path.write_bytes(glb(self.document, self.binary))
        return path


def leg(**parts: Any) -> Made:
    """Return three joints in a line, hip at 0.9 m, knee and foot below, with a skin."""
    nodes = [
        {"name": "armature", "children": [1]},
        {"name": "hip", "children": [2], "translation": [0, 0.9, 0]},
        {"name": "knee", "children": [3], "translation": [0, -0.4, 0]},
        {"name": "foot", "translation": [0, -0.4, 0]},
    ]
    return Made(nodes, skins=[{"joints": [1, 2, 3]}], **parts)
