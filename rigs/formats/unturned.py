"""Motion for formats that know no rest rotations: of joints that are not turned in the rest pose."""

from __future__ import annotations

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.formats.from_rest import turned_from_rest
from rigs.motion import Motion
from rigs.skeleton import Skeleton

_SAME = 1e-12


def unturned(clip: Clip) -> Motion:
    """Return the same motion of joints whose axes are the world's in the rest pose.

    Every joint is where it was; with all angles at zero, the character stands in its rest pose.
    """
    rest, skeleton = clip.resting, clip.motion.skeleton
    if np.abs(rest.rotations[0, :, 1:]).max() < _SAME:
        return clip.motion
    (stood, stood_turn), at = rest.world(), clip.motion.world()[0]
    departed = turned_from_rest(clip)
    parents, local = skeleton.parents, departed.copy()
    offsets = stood[0] - stood[0, np.maximum(parents, 0)]
    offsets[0] = stood[0, 0]
    moved = {}
    for j in range(1, len(skeleton)):
        back = quat.conjugate(departed[:, parents[j]])
        local[:, j] = quat.multiply(back, departed[:, j])
        if j in clip.motion.translations:
            moved[j] = quat.rotate(back, at[:, j] - at[:, parents[j]])
    tips = {n: quat.rotate(stood_turn[0, skeleton.index(n)], tip) for n, tip in skeleton.tips.items()}
    plain = Skeleton(skeleton.names, parents, offsets, tips)
    return Motion(plain, quat.continuous(local), clip.motion.root, clip.motion.fps, moved)
