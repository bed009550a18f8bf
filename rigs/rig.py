"""Rig: a character that motion is put onto: its skeleton at rest, and which joint plays which part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rigs import quat
from rigs.errors import RigError
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton


@dataclass(frozen=True)
class Twist:
    """A joint that only shares the twist of another, about that one's bone.

    role: whose twist, as `LeftHand` (of the hand against the forearm) or `LeftArm`; share: how much of it,
    negative where it undoes a part of its parent's.
    """

    role: str
    share: float


@dataclass(frozen=True, eq=False)
class Rig:
    """A character at rest: upright, facing +z, on the floor, in metres, y up.

    Args:
        name: as `mocap rigs` lists it, or of its file.
        skeleton: J joints; each offset is in the frame of its parent, rest rotations included, and
            ``offsets[0]`` is where the root rests.
        rest: (J, 4) wxyz, local rotations of the rest pose.
        roles: our names of joints to the character's own. Spines are Spine, Spine1, ... and necks Neck,
            Neck1, ... from below, as many as there are.
        twists: joints that share the twist of a limb.
        follows: joints that are always where another one is, as Unreal's ik bones.
        root: the joint on the floor below the hips that carries the way, None where the hips are the root.
        unit: metres that one unit of the character's own files is.
        up: the axis that is up in them, "y" or "z".
        source: where its facts are from.

    Raises:
        RigError: no hips, a joint that there is not, or shapes that do not agree.
    """

    name: str
    skeleton: Skeleton
    rest: FloatArray
    roles: Mapping[str, str]
    twists: Mapping[str, Twist] = field(default_factory=dict)
    follows: Mapping[str, str] = field(default_factory=dict)
    root: str | None = None
    unit: float = 0.01
    up: str = "y"
    source: str = ""

    def __post_init__(self) -> None:
        joints = len(self.skeleton)
        rest = np.array(self.rest, float)
        if rest.shape != (joints, 4):
            raise RigError(f"rig {self.name!r} has a rest pose of shape {rest.shape}; give ({joints}, 4)")
        rest.setflags(write=False)
        object.__setattr__(self, "rest", quat.normalise(rest))
        if "Hips" not in self.roles:
            raise RigError(f"rig {self.name!r} says of no joint that it is the Hips; map one")
        named = [*self.roles.values(), *self.twists, *self.follows, *self.follows.values()]
        for joint in [*named, *([self.root] if self.root else [])]:
            if joint not in self.skeleton.names:
                raise RigError(f"rig {self.name!r} speaks of the joint {joint!r}, which it has not")
