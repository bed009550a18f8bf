"""A character's clip seen in a mirror, on the same character.

`Motion.mirror` mirrors the skeleton too, and takes its rest pose to be turned nowhere. On a rig the two
sides' axes may be anything, as Unreal's, which point the other way on the right, so here the mirror is in the
world: each joint departs from its rest as the mirror image of its partner does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.contact import Contacts
from rigs.motion import Motion

OTHER_SIDE = {"Left": "Right", "Right": "Left"}
_X = np.array([-1.0, 1.0, 1.0])
_X_WXYZ = np.array([1.0, 1.0, -1.0, -1.0])  # S R S with S = diag(-1, 1, 1)


def mirror_clip(clip: Clip) -> Clip:
    """Return the clip seen in a mirror at x = 0: what the left did, the right does.

    Pairs are the joints that play the left and the right of a role; of others, those whose names say so.
    Joints without a partner mirror themselves. The skeleton and its rest pose stay, so the image is exact
    where they are the same on both sides. Translations mirror where the joint is, whatever its partner's
    offset.
    """
    motion, rest, other = clip.motion, clip.resting, partners(clip)
    rested, turned = rest.world()[1][0], motion.world()[1]
    departed = quat.multiply(turned, quat.conjugate(rested))[:, other] * _X_WXYZ
    world = quat.multiply(departed, rested)
    rotations = world.copy()
    parents = motion.skeleton.parents
    rotations[:, 1:] = quat.multiply(quat.conjugate(world[:, parents[1:]]), world[:, 1:])
    moved = {}
    for joint, offsets in motion.translations.items():
        twin = int(other[joint])
        away = quat.rotate(turned[:, parents[joint]], offsets) * _X
        moved[twin] = quat.rotate(quat.conjugate(world[:, parents[twin]]), away)
    made = Motion(motion.skeleton, quat.continuous(rotations), motion.root * _X, motion.fps, moved)
    return replace(clip, motion=made, keys=None if clip.keys is None else clip.keys[:, other])


def mirror_contacts(contacts: Contacts) -> Contacts:
    """Return contacts of the mirrored clip: those of left and right are exchanged."""
    return Contacts(contacts.level[:, [1, 0, 3, 2]])


def partners(clip: Clip) -> NDArray[np.int64]:
    """Return each joint's partner on the other side (J,), its own inverse; in the middle the joint itself."""
    skeleton, roles = clip.motion.skeleton, clip.roles
    other = np.full(len(skeleton), -1, np.int64)
    for role, name in roles.items():
        for side, opposite in OTHER_SIDE.items():
            twin = roles.get(opposite + role.removeprefix(side)) if role.startswith(side) else None
            if twin is not None:
                other[skeleton.index(name)] = skeleton.index(twin)
        if not role.startswith(tuple(OTHER_SIDE)):
            other[skeleton.index(name)] = skeleton.index(name)
    for joint, twin in enumerate(skeleton.mirror.tolist()):
        if other[joint] < 0:
            other[joint] = twin if skeleton.mirror[twin] == joint and other[twin] < 0 else joint
            other[other[joint]] = joint
    return other
