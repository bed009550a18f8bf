"""Clip: a character's motion beside the rest pose that it departs from: what animation files hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.quat import FloatArray


@dataclass(frozen=True, eq=False)
class Clip:
    """One character of an animation file: T frames of J joints, and the pose that its mesh is bound in.

    Args:
        name: of the character.
        motion: what it does. Its rotations are whole, the rest pose's included.
        rest: (J, 4) wxyz, local rotations of the rest pose, whose root is at ``skeleton.offsets[0]``; None:
            no joint is turned. In the rest pose the character stands upright and faces +z.
        roles: our names of joints to the character's own, as far as known.
        first: frame on the take's clock on which the motion begins; somebody who comes late has one above 0.
        keys: (T, J) in which frames each joint has a key, the first and last among them; None: in all.
            Between keys a joint turns by the shortest arc at a steady rate, and moves on a line.

    Raises:
        RigError: shapes that do not agree.
    """

    name: str
    motion: Motion
    rest: FloatArray | None = None
    roles: Mapping[str, str] = field(default_factory=dict)
    first: int = 0
    keys: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        joints, frames = len(self.motion.skeleton), len(self.motion)
        rest = quat.identity(joints) if self.rest is None else np.array(self.rest, float)
        if rest.shape != (joints, 4):
            raise RigError(f"clip {self.name!r} has a rest pose of shape {rest.shape}; give ({joints}, 4)")
        if self.keys is not None and self.keys.shape != (frames, joints):
            raise RigError(f"clip {self.name!r} has keys of shape {self.keys.shape}; give {frames, joints}")
        rest.setflags(write=False)
        object.__setattr__(self, "rest", rest)

    @property
    def resting(self) -> Motion:
        """The rest pose, as a motion of one frame."""
        assert self.rest is not None  # made whole above
        skeleton = self.motion.skeleton
        return Motion(skeleton, self.rest[None], skeleton.offsets[:1], self.motion.fps)

    def key_frames(self, joint: int) -> NDArray[np.int64]:
        """Return the frames (K,) in which a joint has a key."""
        return np.arange(len(self.motion)) if self.keys is None else np.flatnonzero(self.keys[:, joint])

    def key_time(self, frame: int) -> Fraction:
        """Return the time of a frame of the motion on the clock of all clips, in seconds."""
        return (self.first + frame) / self.motion.fps
