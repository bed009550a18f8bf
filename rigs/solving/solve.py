"""The whole-clip solve: Levenberg-Marquardt over all frames of one body at once.

Bone sizes are shared by all frames, the motion is smooth over time, and every observation counts in its own
view. Long clips are solved in windows that overlap; the overlap is far longer than the priors reach, so the
blend of two windows shows no seam.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError

from rigs import quat
from rigs.errors import RigError
from rigs.solving.body import Floats
from rigs.solving.composite import fold
from rigs.solving.kinematics import Chain, Pose, Posed
from rigs.solving.normal import Normal
from rigs.solving.terms import Term

FIRST_DAMPING, LEAST_DAMPING, MOST_DAMPING = 1e-4, 1e-7, 1e6  # of the diagonal
NEAR_DAMPING = 1e-7  # at a start that is near: more would keep stiff terms, as feet held, from being met
SHARES = (1.0, 0.5, 0.25)  # of a step, tried before the damping grows: a trial costs a tenth of a step


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


@dataclass(frozen=True)
class _State:
    """Where the solve is: sizes (G,), the placed body and the cost there."""

    sizes: Floats
    posed: Posed
    cost: float


@dataclass
class _Problem:
    """What is minimised; `prior` is None where the sizes are held."""

    chain: Chain
    terms: Sequence[Term]
    prior: SizePrior | None
    _normal: Normal | None = None

    def at(self, pose: Pose, sizes: Floats) -> _State:
        posed = self.chain.place(pose, sizes)
        cost = sum(term.cost(posed) for term in self.terms)
        return _State(sizes, posed, cost + (self.prior.cost(sizes) if self.prior else 0.0))

    def moved(self, state: _State, step: Floats, size_step: Floats) -> _State:
        pose = self.chain.move(state.posed.pose, step)
        return self.at(pose, state.sizes + size_step if self.prior else state.sizes)

    def normal(self, state: _State) -> Normal:
        normal = self._empty(state)
        for term in self.terms:
            term.add(state.posed, normal)
        fold(state.posed, normal)
        if self.prior:
            normal.corner += self.prior.precision
            normal.size_gradient += self.prior.precision @ (state.sizes - self.prior.mean)
        return normal

    def _empty(self, state: _State) -> Normal:
        """Normal equations to fill, in the memory of the last ones."""
        if self._normal is None:
            sizes = len(state.sizes) if self.prior else 0
            self._normal = Normal(len(state.posed.pose), self.chain.freedoms, sizes)
        else:
            self._normal.clear()
        return self._normal


def solve(
    chain: Chain,
    pose: Pose,
    sizes: Floats,
    terms: Sequence[Term],
    prior: SizePrior | None = None,
    *,
    steps: int = 20,
    tolerance: float = 1e-4,
    near: bool = False,
) -> Solution:
    """Minimise the sum of `terms` from `pose`; sizes move too if a `prior` on them is given.

    Args:
        chain: the body's kinematics.
        pose: where to start, T frames.
        sizes: (G,) metres of stature.
        terms: see `rigs.solving.terms`.
        prior: belief about the sizes; None holds them.
        steps: most steps that are taken.
        tolerance: relative fall of the cost under which the solve is done.
        near: the start was solved before, with almost these terms: begin bold, and be done when the next
            step, as foreseen from the last two, would lower the cost by less than the tolerance.

    Returns:
        The solution; its cost is never above the start's, and it is finite.

    Raises:
        RigError: the start is not finite.
    """
    _check(chain, pose, sizes)
    problem = _Problem(chain, terms, prior)
    state, damping, taken = problem.at(pose, sizes), NEAR_DAMPING if near else FIRST_DAMPING, 0
    done, fall = len(pose) == 0, np.inf
    while taken < steps and not done:
        before, last = state.cost, fall
        state, damping = _descend(problem, state, damping)
        taken, fall = taken + 1, before - state.cost
        shrinks = min(fall / last, 1.0) if near and taken > 1 and last > 0 else 1.0
        done = fall * shrinks <= tolerance * state.cost
    return Solution(state.posed.pose, state.sizes, state.cost, taken)


def _descend(problem: _Problem, state: _State, damping: float) -> tuple[_State, float]:
    """Take one step that lowers the cost, by less of it or more damping if need be; or stay."""
    normal = problem.normal(state)
    growth = 4.0
    while damping < MOST_DAMPING:
        with suppress(LinAlgError):
            step, size_step = normal.solve(damping)
            for share in SHARES:
                trial = problem.moved(state, share * step, share * size_step)
                if trial.cost < state.cost:
                    return trial, max(damping / 5, LEAST_DAMPING)
        damping = max(damping, 1e-5) * growth
        growth *= 4.0
    return state, damping


def _check(chain: Chain, pose: Pose, sizes: Floats) -> None:
    if not np.isfinite(sizes).all():
        raise RigError(f"sizes {np.round(sizes, 3).tolist()} must be finite to start a solve")
    known = np.isfinite(pose.rotations).all(axis=-1) & np.isfinite(pose.root).all(axis=-1)[:, None]
    if not known.all():
        frame, joint = np.argwhere(~known)[0]
        name = chain.body.names[joint]
        raise RigError(
            f"frame {frame}, joint {name}: the pose to start from is not finite; fill its gaps first"
        )


def posterior(
    chain: Chain, solved: Solution, terms: Sequence[Term], prior: SizePrior, share: float = 1.0
) -> SizePrior:
    """What is believed of the sizes after a stretch of the clip has been solved.

    Args:
        chain: the body's kinematics.
        solved: the solution of the stretch.
        terms: those it was solved with.
        prior: what was believed before.
        share: of its information that is new; a detector's errors are alike from stretch to stretch.
    """
    problem = _Problem(chain, terms, prior)
    information, _ = problem.normal(problem.at(solved.pose, solved.sizes)).size_information()
    return SizePrior(solved.sizes, prior.precision + share * (information - prior.precision))


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
    spans: Sequence[tuple[int, int]],
    solve_window: Callable[[int, int], Pose],
    tell: Callable[[int], None] = lambda frames: None,
) -> Pose:
    """Solve a long clip window by window and blend each overlap from one solution to the next.

    Args:
        spans: [start, stop) of each window, as `windows` gives them.
        solve_window: gives the pose of frames [start, stop).
        tell: told after each window how many more frames are solved.
    """
    whole, done = Pose(np.zeros((0, 3)), np.zeros((0, 0, 4))), 0
    for start, stop in spans:
        fresh, shared = solve_window(start, stop), done - start
        # only the middle half of an overlap is blended, the rest is margin
        fade = np.clip((np.arange(shared) + 0.5) / max(shared, 1) * 2 - 0.5, 0, 1)
        whole = _joined(whole, fresh, shared, fade) if done else fresh
        tell(stop - done)
        done = stop
    return whole


def _joined(before: Pose, after: Pose, shared: int, fade: Floats) -> Pose:
    root = before.root[-shared:] + fade[:, None] * (after.root[:shared] - before.root[-shared:])
    turn = quat.slerp(before.rotations[-shared:], after.rotations[:shared], fade[:, None])
    return Pose(
        np.concatenate([before.root[:-shared], root, after.root[shared:]]),
        np.concatenate([before.rotations[:-shared], turn, after.rotations[shared:]]),
    )
