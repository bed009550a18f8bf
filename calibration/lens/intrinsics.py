"""One camera's lens from images of a board.

Source: Zhang 2000, "A flexible new technique for camera calibration", further
distortion coefficients by Schwarz' information criterion and by what the images cover.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.boards.board import Board, Sightings
from calibration.boards.markers import edge_shift, without_shift
from calibration.camera import Camera
from calibration.errors import CameraError, LensError
from calibration.lens.choice import LEAST_CORNERS, choose, coverage
from calibration.lens.fit import RAYLEIGH_MEDIAN, Fit, fit_lens, plausible

Array = NDArray[np.float64]

_LEAST_IMAGES = 3
_BAD_IMAGE = 2.5  # times the median image's rms; of good sets the worst image was at 1.9
_BAD_CORNER = 6.0  # robust standard deviations
_KEPT = 0.6  # of the images must be good
_SAME_TILT = np.deg2rad(10.0)  # boards this parallel to each other tell nothing of the focal length
_FOCAL_SD = 0.02  # of the focal length: more is refused
_GREATER_NOISE = 0.1  # px; a smaller rms of few corners is luck
_FISHEYE_PX, _FISHEYE_GAIN = (
    1.0,
    0.6,
)  # a fisheye is tried when a pinhole is this bad, and taken when this better


@dataclass(frozen=True, eq=False)
class Lens:
    """A camera's intrinsics with what they rest on.

    Args:
        camera: at the world's origin.
        free: (8,) which distortion coefficients were estimated; the others are 0.
        rms: reprojection error over all corners used, px.
        image_rms: (N,) px for each image of the sightings, NaN where it was not used.
        sd: (4,) standard deviations of fx, fy, cx, cy, px.
        coverage: share of the image in which the board has been.
        dropped: labels of the images that contradict the others, with their rms, px.
        problem: why the images do not determine the lens; empty if they do.
        shift: px by which edges of markers creep inwards in its images.
    """

    camera: Camera
    free: NDArray[np.bool_]
    rms: float
    image_rms: Array
    sd: Array
    coverage: float
    dropped: tuple[tuple[str, float], ...] = ()
    problem: str = ""
    shift: float = 0.0

    @property
    def used(self) -> int:
        """How many images were used."""
        return int(np.isfinite(self.image_rms).sum())


def calibrate_lens(
    sightings: Sightings, board: Board, model: str | None = None, *, most: int = 40, strict: bool = True
) -> Lens:
    """Find a camera's intrinsics.

    Args:
        sightings: of a board in one view.
        board: which.
        model: "pinhole" or "fisheye"; None = a pinhole unless it plainly fails.
        most: images to use.
        strict: whether images that do not determine the focal length are refused; otherwise the lens says
            what is the matter, for other views may still help.

    Raises:
        LensError: too few images; or, if strict, all in one tilt, or a focal length that stays uncertain.
    """
    chosen = choose(sightings, board, most)
    if len(chosen) < _LEAST_IMAGES:
        raise LensError(
            f"view {sightings.name}: {len(chosen)} of {len(sightings)} images show enough of the board, and"
            f" {_LEAST_IMAGES} are needed, better 15: film it longer, near and far, tilted, in every corner"
        )
    start = _fitted(sightings, board, chosen, "fisheye" if model == "fisheye" else "pinhole 4")
    shift = edge_shift(start.camera, sightings.corners[chosen], board)
    sightings = replace(sightings, corners=without_shift(sightings.corners, board, shift))
    start = _best(start, sightings.corners[chosen], board, sightings, model)
    fit, corners, chosen, dropped = _without_bad_images(sightings, board, chosen, start)
    problem = _same_tilt(sightings.name, fit) or uncertain_focal(sightings.name, fit.camera, fit.sd, fit.rms)
    if problem and strict:
        raise LensError(problem)
    image_rms = np.full(len(sightings), np.nan)
    image_rms[chosen] = fit.image_rms
    camera = replace(fit.camera, name=sightings.name)
    covered = coverage(corners, sightings.size)
    return Lens(camera, fit.free, fit.rms, image_rms, fit.sd, covered, dropped, problem, shift)


def _fitted(sightings: Sightings, board: Board, chosen: NDArray[np.intp], kind: str) -> Fit:
    fit = fit_lens(sightings.corners[chosen], board, sightings.size, kind)
    if fit is None:
        raise LensError(
            f"view {sightings.name}: no lens fits its {len(chosen)} images of the board: "
            "is `squares` right, and is the board flat?"
        )
    return fit


def _without_bad_images(
    sightings: Sightings, board: Board, chosen: NDArray[np.intp], fit: Fit
) -> tuple[Fit, Array, NDArray[np.intp], tuple[tuple[str, float], ...]]:
    """Leave out wrong corners, then the worst image as long as it is far worse than the others."""
    corners = sightings.corners[chosen].copy()
    dropped: list[tuple[str, float]] = []
    kind, least = fit.kind, max(_LEAST_IMAGES, int(np.ceil(_KEPT * len(chosen))))
    while True:
        wrong = _wrong_corners(fit)
        if wrong.any():
            corners[wrong] = np.nan
            fit = fit_lens(corners, board, sightings.size, kind, fit) or fit
        worst = int(np.argmax(fit.image_rms))
        if len(chosen) <= least or fit.image_rms[worst] <= _BAD_IMAGE * np.median(fit.image_rms):
            return fit, corners, chosen, tuple(dropped)
        dropped.append((sightings.labels[chosen[worst]], float(fit.image_rms[worst])))
        corners, chosen = np.delete(corners, worst, axis=0), np.delete(chosen, worst)
        fit = fit_lens(corners, board, sightings.size, kind, fit) or fit


def _wrong_corners(fit: Fit) -> NDArray[np.bool_]:
    """(N, C) single corners that are far off in an image that is not."""
    scale = np.nanmedian(fit.error) / RAYLEIGH_MEDIAN
    wrong = fit.error > _BAD_CORNER * scale
    seen = np.isfinite(fit.error).sum(axis=1)
    few = (wrong.sum(axis=1) <= 0.25 * seen) & (seen - wrong.sum(axis=1) >= LEAST_CORNERS)
    return np.asarray(wrong & few[:, None])


def _best(start: Fit, corners: Array, board: Board, sightings: Sightings, model: str | None) -> Fit:
    """The model of which the data hold every coefficient."""
    if start.kind == "fisheye":
        return start
    best, most = start, 2 * _BAD_CORNER * float(np.nanmedian(start.error))
    for kind in ("pinhole 5", "pinhole 8"):
        fit = fit_lens(corners, board, sightings.size, kind, start)
        if fit is None or not plausible(fit, corners) or fit.criterion(most) >= best.criterion(most):
            break
        best = fit
    if model is None and best.rms > _FISHEYE_PX:
        fisheye = fit_lens(corners, board, sightings.size, "fisheye")
        if fisheye is not None and fisheye.rms < _FISHEYE_GAIN * best.rms:
            return fisheye
    return best


def _same_tilt(name: str, fit: Fit) -> str:
    widest = np.arccos(np.clip(fit.normals @ fit.normals.T, -1, 1).min())
    if widest >= _SAME_TILT:
        return ""
    return (
        f"view {name}: the board was always held at the same tilt (within {np.rad2deg(widest):.0f} degrees),"
        " which does not tell the focal length: turn it by 30 to 45 degrees, left, right, up and down"
    )


def uncertain_focal(name: str, camera: Camera, sd: Array, rms: float) -> str:
    """Say that the focal length is not determined; empty if it is.

    Args:
        name: of the view.
        camera: as estimated.
        sd: (2 or more,) standard deviations of fx, fy, ..., px.
        rms: reprojection error, px; few corners may leave a smaller one than their noise.
    """
    sd = sd[:2] * max(1.0, _GREATER_NOISE / max(rms, 1e-9))
    share = float(np.max(sd / np.diag(camera.K)[:2]))
    if share < _FOCAL_SD:
        return ""
    return (
        f"view {name}: the images of the board leave the focal length uncertain by"
        f" {100 * min(share, 9.99):.1f} %: show it larger, in every corner, tilted by"
        " 30 to 45 degrees, or give the view's `intrinsics`"
    )


def given_lens(camera: Camera, sightings: Sightings, board: Board) -> Lens:
    """Take a lens as known.

    Args:
        camera: calibrated before, for images of the sightings' size.
        sightings: of the view it is for.
        board: that was seen.

    Raises:
        CameraError: it is for images of another size.
    """
    if camera.size != sightings.size:
        raise CameraError(f"camera {camera.name!r}: is for {camera.size} px, the images are {sightings.size}")
    at_origin = replace(camera, name=sightings.name, camera_from_world=np.eye(4))
    none = np.full(len(sightings), np.nan)
    covered = coverage(sightings.corners, sightings.size)
    shift = edge_shift(at_origin, sightings.corners, board)
    return Lens(at_origin, np.zeros(8, dtype=bool), np.nan, none, np.zeros(4), covered, shift=shift)
