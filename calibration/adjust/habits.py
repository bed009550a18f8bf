"""How a detector errs in one view for a whole clip, whatever the number of frames.

Its errors are not new in every frame: in each view it sees the body a little turned, larger, shifted, or too
flat, and goes on to do so. More frames do not average that out, so it has unknowns of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera

Array = NDArray[np.float64]

COUNT = 7  # around, above, roll, size, right, down, perspective
_ABOVE, _PERSPECTIVE = 1, 6
_NEAREST_DEPTH = 0.3  # metres


@dataclass(frozen=True, eq=False)
class Habits:
    """Gaussian expectations of one view's habits.

    Args:
        sd: (COUNT,) deviations: the body seen too far around (radians, about the image's vertical), from too
            far above (radians), rolled (radians), too large (share), too far right and down (shares of
            `stature`), and its perspective too flat (share).
        stature: metres.
        high, low: joints whose means lie above each other in an upright body.
        above: what is expected of "above": at level, radians, and the share of the view's elevation.
        perspective: what is expected of the perspective.
    """

    sd: Array
    stature: float
    high: NDArray[np.intp]
    low: NDArray[np.intp]
    above: tuple[float, float] = (0.0, 0.0)
    perspective: float = 0.0

    def expected(self, camera: Camera, points: Array) -> Array:
        """(COUNT,) what is expected of a view of the body (T, J, 3)."""
        body = points[:, self.high].mean(axis=1) - points[:, self.low].mean(axis=1)
        up = np.mean(body / np.linalg.norm(body, axis=-1, keepdims=True), axis=0)
        ray = np.mean(np.median(points, axis=1), axis=0) - camera.centre
        sine = -float(ray @ up / np.linalg.norm(ray) / max(float(np.linalg.norm(up)), 1e-9))
        out = np.zeros(COUNT)
        out[_ABOVE] = self.above[0] + self.above[1] * np.arcsin(np.clip(sine, -1.0, 1.0))
        out[_PERSPECTIVE] = self.perspective
        return out

    def patterns(self, camera: Camera, points: Array) -> Array:
        """How a unit of each habit moves the landmarks (T, J, 3) in the image: (T, J, 2, COUNT) pixels."""
        pose = camera.camera_from_world
        seen = points @ pose[:3, :3].T + pose[:3, 3]
        middle = np.median(seen, axis=1, keepdims=True)
        ray = middle / np.linalg.norm(middle, axis=-1, keepdims=True)
        depth = np.maximum(middle[..., 2], _NEAREST_DEPTH)
        x, y, _ = np.moveaxis(seen - middle, -1, 0)
        far = np.sum((seen - middle) * ray, axis=-1)
        none, whole = np.zeros_like(far), np.full_like(far, self.stature)
        right = np.stack([far, none, -y, x, whole, none, x * far / depth], axis=-1)
        down = np.stack([none, far, x, y, none, whole, y * far / depth], axis=-1)
        focal = np.diag(camera.K)[:2]
        return np.stack([right, down], axis=2) * focal[:, None] / depth[..., None, None]
