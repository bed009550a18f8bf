"""Cameras and the boards that they saw, moved until all agree."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.adjust.bundle import Bundle, adjust
from calibration.adjust.freedom import Freedom
from calibration.adjust.projection import BEND, CENTRE, FOCAL, ROTATION, TIME, TRANSLATION
from calibration.boards.board import LEAST, Board
from calibration.camera import Camera, Cameras
from calibration.lens.fit import BEND_SD, CENTRE_SD, RAYLEIGH_MEDIAN
from calibration.lens.intrinsics import Lens
from calibration.places.boards import place_boards
from calibration.places.pairs import Pair, view

Array = NDArray[np.float64]

_ROBUST = 4.0
_LEAST_SCALE = 0.05  # px
_WRONG = 6.0  # deviations of a whole board in a view: its corners were found wrongly, or it moved too fast
# Times the scatter: wide first, for a lens that is a little wrong makes outliers of the largest boards.
_WIDTHS = (6.0, 1.0)
_DISAGREEING = 3.0  # times the scatter of each view alone; rendered views have 1.0, webcams that jitter 2
_LOOSE = 2.0  # times the deviation that each view alone leaves its lens: a prior of what is estimated jointly
TIME_SD = 0.5  # of the time between images: how far views may be out of time with each other beforehand
_IN_TIME = 0.02  # of the time between images: views nearer than that are in time, and are left so


@dataclass(frozen=True, eq=False)
class Rig:
    """Cameras in one world, and the boards that they saw.

    Args:
        cameras: V, with lenses and places; the world is that of the first camera of the tree.
        boards: (T, 4, 4) world_from_board; NaN where no view saw it.
        error: (V, T, C) reprojection error px, NaN where unseen or left out.
        scale: standard deviation of a corner, px.
        focal_sd: (V,) share of the focal length.
        centre_sd: (V,) metres, of the cameras' places to each other.
        times: (V,) seconds to add to the views' times, as the board's motion tells.
        pairs: what was known of each pair of views.
        left_out: (V,) how many boards of each view contradict the others.
        joint: whether the lenses were estimated again, together; otherwise each view's own were kept.
    """

    cameras: Cameras
    boards: Array
    error: Array
    scale: float
    focal_sd: Array
    centre_sd: Array
    times: Array
    pairs: tuple[Pair, ...]
    left_out: NDArray[np.intp]
    joint: bool

    @property
    def rms(self) -> Array:
        """(V,) px."""
        return np.asarray(np.sqrt(np.nanmean(self.error**2, axis=(1, 2))))

    @property
    def images(self) -> NDArray[np.intp]:
        """(V,) how many images each view is calibrated with."""
        return np.asarray(np.isfinite(self.error).any(axis=2).sum(axis=1), dtype=np.intp)


def adjust_rig(
    cameras: Cameras, lenses: list[Lens], corners: Array, times: Array, board: Board, pairs: tuple[Pair, ...]
) -> Rig:
    """Move everything until it agrees, without the boards that contradict the rest.

    First with the lenses that each view told; then with the lenses free, unless the views agree so badly with
    each other, compared to each with itself, that it is their time and not their lenses which is wrong.

    Args:
        cameras: V, with their lenses, about where they are.
        lenses: what each view alone tells.
        corners: (V, T, C, 2) px, NaN unseen.
        times: (T,) seconds.
        board: that was seen.
        pairs: of the views; the one with the most support holds the world.
    """
    problem = _Problem(lenses, corners, times, board, pairs)
    alone = [lens.rms / np.sqrt(2) for lens in lenses if np.isfinite(lens.rms)]
    if alone:
        own = max(float(np.median(alone)), _LEAST_SCALE)
        most = _DISAGREEING * own
        problem.settle(cameras, False)
        cameras = problem.bundle.cameras
        if problem.typical_error() <= _DISAGREEING * most:  # of which lenses still a little wrong have a part
            problem.adjust(cameras, lenses_free=True)
            problem.worse = max(1.0, problem.scale / own)
            if problem.scale <= most:
                return problem.rig()
    problem.adjust(cameras, lenses_free=False)
    return problem.rig()


class _Problem:
    """The joint adjustment, and what it has found so far; `used` are the times at which a board was seen."""

    def __init__(
        self, lenses: list[Lens], corners: Array, times: Array, board: Board, pairs: tuple[Pair, ...]
    ) -> None:
        self.lenses, self.board, self.pairs, self.count = lenses, board, pairs, len(times)
        self.used = np.flatnonzero((np.isfinite(corners[..., 0]).sum(axis=2) >= LEAST).any(axis=0))
        self.seen = corners[:, self.used]
        self.velocity = track_velocity(corners, times)[:, self.used]
        self.tick = float(np.median(np.diff(times))) if len(times) > 1 else 0.0
        self.scale, self.lenses_free = 0.0, False
        self.time_sd = TIME_SD * self.tick
        self.worse = 1.0  # times that views agree less than each with itself: errors that go together
        self.known: Array | None = None  # where the boards are
        self.bundle: Bundle

    def adjust(self, cameras: Cameras, lenses_free: bool) -> None:
        """Adjust ever more strictly, in the end without what is wrong as a whole.

        A board once lost as an outlier does not find back by itself: each time, all are put anew.
        """
        self.time_sd = TIME_SD * self.tick
        for wide in _WIDTHS:
            seen = self.settle(cameras, lenses_free, wide)
            cameras = self.bundle.cameras
            if np.abs(self.bundle.times).max() < _IN_TIME * self.tick:
                self.time_sd = 0.0
        seen[_wrong(self.bundle.error, self.scale)] = np.nan
        self._adjust(cameras, self.bundle.structure, seen, self.bundle.error, 1.0)

    def settle(self, cameras: Cameras, lenses_free: bool, wide: float = _WIDTHS[0]) -> Array:
        """Put the boards where the cameras say, adjust, and return the corners as they are then ordered."""
        self.lenses_free = lenses_free
        self.freedom = _freedom(self.lenses, self.pairs, lenses_free, self.time_sd)
        views = [view(c, seen, self.board, refine=False) for c, seen in zip(cameras, self.seen, strict=True)]
        boards, seen = place_boards(cameras, views, self.board, self.known)
        self._adjust(cameras, boards, seen, _board_error(cameras, boards, seen, self.board), wide)
        return seen

    def _adjust(self, cameras: Cameras, boards: Array, seen: Array, error: Array, wide: float) -> None:
        self.scale = max(float(np.nanmedian(error)) / RAYLEIGH_MEDIAN, _LEAST_SCALE)
        self.bundle = adjust(
            _short(cameras, self.lenses),
            boards,
            seen,
            wide * self.scale,
            self.freedom,
            pattern=self.board.corners,
            robust=_ROBUST,
            velocity=self.velocity,
            tolerance=1e-3 if wide > 1 else 1e-5,
        )
        self.known = self.bundle.structure

    def typical_error(self) -> float:
        """Scatter of the corners about where they should be, px."""
        return float(np.nanmedian(self.bundle.error)) / RAYLEIGH_MEDIAN

    def rig(self) -> Rig:
        """What was found, at all times."""
        error = np.full((len(self.lenses), self.count, self.board.count), np.nan)
        error[:, self.used] = self.bundle.error
        placed = np.full((self.count, 4, 4), np.nan)
        placed[self.used] = self.bundle.structure
        seen = np.isfinite(self.seen[..., 0]).any(axis=2).sum(axis=1)
        kept = np.isfinite(error).any(axis=2).sum(axis=1)
        focal_sd = self.worse * self.bundle.sd[:, FOCAL].max(axis=1)
        if not self.lenses_free:
            known = [lens.sd[:2] / np.diag(lens.camera.K)[:2] for lens in self.lenses]
            focal_sd = np.array([float(share.max()) for share in known])
        return Rig(
            _long(self.bundle.cameras),
            placed,
            error,
            self.scale,
            focal_sd,
            self.worse * _centre_sd(self.bundle),
            -self.bundle.times,  # it moves tracks along: what is seen late is moved back
            self.pairs,
            seen - kept,
            self.lenses_free,
        )


def track_velocity(seen: Array, times: Array) -> Array:
    """Tell how fast corners move in the images.

    Args:
        seen: (V, T, C, 2) px, NaN unseen.
        times: (T,) seconds.

    Returns:
        (V, T, C, 2) px/s from the neighbours in time on both sides or one; NaN without any.
    """
    step = np.diff(times)[:, None, None]
    near = np.where(step <= 2.5 * np.median(np.diff(times)), step, np.nan) if len(times) > 1 else step
    slope = np.diff(seen, axis=1) / near
    gap = np.full_like(seen[:, :1], np.nan)
    before, after = np.concatenate([gap, slope], axis=1), np.concatenate([slope, gap], axis=1)
    one = np.where(np.isnan(before), after, before)
    return np.asarray(np.where(np.isnan(before) | np.isnan(after), one, (before + after) / 2))


def _short(cameras: Cameras, lenses: list[Lens]) -> Cameras:
    """Cameras without the coefficients that are 0 and stay so: their derivatives take most of the time."""
    short = []
    for camera, lens in zip(cameras, lenses, strict=True):
        count = 0 if not np.any(camera.distortion) and not lens.free.any() else len(camera.distortion)
        if count == 5 and not lens.free[4] and camera.distortion[4] == 0 and camera.model == "pinhole":
            count = 4
        short.append(replace(camera, distortion=camera.distortion[:count]))
    return Cameras(tuple(short))


def _long(cameras: Cameras) -> Cameras:
    """Pinholes with five coefficients at least, as files have them."""
    return Cameras(tuple(_with_five(camera) for camera in cameras))


def _with_five(camera: Camera) -> Camera:
    bend = camera.distortion
    if camera.model == "fisheye" or len(bend) >= 5:
        return camera
    return replace(camera, distortion=np.pad(bend, (0, 5 - len(bend))))


def _freedom(lenses: list[Lens], pairs: tuple[Pair, ...], lenses_free: bool, time: float) -> Freedom:
    support = [sum(p.agreeing for p in pairs if v in (p.a, p.b)) for v in range(len(lenses))]
    freedom = Freedom.of(len(lenses), square=False)
    sd = freedom.sd
    for v, lens in enumerate(lenses):
        held = v == int(np.argmax(support))
        sd[v, ROTATION] = sd[v, TRANSLATION] = 0.0 if held else np.inf
        sd[v, TIME] = 0.0 if held else time
        if lenses_free and np.isfinite(lens.rms):
            sd[v, FOCAL] = _LOOSE * lens.sd[:2] / np.diag(lens.camera.K)[:2]
            sd[v, CENTRE] = np.minimum(_LOOSE * lens.sd[2:], CENTRE_SD * max(lens.camera.size))
            sd[v, BEND] = lens.free * BEND_SD
    return freedom


def _board_error(cameras: Cameras, boards: Array, seen: Array, board: Board) -> Array:
    """(V, T, C) px; NaN unseen; very large where a camera cannot see what it saw."""
    points = np.einsum("tab,cb->tca", boards[:, :3, :3], board.corners) + boards[:, None, :3, 3]
    error = np.linalg.norm(cameras.project(points) - seen, axis=-1)
    lost = np.isnan(error) & np.isfinite(seen[..., 0])
    return np.where(lost, 1e4, error)


def _wrong(error: Array, scale: float) -> NDArray[np.bool_]:
    """(V, T) boards that are far off as a whole."""
    with np.errstate(invalid="ignore"):
        middle = np.sqrt(
            np.nanmedian(np.where(np.isnan(error).all(axis=2)[..., None], 0, error) ** 2, axis=2)
        )
    return np.asarray(middle > _WRONG * scale)


def _centre_sd(bundle: Bundle) -> Array:
    """(V,) standard deviation of each camera's place, metres; 0 for the one that holds the world."""
    out = []
    for v, camera in enumerate(bundle.cameras):
        at = v * bundle.sd.shape[1]
        cov = bundle.covariance[at : at + 6, at : at + 6]
        turn, move = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
        skew = np.array([[0, -move[2], move[1]], [move[2], 0, -move[0]], [-move[1], move[0], 0]])
        slope = np.hstack([-turn.T @ skew, -turn.T])
        out.append(float(np.sqrt(max(np.trace(slope @ cov @ slope.T), 0.0))))
    return np.array(out)
