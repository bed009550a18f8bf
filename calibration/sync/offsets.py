"""How much later each view began, from bodies that several views see: epipolar agreement over all lags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.sync.joint import Answer, Joint, Views
from calibration.sync.pairs import Crowd, Curve, Pair, essential_matrix, released
from calibration.sync.refine import Refined, drift, refine
from calibration.sync.rivals import Rival, rivals, tied, undecided
from calibration.sync.tracks import Smooth, Track

__all__ = ["Offsets", "Rival", "Track", "find_offsets"]

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

REACH = 30.0  # seconds by which views may differ when nothing is known
GUARD = 0.3  # seconds: what is nearer is no rival but the same answer, less well known
STEP = 1 / 30  # seconds between lags, at least; a body moves little meanwhile
FITTED_STEP = 2  # times that, where the geometry is fitted anew for every lag
FRAMES = 300  # times at which a pair is compared at most, spread over the clip
LEAST, LEAST_FITTED = 0.5, 2.0  # seconds that two views must share; more, to tell their places as well
SHARED = 0.3  # of the shorter clip, likewise
# The same where the geometry is fitted anew: to few frames it fits chance, and less overlap looks better.
SHARED_FITTED = 0.6
BLOCK = 0.5  # seconds: errors of a detector last about that long, so a block is one independent voice
BLOCKS = (6, 24)
# Chosen on 146 clips of two to five seconds of four views, landmarks of a detector. Answers wrong by more
# than two frames that did not own a large deviation had margins up to 0.4 with cameras, and 1.2 without.
MARGIN, MARGIN_FITTED = 1.25, 1.5  # deviations by which every rival must be worse
TOGETHER = 0.5  # the same, for views that seem to have begun at once: that is no accident
GAIN = 0.02  # squared deviations of a landmark, likewise: less is what nobody's moving looks like
SURE = 0.75  # of the shortest frame: a larger deviation is not accepted
DEVIATION = (
    1.2  # times the spread of blocks and pairs: 70 % of the errors measured are then below one, 95 % 2.2
)
LEAST_SD = 0.0005  # seconds
STRANGER = 1.0  # squared deviations of a landmark: frames that cost more see different people
APART = 1.8  # squared deviations of a landmark: a view that costs more sees something else


@dataclass(frozen=True, eq=False)
class Offsets:
    """Offsets of V views, and what speaks for them.

    Args:
        seconds: (V,) to add to each view's own times for one clock; the earliest view is at 0, unless some
            were given. NaN where not accepted.
        sd: (V,) s.
        accepted: (V,) whether the offset can be told.
        best: (V,) s the likeliest, accepted or not.
        rivals: the divisions of the views that the evidence does not decide, the least decided first.
        cost: (V,) robust squared deviation of a landmark in the pairs of each view; 0.2 to 0.9 where views
            agree, towards 4 where they see different things. NaN where a view has nothing to compare.
        contrast: (V,) how much more a typical lag costs in the pairs of each view, in the same units; next to
            nothing where nobody moves.
        drift: (V,) s of offset gained in a second, against the other views; 0 unless the clip tells.
        drift_sd: (V,) of that; NaN where the clip is too short to tell.
    """

    seconds: Array
    sd: Array
    accepted: Bools
    best: Array
    rivals: tuple[Rival, ...]
    cost: Array
    contrast: Array
    drift: Array
    drift_sd: Array


def find_offsets(
    tracks: Sequence[Track],
    cameras: Cameras | None = None,
    *,
    known: Array | None = None,
    near: Array | None = None,
    within: float = REACH,
) -> Offsets:
    """Find by how much each view began later than the others.

    Landmarks of one body, seen at one instant, lie on each other's epipolar lines. The cost of every lag of
    every pair is summed over the pairs, and the offsets that cost least are found together; they are accepted
    if every other answer is clearly worse, for every division of the views into two.

    Args:
        tracks: of V views, landmarks in the same order; other bodies count where the cameras are known.
        cameras: of the views; None = their places are unknown, and the geometry is fitted for every lag.
        known: (V,) offsets that are given, NaN elsewhere.
        near: (V,) about where the offsets are, s; None = anywhere.
        within: how far from there, s.

    Returns:
        The offsets, refused ones among them.
    """
    return _Search(tracks, cameras, known, near, within).offsets()


class _Search:
    def __init__(
        self,
        tracks: Sequence[Track],
        cameras: Cameras | None,
        known: Array | None,
        near: Array | None,
        within: float,
    ) -> None:
        self.tracks, self.views = tracks, len(tracks)
        self.known = np.full(self.views, np.nan) if known is None else np.asarray(known, float)
        self.fixed = np.isfinite(self.known)
        middle = np.zeros(self.views) if near is None else np.asarray(near, float)
        self.near = np.where(self.fixed, self.known, middle)
        self.reach = within
        self.poses = None if cameras is None else [c.camera_from_world for c in cameras]
        bodies = [t.bodies() if self.poses is not None else [t] * t.usable() for t in tracks]
        self.usable = np.array([len(found) > 0 for found in bodies])
        self.most = np.inf if cameras is None else STRANGER
        self.smooth = [[Smooth.of(t) for t in found] for found in bodies]

    def offsets(self) -> Offsets:
        step = STEP if self.poses is not None else FITTED_STEP * STEP
        found = {p: self._curve(p, step) for p in self._pairs()}
        curves = {p: c for p, c in found.items() if c is not None}
        if not curves:
            return self._nothing()
        joint = Joint(curves, step, self.views, np.flatnonzero(self.fixed).tolist())
        answer = joint.solve()
        keep = self._blocks(curves, answer, step)
        pairs = {p: self._pair(p) for p in curves}
        times = {p: c.times for p, c in curves.items()}
        refined = refine(pairs, times, keep, self.near + answer.ticks * step, self.fixed, self.most)
        guard = min(GUARD, self.reach / 2)  # within a narrow search, the rest of it is the rival
        near = undecided(rivals(joint, answer, guard, keep), self._margin(refined.offsets), GAIN)
        return self._result(near, refined, joint.contrast(answer), pairs, times)

    def _margin(self, offsets: Array) -> float:
        if not self.fixed.any() and np.ptp(offsets[self.usable]) < STEP:
            return TOGETHER
        return MARGIN if self.poses is not None else MARGIN_FITTED

    def _pairs(self) -> list[Views]:
        """Pairs of usable views, but for those whose lag is given."""
        free = combinations(np.flatnonzero(self.usable).tolist(), 2)
        return [(v, w) for v, w in free if not (self.fixed[v] and self.fixed[w])]

    def _pair(self, pair: Views) -> Pair | Crowd:
        v, w = pair
        essential = None if self.poses is None else essential_matrix(self.poses[v], self.poses[w])
        pairs = tuple(Pair(a, b, essential) for a in self.smooth[v] for b in self.smooth[w])
        return pairs[0] if len(pairs) == 1 else Crowd(pairs)

    def _curve(self, pair: Views, step: float) -> Curve | None:
        first, second = (self.tracks[v] for v in pair)
        least = LEAST if self.poses is not None else LEAST_FITTED
        share = SHARED if self.poses is not None else SHARED_FITTED
        shared = max(least, share * min(first.duration, second.duration))
        middle = self.near[pair[0]] - self.near[pair[1]]
        low = max(second.times[0] + shared - first.times[-1], middle - self.reach)
        high = min(second.times[-1] - shared - first.times[0], middle + self.reach)
        lags = middle + step * np.arange(np.ceil((low - middle) / step), np.floor((high - middle) / step) + 1)
        if not len(lags):
            return None
        count = int(np.clip(first.duration / max(first.frame, 1 / 60), 2, FRAMES))
        times = np.linspace(first.times[0], first.times[-1], count)
        times = np.tile(times, len(self.smooth[pair[0]]) * len(self.smooth[pair[1]]))
        found = self._pair(pair).curve(times, lags, shapes=self.poses is None).held(self.most)
        return replace(found, lags=lags - middle)

    def _blocks(self, curves: Mapping[Views, Curve], answer: Answer, step: float) -> dict[Views, Array]:
        """By pair, the frames (B, F) that remain if a block of time, the same for all pairs, is left out."""
        offsets = self.near + answer.ticks * step
        when = {p: c.times + offsets[p[0]] for p, c in curves.items()}
        start, stop = min(t[0] for t in when.values()), max(t[-1] for t in when.values())
        count = int(np.clip((stop - start) / BLOCK, *BLOCKS))
        edges = np.linspace(start, stop, count + 1)[1:-1]
        return {p: np.searchsorted(edges, t) != np.arange(count)[:, None] for p, t in when.items()}

    def _result(
        self,
        near: list[Rival],
        refined: Refined,
        contrast: Array,
        pairs: Mapping[Views, Pair | Crowd],
        times: Mapping[Views, Array],
    ) -> Offsets:
        costs = self._costs(refined)
        spread = DEVIATION * np.hypot(refined.sd, refined.scatter)
        sd = np.maximum(np.hypot(spread, refined.lean), LEAST_SD)
        sure = sd <= SURE * min(t.frame for t, some in zip(self.tracks, self.usable, strict=True) if some)
        held = tied(near, self.views, np.flatnonzero(self.fixed).tolist())
        accepted = self.fixed | (held & sure & (costs < APART))
        if accepted.sum() < 2:
            accepted = self.fixed.copy()
        best = refined.offsets
        if not self.fixed.any():
            best = best - best[accepted if accepted.any() else self.usable].min()
        slope, slope_sd = drift(pairs, times, best, self.fixed)
        return Offsets(
            np.where(accepted, best, np.nan),
            np.where(self.fixed, 0.0, sd),
            accepted,
            best,
            tuple(near),
            costs,
            contrast,
            slope,
            slope_sd,
        )

    def _costs(self, refined: Refined) -> Array:
        """Cost of a landmark (V,) over the pairs of each view, by what they have in common; NaN without."""
        cost, weight = np.zeros((2, self.views))
        for p, (mean, common) in refined.costs.items():
            cost[list(p)] += mean * common
            weight[list(p)] += common
        means = np.asarray(cost / np.where(weight > 0, weight, np.nan))
        return means if self.poses is None else released(means, self.most)

    def _nothing(self) -> Offsets:
        none = np.full(self.views, np.nan)
        flat = np.zeros(self.views)
        return Offsets(self.known, none, self.fixed, self.near, (), none, none, flat, none)
