"""Squares of points' shifts as inertia of the bones that carry them.

A bone moves by a twist: shift v and turn w about the root. A point p that it carries, p from the root, moves
by P (v, w) with P = [I, -[p]x], so a square of points' shifts is a 6 x 6 matrix a bone, the sum of P^T W P,
also between a bone in one frame and the same in a later one. `rigs.solving.composite` turns all of it into
normal equations at once, however many terms there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs.solving.body import Floats
from rigs.solving.kinematics import Points, Posed, locate


class Inertia:
    """What moving bones costs.

    pairs[s]: (T - s, J, 6, 6), bones in frame t against the same in frame t + s.
    wrench: (T, J, 6), the slope.
    """

    def __init__(self, frames: int, joints: int, reach: int) -> None:
        self.pairs = [np.zeros((max(frames - s, 0), joints, 6, 6)) for s in range(reach + 1)]
        self.wrench = np.zeros((frames, joints, 6))

    def add(self, carried: Carried, information: Floats) -> None:
        """Add symmetric information (T, N, 3, 3) on where points are."""
        turned = _cross(carried.arms, information)
        twice = _cross(carried.arms, turned.swapaxes(-1, -2))
        out = self.pairs[0]
        out[..., :3, :3] += carried.summed(information)
        side = carried.summed(turned)
        out[..., 3:, :3] += side
        out[..., :3, 3:] += side.swapaxes(-1, -2)
        out[..., 3:, 3:] += carried.summed(twice)

    def add_scalars(self, s: int, carried: Carried, weight: Floats) -> None:
        """Add weight (T - s, N) on the products of points' shifts in frames t and t + s."""
        here, there = carried.arms[: len(weight)], carried.arms[s:]
        outer = (weight[..., None] * there)[..., None] * here[..., None, :]
        total, heavy = carried.summed(weight), carried.summed(weight[..., None] * here)
        ahead = heavy if s == 0 else carried.summed(weight[..., None] * there)
        square, out = carried.summed(outer), self.pairs[s]
        trace = square[..., 0, 0] + square[..., 1, 1] + square[..., 2, 2]
        out[..., 3:, 3:] -= square
        for k in range(3):
            a, b = (k + 1) % 3, (k + 2) % 3
            out[..., k, k] += total
            out[..., 3 + k, 3 + k] += trace
            out[..., 3 + a, b] -= heavy[..., k]
            out[..., 3 + b, a] += heavy[..., k]
            out[..., a, 3 + b] += ahead[..., k]
            out[..., b, 3 + a] -= ahead[..., k]

    def pull(self, carried: Carried, pull: Floats) -> None:
        """Add the slope (T, N, 3) by where points are."""
        self.wrench[..., :3] += carried.summed(pull)
        self.wrench[..., 3:] += carried.summed(np.cross(carried.arms, pull))


@dataclass(frozen=True, eq=False)
class Carried:
    """Points that bones carry stiffly: `home` (J, N), 1 where a bone carries a point; arms (T, N, 3) m."""

    home: Floats
    arms: Floats

    @classmethod
    def at(cls, posed: Posed, points: Points) -> Carried:
        """Points in a pose that are carried by the bones of their own joints."""
        bones = np.arange(len(posed.chain.body.names))
        return cls((bones[:, None] == points.joint) * 1.0, locate(posed, points) - posed.positions[:, :1])

    def summed(self, values: Floats) -> Floats:
        """Sum values (T, N, ...) of points to values (T, J, ...) of bones."""
        flat = self.home @ values.reshape(*values.shape[:2], -1)
        return flat.reshape(len(values), len(self.home), *values.shape[2:])


def _cross(arms: Floats, matrix: Floats) -> Floats:
    """[arm]x @ matrix for arms (T, N, 3) and matrices (T, N, 3, 3)."""
    out = np.empty_like(matrix)
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        out[..., k, :] = arms[..., a, None] * matrix[..., b, :] - arms[..., b, None] * matrix[..., a, :]
    return out
