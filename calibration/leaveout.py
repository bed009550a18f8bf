"""How well each camera is foretold by the others: the judge of a calibration that nobody measured again.

Every landmark is triangulated from all cameras but one and reprojected into the one that was left out. A
calibration that is wrong cannot hide there, as it can in the error of a point that all cameras made together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.camera import Cameras
from calibration.triangulate import reproject_error, triangulate

Array = NDArray[np.float64]

# Of the person's height: the miss at which a view begins to lose its say. On a real clip 0.02 to 0.1 judge
# alike (median 11.7 to 12.0 px); with 0.01 three views fall apart into two and one (mean 17.1 for 14.6 px).
SCALE = 0.03


@dataclass(frozen=True)
class LeftOut:
    """Distances in pixels between what a camera saw and what the others foretell, over all that it saw.

    Args:
        count: of distances.
        median: of all of them, and so on.
        by_camera: median of each camera.
    """

    count: int
    median: float
    mean: float
    p95: float
    by_camera: tuple[float, ...]


def leave_one_out(
    cameras: Cameras,
    pixels: ArrayLike,
    weights: ArrayLike,
    scale_px: float,
    judge: ArrayLike | None = None,
) -> Array:
    """Measure how far each camera saw everything from where the other cameras say it is.

    Args:
        cameras: V, at least three: two that foretell and one that is foretold.
        pixels: (V, T, J, 2), NaN where unseen.
        weights: (V, T, J) confidence, 0 = unseen.
        scale_px: of the robust triangulation; `SCALE` times the person's height in the images.
        judge: (V, T, J, 2) what is foretold, where that is not what the other cameras go by.

    Returns:
        (V, T, J) pixels; NaN where the camera saw nothing, or fewer than two others did.

    Raises:
        ValueError: fewer than three cameras.
    """
    if len(cameras) < 3:
        raise ValueError(f"cameras: leaving one out needs three or more, got {len(cameras)}")
    seen, trust = np.asarray(pixels, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    goal = seen if judge is None else np.asarray(judge, dtype=np.float64)
    out = np.full(trust.shape, np.nan)
    for v, camera in enumerate(cameras):
        others = [k for k in range(len(cameras)) if k != v]
        foretelling = Cameras(tuple(cameras[k] for k in others))
        points, _ = triangulate(foretelling, seen[others], trust[others], scale_px)
        miss = reproject_error(Cameras((camera,)), points, goal[v][None])[0]
        out[v] = np.where(trust[v] > 0, miss, np.nan)
    return out


def summary(error: Array) -> LeftOut:
    """Put distances (V, T, J) into a few numbers; NaN counts for nothing."""
    known = error[np.isfinite(error)]
    if not known.size:
        return LeftOut(0, np.nan, np.nan, np.nan, (np.nan,) * len(error))
    by_camera = [row[np.isfinite(row)] for row in error]
    medians = tuple(float(np.median(row)) if row.size else np.nan for row in by_camera)
    return LeftOut(
        known.size, float(np.median(known)), float(known.mean()), float(np.percentile(known, 95)), medians
    )
