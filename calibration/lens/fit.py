"""One lens model fitted to images of a board, robustly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board
from calibration.boards.poses import board_poses
from calibration.camera import Camera
from calibration.lens.solve import Terms, solve_lens

Array = NDArray[np.float64]

# What is estimated of k1 k2 p1 p2 k3 k4 k5 k6 (fisheye: k1 k2 k3 k4).
_FREE = {
    "pinhole 4": (0, 1, 2, 3),
    "pinhole 5": (0, 1, 2, 3, 4),
    "pinhole 8": tuple(range(8)),
    "fisheye": (0, 1, 2, 3),
}
_FOCALS = (0.4, 0.55, 0.75, 1.0, 1.35, 1.8, 2.5, 3.5)  # of the long side: 100 to 16 degrees
RAYLEIGH_MEDIAN = 1.1774  # of the distance from the truth, when x and y scatter with deviation 1
_ROUNDS = 3  # of estimating the scatter and adjusting with it
_ROBUST, _LEAST_SCALE = 4.0, 0.05  # deviations; px, for images without noise
# Priors, which matter only where images say little: centres of real cameras are within 3 % of the middle, and
# the distortion of lenses within these. Leaving k2, p1 and p2 out instead, where the data did not prove them,
# put focal lengths 3 % off (webcams with k1 0.18 and k2 -0.26, the board in a fifth of the image).
CENTRE_SD = 0.04
BEND_SD = np.array([0.5, 0.25, 0.004, 0.004, 0.25, 0.25, 0.25, 0.25])
_SQUARE_SD = 0.005  # of fx / fy: calibrations with hundreds of images have 0.995 to 1.003
BEND_SD = np.array([0.5, 0.25, 0.004, 0.004, 0.25, 0.25, 0.25, 0.25])
_LAST_SD = 0.3  # of the highest coefficient: if it is less certain than that, the data do not hold it
_REACH = 0.8  # of the image's half diagonal that the corners must reach for k3 to be believed
_LARGEST_K3 = 2.0  # wide lenses of phones and action cameras have up to 0.5
_FOV = (np.deg2rad(3.0), np.deg2rad(160.0))


@dataclass(frozen=True, eq=False)
class Fit:
    """A lens model fitted to N images of C corners.

    Args:
        kind: a key of the models above.
        camera: at the origin, without a name.
        free: (8,) coefficients that were estimated.
        error: (N, C) px, NaN unseen.
        normals: (N, 3) of the board in camera axes.
        spread: (4 + n,) standard deviations of fx, fy, cx, cy, px, and of the coefficients.
    """

    kind: str
    camera: Camera
    free: NDArray[np.bool_]
    error: Array
    normals: Array
    spread: Array

    @property
    def rms(self) -> float:
        """Over all corners, px."""
        return float(np.sqrt(np.nanmean(self.error**2)))

    @property
    def image_rms(self) -> Array:
        """(N,) px."""
        return np.asarray(np.sqrt(np.nanmean(self.error**2, axis=1)))

    @property
    def sd(self) -> Array:
        """(4,) standard deviations of fx, fy, cx, cy, px."""
        return self.spread[:4]

    def criterion(self, most: float) -> float:
        """Schwarz' information criterion, lower is better; errors above `most` px count as that."""
        error = np.minimum(self.error, most)
        count = 2 * int(np.isfinite(error).sum())
        return count * np.log(max(float(np.nanmean(error**2)), 1e-12)) + int(self.free.sum()) * np.log(count)


def fit_lens(
    corners: Array, board: Board, size: tuple[int, int], kind: str, start: Fit | None = None
) -> Fit | None:
    """Fit a lens model, wrong corners having little say.

    Args:
        corners: (N, C, 2) px, NaN unseen; at least 6 in each image.
        board: that was seen.
        size: (width, height) px.
        kind: "pinhole 4", "pinhole 5", "pinhole 8" or "fisheye".
        start: another fit of the same images, to start from.

    Returns:
        The fit, or None where there is none.
    """
    free = np.isin(np.arange(8), _FREE[kind])
    camera, poses = _start(corners, board, size, kind, None if start is None else start.camera)
    bend = (free * BEND_SD)[: len(camera.distortion)]
    prior = np.array([np.inf, np.inf, *2 * [CENTRE_SD * max(size)], *bend])
    spread = np.zeros_like(prior)
    for _ in range(_ROUNDS if start is None else 1):
        if not np.isfinite(poses).all():
            return None
        error = _errors(camera, poses, corners, board)
        scale = max(float(np.nanmedian(error)) / RAYLEIGH_MEDIAN, _LEAST_SCALE)
        terms = Terms(corners, board, scale, _ROBUST, prior, _square(start))
        camera, poses, spread = solve_lens(camera, poses, terms)
        poses = _better(camera, poses, corners, board)
    return Fit(kind, camera, free, _errors(camera, poses, corners, board), poses[:, :3, 2], spread)


def _square(start: Fit | None) -> float:
    """Deviation of fx / fy about 1: real pixels are square, unless the first fit of the images denies it."""
    if start is None:
        return float("inf")
    off = abs(start.camera.K[0, 0] / start.camera.K[1, 1] - 1)
    unsure = np.hypot(*start.sd[:2] / np.diag(start.camera.K)[:2])
    return _SQUARE_SD if off < max(4 * unsure, 2 * _SQUARE_SD) else float("inf")


def _start(
    corners: Array, board: Board, size: tuple[int, int], kind: str, known: Camera | None
) -> tuple[Camera, Array]:
    """The focal length with which the boards fit best, or the known lens; and where the boards are."""
    count = {"pinhole 8": 8, "fisheye": 4}.get(kind, 5)
    model = "fisheye" if kind == "fisheye" else "pinhole"
    if known is not None and known.model == model:
        bend = np.zeros(count)
        shared = min(count, len(known.distortion))
        bend[:shared] = known.distortion[:shared]
        bend[~np.isin(np.arange(count), _FREE[kind])] = 0.0
        camera = replace(known, distortion=bend)
        return camera, board_poses(camera, corners, board)
    best: tuple[float, Camera, Array] | None = None
    for share in _FOCALS:
        camera = _simple(size, share * max(size), count, model)
        poses = board_poses(camera, corners, board)
        miss = np.minimum(_errors(camera, poses, corners, board), 0.05 * max(size))
        cost = float(np.nanmedian(miss))
        if best is None or cost < best[0]:
            best = cost, camera, poses
    assert best is not None
    return best[1:]


def _simple(size: tuple[int, int], focal: float, count: int, model: str) -> Camera:
    matrix = np.array([[focal, 0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1]])
    return Camera("", size, matrix, np.zeros(count), np.eye(4), model)


def _better(camera: Camera, poses: Array, corners: Array, board: Board) -> Array:
    """Poses, turned over where the other of the two that a flat board may have fits better."""
    other = board_poses(camera, corners, board)
    gain = _image_error(camera, poses, corners, board) - _image_error(camera, other, corners, board)
    return np.where((gain > 0)[:, None, None], other, poses)


def _image_error(camera: Camera, poses: Array, corners: Array, board: Board) -> Array:
    return np.asarray(np.nanmean(_errors(camera, poses, corners, board) ** 2, axis=1))


def _errors(camera: Camera, poses: Array, corners: Array, board: Board) -> Array:
    """(N, C) px; NaN unseen; the image's diagonal where the camera cannot see what it saw."""
    points = np.einsum("nij,cj->nci", poses[:, :3, :3], board.corners) + poses[:, None, :3, 3]
    error = np.linalg.norm(camera.project(points) - corners, axis=-1)
    lost = np.isnan(error) & np.isfinite(corners).all(axis=-1)
    return np.where(lost, np.hypot(*camera.size), error)


def plausible(fit: Fit, corners: Array) -> bool:
    """Whether the data hold the model: nothing in it is invented where no corner was.

    Args:
        fit: a pinhole.
        corners: (N, C, 2) px that it was fitted to.
    """
    wide, high = fit.camera.size
    fov = 2 * np.arctan(wide / 2 / fit.camera.K[0, 0])
    rim = np.array([[x, y] for x in (-0.5, wide / 2, wide - 0.5) for y in (-0.5, high / 2, high - 0.5)])
    if not _FOV[0] < fov < _FOV[1] or np.isnan(fit.camera.undistort(rim)).any():
        return False
    if fit.kind == "pinhole 4":
        return True
    centre = np.array([wide, high]) / 2
    reach = np.nanpercentile(np.linalg.norm(corners - centre, axis=-1), 99) / np.linalg.norm(centre)
    last = fit.camera.distortion[4]
    held = fit.spread[8] < _LAST_SD * abs(last) or fit.kind == "pinhole 8"
    return bool(reach > _REACH and held and abs(last) < _LARGEST_K3)
