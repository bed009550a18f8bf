"""Which way is up before a camera, and how long its lens is, by the three directions of most straight edges.

Most of what people build has edges upright and along two level directions at right angles (the Manhattan
world of Coughlan and Yuille 1999). Each edge is along one of the three, or along none; the directions and the
lens that make the edges likeliest are sought from random samples of three (Fischler and Bolles 1981), for
each of several focal lengths, and then step by step. How well each focal length explains the edges tells how
well it is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from calibration.rotation import from_rotvec
from calibration.surroundings.edges import Edges, slants

Array = NDArray[np.float64]

NONE, EACH = 0.4, 0.2  # share of edges along no direction, and along each
CONE = np.deg2rad(25.0)  # about the expected up within which it is sought
SAMPLES = 800  # for each focal length
LENGTHS = np.linspace(-2.0, 2.0, 13)  # logarithms of focal lengths that are tried, deviations
APART = 0.03  # sine of the angle between planes below which they do not tell where they meet
TAILS = 4.0  # degrees of freedom of what is expected of up (Student's t)
BEND_SD = 0.1  # of k1 before the edges are asked
BENT = 8.0  # by which a bend must make the edges likelier (natural logarithm) to be believed
STEP = (0.02, 0.02, 0.02, 0.04, 0.05)  # first steps: radians, logarithm of the focal length, bend
FEW = 20  # edges
ENOUGH = 12.0  # natural logarithm: by which the edges must be likelier than if they had no direction


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What straight edges tell.

    up: (3,) in their axes; zoom: times the focal length assumed; zoom_sd: by which that may be off, a share;
    bend: k1 of Brown's model; evidence: by how much the edges are likelier than edges without directions
    (natural logarithm).
    """

    up: Array
    zoom: float
    zoom_sd: float
    bend: float
    evidence: float


class _Found(NamedTuple):
    """A state, and the logarithm of its posterior: axes (3, 3) in rows, the first up."""

    score: float
    axes: Array
    length: float
    bend: float


def find_surroundings(edges: Edges, up: Array, up_sd: float, length_sd: float) -> Surroundings | None:
    """Find the directions of edges, and the lens.

    Args:
        edges: see `calibration.surroundings.edges.find_edges`.
        up: (3,) what is expected, of length one.
        up_sd: radians by which that may be off.
        length_sd: share by which the assumed focal length may be off; 0 = it is known, and so is the bend.

    Returns:
        None where the edges do not tell.
    """
    if len(edges) < FEW:
        return None
    ask = _Question(edges, up, up_sd, length_sd)
    rng = np.random.default_rng(0)
    found = [best for length in LENGTHS * length_sd if (best := ask.sampled(length, rng)) is not None]
    if length_sd == 0:
        found = found[:1]
    if not found:
        return None
    polished = [ask.climb(one, 3) for one in found]
    best = max(polished, key=lambda one: one.score)
    lengths, scores = np.array([one.length for one in polished]), np.array([one.score for one in polished])
    chance = np.exp(scores - scores.max())
    mean = float(np.average(lengths, weights=chance))
    spread = float(np.sqrt(np.average((lengths - mean) ** 2, weights=chance)))
    if length_sd:
        step = float(LENGTHS[1] - LENGTHS[0]) * length_sd
        best = ask.climb(best, 4) if spread < step else ask.climb(best._replace(length=mean), 3)
        spread = float(np.hypot(spread, step / np.sqrt(12)))
        bent = ask.climb(best, 5)
        best = bent if bent.score > best.score + BENT else best
    evidence = ask.evidence(best)
    if evidence < ENOUGH:
        return None
    return Surroundings(best.axes[0], float(np.exp(best.length)), spread, best.bend, evidence)


@dataclass(frozen=True, eq=False)
class _Question:
    """Edges, and what is expected: see `find_surroundings`."""

    edges: Edges
    up: Array
    up_sd: float
    length_sd: float

    def likelihood(self, axes: Array, sight: tuple[Array, Array]) -> Array:
        """Logarithm of how much likelier the edges are along axes (..., 3, 3) than along anything."""
        error = self.edges.error
        peak = EACH * np.sqrt(np.pi / 2) / error
        off = slants(*sight, axes) / error
        return np.asarray(np.log(NONE + (peak * np.exp(-0.5 * off**2)).sum(axis=-2)) @ self.edges.counts)

    def prior(self, up: Array) -> Array:
        """Logarithm of how likely an up (..., 3) is."""
        angle = np.arccos(np.clip(up @ self.up, -1.0, 1.0)) / self.up_sd
        return np.asarray(-0.5 * (TAILS + 1) * np.log1p(angle**2 / TAILS))

    def score(self, axes: Array, length: float, bend: float, sight: tuple[Array, Array]) -> Array:
        """Logarithm of the posterior, but for a constant."""
        lens = (length / self.length_sd) ** 2 if self.length_sd else 0.0
        lens += (bend / BEND_SD) ** 2
        return self.likelihood(axes, sight) + self.prior(axes[..., 0, :]) - 0.5 * lens

    def evidence(self, found: _Found) -> float:
        """By how much the edges are likelier so than along anything."""
        return float(self.likelihood(found.axes, self.edges.sight(np.exp(found.length), found.bend)))

    def sampled(self, length: float, rng: np.random.Generator) -> _Found | None:
        """The best axes that three edges span, two of them alike, the third along another."""
        sight = self.edges.sight(np.exp(length))
        chance = self.edges.counts / self.edges.counts.sum()
        one, two, other = sight[0][rng.choice(len(self.edges), (3, SAMPLES), p=chance)]
        alike, clear = _across(one, two)
        alike = np.where(alike @ self.up < 0, -1.0, 1.0)[:, None] * alike
        towards = alike @ self.up
        upright, level = towards > np.cos(CONE), np.abs(towards) < np.sin(CONE)
        across, crossed = _across(alike, other)
        up = np.where(level[:, None], across * np.where(across @ self.up < 0, -1.0, 1.0)[:, None], alike)
        along = np.where(level[:, None], alike, across)
        good = clear & crossed & (upright | level) & (up @ self.up > np.cos(CONE))
        if not good.any():
            return None
        up, along = up[good], along[good]
        axes = np.stack([up, along, np.cross(up, along)], axis=1)
        scores = self.score(axes, length, 0.0, sight)
        best = int(scores.argmax())
        return _Found(float(scores[best]), axes[best], length, 0.0)

    def climb(self, start: _Found, free: int) -> _Found:
        """The best near a state (Nelder and Mead 1965).

        Args:
            start: the state.
            free: how many of the turn's three, the focal length and the bend may change.
        """
        from scipy.optimize import minimize

        def state(x: Array) -> tuple[Array, float, float]:
            length = float(x[3]) if free > 3 else start.length
            return start.axes @ from_rotvec(x[:3]).T, length, float(x[4]) if free > 4 else start.bend

        def cost(x: Array) -> float:
            axes, length, bend = state(x)
            return -float(self.score(axes, length, bend, self.edges.sight(np.exp(length), bend)))

        first = np.array([0.0, 0.0, 0.0, start.length, start.bend])[:free]
        simplex = np.vstack([first, first + np.diag(STEP[:free])])
        found = minimize(
            cost,
            first,
            method="Nelder-Mead",
            options={"initial_simplex": simplex, "xatol": 1e-4, "fatol": 1e-3, "maxiter": 200 * free},
        )
        return _Found(-float(found.fun), *state(found.x))


def _across(a: Array, b: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Directions (N, 3) across both of two, and whether these tell them."""
    across = np.cross(a, b)
    size = np.linalg.norm(across, axis=1)
    return across / np.maximum(size, 1e-12)[:, None], size > APART
