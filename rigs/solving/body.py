"""A body that can be solved for: a skeleton's names and rest pose with freedoms, limits, priors and sizes.

The definitions are data (`definitions/*.yaml`); this file turns one into arrays and refuses a wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rigs.data import has_data, load_data
from rigs.errors import RigError
from rigs.skeleton import Skeleton

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MOTIONS = {"free": 3, "ball": 3, "hinge": 1, "fixed": 0}  # how many axes a joint turns about
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Body:
    """Names, rest pose and freedoms of a body whose bones are sized by groups.

    Joints J in depth-first order, turning freedoms R, size groups G. Lengths are in units of stature, angles
    in radians.
    """

    names: tuple[str, ...]
    parents: Ints  # (J,) -1 for the root
    offsets: Floats  # (J, 3) rest offset from the parent, units of stature
    tips: dict[str, Floats]  # leaf name -> (3,) end of the bone, units of stature
    size_names: tuple[str, ...]
    size_of: Ints  # (J,) index of the size group that scales the offset, -1 for the root
    size_spread: Floats  # (G,) relative standard deviation
    freedom_joint: Ints  # (R,) the joint that turns
    freedom_axis: Floats  # (R, 3) unit axis in the joint's own frame
    limits: Floats  # (R, 2) radians, infinite where there is none
    rest_sd: Floats  # (J, 3) radians about relaxed, or rest without; infinite where nothing pulls it there
    like_joint: Ints  # (J,) joint whose turn this one shares, -1 for none
    like_sd: Floats  # (J,) radians
    acceleration: Floats  # (J,) m/s^2, root mean square in lively motion
    relaxed: Floats  # (J, 3) radians along the axes of freedom, when nothing moves it; NaN: no such pose
    rate_sd: Floats  # (J,) radians a second at which a joint that has a relaxed pose turns; infinite: any

    def index(self, name: str) -> int:
        """Return the row of the joint `name`; raises RigError if there is none."""
        if name not in self.names:
            raise RigError(f"joint '{name}' is not in the body; it has {', '.join(self.names)}")
        return self.names.index(name)

    def sized_offsets(self, sizes: Floats) -> Floats:
        """Return offsets (J, 3) in metres for `sizes` (G,), each group's length in metres of stature."""
        scale = np.where(self.size_of < 0, 0.0, np.asarray(sizes, float)[self.size_of])
        return self.offsets * scale[:, None]

    def skeleton(self, sizes: Floats) -> Skeleton:
        """Return the skeleton (metres) of a person with `sizes` (G,), each in metres of stature."""
        scale = {name: float(np.asarray(sizes)[self.size_of[self.index(name)]]) for name in self.tips}
        tips = {name: tip * scale[name] for name, tip in self.tips.items()}
        return Skeleton(self.names, self.parents, self.sized_offsets(sizes), tips)


@lru_cache
def load_body(name: str = "human", mirrored: bool = False) -> Body:
    """Load the body definition `name` from the package's data, or its mirror image (x -> -x).

    Raises:
        RigError: there is none.
    """
    if not has_data(name):
        raise RigError(f"body definition '{name}' does not exist in rigs/definitions")
    definition = load_data(name)
    if mirrored:
        joints = {name: _mirrored(row) for name, row in definition["joints"].items()}
        definition = {**definition, "joints": joints}
    return body_from_definition(definition)


def body_from_definition(definition: dict[str, Any]) -> Body:
    """Build a Body from a parsed definition (as definitions/human.yaml); raises RigError naming the joint."""
    joints = _with_right_side(definition["joints"])
    names = _depth_first(joints)
    sizes = tuple(definition["sizes"])
    for name in names:
        _check(name, joints, sizes)
    freedoms = [(k, axis, limit) for k, n in enumerate(names) for axis, limit in _freedoms(joints[n])]
    index = {name: k for k, name in enumerate(names)}
    rows = [joints[n] for n in names]
    return Body(
        names=tuple(names),
        parents=np.array([index.get(row["parent"], -1) for row in rows]),
        offsets=np.array([row["offset"] for row in rows], float),
        tips={n: np.array(joints[n]["tip"], float) for n in names if "tip" in joints[n]},
        size_names=sizes,
        size_of=np.array([sizes.index(row["size"]) if "size" in row else -1 for row in rows]),
        size_spread=np.array([definition["sizes"][s] for s in sizes], float),
        freedom_joint=np.array([k for k, _, _ in freedoms]),
        freedom_axis=np.array([axis for _, axis, _ in freedoms], float),
        limits=np.deg2rad(np.array([limit for _, _, limit in freedoms], float)),
        rest_sd=np.deg2rad([_by_axis(row.get("rest_sd_deg", np.inf), np.inf) for row in rows]),
        like_joint=np.array([index[row["like"]["joint"]] if "like" in row else -1 for row in rows]),
        like_sd=np.deg2rad([row["like"]["sd_deg"] if "like" in row else np.inf for row in rows]),
        acceleration=np.array([row["acceleration"] for row in rows], float),
        relaxed=np.deg2rad([_by_axis(row.get("relaxed_deg", np.nan), 0.0) for row in rows]),
        rate_sd=np.deg2rad([row.get("rate_sd_deg", np.inf) for row in rows]),
    )


def _freedoms(row: dict[str, Any]) -> list[tuple[Any, Any]]:
    turning = np.array([row["axis"]]) if row["motion"] == "hinge" else np.eye(3)[: MOTIONS[row["motion"]]]
    limits = row.get("limits_deg", [[-np.inf, np.inf]] * len(turning))
    return list(zip(turning, limits, strict=True))


def _by_axis(value: Any, missing: float) -> list[float]:
    """A value for each of three axes, from one for all or one each for as many as there are."""
    return [value] * 3 if not isinstance(value, list) else [*value, missing, missing, missing][:3]


def _check(name: str, joints: dict[str, Any], sizes: tuple[str, ...]) -> None:
    row = joints[name]
    if row["motion"] not in MOTIONS:
        raise RigError(f"joint '{name}': motion '{row['motion']}' is unknown; use {', '.join(MOTIONS)}")
    turns, limits = MOTIONS[row["motion"]], len(row.get("limits_deg", ()))
    if limits not in (0, turns):
        raise RigError(f"joint '{name}': has {turns} freedoms but {limits} limits; give one each, or none")
    if "like" in row and row["like"]["joint"] not in joints:
        raise RigError(f"joint '{name}': is to turn like '{row['like']['joint']}', which is not in the body")
    if row["parent"] is not None and row.get("size") not in sizes:
        raise RigError(f"joint '{name}': size '{row.get('size')}' is unknown; known: {', '.join(sizes)}")


def _with_right_side(joints: dict[str, Any]) -> dict[str, Any]:
    both = dict(joints)
    for name, row in joints.items():
        if name.startswith("Left"):
            both[name.replace("Left", "Right", 1)] = _mirrored(row)
    return both


def _right(name: str | None) -> str | None:
    return None if name is None else name.replace("Left", "Right", 1)


def _mirrored(row: dict[str, Any]) -> dict[str, Any]:
    """Mirror x -> -x: offsets flip in x; turns about y and z change sign, turns about x do not."""
    out = dict(row, parent=_right(row["parent"]), offset=list(MIRROR * row["offset"]))
    if "tip" in row:
        out["tip"] = list(MIRROR * row["tip"])
    if "axis" in row:
        out["axis"] = list(-MIRROR * row["axis"])
    if len(row.get("limits_deg", ())) == 3:
        x, y, z = row["limits_deg"]
        out["limits_deg"] = [x, [-y[1], -y[0]], [-z[1], -z[0]]]
    if len(row.get("relaxed_deg", ())) == 3:
        out["relaxed_deg"] = list(-MIRROR * row["relaxed_deg"])
    if "like" in row:
        out["like"] = dict(row["like"], joint=_right(row["like"]["joint"]))
    return out


def _depth_first(joints: dict[str, Any]) -> list[str]:
    roots = [n for n, row in joints.items() if row["parent"] is None]
    if len(roots) != 1:
        raise RigError(f"a body needs one root, this one has {len(roots)}: {', '.join(roots)}")
    order: list[str] = []
    stack = roots
    while stack:
        order.append(stack.pop())
        stack += [n for n in reversed(list(joints)) if joints[n]["parent"] == order[-1]]
    if len(order) < len(joints):
        raise RigError(f"joints not reached from the root: {', '.join(set(joints) - set(order))}")
    return order
