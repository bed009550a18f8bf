"""Poses of a clip in which its character may be at rest: the file's own, and its first frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.quat import FloatArray
from rigs.solving.body import Floats


@dataclass(frozen=True)
class AtRest:
    """A pose that may be the one at rest.

    offsets: (J, 3) metres, the root's its place; rotations: (J, 4) local; positions: (J, 3) in the world;
    bare: whether no joint is turned, as in files that know no rest rotations.
    """

    offsets: Floats
    rotations: FloatArray
    positions: Floats
    bare: bool


def rest_pose(clip: Clip) -> AtRest:
    """Return the rest pose that the file gives."""
    motion = clip.resting
    bare = bool(np.allclose(np.abs(motion.rotations[0]), quat.identity()))
    return AtRest(motion.skeleton.offsets, motion.rotations[0], motion.world()[0][0], bare)


def first_frame(clip: Clip) -> AtRest:
    """Return the pose of the first frame."""
    motion = clip.motion.slice(0, 1)
    offsets = motion.skeleton.offsets.copy()
    offsets[0] = motion.root[0]
    for joint, values in motion.translations.items():
        offsets[joint] = values[0]
    return AtRest(offsets, motion.rotations[0], motion.world()[0][0], False)
