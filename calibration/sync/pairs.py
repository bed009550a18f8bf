"""How badly two views disagree if one is shifted in time: a cost for every lag, kept apart by frame.

Of a landmark that both views see at the same instant, the two rays meet. With the cameras known that is one
number a landmark (the Sampson distance). With unknown places, the fundamental matrix is fitted anew for every
lag: at the right lag one matrix fits all landmarks of all frames, and at others it does not. A detector's
guess of the body in space helps then: one rotation turns what one view guesses into what the other guesses.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.sync.tracks import Smooth

Array = NDArray[np.float64]

LIMIT = 2.0  # deviations at which a landmark has lost half its say (Geman and McClure 1987)
_WIDTHS = (np.inf, 8.0, 5.0, 3.0, 2.0, 2.0)  # LIMIT of each round of a fit, from everybody's say to its own
_FITTED = 600  # landmarks that a fit takes, spread over the frames
NEIGHBOUR = 0.02  # seconds either side, between which a speed is taken
_FEWEST = 60  # landmarks below which eight unknowns fit by themselves


@dataclass(frozen=True, eq=False)
class Curve:
    """Cost of two views for lags added to the first's clock to get the second's.

    Args:
        times: (F,) frames of the first view, seconds of its own clock.
        lags: (L,) seconds.
        cost: (F, L) sum over the landmarks of a frame of weighted robust squared deviations.
        weight: (F, L) of the weights; 0 where the second view has no such time.
    """

    times: Array
    lags: Array
    cost: Array
    weight: Array

    def held(self, most: float) -> Curve:
        """Hold the mean of every frame below `most`.

        Frames in which two views see different people cost about as much at any lag, and so have no say.
        """
        if not np.isfinite(most):
            return self
        mean = self.cost / np.maximum(self.weight, 1e-9)
        return replace(self, cost=self.weight * most * (1 - np.exp(-mean / most)))


@dataclass(frozen=True, eq=False)
class Pair:
    """Two tracks, and the essential matrix between them if it is known: x_second^T E x_first = 0."""

    first: Smooth
    second: Smooth
    essential: Array | None

    def curve(self, times: Array, lags: Array, shapes: bool = False) -> Curve:
        """Measure the cost at lags (L,), added to times (F,) of the first view.

        Args:
            times: seconds of the first view's clock.
            lags: seconds.
            shapes: whether guessed shapes count beside the fitted geometry: they tell one lag from another
                far away, but blur it.
        """
        a, trust_a = self.first.at(times)
        cost, weight = np.zeros((2, len(times), len(lags)))
        for k, lag in enumerate(lags):
            b, trust_b = self.second.at(times + lag)
            trust = np.minimum(trust_a, trust_b)
            found = self._deviations(a, b, trust, shapes)
            if found is not None:
                cost[:, k] = (trust * found).sum(axis=1)
                weight[:, k] = trust.sum(axis=1)
        return Curve(times, lags, cost, weight)

    def _deviations(self, a: Array, b: Array, trust: Array, shapes: bool) -> Array | None:
        """Robust squared deviation (F, J) of every landmark at one lag; None with too little in common."""
        if self.essential is not None:
            return robust(self._miss(self.essential, a, b) ** 2)
        matrix = self._fitted(a[..., :2], b[..., :2], trust)
        if matrix is None:
            return None
        epipolar = robust(self._miss(matrix, a, b) ** 2)
        if not shapes or a.shape[-1] < 5 or b.shape[-1] < 5:
            return epipolar
        square = turned(a[..., 2:], b[..., 2:], trust) / (self.first.shape_sd**2 + self.second.shape_sd**2)
        return epipolar + robust(square)

    def leaning(self, times: Array, lag: float, most: float) -> float:
        """How steep the cost is at a lag, a second, from landmarks that are all off to one side.

        That is what a camera that is not where it is said to be does: one that has been turned a little, say.
        The lag can make up for it only in part, and what is left of it on average tells how much there is.
        Known cameras only; `most` as in `Curve.held`.
        """
        assert self.essential is not None
        a, trust_a = self.first.at(times)
        (b, trust_b), (before, one), (after, other) = (
            self.second.at(times + lag + step) for step in (0.0, -NEIGHBOUR, NEIGHBOUR)
        )
        trust = np.minimum(trust_a, trust_b) * (one > 0) * (other > 0)
        off, earlier, later = (self._miss(self.essential, a, x) for x in (b, before, after))
        mean = (trust * robust(off**2)).sum(axis=1) / np.maximum(trust.sum(axis=1), 1e-9)
        say = trust / (1 + (off / LIMIT) ** 2) ** 2 * np.exp(-mean / most)[:, None]
        aside = (say * off).sum() / max(say.sum(), 1e-9)
        return float(aside * (say * (later - earlier)).sum() / NEIGHBOUR)

    def _miss(self, matrix: Array, a: Array, b: Array) -> Array:
        return sampson(matrix, a[..., :2], b[..., :2], self.first.sd, self.second.sd)

    def _fitted(self, a: Array, b: Array, trust: Array) -> Array | None:
        flat = trust.reshape(-1)
        used = np.flatnonzero(flat > 0)
        if len(used) < _FEWEST:
            return None
        some = used[:: -(-len(used) // _FITTED)]
        seen = a.reshape(-1, 2)[some], b.reshape(-1, 2)[some], flat[some]
        return fundamental(*seen, self.first.sd, self.second.sd)


@dataclass(frozen=True, eq=False)
class Crowd:
    """Every body of one view beside every body of another, as `Pair`.

    Times are those of the pairs, one after the other. Two who are not the same cost about as much at any lag,
    and so have no say (`Curve.held`); the places of the views have to be known for that.
    """

    pairs: tuple[Pair, ...]

    @property
    def essential(self) -> Array | None:
        """Of the two views."""
        return self.pairs[0].essential

    def curve(self, times: Array, lags: Array, shapes: bool = False) -> Curve:
        """As `Pair.curve`, of all pairs."""
        curves = [p.curve(t, lags, shapes) for p, t in self._parts(times)]
        cost, weight = (np.concatenate([getattr(c, name) for c in curves]) for name in ("cost", "weight"))
        return Curve(times, lags, cost, weight)

    def leaning(self, times: Array, lag: float, most: float) -> float:
        """As `Pair.leaning`, of all pairs."""
        return sum(p.leaning(t, lag, most) for p, t in self._parts(times))

    def _parts(self, times: Array) -> list[tuple[Pair, Array]]:
        return list(zip(self.pairs, np.split(times, len(self.pairs)), strict=True))


def released(held: Array, most: float) -> Array:
    """Mean costs as they were before `Curve.held`."""
    return np.asarray(-most * np.log(np.maximum(1 - held / most, 1e-6)))


def robust(square: Array) -> Array:
    """Squared deviations under the loss of `LIMIT` (Geman and McClure 1987)."""
    return np.asarray(square / (1 + square / LIMIT**2))


def turned(a: Array, b: Array, trust: Array) -> Array:
    """Squared distances (F, J) of guessed shapes a, b (F, J, 3), about their middles, after one turn for all.

    The cameras stand still, so one rotation takes every shape that one sees to what the other sees of it.

    Source: Kabsch 1976; Umeyama 1991.
    """
    whole = np.maximum(trust.sum(axis=1), 1e-9)[:, None]
    a = a - ((trust[..., None] * a).sum(axis=1) / whole)[:, None]
    b = b - ((trust[..., None] * b).sum(axis=1) / whole)[:, None]
    left, _, right = np.linalg.svd(np.einsum("fj,fji,fjk->ik", trust, b, a, optimize=True))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return np.asarray(((a @ ((left * sign) @ right).T - b) ** 2).sum(axis=-1))


def essential_matrix(first: Array, second: Array) -> Array:
    """Essential matrix of two poses camera_from_world (4, 4): x_second^T E x_first = 0."""
    relative = second @ np.linalg.inv(first)
    x, y, z = relative[:3, 3]
    return np.asarray(np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]) @ relative[:3, :3])


def sampson(matrix: Array, a: Array, b: Array, sd_a: float, sd_b: float) -> Array:
    """Signed Sampson distance (...) of points a, b (..., 2), in deviations.

    Source: Hartley and Zisserman, Multiple View Geometry, 2nd edition, eq. 11.9.
    """
    (m00, m01, m02), (m10, m11, m12), (m20, m21, m22) = matrix.tolist()
    ax, ay, bx, by = a[..., 0], a[..., 1], b[..., 0], b[..., 1]  # by hand: four times as fast as products
    first, second = m00 * ax + m01 * ay + m02, m10 * ax + m11 * ay + m12
    algebraic = bx * first + by * second + (m20 * ax + m21 * ay + m22)
    spread = (first * first + second * second) * sd_b**2
    first, second = m00 * bx + m10 * by + m20, m01 * bx + m11 * by + m21
    spread += (first * first + second * second) * sd_a**2
    return np.asarray(algebraic / np.sqrt(np.maximum(spread, 1e-30)))


def fundamental(a: Array, b: Array, trust: Array, sd_a: float, sd_b: float) -> Array:
    """Fit a matrix F with b^T F a = 0 to points (N, 2), most of which belong together.

    Sampson distances are minimised under the loss of `LIMIT`, by reweighting, from a fit to all.

    Source: Hartley 1997, In defense of the eight-point algorithm; Luong and Faugeras 1996 for the weights.
    """
    (to_a, a), (to_b, b) = _normalised(a), _normalised(b)
    sd_a, sd_b = sd_a * to_a[0, 0], sd_b * to_b[0, 0]
    rows = (b[:, :, None] * a[:, None, :]).reshape(-1, 9)
    weight, matrix = trust, np.zeros((3, 3))
    for width in _WIDTHS:
        matrix = np.linalg.eigh((rows * weight[:, None]).T @ rows)[1][:, 0].reshape(3, 3)
        line_a, line_b = b @ matrix[:, :2], a @ matrix[:2].T
        spread = np.einsum("nk,nk->n", line_a, line_a) * sd_a**2
        spread = np.maximum(spread + np.einsum("nk,nk->n", line_b, line_b) * sd_b**2, 1e-30)
        square = (rows @ matrix.reshape(9)) ** 2 / spread
        weight = trust / ((1 + square / width**2) ** 2 * spread)
    return np.asarray(to_b.T @ matrix @ to_a)


def _normalised(points: Array) -> tuple[Array, Array]:
    """The similarity (3, 3) that brings points to mean 0 and spread 1, and the points (N, 3) there."""
    centre = points.mean(axis=0)
    scale = 1 / max(float(np.sqrt(points.var(axis=0).mean())), 1e-12)
    to = np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1.0]])
    return to, np.hstack([(points - centre) * scale, np.ones((len(points), 1))])
