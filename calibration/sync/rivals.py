"""How sure offsets are: what the next best answer costs more, held against what blocks of time say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.sync.joint import Answer, Group, Joint, Views

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Rival:
    """The best other answer for a group of views, shifted together against the rest.

    Args:
        group: the views.
        shift: seconds; NaN where there is none: nothing could be compared (margin 0), or nothing else may be.
        margin: how much worse it is, in deviations of that difference.
        gain: how much worse it is, in squared deviations of a landmark.
    """

    group: Group
    shift: float
    margin: float
    gain: float


def rivals(joint: Joint, answer: Answer, guard: float, keep: Mapping[Views, Array]) -> list[Rival]:
    """Find the nearest rival of each division of the views into two.

    Args:
        joint: what all pairs say.
        answer: its solution.
        guard: seconds; what is nearer is the same answer, less well known.
        keep: by pair (B, F), the frames that remain if a block of time is left out.
    """
    parts = {p: joint.table(p, frames) for p, frames in keep.items()}
    return [_rival(joint, answer, group, guard, parts) for group in joint.groups()]


def _rival(joint: Joint, answer: Answer, group: Group, guard: float, parts: Mapping[Views, Array]) -> Rival:
    shifts = joint.shifts(answer, group)
    scale = sum(joint.scale[p] for p, _ in joint.crossing(group))
    if len(shifts) < 2 or scale == 0:
        return Rival(group, np.nan, 0.0, 0.0)
    shifts = shifts[np.abs(shifts) * joint.step > guard]
    if not len(shifts):
        return Rival(group, np.nan, np.inf, np.inf)
    worse, left_out = _differences(joint, answer, group, shifts, parts)
    margins = _margin(worse, left_out, 1e-6 * scale)
    nearest = int(np.argmin(margins))
    return Rival(
        group, float(shifts[nearest] * joint.step), float(margins[nearest]), float(worse[nearest] / scale)
    )


def _differences(
    joint: Joint, answer: Answer, group: Group, shifts: NDArray[np.int64], parts: Mapping[Views, Array]
) -> tuple[Array, Array]:
    """What shifts (N,) cost more: (N,), and with each block left out (B, N)."""
    worse, left_out = np.zeros(len(shifts)), np.zeros(len(shifts))
    for p, sign in joint.crossing(group):
        lags = answer.lag(p) + np.concatenate([[0], sign * shifts])
        whole, part = joint.at(p, lags)[0], joint.at(p, lags, parts[p])
        worse = worse + whole[1:] - whole[0]
        left_out = left_out + part[:, 1:] - part[:, :1]
    return worse, left_out


def _margin(worse: Array, left_out: Array, least: float) -> Array:
    """Differences (N,) in deviations, from the differences (B, N) with a block left out.

    The deviation is told by the blocks that speak for the rival: if neither answer were better, blocks would
    speak for both alike. And by the loudest block, so that one alone never decides. (The plain jackknife
    takes a difference for uncertain if a few blocks with much motion decide, even if none contradicts.)

    Source: pseudo-values: Tukey 1958; Efron 1982, The jackknife.
    """
    count = len(left_out)
    voices = count * worse - (count - 1) * left_out
    against = 2 * (np.minimum(voices, 0.0) ** 2).sum(axis=0) + (voices**2).max(axis=0)
    return np.asarray(worse / np.maximum(np.sqrt(against) / count, least))


def undecided(found: Sequence[Rival], margin: float, gain: float) -> list[Rival]:
    """The rivals that are too near, the nearest first."""
    near = [r for r in found if r.margin < margin or r.gain < gain]
    return sorted(near, key=lambda r: r.margin)


def tied(near: Sequence[Rival], views: int, fixed: Sequence[int]) -> NDArray[np.bool_]:
    """Say which views (V,) are held together by the evidence: with the fixed ones, or the most of them."""
    signature = [tuple(v in r.group for r in near) for v in range(views)]
    if fixed:
        return np.array([s == signature[fixed[0]] for s in signature])
    largest = max(signature, key=signature.count)
    together = np.array([s == largest for s in signature])
    return together if together.sum() > 1 else np.zeros(views, dtype=bool)
