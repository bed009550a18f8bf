"""How joints bend: within limits, near rest or near what is foretold, together where they share a bend."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rigs import quat
from rigs.solving.body import Body, Floats, Ints
from rigs.solving.kinematics import Chain, Posed, right_jacobian_inverse
from rigs.solving.normal import Normal


@dataclass
class Limits:
    """Joints stay within their limits: one-sided springs on the rotation vector from rest.

    sd: radians beyond the limit that cost one deviation.
    """

    body: Body
    sd: float = float(np.deg2rad(3.0))
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the sum of squared excesses, in deviations."""
        return 0.5 * float((self._excess(posed) ** 2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Add the springs that are stretched."""
        excess = self._excess(posed)
        _add_joints(posed, excess != 0, self._gain, excess, normal)

    @property
    def _gain(self) -> float:
        return float(np.sqrt(self.frame_weight)) / self.sd

    def _excess(self, posed: Posed) -> Floats:
        low, high = _bounds(self.body, posed.chain)
        return (np.minimum(posed.angles - low, 0.0) + np.maximum(posed.angles - high, 0.0)) * self._gain


@dataclass
class Rest:
    """Joints that nothing is seen of stay relaxed, and those that share a bend share it."""

    body: Body
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the sum of squares: how far joints are from relaxed, and sharing ones apart, in deviations."""
        pull, share = self._pull(posed), self._share(posed)
        return 0.5 * float((pull**2).sum() + (share**2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Add both springs; a sharing joint is tied to its like."""
        _add_joints(posed, np.True_, self._firm, self._pull(posed), normal)
        share = self._share(posed)
        for k, (mine, other) in enumerate(zip(self._tied, self._like, strict=True)):
            columns = posed.chain.columns[[mine, other]].reshape(-1)
            rows = np.concatenate([posed.slopes[:, mine], -posed.slopes[:, other]], axis=-1) * self._tie[k]
            used = columns >= 0
            rows, columns = rows[..., used], columns[used]
            normal.add(0, columns, rows.swapaxes(1, 2) @ rows)
            normal.gradient[:, columns] += (share[:, k, None] @ rows)[:, 0]

    def _pull(self, posed: Posed) -> Floats:
        return self._away(posed) * self._firm

    def _away(self, posed: Posed) -> Floats:
        """Angles (T, J, 3) from the relaxed pose, or from rest where a joint has none."""
        return posed.angles - np.nan_to_num(self.body.relaxed)

    def _share(self, posed: Posed) -> Floats:
        away = self._away(posed)
        return (away[:, self._tied] - away[:, self._like]) * self._tie

    @cached_property
    def _firm(self) -> Floats:
        return np.asarray(np.sqrt(self.frame_weight) / self.body.rest_sd)

    @cached_property
    def _tied(self) -> Ints:
        return np.flatnonzero(self.body.like_joint >= 0)

    @cached_property
    def _like(self) -> Ints:
        return self.body.like_joint[self._tied]

    @cached_property
    def _tie(self) -> Floats:
        return np.asarray(np.sqrt(self.frame_weight) / self.body.like_sd[self._tied])[:, None]


@dataclass
class Turned:
    """Ball joints are turned in their parents as is foretold.

    joints: (K,) rows of ball joints; rotations: (T, K, 4) local; sd: (T, K, 3) rad about the joints' own
    axes; frame_weight: see `rigs.solving.terms`.
    """

    joints: Ints
    rotations: Floats
    sd: Floats
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the sum of squared rotation vectors from what is foretold, in deviations."""
        return 0.5 * self.frame_weight * float(((self._off(posed) / self.sd) ** 2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Gauss-Newton on the rotation vectors, which are within a frame and a joint."""
        off = self._off(posed)
        rows = right_jacobian_inverse(off) * (np.sqrt(self.frame_weight) / self.sd)[..., None]
        pull = (off * (np.sqrt(self.frame_weight) / self.sd))[..., None, :] @ rows
        for k, columns in enumerate(posed.chain.columns[self.joints]):
            normal.add(0, columns, rows[:, k].swapaxes(1, 2) @ rows[:, k])
            normal.gradient[:, columns] += pull[:, k, 0]

    def _off(self, posed: Posed) -> Floats:
        local = posed.pose.rotations[:, self.joints]
        return quat.to_rotvec(quat.multiply(quat.conjugate(self.rotations), local))


def _bounds(body: Body, chain: Chain) -> Floats:
    """Lower and upper limit of each joint's freedoms (2, J, 3), radians; infinite where there is none."""
    limits = np.concatenate([np.zeros((3, 2)), body.limits])[chain.columns]
    return np.where(chain.columns[..., None] >= 0, limits, [-np.inf, np.inf]).transpose(2, 0, 1)


def _add_joints(posed: Posed, active: object, gain: float | Floats, residual: Floats, normal: Normal) -> None:
    """Add springs on single joints' angles: gain a joint, residual and whether it is active (T, J, 3)."""
    rows = posed.slopes * (np.asarray(active) * gain)[..., None]
    chain = posed.chain
    joint, a, b = chain.pairs
    square = (rows.swapaxes(-1, -2) @ rows)[:, joint, a, b]
    normal.blocks[0][:, chain.columns[joint, a], chain.columns[joint, b]] += square
    joint, a = np.nonzero(chain.columns >= 0)
    pull = (residual[..., None, :] @ rows)[:, :, 0]
    normal.gradient[:, chain.columns[joint, a]] += pull[:, joint, a]
