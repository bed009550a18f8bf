"""Garments cut from MakeHuman's tights and skirt, the helper meshes that lie closely round every body.

What of them a garment covers is told by where a vertex lies along its limb and how high on the trunk; so
sleeves, legs and hems can end anywhere. The surface is pushed out along its normals, and takes a texture from
the front and back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bodies import FINGERS, JOINTS, Base
from clothes import triangles

REACH = 0.9  # metres of a body that a texture spans
COLLAR = 0.35  # share of neck and head in the weights of a vertex, where tops end
OVERLAP = 0.04  # metres that the tights reach down under the upper edge of a skirt


@dataclass(frozen=True)
class Cut:
    """What a garment covers; a top where sleeve is set, else a bottom.

    Attributes:
        sleeve: end of the sleeves, 0 shoulder, 1 elbow, 2 wrist; none for a bottom.
        hem: lower end of a top, or upper end of a bottom: 0 pelvis joint, 1 neck joint.
        leg: end of the legs, 0 hip, 1 knee, 2 ankle; for skirts too.
        skirt: the legs are under one cloth.
        push: metres outwards.
    """

    sleeve: float | None
    hem: float
    leg: float
    skirt: bool
    push: float


@dataclass(frozen=True)
class Places:
    """Where base vertices lie on the body: shares (19158,) of arm, leg and neck, and places along them."""

    arm: np.ndarray
    leg: np.ndarray
    neck: np.ndarray
    along_arm: np.ndarray
    along_leg: np.ndarray
    height: np.ndarray


def _share(base: Base, *bones: str) -> np.ndarray:
    return base.weights[:, [k for k, name in enumerate(JOINTS) if name.rsplit("_", 1)[0] in bones]].sum(1)


def _along(
    vertices: np.ndarray, joints: np.ndarray, below: np.ndarray, names: tuple[str, str, str]
) -> np.ndarray:
    """0 to 1 from the first to the second joint, 1 to 2 on to the third; each side by its own joints."""
    out = np.zeros(len(vertices))
    for side, there in (("l", vertices[:, 0] > 0), ("r", vertices[:, 0] <= 0)):
        a, b, c = (joints[JOINTS.index(f"{name}_{side}")] for name in names)
        upper = (vertices - a) @ (b - a) / ((b - a) @ (b - a))
        lower = 1 + (vertices - b) @ (c - b) / ((c - b) @ (c - b))
        out = np.where(there, np.where(below, lower, upper), out)
    return out


def places(base: Base, vertices: np.ndarray, joints: np.ndarray) -> Places:
    """Find where the vertices of a shape lie along its limbs and trunk."""
    fingers = [f"{finger}_0{k}" for finger in FINGERS for k in (1, 2, 3)]
    upper_arm, forearm = _share(base, "upperarm"), _share(base, "lowerarm", "hand", *fingers)
    thigh, shin = _share(base, "thigh"), _share(base, "calf", "foot", "ball")
    pelvis, neck = (joints[JOINTS.index(name), 2] for name in ("pelvis", "neck_01"))
    return Places(
        arm=upper_arm + forearm,
        leg=thigh + shin,
        neck=base.weights[:, [JOINTS.index("neck_01"), JOINTS.index("head")]].sum(1),
        along_arm=_along(vertices, joints, forearm > upper_arm, ("upperarm", "lowerarm", "hand")),
        along_leg=_along(vertices, joints, shin > thigh, ("thigh", "calf", "foot")),
        height=(vertices[:, 2] - pelvis) / (neck - pelvis),
    )


def depth(cut: Cut, at: Places) -> np.ndarray:
    """(19158,) how far inside of a garment base vertices lie, in parts of a limb; negative outside."""
    legs = np.where(at.leg > 0.5, cut.leg - at.along_leg, 1.0)
    if cut.sleeve is not None:
        trunk = np.minimum(at.height - cut.hem, (COLLAR - at.neck) / 3)
        trunk = np.minimum(trunk, legs) if cut.skirt else trunk
        return np.where(at.arm > 0.5, cut.sleeve - at.along_arm, trunk)
    return np.where(at.arm > 0.5, -1.0, np.minimum(legs, cut.hem - at.height))


def garment(
    base: Base, vertices: np.ndarray, cut: Cut, at: Places
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Cut a garment for one body.

    Returns:
        vertices (n, 3), pushed out, their skinning weights (n, 52), triangles (m, 3), uv (m, 3, 2) v down.
    """
    quads = base.faces["helper-tights"]
    inside = depth(cut, at)
    if cut.skirt:
        quads = np.concatenate([quads, base.faces["helper-skirt"]])
        skirt = np.unique(base.faces["helper-skirt"])
        legs = np.unique(base.faces["helper-tights"])
        legs = legs[(vertices[legs, 2] < vertices[skirt, 2].max() - OVERLAP) & (at.arm[legs] <= 0.5)]
        inside[skirt] = cut.leg - _skirt_along(vertices[skirt], base, at, vertices)
        inside[legs] = -1.0
    corners = triangles(quads)
    pushed = vertices + cut.push * normals(vertices, corners)
    (pushed, weights), corners = clipped([pushed, base.weights], corners, inside)
    used = pushed[np.unique(corners)]
    flat = np.stack([pushed[:, 0] + 0.5 * pushed[:, 1], -pushed[:, 2]], -1)
    low = np.array([used[:, 0].min() - 0.1, -used[:, 2].max()])
    span = max(REACH, *(np.ptp(used[:, [0, 2]], axis=0) + 0.2))
    return pushed, weights, corners, np.clip((flat[corners] - low) / span, 0, 1)


def clipped(
    values: list[np.ndarray], corners: np.ndarray, inside: np.ndarray
) -> tuple[list[np.ndarray], np.ndarray]:
    """Keep of triangles what lies inside; edges that cross the border get a vertex there.

    Args:
        values: arrays (V, ...) at the vertices, to be interpolated to the new ones.
        corners: (F, 3).
        inside: (V,) positive inside.

    Returns:
        The arrays with the new vertices behind, and the triangles left.
    """
    kept = inside > 0
    number = kept[corners].sum(1)
    whole = [corners[number == 3]]
    ends: list[np.ndarray] = []
    count = len(inside)
    for some in (1, 2):
        cut = corners[number == some]
        odd = np.argmax(kept[cut] == (some == 1), axis=1)  # the corner that is alone on its side
        a, b, c = (np.take_along_axis(cut, ((odd + k) % 3)[:, None], 1)[:, 0] for k in range(3))
        ab, ac = count + np.arange(len(cut)), count + len(cut) + np.arange(len(cut))
        ends += [np.stack([a, b], -1), np.stack([a, c], -1)]
        count += 2 * len(cut)
        whole += (
            [np.stack([a, ab, ac], -1)]
            if some == 1
            else [np.stack([ab, b, c], -1), np.stack([ab, c, ac], -1)]
        )
    pairs = np.concatenate(ends)
    start, stop = inside[pairs[:, 0]], inside[pairs[:, 1]]
    share = (start / (start - stop))[:, None]
    grown = [np.concatenate([v, v[pairs[:, 0]] * (1 - share) + v[pairs[:, 1]] * share]) for v in values]
    return grown, np.concatenate(whole)


def _skirt_along(points: np.ndarray, base: Base, at: Places, vertices: np.ndarray) -> np.ndarray:
    """How far down the legs (0 hip, 1 knee, 2 ankle) the heights of points are."""
    legs = (at.leg > 0.9) & (vertices[:, 0] > 0)
    legs &= np.isin(np.arange(len(vertices)), base.faces["body"])
    order = np.argsort(vertices[legs, 2])
    return np.interp(points[:, 2], vertices[legs, 2][order], at.along_leg[legs][order])


def normals(vertices: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(V, 3) unit normals at the vertices of triangles; zero where there are none."""
    a, b, c = np.moveaxis(vertices[corners], 1, 0)
    face = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(out, corners[:, k], face)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-12)


def draw_cuts(rng: np.random.Generator, woman: bool) -> list[Cut]:
    """Draw one person's painted clothes: a dress, or a top over trousers, shorts or a skirt."""
    sleeve = float(rng.choice([0.02, 0.35, 0.55, 0.9, 1.4, 1.9], p=[0.1, 0.2, 0.25, 0.1, 0.1, 0.25]))
    under = float(rng.uniform(0.003, 0.009))
    if woman and rng.random() < 0.3:
        return [Cut(sleeve, -1.0, float(rng.uniform(0.6, 1.6)), True, under)]
    leg = float(rng.choice([0.4, 0.85, 1.3, 1.93], p=[0.15, 0.2, 0.1, 0.55]))
    skirt = woman and rng.random() < 0.2
    bottom = Cut(
        None, float(rng.uniform(0.22, 0.34)), float(np.clip(leg, 0.6, 1.5)) if skirt else leg, skirt, under
    )
    top = Cut(sleeve, float(rng.uniform(-0.15, 0.18)), 0, False, under + float(rng.uniform(0.004, 0.008)))
    return [bottom, top]
