"""How far sparse keys leave a body off its motion, joint by joint, in each way that readers fill frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.cleanup.keyed import Between, on_lines, ways_of_filling
from rigs.cleanup.marks import Marks
from rigs.clip import Clip
from rigs.quat import FloatArray


class Chains:
    """The body as each way of filling has it, as far down as its joints have been posed.

    Errors are in metres: how far a mark is off, and the skin about it that turned with it at most.
    """

    def __init__(self, clip: Clip) -> None:
        self.motion, self.marks = clip.motion, Marks.of(clip)
        # joints come before frames here, so that what is taken of one joint lies together
        self.true_places = np.ascontiguousarray(self.marks.places.swapaxes(0, 1))
        self.true_turns = np.ascontiguousarray(clip.motion.world()[1].swapaxes(0, 1))
        assert clip.rest is not None  # Clip makes it whole
        joints = range(len(self.motion.skeleton))
        self.fills = [ways_of_filling(self.motion.rotations[:, j], clip.rest[j]) for j in joints]
        ways = max(len(fills) for fills in self.fills)
        self.fills = [fills + fills[-1:] * (ways - len(fills)) for fills in self.fills]
        self.places = np.empty((ways, *self.true_turns.shape[:2], 3))
        self.turns = np.empty((ways, *self.true_turns.shape))

    def error(self, joint: int, between: Between, watched: NDArray[np.int64]) -> FloatArray:
        """Return the greatest error (N,) of a joint's skin and of what it carries, its parents being posed.

        Args:
            joint: whose keys are in question.
            between: N frames between those keys.
            watched: marks that it carries, which are taken to be rigid below it.
        """
        frame, girth = between.frame, self.marks.girth
        true = self.true_places[joint, frame]
        away = self.true_places[watched[:, None], frame] - true
        back = quat.conjugate(self.true_turns[joint, frame])
        worst = np.zeros(len(frame))
        for way in range(len(self.places)):
            place, turn = self._posed(way, joint, between)
            shift = place - true
            wrong = quat.multiply(turn, back)
            sine = 2.0 * np.linalg.norm(wrong[:, 1:], axis=1)
            worst = np.maximum(worst, np.linalg.norm(shift, axis=1) + girth[joint] * sine)
            if len(watched):
                moved = shift + quat.rotate(wrong, away) - away
                off = np.sqrt(np.einsum("wni,wni->wn", moved, moved)) + girth[watched, None] * sine
                worst = np.maximum(worst, off.max(axis=0))
        return worst

    def pose(self, joint: int, keys: NDArray[np.bool_]) -> None:
        """Pose a joint by its keys (T,), in all frames; its parent has been posed."""
        between = Between.of(keys)
        for way in range(len(self.places)):
            self.places[way, joint], self.turns[way, joint] = self._posed(way, joint, between)

    def off(self) -> FloatArray:
        """Return how far each joint, with its skin and tip, is off in each frame in the worst way, (T, J)."""
        skeleton, joints = self.motion.skeleton, len(self.motion.skeleton)
        wrong = quat.multiply(self.turns, quat.conjugate(self.true_turns))
        off = np.linalg.norm(self.places - self.true_places[:joints], axis=3)
        off += 2.0 * self.marks.girth[:joints, None] * np.linalg.norm(wrong[..., 1:], axis=3)
        for k, (name, tip) in enumerate(skeleton.tips.items()):
            j = skeleton.index(name)
            end = self.places[:, j] + quat.rotate(self.turns[:, j], tip)
            away = np.linalg.norm(end - self.true_places[joints + k], axis=2)
            off[:, j] = np.maximum(off[:, j], away)
        return np.asarray(off.max(axis=0).T)

    def _posed(self, way: int, joint: int, between: Between) -> tuple[FloatArray, FloatArray]:
        """Where a joint is and how it is turned in the world, (N, 3) and (N, 4)."""
        local = self.fills[joint][way](between)
        if joint == 0:
            return on_lines(self.motion.root, between), local
        parent = int(self.motion.skeleton.parents[joint])
        offset = self.motion.skeleton.offsets[joint]
        if joint in self.motion.translations:
            offset = on_lines(self.motion.translations[joint], between)
        turn = self.turns[way, parent, between.frame]
        return self.places[way, parent, between.frame] + quat.rotate(turn, offset), quat.multiply(turn, local)
