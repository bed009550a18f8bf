"""The fingers of one hand, solved over the whole clip from what all views saw of it.

The hand is a body of its own (`rigs/definitions/hand.yaml`) at the end of a forearm that was solved before:
it is near the wrist and turned much as the body's own landmarks tell, and its fingers are relaxed where
nothing is seen of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocap.handsight import Sight, Wrist
from mocap.scene import EVIDENCE_RATE, OVERLAP, WINDOW
from mocap.sizing import SIZING_FRAMES
from rigs import quat
from rigs.skeleton import Skeleton
from rigs.solving.body import MIRROR, Body, load_body
from rigs.solving.kinematics import Chain, Points, Pose
from rigs.solving.solve import SizePrior, Solution, solve, solve_in_windows, windows
from rigs.solving.terms import Acceleration, Limits, Near, Reprojection, Rest, Shape, Steady, Term

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ROBUST, ROUGH = 2.5, 4.0  # deviations that begin to count less; times that in the first solve
WRIST_SD, TURN_SD = 0.02, 0.025  # m, of the solved wrist and of points on the palm about it
PALM_POINTS = np.array([[0.056, 0, 0], [0.0, 0, 0.03]])  # of stature
DRIFT = 0.7  # m / s^1.5: how the palm may move against the forearm
FINGERS = 8.0  # rad / s^1.5: how fingers may
GIVEN_SD = 0.02  # of stature: of a hand whose owner's stature is known


@dataclass(frozen=True, eq=False)
class SolvedHand:
    """A hand: skeleton, wrist (T, 3) m, rotations (T, K, 4) wxyz, those of the hand in the world, else local.

    seen: (T,) whether a view saw it surely enough, in this frame or in the look before or after.
    """

    skeleton: Skeleton
    wrist: Floats
    rotations: Floats
    seen: Bools


def solve_hand(wrist: Wrist, sight: Sight) -> SolvedHand:
    """Solve the fingers of one hand, and how it is turned.

    Args:
        wrist: where the body has the hand.
        sight: what was seen of it.

    Returns:
        The hand, relaxed and as the body has it where nothing was seen.
    """
    phase = sight.phase
    if phase is None:
        scene = HandScene(wrist, sight)
        pose, sizes = scene.clip()
    else:  # all views look in the same frames: what is between them is interpolated
        seldom = wrist.at_looks(phase, sight.every)
        scene = HandScene(seldom, sight.at_looks(phase), sight.every)
        found, sizes = scene.clip()
        pose = _between_looks(found, seldom, wrist, (np.arange(len(wrist.at)) - phase) / sight.every)
    return SolvedHand(scene.body.skeleton(sizes), pose.root, pose.rotations, sight.known)


def _between_looks(pose: Pose, seldom: Wrist, wrist: Wrist, looks: Floats) -> Pose:
    """A pose at all frames, which lie at `looks` (T,) among its own; wrist and palm go with the body's."""
    local = pose.rotations.copy()
    local[:, 0] = quat.multiply(quat.conjugate(seldom.arm), local[:, 0])
    off = Pose(pose.root - seldom.at, local).at(np.clip(looks, 0, len(pose) - 1))
    rotations = off.rotations.copy()
    rotations[:, 0] = quat.multiply(wrist.arm, rotations[:, 0])
    return Pose(wrist.at + off.root, rotations)


class HandScene:
    """One hand of one person: its body, and the terms of its solve.

    Args:
        wrist: where the body has the hand.
        sight: what was seen of it.
        stands_for: frames that each of these stands for, where others are left out.
    """

    def __init__(self, wrist: Wrist, sight: Sight, stands_for: int = 1) -> None:
        self.wrist, self.sight, self.stands_for = wrist, sight, stands_for
        self.body = load_body("hand", mirrored=not wrist.left)
        self.chain = Chain(self.body)
        self.landmarks = hand_points(self.body, wrist.stature)
        self.palm = _palm_points(self.body, wrist)
        self.as_solved, self.as_carried = (
            wrist.at[:, None] + quat.rotate(turned[:, None], self.palm.offsets[:, 0])
            for turned in (wrist.turned, wrist.arm)
        )

    def clip(self) -> tuple[Pose, Floats]:
        """The whole motion, and the size of the hand."""
        pose, sizes = self.relaxed(), np.full(1, self.wrist.stature)
        if self.sight.seen.any():
            pose, sizes = self.sized(pose)
        if len(pose) > SIZING_FRAMES or not self.sight.seen.any():
            pose = self.solved(pose, sizes)
        return pose, sizes

    def relaxed(self) -> Pose:
        """The hand as the body has it, its fingers relaxed."""
        rest = np.einsum("jik,jk->ji", self.chain.axes, np.nan_to_num(self.body.relaxed))
        rotations = np.repeat(quat.from_rotvec(rest)[None], len(self.wrist.at), axis=0)
        rotations[:, 0] = self.wrist.turned
        return Pose(self.wrist.at, rotations)

    def sized(self, first: Pose) -> tuple[Pose, Floats]:
        """The size of the hand, from the stretch in which most is seen; and the motion, where that is all."""
        start, stop = _best_stretch(self.sight, SIZING_FRAMES)
        spread, sd = self.body.size_spread, GIVEN_SD if self.wrist.known else 2 * GIVEN_SD
        prior = SizePrior.of_stature(spread, self.wrist.stature, sd * self.wrist.stature)
        found = self._stretch(first, start, stop, np.full(1, self.wrist.stature), prior)
        return found.pose if stop - start == len(first) else first, found.sizes

    def solved(self, first: Pose, sizes: Floats) -> Pose:
        """The motion, window by window."""
        fps = self.wrist.fps
        spans = windows(len(first), round(WINDOW * fps), round(OVERLAP * fps))
        return solve_in_windows(spans, lambda start, stop: self._stretch(first, start, stop, sizes).pose)

    def _stretch(
        self, first: Pose, start: int, stop: int, sizes: Floats, prior: SizePrior | None = None
    ) -> Solution:
        rough, fine = (self.terms(start, stop, k * ROBUST) for k in (ROUGH, 1.0))
        found = solve(self.chain, first[start:stop], sizes, rough, prior, steps=8, tolerance=2e-2)
        return solve(self.chain, found.pose, found.sizes, fine, prior, steps=15, tolerance=3e-3)

    def terms(self, start: int, stop: int, robust: float) -> list[Term]:
        """Return the terms for frames [start, stop)."""
        fps, window = self.wrist.fps, slice(start, stop)
        weight = min(1.0, EVIDENCE_RATE / (fps * self.stands_for))
        prior = weight * self.stands_for
        sd = np.array([WRIST_SD, *(TURN_SD for _ in PALM_POINTS)])
        turning = np.where(np.arange(len(self.body.names)) > 0, FINGERS, np.inf)
        return [
            *self._evidence(window, weight, robust),
            Near(self.palm, self.as_solved[window], sd, prior),
            Acceleration(self.palm, np.full(len(self.palm), DRIFT), fps, self.as_carried[window]),
            Steady(turning, fps),
            Limits(self.body, frame_weight=prior),
            Rest(self.body, frame_weight=prior),
        ]

    def _evidence(self, window: slice, weight: float, robust: float) -> list[Term]:
        sight, soft = self.sight, 1 / np.sqrt(weight)
        if not sight.seen[window].any():
            return []
        image, sd = sight.image[:, window], sight.sd[:, window] * soft
        shape, shape_sd = sight.shape[window], sight.shape_sd[window] * soft
        return [
            Reprojection(self.landmarks, sight.rotation, sight.translation, image, sd, robust),
            Shape(self.landmarks, shape, shape_sd, robust),
        ]


def hand_points(body: Body, stature: float) -> Points:
    """Return the 21 landmarks of MediaPipe's hand model, in its order, on a hand."""
    joints: list[int] = []
    offsets: list[Floats] = []
    for j, name in enumerate(body.names):
        ends = [np.zeros(3), *([body.tips[name]] if name in body.tips else [])]
        joints += [j] * len(ends)
        offsets += ends
    carried = np.zeros((len(joints), len(body.names), 3))
    carried[np.arange(len(joints)), joints] = stature * np.array(offsets)
    return Points(np.array(joints), carried)


def _palm_points(body: Body, wrist: Wrist) -> Points:
    """The wrist and points on the palm that tell how it is turned."""
    mirror = np.array([1.0, 1.0, 1.0]) if wrist.left else MIRROR
    offsets = np.zeros((1 + len(PALM_POINTS), len(body.names), 3))
    offsets[1:, 0] = PALM_POINTS * mirror * wrist.stature
    return Points(np.zeros(len(offsets), dtype=np.int64), offsets)


def _best_stretch(sight: Sight, most: int) -> tuple[int, int]:
    """The stretch of up to so many frames in which most is seen."""
    frames = len(sight.shape)
    count = min(most, frames)
    seen = np.concatenate([[0.0], np.cumsum((1 / sight.sd**2).sum(axis=(0, 2)))])
    start = int(np.argmax(seen[count:] - seen[: frames - count + 1]))
    return start, start + count
