"""What of the cameras a bundle adjustment may move, how far, and what moves together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.adjust.projection import BEND, CENTRE, FOCAL, PARAMETERS, ROTATION, TIME, TRANSLATION

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Freedom:
    """How far each camera parameter may go.

    Args:
        sd: (V, PARAMETERS) 0 = fixed, infinite = free, else the deviation of a Gaussian about the start.
        tied: (V, PARAMETERS) parameters with one number take the same steps; None = each for itself.
    """

    sd: Array
    tied: NDArray[np.intp] | None = None

    @classmethod
    def of(
        cls,
        views: int,
        *,
        pose: float = np.inf,
        focal: float = 0.0,
        centre: float = 0.0,
        bend: ArrayLike = 0.0,
        time: float = 0.0,
        square: bool = True,
        shared: bool = False,
    ) -> Freedom:
        """Say it for all views alike: deviations as above.

        Args:
            views: V.
            pose: of rotations (radians) and translations (metres).
            focal: natural logarithm of both focal lengths.
            centre: pixels.
            bend: of the distortion coefficients, one number or up to 8.
            time: seconds.
            square: whether fx and fy keep their ratio.
            shared: whether all views have one lens.
        """
        sd = np.zeros((views, PARAMETERS))
        sd[:, ROTATION], sd[:, TRANSLATION], sd[:, FOCAL], sd[:, CENTRE] = pose, pose, focal, centre
        given = np.atleast_1d(np.asarray(bend, dtype=float))
        sd[:, BEND] = given if len(given) == 1 else np.pad(given, (0, 8 - len(given)))
        sd[:, TIME] = time
        tied = np.arange(sd.size).reshape(sd.shape)
        if shared:
            tied[:, FOCAL.start : TIME] = tied[0, FOCAL.start : TIME]
        if square:
            tied[:, FOCAL.start + 1] = tied[:, FOCAL.start]
        return cls(sd, tied)

    def precision(self) -> Array:
        """(V, PARAMETERS) one over the variance of the priors; those of tied parameters count once."""
        bounded = (self.sd > 0) & np.isfinite(self.sd)
        precision = np.where(bounded, 1 / np.where(bounded, self.sd, 1.0) ** 2, 0.0)
        _, group, size = np.unique(self._numbers(), return_inverse=True, return_counts=True)
        return np.asarray(precision / size[group].reshape(precision.shape))

    def basis(self) -> Array:
        """(V * PARAMETERS, G) one column for each number that is free."""
        free = self.sd.reshape(-1) > 0
        numbers, column = np.unique(self._numbers().reshape(-1)[free], return_inverse=True)
        basis = np.zeros((self.sd.size, len(numbers)))
        basis[np.flatnonzero(free), column] = 1.0
        return basis

    def _numbers(self) -> NDArray[np.intp]:
        return np.arange(self.sd.size).reshape(self.sd.shape) if self.tied is None else self.tied
