"""What a body does while nobody looks: its limbs come to hang, it slows down and stays where it is.

Beside any sight of a limb these pulls are nothing. They are all that is left of the objective in a gap, next
to the acceleration prior: that alone carries on with the speed at the gap's edge and overshoots, or never
stops where the gap is the clip's end. A pull of weight w against an acceleration's weight a works over
(a / w)^(1/4) seconds, so a gap that is shorter is bridged as if there were no pull, and a longer one eased.
Only feet, which turn the slowest and are seen the worst, are steadied where they are seen, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rigs.solving.body import Body, Floats, Ints
from rigs.solving.kinematics import Posed
from rigs.solving.normal import Normal


@dataclass
class Relaxed:
    """Joints with a relaxed pose are near it, and turn as slowly as the body says.

    sd: radians; times: the body's `rate_sd`; frame_weight: of a frame, see `rigs.solving.terms`.
    """

    body: Body
    fps: float
    sd: float
    times: float = 1.0
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the sum of squared angles from the relaxed pose and of their rates, in deviations."""
        away, rate = self._away(posed), self._rate(posed)
        return 0.5 * float((away**2).sum() + (rate**2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Each joint by itself; rates couple a frame with the next."""
        slopes, pull = posed.slopes[:, self._joints], self._away(posed) * self._firm
        firm = np.full(slopes.shape[:2], self._firm**2)
        if len(slopes) > 1:
            steps = self._rate(posed) * self._drag[:, None]
            pull[1:] += steps
            pull[:-1] -= steps
            firm[1:] += self._drag**2
            firm[:-1] += self._drag**2
        turned = slopes.swapaxes(-1, -2)
        columns = posed.chain.columns[self._joints]
        joint, a, b = np.nonzero((columns >= 0)[:, :, None] & (columns >= 0)[:, None])
        rows, across = columns[joint, a], columns[joint, b]
        here = firm[..., None, None] * (turned @ slopes)
        ahead = -(self._drag[:, None, None] ** 2) * (turned[:-1] @ slopes[1:])
        normal.blocks[0][:, rows, across] += here[:, joint, a, b]
        normal.blocks[1][:, rows, across] += ahead[:, joint, a, b]
        joint, a = np.nonzero(columns >= 0)
        normal.gradient[:, columns[joint, a]] += (pull[..., None, :] @ slopes)[:, joint, 0, a]

    def _away(self, posed: Posed) -> Floats:
        return (posed.angles[:, self._joints] - self.body.relaxed[self._joints]) * self._firm

    def _rate(self, posed: Posed) -> Floats:
        return np.diff(posed.angles[:, self._joints], axis=0) * self._drag[:, None]

    @property
    def _firm(self) -> float:
        return float(np.sqrt(self.frame_weight)) / self.sd

    @cached_property
    def _drag(self) -> Floats:
        rate_sd = self.times * self.body.rate_sd[self._joints]
        return np.asarray(np.sqrt(self.frame_weight) * self.fps / rate_sd)

    @cached_property
    def _joints(self) -> Ints:
        return np.flatnonzero(np.isfinite(self.body.relaxed).any(axis=1))
