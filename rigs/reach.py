"""A bone led towards where its end is known to be."""

from __future__ import annotations

from rigs import quat
from rigs.body import Floats
from rigs.motion import Motion


def point_at(motion: Motion, end: str, target: Floats) -> Motion:
    """Turn the bone before a joint by the shortest arc, so that it points at a target.

    Nothing before the bone moves; what hangs on its end is carried along, and keeps its turn in the world.

    Args:
        motion: T frames.
        end: a joint with two joints before it, such as "LeftHand".
        target: (T, 3) metres.
    """
    e = motion.skeleton.index(end)
    bone = int(motion.skeleton.parents[e])
    before = int(motion.skeleton.parents[bone])
    positions, world = motion.world()
    turned = quat.between(positions[:, e] - positions[:, bone], target - positions[:, bone])
    new = quat.multiply(turned, world[:, bone])
    rotations = motion.rotations.copy()
    rotations[:, bone] = quat.multiply(quat.conjugate(world[:, before]), new)
    rotations[:, e] = quat.multiply(quat.conjugate(new), world[:, e])
    return Motion(motion.skeleton, quat.continuous(rotations), motion.root, motion.fps, motion.translations)
