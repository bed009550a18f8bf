"""Offsets between the steps: parabolas through every pair's cost near its least, solved together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from calibration.sync.joint import Views
from calibration.sync.pairs import Crowd, Curve, Pair

Array = NDArray[np.float64]

WINDOW = 0.05  # seconds either side through which a parabola is laid: what a limb does in that time is a line
_POINTS = 7
_ROUNDS = 3
_STILL = 3e-4  # seconds
LONG = 60.0  # seconds: clocks of cameras differ by some 20 millionths, a millisecond in that time
STRETCHES = 8
CLEAR, WORTH = 3.0, 0.003  # deviations, and seconds over the clip, below which a drift is none


@dataclass(frozen=True, eq=False)
class Refined:
    """Offsets of V views, found between steps.

    Args:
        offsets: (V,) s.
        sd: (V,) s, from leaving out blocks of time; infinite where that leaves nothing to tell by.
        scatter: (V,) s, from how far the pairs of a view are from one another.
        lean: (V,) s by which they move if cameras are off as much as landmarks still are to one side; 0
            without known cameras.
        costs: by pair, the robust squared deviation of a landmark and how much was compared.
    """

    offsets: Array
    sd: Array
    scatter: Array
    lean: Array
    costs: dict[Views, tuple[float, float]]


def refine(
    pairs: Mapping[Views, Pair | Crowd],
    times: Mapping[Views, Array],
    keep: Mapping[Views, Array],
    offsets: Array,
    fixed: NDArray[np.bool_],
    most: float,
) -> Refined:
    """Find the offsets that cost least, near given ones.

    Args:
        pairs: by views (v, w).
        times: by views, of the first view's clock.
        keep: by views (B, F), the frames that remain if a block of time is left out.
        offsets: (V,) s, within a frame or two.
        fixed: (V,) whether a view's offset is given.
        most: cost of a landmark above which two views see different people in a frame.
    """
    offsets = offsets.copy()
    for _ in range(_ROUNDS):
        near = {p: pair.curve(times[p], _lags(offsets, p)).held(most) for p, pair in pairs.items()}
        bowls = {p: _parabola(c) for p, c in near.items()}
        step = np.clip(_solve(bowls, fixed), -WINDOW, WINDOW)
        offsets += np.nan_to_num(step)
        if np.nanmax(np.abs(step), initial=0.0) < _STILL:
            break
    left_out = range(len(next(iter(keep.values()))))
    samples = [_solve({p: _parabola(c, keep[p][b]) for p, c in near.items()}, fixed) for b in left_out]
    middle = {p: (c.cost[:, _POINTS // 2].sum(), c.weight[:, _POINTS // 2].sum()) for p, c in near.items()}
    costs = {p: (float(cost / max(weight, 1e-9)), float(weight)) for p, (cost, weight) in middle.items()}
    scatter = _scatter(bowls, np.nan_to_num(step), len(offsets))
    lean = _lean(pairs, times, offsets, bowls, fixed, most)
    return Refined(offsets, _jackknife(np.array(samples)), scatter, lean, costs)


def drift(
    pairs: Mapping[Views, Pair | Crowd],
    times: Mapping[Views, Array],
    offsets: Array,
    fixed: NDArray[np.bool_],
) -> tuple[Array, Array]:
    """Find how fast the offsets grow, from the offsets of stretches of a long clip.

    Args:
        pairs: by views (v, w).
        times: by views, of the first view's clock.
        offsets: (V,) s, those of the whole clip.
        fixed: (V,) whether a view's offset is given.

    Returns:
        (V,) seconds a second, 0 where that is not clear, and its deviation (V,), NaN for a clip too short.
    """
    none = np.zeros(len(offsets)), np.full(len(offsets), np.nan)
    when = {p: t + offsets[p[0]] for p, t in times.items()}
    start, stop = max(t[0] for t in when.values()), min(t[-1] for t in when.values())
    if stop - start < LONG:
        return none
    near = {p: pair.curve(times[p], _lags(offsets, p)) for p, pair in pairs.items()}
    edges = np.linspace(start, stop, STRETCHES + 1)
    found = []
    for first, last in pairwise(edges):
        inside = {p: ((t >= first) & (t < last)).astype(float) for p, t in when.items()}
        found.append(_solve({p: _parabola(c, inside[p]) for p, c in near.items()}, fixed))
    middle = (edges[1:] + edges[:-1]) / 2
    slope, sd = _line(middle - middle.mean(), np.array(found))
    slope, sd = np.nan_to_num(slope), np.where(np.isfinite(slope), sd, np.nan)
    clear = (np.abs(slope) > CLEAR * sd) & (np.abs(slope) * (stop - start) > WORTH)
    return np.where(clear, slope, 0.0), sd


def _line(x: Array, y: Array) -> tuple[Array, Array]:
    """Slopes of y (N, V) over x (N,), and their deviations."""
    square = float((x**2).sum())
    slope = x @ y / square
    rest = y - y.mean(axis=0) - x[:, None] * slope
    return slope, np.sqrt((rest**2).sum(axis=0) / (len(x) - 2) / square)


def _lean(
    pairs: Mapping[Views, Pair | Crowd],
    times: Mapping[Views, Array],
    offsets: Array,
    bowls: Mapping[Views, tuple[float, float]],
    fixed: NDArray[np.bool_],
    most: float,
) -> Array:
    square = np.zeros(len(offsets))
    for p, pair in pairs.items():
        if pair.essential is not None and bowls[p][0] > 0:
            slope = pair.leaning(times[p], float(offsets[p[0]] - offsets[p[1]]), most)
            alone = {q: (bend, slope if q == p else 0.0) for q, (bend, _) in bowls.items()}
            square += np.nan_to_num(_solve(alone, fixed)) ** 2
    return np.asarray(np.sqrt(square))


def _jackknife(samples: Array) -> Array:
    """Deviation (V,) of what was found with a block left out (B, V); infinite where that is ever unknown."""
    count = len(samples)
    sd = np.sqrt((count - 1) / count * ((samples - samples.mean(axis=0)) ** 2).sum(axis=0))
    return np.where(np.isfinite(sd), sd, np.inf)


def _lags(offsets: Array, pair: Views) -> Array:
    return np.asarray(offsets[pair[0]] - offsets[pair[1]] + np.linspace(-WINDOW, WINDOW, _POINTS))


def _parabola(curve: Curve, keep: Array | None = None) -> tuple[float, float]:
    """Half the curvature and the slope of a curve's cost at its middle; 0, 0 where it is no valley."""
    keep = np.ones(len(curve.times)) if keep is None else keep
    cost, weight = keep @ curve.cost, keep @ curve.weight
    if weight.min() <= 0:
        return 0.0, 0.0
    x = np.linspace(-WINDOW, WINDOW, _POINTS)
    bend, slope, _ = np.linalg.lstsq(np.vander(x, 3), cost / weight, rcond=None)[0]
    total = float(weight.mean())
    return (total * float(bend), total * float(slope)) if bend > 0 else (0.0, 0.0)


def _solve(bowls: Mapping[Views, tuple[float, float]], fixed: NDArray[np.bool_]) -> Array:
    """The step (V,) s to the lowest point of the sum: none for fixed views, NaN where there is no valley."""
    views = len(fixed)
    normal, right = np.zeros((views, views)), np.zeros(views)
    for (v, w), (bend, slope) in bowls.items():
        normal[[v, w], [v, w]] += 2 * bend
        normal[[v, w], [w, v]] -= 2 * bend
        right[[v, w]] += -slope, slope
    held = np.diag(normal) > 0
    free = ~fixed & held
    step = np.where(fixed, 0.0, np.nan)
    step[free] = np.linalg.pinv(normal[np.ix_(free, free)], rcond=1e-6, hermitian=True) @ right[free]
    return step


def _scatter(bowls: Mapping[Views, tuple[float, float]], step: Array, views: int) -> Array:
    """How far the pairs of each view (V,) s are from one another, as the error of their mean."""
    square, weight, square_weight = np.zeros((3, views))
    for (v, w), (bend, slope) in bowls.items():
        if bend > 0:
            miss = -slope / (2 * bend) - (step[v] - step[w])
            for view in (v, w):
                square[view] += bend * miss**2
                weight[view] += bend
                square_weight[view] += bend**2
    count = weight**2 / np.maximum(square_weight, 1e-30)  # pairs, by what they count
    return np.asarray(np.sqrt(square / np.maximum(weight, 1e-30) / np.maximum(count - 1, 0.5)))
