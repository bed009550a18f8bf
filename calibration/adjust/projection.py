"""Where a camera sees a point, and how that changes with the point, the lens and the camera's place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera
from calibration.distortion import distort
from calibration.rotation import from_rotvec

Array = NDArray[np.float64]

# One camera's parameters, in this order.
ROTATION = slice(0, 3)  # radians, about the camera's axes: R' = exp(w) R
TRANSLATION = slice(3, 6)  # metres, of camera_from_world
FOCAL = slice(6, 8)  # natural logarithms of fx and fy
CENTRE = slice(8, 10)  # pixels
BEND = slice(10, 18)  # distortion coefficients in OpenCV's order, as many as the camera has
TIME = 18  # seconds by which the view's times are late
PARAMETERS = 19

_NEAREST_DEPTH = 1e-6  # metres
_STEP = 1e-6  # of the numerical derivatives of the distortion


def project(camera: Camera, points: Array, *, lens: bool = True) -> tuple[Array, Array, Array]:
    """Project points with all derivatives.

    Args:
        camera: V = 1.
        points: (N, 3) in the world.
        lens: whether the derivatives by the lens are wanted; without, they are 0.

    Returns:
        pixels: (N, 2), NaN where the camera cannot see the point.
        by_point: (N, 2, 3) derivative by the point in the world.
        by_camera: (N, 2, PARAMETERS) derivative by the camera's parameters; that by time is 0.
    """
    rotation = camera.camera_from_world[:3, :3]
    turned = points @ rotation.T
    seen = turned + camera.camera_from_world[:3, 3]
    pixels, by_seen, by_lens = _image(camera, seen, lens)
    by_camera = np.zeros((len(points), 2, PARAMETERS))
    by_camera[:, :, ROTATION] = np.cross(turned[:, None, :], by_seen)
    by_camera[:, :, TRANSLATION] = by_seen
    by_camera[:, :, FOCAL.start : TIME] = by_lens
    return pixels, by_seen @ rotation, by_camera


def moved(camera: Camera, step: Array) -> Camera:
    """Return the camera with a step (PARAMETERS,) added to its parameters; time is not the camera's."""
    pose = np.array(camera.camera_from_world)
    pose[:3, :3] = from_rotvec(step[ROTATION]) @ pose[:3, :3]
    pose[:3, 3] += step[TRANSLATION]
    if not step[FOCAL.start : TIME].any():
        return replace(camera, camera_from_world=pose)
    matrix = np.array(camera.K)
    matrix[[0, 1], [0, 1]] *= np.exp(step[FOCAL])
    matrix[:2, 2] += step[CENTRE]
    bend = camera.distortion + step[BEND][: len(camera.distortion)]
    return replace(camera, K=matrix, distortion=bend, camera_from_world=pose)


def _image(camera: Camera, seen: Array, lens: bool) -> tuple[Array, Array, Array]:
    """Pixels of points in camera axes, and their derivatives by the point and by the lens (N, 2, 12)."""
    depth = np.where(seen[:, 2] > _NEAREST_DEPTH, seen[:, 2], np.nan)
    xy = seen[:, :2] / depth[:, None]
    bent = distort(xy, camera.distortion, camera.model)
    flat = np.zeros((len(seen), 2, 3))  # derivative of x/z, y/z
    flat[:, 0, 0] = flat[:, 1, 1] = 1 / depth
    flat[:, :, 2] = -xy / depth[:, None]
    by_seen = camera.K[:2, :2] @ _bend_by_xy(camera, xy) @ flat
    by_lens = np.zeros((len(seen), 2, TIME - FOCAL.start))
    by_lens[:, 0, 0] = camera.K[0, 0] * bent[:, 0]
    by_lens[:, 1, 1] = camera.K[1, 1] * bent[:, 1]
    by_lens[:, 0, 2] = by_lens[:, 1, 3] = 1.0
    for k in range(len(camera.distortion) if lens else 0):
        by_lens[:, :, 4 + k] = _bend_by_coefficient(camera, xy, k) @ camera.K[:2, :2].T
    return bent @ camera.K[:2, :2].T + camera.K[:2, 2], by_seen, by_lens


def _bend_by_xy(camera: Camera, xy: Array) -> Array:
    """(N, 2, 2) derivative of the distortion by x, y."""
    if camera.model == "pinhole" and not camera.distortion.any():
        return np.broadcast_to(np.eye(2), (len(xy), 2, 2))
    columns = []
    for step in np.eye(2) * _STEP:
        ahead, behind = (distort(xy + s, camera.distortion, camera.model) for s in (step, -step))
        columns.append((ahead - behind) / (2 * _STEP))
    return np.stack(columns, axis=-1)


def _bend_by_coefficient(camera: Camera, xy: Array, k: int) -> Array:
    """(N, 2) derivative of the distortion by its k-th coefficient."""
    step = np.zeros(len(camera.distortion))
    step[k] = _STEP
    ahead, behind = (distort(xy, camera.distortion + s, camera.model) for s in (step, -step))
    return np.asarray((ahead - behind) / (2 * _STEP))
