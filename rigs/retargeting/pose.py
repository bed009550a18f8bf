"""A character's pose over a clip, that can be changed joint by joint in the world."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton


class WorldPose:
    """Where each joint is and how it is turned, frame by frame, as local rotations change.

    Args:
        skeleton: J joints.
        local: (T, J, 4) wxyz, local rotations; copied.
        root: (T, 3) metres.
        translations: as `Motion` has them.
    """

    def __init__(
        self,
        skeleton: Skeleton,
        local: FloatArray,
        root: FloatArray,
        translations: dict[int, FloatArray] | None = None,
    ) -> None:
        self.skeleton, self.local, self.root = skeleton, np.array(local, float), np.array(root, float)
        self.translations = dict(translations or {})
        self.positions = np.empty((*self.local.shape[:2], 3))
        self.rotations = np.empty_like(self.local)
        self.refresh(range(len(skeleton)))

    @classmethod
    def of(cls, motion: Motion) -> WorldPose:
        """The pose of a motion."""
        return cls(motion.skeleton, motion.rotations, motion.root, motion.translations)

    def refresh(self, joints: range | list[int]) -> None:
        """Place joints anew, given from the root outwards, after the local rotations of any above changed."""
        parents = self.skeleton.parents
        for j in joints:
            p = int(parents[j])
            if p < 0:
                self.positions[:, j], self.rotations[:, j] = self.root, self.local[:, j]
                continue
            offset = self.translations.get(j, self.skeleton.offsets[j])
            self.positions[:, j] = self.positions[:, p] + quat.rotate(self.rotations[:, p], offset)
            self.rotations[:, j] = quat.multiply(self.rotations[:, p], self.local[:, j])

    def turn(self, joint: int, world: FloatArray) -> None:
        """Turn a joint so that its rotation in the world is (T, 4); what hangs from it turns along."""
        parent = int(self.skeleton.parents[joint])
        above = self.rotations[:, parent] if parent >= 0 else None
        self.local[:, joint] = world if above is None else quat.multiply(quat.conjugate(above), world)
        self.refresh(self.below(joint))

    def put(self, joint: int, world: FloatArray) -> None:
        """Move a joint to (T, 3) m in the world; what hangs from it comes along."""
        parent = int(self.skeleton.parents[joint])
        if parent < 0:
            self.root = np.array(world, float)
        else:
            away = world - self.positions[:, parent]
            self.translations[joint] = quat.rotate(quat.conjugate(self.rotations[:, parent]), away)
        self.refresh(self.below(joint))

    def below(self, joint: int) -> list[int]:
        """Return the joint and all that hang from it, from it outwards."""
        found = [joint]
        for j in range(joint + 1, len(self.skeleton)):
            if int(self.skeleton.parents[j]) in found:
                found.append(j)
        return found

    def motion(self, fps: Fraction) -> Motion:
        """Return the clip as it now is, its rotations sign-continuous."""
        local = quat.continuous(quat.normalise(self.local))
        return Motion(self.skeleton, local, self.root, fps, self.translations)
