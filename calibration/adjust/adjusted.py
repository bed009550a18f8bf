"""Cameras after an adjustment, and how well they are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.adjust.projection import PARAMETERS
from calibration.camera import Cameras

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Adjusted:
    """Cameras that agree with what they saw.

    Args:
        cameras: V, adjusted.
        error: (V, ...) reprojection error of all that a view saw, pixels, NaN unseen.
        covariance: (V * PARAMETERS,) square, of the camera parameters; 0 where fixed.
        cost: half the robust sum of squares at the end, with the priors.
    """

    cameras: Cameras
    error: Array
    covariance: Array
    cost: float

    @property
    def sd(self) -> Array:
        """(V, PARAMETERS) standard deviations of the camera parameters."""
        variance = np.diag(self.covariance).reshape(len(self.cameras), PARAMETERS)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))
