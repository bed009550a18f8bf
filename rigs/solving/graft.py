"""Hands on arms: a motion of a body and those of its hands made one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.skeleton import Skeleton
from rigs.solving.body import Floats


def graft(motion: Motion, parts: Mapping[str, tuple[Skeleton, Floats]]) -> Motion:
    """Put what was solved by itself in place of leaves of a body.

    Args:
        motion: T frames.
        parts: leaf of the motion's skeleton -> a skeleton whose root is that joint, and its rotations
            (T, K, 4) wxyz: the root's in the world, the others' local. Joints are named as in the part, but
            that the name of its root, with which theirs begin, gives way to that of the leaf.

    Returns:
        The same motion with more joints; the leaves stay where they are, and turn as their parts say.
    """
    _, world = motion.world()
    names: list[str] = []
    parents: list[int] = []
    offsets: list[Floats] = []
    rotations: list[Floats] = []
    tips = {leaf: tip for leaf, tip in motion.skeleton.tips.items() if leaf not in parts}
    for j, name in enumerate(motion.skeleton.names):
        parent = motion.skeleton.parents[j]
        parents.append(-1 if parent < 0 else names.index(motion.skeleton.names[parent]))
        names.append(name)
        offsets.append(motion.skeleton.offsets[j])
        rotations.append(motion.rotations[:, j])
        if name not in parts:
            continue
        part, turned = parts[name]
        rotations[-1] = quat.multiply(quat.conjugate(world[:, parent]), turned[:, 0])
        own = [name + n.removeprefix(part.names[0]) for n in part.names]
        parents += [len(names) - 1 + int(p) for p in part.parents[1:]]
        names += own[1:]
        offsets += list(part.offsets[1:])
        rotations += [turned[:, k] for k in range(1, len(own))]
        tips |= {own[part.index(leaf)]: tip for leaf, tip in part.tips.items()}
    whole = Skeleton(tuple(names), np.array(parents), np.array(offsets), tips)
    return Motion(whole, quat.continuous(np.stack(rotations, axis=1)), motion.root, motion.fps)
