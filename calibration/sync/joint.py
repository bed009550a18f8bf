"""Offsets of all views, to whole steps of time, from the curves of all pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calibration.sync.pairs import Curve

Array = NDArray[np.float64]
Ticks = NDArray[np.int64]
Group = tuple[int, ...]
Views = tuple[int, int]

COMMON = 0.3  # of a pair's largest weight: at lags with less in common the two are not compared
_SIDES = 8  # views up to which every division into two groups is tried
_SWEEPS = 30
_TREES = 4


@dataclass(frozen=True, eq=False)
class Answer:
    """Offsets in steps (V,)."""

    ticks: Ticks

    def lag(self, pair: Views) -> int:
        """Steps from the clock of the pair's first view to that of its second."""
        return int(self.ticks[pair[0]] - self.ticks[pair[1]])

    def moved(self, group: Group, shift: int) -> Answer:
        """The answer with a group of views shifted."""
        ticks = self.ticks.copy()
        ticks[list(group)] += shift
        return Answer(ticks)


class Joint:
    """Adds up what all pairs say.

    A lag at which too little is in common costs what the pair's lags typically cost: it says nothing.

    Args:
        curves: by pair (v, w) with v < w; all lags are whole steps.
        step: seconds.
        views: V.
        fixed: views whose offsets are given: they move together or not at all.
    """

    def __init__(
        self, curves: Mapping[Views, Curve], step: float, views: int, fixed: Sequence[int] = ()
    ) -> None:
        self.curves, self.step, self.views, self.fixed = dict(curves), step, views, set(fixed)
        total = {p: c.weight.sum(axis=0) for p, c in self.curves.items()}
        self.scale = {p: float(weight.max()) for p, weight in total.items()}
        self.allowed = {p: weight > COMMON * max(self.scale[p], 1e-9) for p, weight in total.items()}
        self.base = {p: round(c.lags[0] / step) for p, c in self.curves.items()}
        self.tables = {p: self.table(p, np.ones((1, len(c.times)))) for p, c in self.curves.items()}

    def solve(self) -> Answer:
        """Find the answer that costs least of all reached from several starts."""
        return min((self._descend(start) for start in self._starts()), key=self.cost)

    def cost(self, answer: Answer) -> float:
        """Cost of an answer."""
        return sum(float(self.at(p, np.array([answer.lag(p)]))[0, 0]) for p in self.curves)

    def contrast(self, answer: Answer) -> Array:
        """How much more a typical lag costs than the answer's (V,), a landmark, in the pairs of each view."""
        gain, weight = np.zeros((2, self.views))
        for p, scale in self.scale.items():
            gain[list(p)] += self.tables[p][0, -1] - self.at(p, np.array([answer.lag(p)]))[0, 0]
            weight[list(p)] += scale
        return np.asarray(gain / np.where(weight > 0, weight, np.nan))

    def groups(self) -> list[Group]:
        """Groups of views that may be shifted against the rest, one for each division into two."""
        most = self.views // 2 if self.views <= _SIDES else 1
        every = (g for n in range(1, most + 1) for g in combinations(range(self.views), n))
        return [g for g in every if self._may_move(g)]

    def crossing(self, group: Group) -> Iterator[tuple[Views, int]]:
        """Pairs with one view in the group, and the sign with which a shift of the group enters their lag."""
        for p in self.curves:
            if sign := (p[0] in group) - (p[1] in group):
                yield p, sign

    def shifts(self, answer: Answer, group: Group) -> Ticks:
        """Shifts of a group, 0 among them, for which at least one pair is compared."""
        every = {0}
        for p, sign in self.crossing(group):
            lags = self.base[p] + np.flatnonzero(self.allowed[p])
            every.update((sign * (lags - answer.lag(p))).tolist())
        return np.array(sorted(every), dtype=np.int64)

    def table(self, pair: Views, keep: Array) -> Array:
        """Cost (B, L + 1) of a pair for sets of frames (B, F); the last lag is any not compared."""
        curve, allowed = self.curves[pair], self.allowed[pair]
        mean = (keep @ curve.cost) / np.maximum(keep @ curve.weight, 1e-9)
        typical = np.median(mean[:, allowed], axis=1) if allowed.any() else np.zeros(len(keep))
        filled = np.where(allowed, mean, typical[:, None])
        return self.scale[pair] * np.concatenate([filled, typical[:, None]], axis=1)

    def at(self, pair: Views, lags: Ticks, table: Array | None = None) -> Array:
        """Cost (B, N) of lags (N,) in steps."""
        table = self.tables[pair] if table is None else table
        place = lags - self.base[pair]
        outside = (place < 0) | (place >= table.shape[-1] - 1)
        return np.asarray(table[:, np.where(outside, -1, place)])

    def _descend(self, answer: Answer) -> Answer:
        groups = self.groups()
        for _ in range(_SWEEPS):
            before = answer
            for group in groups:
                answer = self._best_move(answer, group)
            if answer is before:
                break
        return answer

    def _best_move(self, answer: Answer, group: Group) -> Answer:
        shifts = self.shifts(answer, group)
        cost = np.zeros(len(shifts))
        for p, sign in self.crossing(group):
            cost += self.at(p, answer.lag(p) + sign * shifts)[0]
        best, stays = int(np.argmin(cost)), cost[int(np.flatnonzero(shifts == 0)[0])]
        if cost[best] >= stays - 1e-9 * max(stays, 1.0):
            return answer
        return answer.moved(group, int(shifts[best]))

    def _starts(self) -> Iterator[Answer]:
        """Spanning trees of the pairs' own best lags, the most telling pairs first."""
        order = sorted(self.curves, key=lambda p: -self._own(p)[1])
        for k in range(min(_TREES, max(len(order), 1))):
            yield self._tree(order[k:] + order[:k])

    def _own(self, pair: Views) -> tuple[int, float]:
        """A pair's own best lag, in steps, and how far it stands out."""
        if not self.allowed[pair].any():
            return 0, 0.0
        row = np.where(self.allowed[pair], self.tables[pair][0, :-1], np.inf)
        best = int(np.argmin(row))
        return self.base[pair] + best, float(self.tables[pair][0, -1] - row[best])

    def _tree(self, order: Sequence[Views]) -> Answer:
        answer = Answer(np.zeros(self.views, dtype=np.int64))
        tied: dict[int, Group] = {v: (v,) for v in range(self.views)}
        tied.update(dict.fromkeys(self.fixed, tuple(sorted(self.fixed))))
        for v, w in order:
            if w in tied[v]:
                continue
            late = self._own((v, w))[0] - answer.lag((v, w))
            fixed = bool(self.fixed & set(tied[w]))
            answer = answer.moved(tied[v], late) if fixed else answer.moved(tied[w], -late)
            joined = tied[v] + tied[w]
            tied.update(dict.fromkeys(joined, joined))
        return answer

    def _may_move(self, group: Group) -> bool:
        inside = set(group)
        if 2 * len(group) == self.views and 0 not in inside:
            return False  # the same division as its other half
        return self.fixed <= inside or not self.fixed & inside
