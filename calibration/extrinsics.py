"""How all cameras stand to each other, from a board that is moved before them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from calibration.boardpairs import Pair, View, board_side, relate, view
from calibration.boards import LEAST, Board
from calibration.bundle import Bundle, adjust
from calibration.camera import Camera, Cameras
from calibration.errors import LensError, PlacesError
from calibration.freedom import Freedom
from calibration.intrinsics import Lens, uncertain_focal
from calibration.lensfit import BEND_SD, CENTRE_SD
from calibration.projection import BEND, CENTRE, FOCAL, ROTATION, TIME, TRANSLATION

Array = NDArray[np.float64]

_LEAST_SHARED = 3  # images in which two views see the board and agree
_ROBUST = 4.0
_LEAST_SCALE = 0.05  # px
_WRONG = 6.0  # deviations of a whole board in a view: its corners were found wrongly, or it moved too fast
# Times the scatter: wide first, for a lens that is a little wrong makes outliers of the largest boards.
_WIDTHS = (8.0, 3.0, 1.0)
_DISAGREEING = 4.0  # times the scatter of each view alone; rendered views have 1.0, webcams that jitter 3
_LOOSE = 2.0  # times the deviation that each view alone leaves its lens: a prior of what is estimated jointly
TIME_SD = 0.5  # of the time between images: how far views may be out of time with each other beforehand
_UNCERTAIN = 0.05  # of the distance to the other cameras: a place less certain than that is refused


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


def calibrate_places(lenses: list[Lens], corners: Array, times: Array, board: Board) -> Rig:
    """Find lenses and places of all cameras together.

    Args:
        lenses: V, as each view alone tells, or as given; what they have free is estimated again.
        corners: (V, T, C, 2) px at the times that all views share, NaN unseen.
        times: (T,) seconds.
        board: that was seen.

    Raises:
        PlacesError: views that no image connects, or a place that stays uncertain.
        LensError: a focal length that stays uncertain.
    """
    views = [view(lens.camera, seen, board) for lens, seen in zip(lenses, corners, strict=True)]
    pairs = [relate(views, a, b, board) for a, b in combinations(range(len(views)), 2)]
    cameras = _placed(views, pairs)
    rig = _adjusted(cameras, lenses, corners, times, board, tuple(pairs))
    _require_certain(rig, lenses)
    return rig


def _placed(views: list[View], pairs: list[Pair]) -> Cameras:
    """Cameras chained along the pairs that most images support, from the best supported view on."""
    support = np.zeros((len(views), len(views)), dtype=int)
    for pair in pairs:
        known = pair.agreeing >= _LEAST_SHARED
        support[pair.a, pair.b] = support[pair.b, pair.a] = pair.agreeing if known else 0
    root = int(np.argmax(support.sum(axis=1)))
    placed: dict[int, Array] = {root: np.eye(4)}
    while len(placed) < len(views):
        open_ = [(support[i, j], i, j) for i in placed for j in range(len(views)) if j not in placed]
        strength, near, far = max(open_, key=lambda edge: (edge[0], -edge[1], -edge[2]))
        if not strength:
            raise PlacesError(_unconnected(views, support, pairs))
        pair = next(p for p in pairs if {p.a, p.b} == {near, far})
        far_from_near = pair.a_from_b if far == pair.a else np.linalg.inv(pair.a_from_b)
        placed[far] = far_from_near @ placed[near]
    return Cameras(tuple(replace(v.camera, camera_from_world=placed[i]) for i, v in enumerate(views)))


def _unconnected(views: list[View], support: NDArray[np.int_], pairs: list[Pair]) -> str:
    names, groups, left = [v.camera.name for v in views], [], set(range(len(views)))
    while left:
        group, edge = set(), {min(left)}
        while edge:
            group |= edge
            edge = {j for i in edge for j in left - group if support[i, j]}
        groups.append(sorted(group))
        left -= group
    said = " and ".join(", ".join(names[i] for i in group) for group in groups)
    apart = [p for p in pairs if not any({p.a, p.b} <= set(group) for group in groups)]
    near = max(apart, key=lambda pair: (pair.shared, -pair.a, -pair.b))
    walk = f"walk with the board between views {names[near.a]} and {names[near.b]}"
    if near.shared >= _LEAST_SHARED and not near.agreeing:
        walk += f", which saw it together {near.shared} times but do not agree (are their times right?)"
    return f"the board does not connect the views: {said} stand alone: {walk}, so that both see it"


def place_boards(cameras: Cameras, views: list[View], board: Board) -> tuple[Array, Array]:
    """Find where the boards are, of all poses that any view allows.

    Args:
        cameras: V, calibrated.
        views: what they saw.
        board: that was seen.

    Returns:
        (T, 4, 4) world_from_board that all views together like best, NaN where none saw it; and corners
        (V, T, C, 2) px, in the order that this means.
    """
    times = len(views[0].corners)
    boards = np.full((times, 4, 4), np.nan)
    ordered = np.stack([v.corners for v in views])
    sides = np.stack([board_side(v.corners, board) for v in views])
    for t in range(times):
        guesses = [
            np.linalg.inv(camera.camera_from_world) @ pose @ turn
            for camera, v in zip(cameras, views, strict=True)
            for pose in v.poses[t]
            if np.isfinite(pose).all()
            for turn in board.turns
        ]
        if not guesses:
            continue
        points = np.einsum("hab,cb->hca", np.stack(guesses)[:, :3, :3], board.corners)
        points += np.stack(guesses)[:, None, :3, 3]
        seen = ordered[:, t][:, board.orders]  # (V, K, C, 2)
        miss = _order_misses(cameras, points, seen) / sides[:, t, None, None]
        total = np.nansum(np.minimum(miss.min(axis=2), 1.0), axis=0)
        best = int(np.argmin(total))
        boards[t] = guesses[best]
        order = board.orders[np.argmin(miss[:, best], axis=1)]
        ordered[:, t] = np.take_along_axis(ordered[:, t], order[..., None], axis=1)
    return boards, ordered


def _order_misses(cameras: Cameras, points: Array, seen: Array) -> Array:
    """(V, H, K) rms px of hypotheses (H, C, 3) against orders of corners (V, K, C, 2); NaN if unseen."""
    found = cameras.project(points)  # (V, H, C, 2)
    square = np.sum((found[:, :, None] - seen[:, None]) ** 2, axis=-1)
    square = np.where(np.isnan(found[:, :, None, :, 0]), 1e12, square)
    unseen = np.isnan(seen[..., 0])[:, None]
    count = (~unseen).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt(np.where(unseen, 0.0, square).sum(axis=-1) / count))


def _adjusted(
    cameras: Cameras, lenses: list[Lens], corners: Array, times: Array, board: Board, pairs: tuple[Pair, ...]
) -> Rig:
    """Everything moved until it agrees, without the boards that contradict the rest.

    First with the lenses that each view told; then with the lenses free, unless the views agree so badly with
    each other, compared to each with itself, that it is their time and not their lenses which is wrong.
    """
    problem = _Problem(lenses, corners, times, board, pairs)
    problem.adjust(cameras, lenses_free=False)
    alone = [lens.rms / np.sqrt(2) for lens in lenses if np.isfinite(lens.rms)]
    placed = problem.bundle.cameras
    if alone:
        problem.adjust(placed, lenses_free=True)
        if problem.scale > _DISAGREEING * max(float(np.median(alone)), _LEAST_SCALE):
            problem.adjust(placed, lenses_free=False)
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
        self.bundle: Bundle

    def adjust(self, cameras: Cameras, lenses_free: bool) -> None:
        """Adjust ever more strictly, in the end without what is wrong as a whole.

        A board once lost as an outlier does not find back by itself: each time, all are put anew.
        """
        self.lenses_free = lenses_free
        freedom = _freedom(self.lenses, self.pairs, lenses_free, TIME_SD * self.tick)
        for wide in _WIDTHS:
            views = [view(camera, seen, self.board) for camera, seen in zip(cameras, self.seen, strict=True)]
            boards, seen = place_boards(cameras, views, self.board)
            error = _error(cameras, boards, seen, self.board)
            self._adjust(cameras, boards, seen, error, freedom, wide)
            cameras = self.bundle.cameras
        seen[_wrong(self.bundle.error, self.scale)] = np.nan
        self._adjust(cameras, self.bundle.structure, seen, self.bundle.error, freedom, 1.0)

    def _adjust(
        self, cameras: Cameras, boards: Array, seen: Array, error: Array, freedom: Freedom, wide: float
    ) -> None:
        self.scale = max(float(np.nanmedian(error)) / 1.1774, _LEAST_SCALE)
        self.bundle = adjust(
            _short(cameras, self.lenses),
            boards,
            seen,
            wide * self.scale,
            freedom,
            pattern=self.board.corners,
            robust=_ROBUST,
            velocity=self.velocity,
            tolerance=1e-3 if wide > 1 else 1e-5,
        )

    def rig(self) -> Rig:
        """What was found, at all times."""
        error = np.full((len(self.lenses), self.count, self.board.count), np.nan)
        error[:, self.used] = self.bundle.error
        placed = np.full((self.count, 4, 4), np.nan)
        placed[self.used] = self.bundle.structure
        seen = np.isfinite(self.seen[..., 0]).any(axis=2).sum(axis=1)
        kept = np.isfinite(error).any(axis=2).sum(axis=1)
        focal_sd = self.bundle.sd[:, FOCAL].max(axis=1)
        if not self.lenses_free:
            known = [lens.sd[:2] / np.diag(lens.camera.K)[:2] for lens in self.lenses]
            focal_sd = np.array([float(share.max()) for share in known])
        return Rig(
            _long(self.bundle.cameras),
            placed,
            error,
            self.scale,
            focal_sd,
            _centre_sd(self.bundle),
            self.bundle.times,
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


def _error(cameras: Cameras, boards: Array, seen: Array, board: Board) -> Array:
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


def _require_certain(rig: Rig, lenses: list[Lens]) -> None:
    places = np.stack([camera.centre for camera in rig.cameras])
    for v, (camera, lens) in enumerate(zip(rig.cameras, lenses, strict=True)):
        if lens.free.any() or np.isfinite(lens.rms):
            sd = np.repeat(rig.focal_sd[v], 2) * np.diag(camera.K)[:2]
            problem = uncertain_focal(camera.name, camera, sd, rig.scale)
            if problem:
                raise LensError(problem)
        others = np.delete(places, v, axis=0)
        if not len(others):
            continue
        near = float(np.linalg.norm(others - camera.centre, axis=-1).min())
        if rig.centre_sd[v] > _UNCERTAIN * max(near, 0.1):
            raise PlacesError(
                f"view {camera.name}: its place is uncertain by {100 * rig.centre_sd[v]:.0f} cm at"
                f" {near:.2f} m from the next camera: show the board longer and larger to it and another view"
            )
