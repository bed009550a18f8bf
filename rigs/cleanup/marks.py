"""Points of a body that show how far off a simplified motion is: joints, tips, and skin about joints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.motion import Motion
from rigs.quat import FloatArray

GIRTH = (0.01, 0.06)  # metres: how far skin is from a joint, a quarter of its longest bone within these
FARTHEST = 3  # marks further down that are watched for a joint, beside its children's and tips


@dataclass(frozen=True, eq=False)
class Marks:
    """M marks: one at every joint, in order, then one at every tip.

    places: (T, M, 3) metres, where they truly are; girth: (M,) metres of skin about each, none about tips.
    """

    clip: Clip
    places: FloatArray
    girth: FloatArray

    @classmethod
    def of(cls, clip: Clip) -> Marks:
        """Return the marks of a clip."""
        skeleton = clip.motion.skeleton
        girth = np.concatenate([_girths(clip), np.zeros(len(skeleton.tips))])
        return cls(clip, places(clip.motion), girth)

    def watched(self, joint: int) -> NDArray[np.int64]:
        """Return marks (W,) that tell of a joint's turns: those next to it, and the farthest apart below."""
        skeleton = self.clip.motion.skeleton
        carriers = [*skeleton.parents.tolist(), *[skeleton.index(name) for name in skeleton.tips]]
        below = np.zeros(len(carriers), bool)
        for mark, carrier in enumerate(carriers):  # depth first, so parents come before
            below[mark] = carrier == joint or (carrier > joint and below[carrier])
        next_to = np.array([carrier == joint for carrier in carriers])
        chosen = np.flatnonzero(next_to).tolist()
        rest = places(self.clip.resting)[0]
        others = np.flatnonzero(below & ~next_to)
        while len(others) and len(chosen) < next_to.sum() + FARTHEST:
            apart = np.linalg.norm(rest[others, None] - rest[[joint, *chosen]], axis=2).min(axis=1)
            chosen.append(int(others[np.argmax(apart)]))
            others = np.delete(others, np.argmax(apart))
        return np.array(chosen, np.int64)


def places(motion: Motion) -> FloatArray:
    """Return where a motion's joints and then its tips are, (T, M, 3) metres."""
    positions, rotations = motion.world()
    tips = [
        positions[:, j] + quat.rotate(rotations[:, j], tip)
        for j, tip in ((motion.skeleton.index(name), tip) for name, tip in motion.skeleton.tips.items())
    ]
    return np.concatenate([positions, *[tip[:, None] for tip in tips]], axis=1)


def _girths(clip: Clip) -> FloatArray:
    """Of every joint, (J,): by its longest bone, to a child or tip; of a bare leaf, by the bone to it."""
    skeleton = clip.motion.skeleton
    lengths = np.linalg.norm(skeleton.offsets, axis=1)
    longest = np.where(skeleton.is_leaf, lengths, 0.0)
    np.maximum.at(longest, skeleton.parents[1:], lengths[1:])
    for name, tip in skeleton.tips.items():
        longest[skeleton.index(name)] = np.linalg.norm(tip)
    return np.clip(longest / 4.0, *GIRTH)
