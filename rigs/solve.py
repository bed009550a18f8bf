"""The whole-clip solve: Levenberg-Marquardt over all frames of one body at once.

Bone sizes are shared by all frames, the motion is smooth over time, and every observation counts in its own
view. Long clips are solved in windows that overlap; the overlap is far longer than the priors reach, so the
blend of two windows shows no seam.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.linalg import LinAlgError

from rigs import quat
from rigs.body import Floats
from rigs.kinematics import Chain, Pose
from rigs.normal import Normal
from rigs.terms import Term


@dataclass(frozen=True)
class SizePrior:
    """What is believed of the sizes before the clip is seen: mean (G,) and precision (G, G)."""

    mean: Floats
    precision: Floats

    @classmethod
    def of_stature(cls, spread: Floats, stature: float, stature_sd: float) -> SizePrior:
        """Sizes that vary by `spread` (G,) around one stature, itself known to `stature_sd` metres."""
        covariance = np.diag((stature * spread) ** 2) + stature_sd**2
        return cls(np.full(len(spread), stature), np.asarray(np.linalg.inv(covariance)))

    def cost(self, sizes: Floats) -> float:
        """Half the squared Mahalanobis distance of `sizes` (G,) from the mean."""
        return 0.5 * float((sizes - self.mean) @ self.precision @ (sizes - self.mean))


@dataclass(frozen=True)
class Solution:
    """A solved clip: pose, sizes (G,) in metres of stature, the final cost, and the steps that were taken."""

    pose: Pose
    sizes: Floats
    cost: float
    steps: int


def solve(
    chain: Chain,
    pose: Pose,
    sizes: Floats,
    terms: Sequence[Term],
    prior: SizePrior | None = None,
    *,
    steps: int = 20,
    tolerance: float = 1e-4,
) -> Solution:
    """Minimise the sum of `terms` from `pose`; sizes move too if a `prior` on them is given.

    Args:
        chain: the body's kinematics.
        pose: where to start, T frames.
        sizes: (G,) metres of stature.
        terms: see `rigs.terms`.
        prior: belief about the sizes; None holds them.
        steps: most steps that are taken.
        tolerance: relative fall of the cost under which the solve is done.

    Returns:
        The solution; its cost is never above the start's.
    """
    damping, taken = 1e-4, 0
    cost = _cost(chain, pose, sizes, terms, prior)
    while taken < steps and damping < 1e6:
        normal = _linearise(chain, pose, sizes, terms, prior)
        taken += 1
        fallen = False
        while not fallen and damping < 1e6:
            try:
                step, size_step = normal.solve(damping)
            except LinAlgError:
                damping = max(damping, 1e-6) * 10
                continue
            moved = _normalised(chain.move(pose, step))
            grown = sizes + size_step if prior is not None else sizes
            now = _cost(chain, moved, grown, terms, prior)
            fallen = now < cost
            damping = damping / 5 if fallen else damping * 8
        if not fallen:
            break
        gain, pose, sizes, cost = cost - now, moved, grown, now
        damping = max(damping, 1e-7)
        if gain < tolerance * cost:
            break
    return Solution(pose, sizes, cost, taken)


def _cost(chain: Chain, pose: Pose, sizes: Floats, terms: Sequence[Term], prior: SizePrior | None) -> float:
    posed = chain.place(pose, sizes)
    return sum(term.cost(posed) for term in terms) + (prior.cost(sizes) if prior else 0.0)


def _linearise(
    chain: Chain, pose: Pose, sizes: Floats, terms: Sequence[Term], prior: SizePrior | None
) -> Normal:
    normal = Normal(len(pose), chain.freedoms, len(sizes) if prior else 0)
    posed = chain.place(pose, sizes)
    for term in terms:
        term.add(posed, normal)
    if prior:
        normal.corner += prior.precision
        normal.size_gradient += prior.precision @ (sizes - prior.mean)
    return normal


def _normalised(pose: Pose) -> Pose:
    return Pose(pose.root, pose.rotations / np.linalg.norm(pose.rotations, axis=-1, keepdims=True))


def windows(frames: int, length: int, overlap: int) -> list[tuple[int, int]]:
    """Return [start, stop) of windows of `length` frames that overlap by `overlap` and cover all frames.

    A clip of up to one and a half lengths stays whole.
    """
    if frames <= length * 3 // 2:
        return [(0, frames)]
    count = int(np.ceil((frames - overlap) / (length - overlap)))
    starts = np.linspace(0, frames - length, count).round().astype(int)
    return [(int(s), int(s) + length) for s in starts]


def solve_in_windows(
    frames: int, length: int, overlap: int, solve_window: Callable[[int, int], Pose]
) -> Pose:
    """Solve a long clip window by window and blend each overlap from one solution to the next.

    Args:
        frames: T, the clip's length.
        length: frames in a window.
        overlap: frames that two windows share; only its middle half is blended, the rest is margin.
        solve_window: gives the pose of frames [start, stop).
    """
    spans = windows(frames, length, overlap)
    whole = solve_window(*spans[0])
    for (_, last), (start, stop) in pairwise(spans):
        fresh = solve_window(start, stop)
        shared = last - start
        fade = np.clip((np.arange(shared) + 0.5) / shared * 2 - 0.5, 0, 1)
        whole = _joined(whole, fresh, shared, fade)
    return whole


def _joined(before: Pose, after: Pose, shared: int, fade: Floats) -> Pose:
    root = before.root[-shared:] + fade[:, None] * (after.root[:shared] - before.root[-shared:])
    turn = quat.slerp(before.rotations[-shared:], after.rotations[:shared], fade[:, None])
    return Pose(
        np.concatenate([before.root[:-shared], root, after.root[shared:]]),
        np.concatenate([before.rotations[:-shared], turn, after.rotations[shared:]]),
    )
