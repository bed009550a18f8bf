"""A rig written down as data: left and middle joints, where they rest, and which part each plays.

The definitions are data (`definitions/rigs/*.yaml`); this file turns one into a Rig and refuses a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

import msgspec
import numpy as np

from rigs import quat
from rigs.errors import RigError
from rigs.recognition.standing import standing_human
from rigs.rig import Rig, Twist
from rigs.skeleton import Skeleton
from rigs.solving.body import Floats

Place = list[float | str] | str | None

_MIRROR_X = np.array([-1.0, 1.0, 1.0])
_MIRROR_X_WXYZ = np.array([1.0, 1.0, -1.0, -1.0])  # S R S with S = diag(-1, 1, 1)
_HALF_TURN_X = np.array([0.0, 1.0, 0.0, 0.0])


class Source(msgspec.Struct, forbid_unknown_fields=True):
    """Where a fact is from: what, and an address or, without one, a description."""

    what: str
    where: str


class Mirror(msgspec.Struct, forbid_unknown_fields=True):
    """How right joints come of left ones.

    left: a regular expression that finds what says left in a name; right: what stands there in the other's;
    frames: "reflected", the frame seen in a mirror with its x axis turned back, as Blender, Mixamo and Maya's
    orientation mirror have it, or "negated", the same turned half round its x, as Unreal's skeletons are.
    """

    left: str
    right: str
    frames: Literal["reflected", "negated"] = "reflected"


class Joint(msgspec.Struct, forbid_unknown_fields=True):
    """One joint.

    parent: none for the root; at: where it rests in the world, three metres, or a joint of our own human, or
    two of those and how far it is from the first to the second; none where it follows another joint;
    turn: its frame in the world at rest, wxyz; end: of a last bone, as `at`, or our human's end of that name.
    """

    parent: str | None = None
    at: Place = None
    turn: list[float] | None = None
    end: Place = None


class Sharing(msgspec.Struct, forbid_unknown_fields=True):
    """See `rigs.rig.Twist`."""

    role: str
    share: float


class RigDefinition(msgspec.Struct, forbid_unknown_fields=True):
    """What a file says. `title`: what the rig is for; the other fields are those of `rigs.rig.Rig`."""

    title: str
    source: list[Source]
    joints: dict[str, Joint]
    roles: dict[str, str]
    unit: float = 0.01
    up: Literal["y", "z"] = "y"
    root: str | None = None
    mirror: Mirror | None = None
    twists: dict[str, Sharing] = {}
    follows: dict[str, str] = {}


def read_definition(name: str, data: Any) -> RigDefinition:
    """Return a parsed definition, checked for its form.

    Raises:
        RigError: a field that is missing, unknown or of another kind.
    """
    try:
        return msgspec.convert(data, RigDefinition)
    except msgspec.ValidationError as error:
        raise RigError(f"rig definition {name!r} cannot be read: {error}") from error


def rig_from_definition(name: str, definition: RigDefinition) -> Rig:
    """Build a Rig.

    Raises:
        RigError: naming the joint that is wrong.
    """
    sides = _Sides(definition)
    joints = sides.joints()
    order = _depth_first(name, joints)
    follows = sides.named(definition.follows)
    places = {joint: _resting(name, joint, joints, follows) for joint in order}
    parents = np.array([order.index(joints[n].parent or "") if joints[n].parent else -1 for n in order])
    at, turn = np.array([places[n][0] for n in order]), np.array([places[n][1] for n in order])
    offsets, rest = at.copy(), turn.copy()
    back = quat.conjugate(turn[parents[1:]])
    offsets[1:] = quat.rotate(back, at[1:] - at[parents[1:]])
    rest[1:] = quat.multiply(back, turn[1:])
    tips = {}
    for joint, (position, turned) in places.items():
        if (end := joints[joint].end) is not None:
            tips[joint] = quat.rotate(quat.conjugate(turned), _place(name, joint, end, True) - position)
    return Rig(
        name,
        Skeleton(tuple(order), parents, offsets, tips),
        rest,
        sides.roles(),
        {j: Twist(s.role, s.share) for j, s in sides.twists().items()},
        follows,
        definition.root,
        definition.unit,
        definition.up,
        "; ".join(f"{s.what}: {s.where}" for s in definition.source),
    )


class _Sides:
    """Adds the right side to what is written of the left one."""

    def __init__(self, definition: RigDefinition) -> None:
        self.definition, mirror = definition, definition.mirror
        self.other: dict[str, str] = {}  # left joint -> right joint
        if mirror is not None:
            for name in definition.joints:
                right = re.sub(mirror.left, mirror.right, name, count=1)
                if right != name:
                    self.other[name] = right

    def joints(self) -> dict[str, Joint]:
        both: dict[str, Joint] = {}
        for name, joint in self.definition.joints.items():
            both[name] = joint
            if name in self.other:
                both[self.other[name]] = self._mirrored(joint)
        return both

    def _mirrored(self, joint: Joint) -> Joint:
        parent = self.other.get(joint.parent or "", joint.parent)
        turn = None
        if joint.turn is not None:
            half = _HALF_TURN_X if self._negated else quat.identity()
            turn = quat.multiply(np.array(joint.turn) * _MIRROR_X_WXYZ, half).tolist()
        elif self._negated:
            turn = _HALF_TURN_X.tolist()
        return Joint(parent, _mirrored_place(joint.at), turn, _mirrored_place(joint.end))

    @property
    def _negated(self) -> bool:
        return self.definition.mirror is not None and self.definition.mirror.frames == "negated"

    def named(self, table: Mapping[str, str]) -> dict[str, str]:
        """A table of joints by joints, on both sides."""
        right = {self.other[a]: self.other.get(b, b) for a, b in table.items() if a in self.other}
        return {**right, **table}

    def roles(self) -> dict[str, str]:
        both = {}
        for role, joint in self.definition.roles.items():
            both[role] = joint
            if role.startswith("Left"):
                both[_right(role)] = self.other.get(joint, joint)
        return both

    def twists(self) -> dict[str, Sharing]:
        right = {
            self.other[joint]: Sharing(_right(s.role), s.share)
            for joint, s in self.definition.twists.items()
            if joint in self.other
        }
        return {**self.definition.twists, **right}


def _right(role: str) -> str:
    return re.sub("^Left", "Right", role)


def _mirrored_place(place: Place) -> Place:
    if isinstance(place, str):
        return _right(place)
    if place is None:
        return None
    if isinstance(place[0], str):
        return [_right(p) if isinstance(p, str) else p for p in place]
    return [-float(place[0]), *place[1:]]


def _resting(
    rig: str, joint: str, joints: Mapping[str, Joint], follows: Mapping[str, str]
) -> tuple[Floats, Floats]:
    """Return where a joint rests and how it is turned, in the world."""
    row = joints[joint]
    if row.at is None and joint in follows:
        if follows[joint] not in joints:
            raise RigError(
                f"rig definition {rig!r}: joint {joint!r} follows {follows[joint]!r}, which there is not"
            )
        return _resting(rig, follows[joint], joints, {})
    turn = quat.identity() if row.turn is None else np.array(row.turn, float)
    if turn.shape != (4,) or not np.linalg.norm(turn) > 0.0:
        raise RigError(f"rig definition {rig!r}: joint {joint!r} is turned by {row.turn}; give wxyz")
    return _place(rig, joint, row.at), quat.normalise(turn)


def _place(rig: str, joint: str, place: Place, end: bool = False) -> Floats:
    human, ends = standing_human()
    known: Mapping[str, Floats] = {**human, **ends} if end else human
    match place:
        case str() if place in known:
            return known[place]
        case [str() as first, str() as second, (float() | int()) as share] if {first, second} <= set(known):
            return known[first] + share * (known[second] - known[first])
        case [(float() | int()), (float() | int()), (float() | int())]:
            return np.array(place, float)
    raise RigError(
        f"rig definition {rig!r}: joint {joint!r} is at {place!r}; give three metres, or joints of our human"
    )


def _depth_first(rig: str, joints: Mapping[str, Joint]) -> list[str]:
    children: dict[str | None, list[str]] = {}
    for name, joint in joints.items():
        children.setdefault(joint.parent, []).append(name)
    if len(children.get(None, [])) != 1:
        raise RigError(f"rig definition {rig!r} needs one joint without a parent, not {children.get(None)}")
    order, stack = [], [children[None][0]]
    while stack:
        order.append(stack.pop())
        stack += reversed(children.get(order[-1], []))
    if lost := set(joints) - set(order):
        raise RigError(f"rig definition {rig!r}: joint {min(lost)!r} does not hang from the root")
    return order
