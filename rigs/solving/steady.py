"""Joints that turn moderately, whatever carries them: for fingers, which an arm throws about as a whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs.solving.body import Floats
from rigs.solving.kinematics import Posed
from rigs.solving.normal import Normal
from rigs.solving.priors import back_twice, overlaps


@dataclass
class Steady:
    """The integral over time of (angular acceleration / density)^2 of every joint's angles from rest.

    density: (J,) rad / s^1.5, the root of the spectral density of the acceleration; infinite = free.
    """

    density: Floats
    fps: float

    def cost(self, posed: Posed) -> float:
        """Half the integral of squared angular acceleration over density."""
        return 0.5 * float((self._bend(posed) ** 2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Second differences couple three frames, each joint with itself only."""
        frames, chain = len(posed.pose), posed.chain
        if frames < 3:
            return
        rows = posed.slopes * self._gain[..., None]
        joint, a, b = chain.pairs
        for s, times in enumerate(overlaps(np.ones(frames - 2))):
            square = rows[: frames - s].swapaxes(-1, -2) @ (rows[s:] * times[:, None, None, None])
            normal.blocks[s][:, chain.columns[joint, a], chain.columns[joint, b]] += square[:, joint, a, b]
        joint, a = np.nonzero(chain.columns >= 0)
        pull = (back_twice(self._bend(posed))[..., None, :] @ rows)[:, :, 0]
        normal.gradient[:, chain.columns[joint, a]] += pull[:, joint, a]

    @property
    def _gain(self) -> Floats:
        return np.asarray(self.fps**1.5 / self.density[:, None])

    def _bend(self, posed: Posed) -> Floats:
        return np.diff(posed.angles * self._gain, n=2, axis=0)
