"""Points that are known to be near somewhere, as a hand is at the end of a forearm that was solved before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs.solving.body import Floats
from rigs.solving.evidence import add_points
from rigs.solving.kinematics import Points, Posed, locate
from rigs.solving.normal import Normal


@dataclass
class Near:
    """Points are near places that are known.

    where: (T, N, 3) m; sd: (N,) or (T, N) m, infinite where nothing is known; frame_weight: see
    `rigs.solving.terms`.
    """

    points: Points
    where: Floats
    sd: Floats
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the sum of squared distances, in deviations."""
        return 0.5 * self.frame_weight * float((self._away(posed) ** 2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Gauss-Newton on the distances, which are within a frame."""
        firm = self.frame_weight / self.sd[..., None]
        pull = self._away(posed) * firm
        information = (firm / self.sd[..., None])[..., None] * np.eye(3)
        add_points(posed, self.points, np.broadcast_to(information, (*pull.shape, 3)), pull, normal)

    def _away(self, posed: Posed) -> Floats:
        return (locate(posed, self.points) - self.where) / self.sd[..., None]
