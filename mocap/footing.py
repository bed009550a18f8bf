"""What holds the feet of somebody whom a single view sees: the floor, slowness and balance, as terms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from mocap.scene import Settings
from rigs.solving.balance import Balance
from rigs.solving.body import Body
from rigs.solving.ground import Ground, soles
from rigs.solving.kinematics import Chain, Pose, locate
from rigs.solving.robust import robust_weight
from rigs.solving.terms import Held, Term

Floats = NDArray[np.float64]

SPAN = 0.1  # seconds, standard deviation, over which a sole's speed is that of a while


@dataclass(frozen=True, eq=False)
class Footing:
    """A person's soles, and how they moved in an earlier solve.

    stature: m; sizes: (G,) m of stature; before: T frames; frame_weight: see `rigs.solving.terms`.
    """

    body: Body
    stature: float
    sizes: Floats
    before: Pose
    fps: float
    frame_weight: float

    def floor(self, sd: float, scale: float) -> Term:
        """Feet near the floor are on it, to `sd` m, under a robust scale in deviations."""
        points, heights = soles(self.body, self.stature)
        return Ground(points, heights, sd, scale, self.frame_weight)

    def slow_feet(self, slowness: Floats, settings: Settings) -> Term:
        """Slow feet are drawn to stand by `slowness` (T' - 1, 4), as one view misses plants."""
        points, _ = soles(self.body, self.stature)
        return Held(points, slowness * self.frame_weight, settings.plant_sd, self.fps)

    def slowness(self, settings: Settings) -> Floats:
        """By how much slow soles are drawn to stand (T - 1, 4), from 0 to 1, after how they moved before.

        The speed is that of a while: soles that are drawn by their speed from one frame to the next stand for
        some and then leap.
        """
        points, _ = soles(self.body, self.stature)
        where = locate(Chain(self.body).place(self.before, self.sizes), points)
        calm = gaussian_filter1d(where, SPAN * self.fps, axis=0, mode="nearest")
        speed = np.linalg.norm(np.diff(calm, axis=0), axis=-1) * self.fps / settings.plant_sd
        return np.asarray(robust_weight(speed**2, settings.plant_scale))

    def balance(self, start: int, stands: NDArray[np.bool_], sd: float, scale: float) -> Term:
        """From frame `start` on the weight acts between soles that stand (T', 4); sd in statures."""
        posed = Chain(self.body).place(self.before[start : start + len(stands)], self.sizes)
        sd, weight = sd * self.stature, self.frame_weight
        return Balance(self.body, self.stature, posed, stands, self.fps, sd, scale, weight)
