"""Points in space from what several cameras saw, whatever some of them got wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.camera import Camera, Cameras

Array = NDArray[np.float64]

_CHUNK = 200_000  # observations held at once: about 60 MB of working arrays
# Scales at which the point is refined: wide first, so that a start from two rays hears the other good views.
_WIDTHS = (3.0, 3.0, 2.0, 1.5, 1.0, 1.0, 1.0, 1.0)
_NEAREST_DEPTH = 1e-3  # metres
_BLINDNESS = 0.5  # metres by which one pixel of error may move a point before we call it unknown


def triangulate(
    cameras: Cameras, pixels: ArrayLike, weights: ArrayLike | None = None, scale_px: float = 10.0
) -> tuple[Array, Array]:
    """Find the point in space that most views agree on, for every landmark of every frame at once.

    The reprojection error is minimised under a Geman-McClure loss, so that a view that is many
    `scale_px` away has no say. The start is the weighted linear solution; where a view contradicts it,
    the start is instead the meeting point of two rays that leaves the smallest loss over all views.
    Nothing tells right from wrong when two views see one thing and two others another: the answer is
    then one of the two, with a large error.

    Args:
        cameras: V cameras.
        pixels: (V, ..., 2) where each view sees the points; NaN = not seen.
        weights: (V, ...) confidence, 0 = ignore; None = 1 for all.
        scale_px: residual, pixels, at which a view begins to lose its say; about three times the noise.

    Returns:
        points: (..., 3) in the world of the cameras; NaN with fewer than two views that see the point in
            front of them, or when their rays are so parallel that a pixel moves it by half a metre.
        error_px: (...) weighted root mean square reprojection error over *all* views given, outliers too;
            a view that has the point behind it counts its image diagonal. NaN where the point is.

    Raises:
        ValueError: shapes that do not fit, or a scale that is not above 0.

    Source: Geman & McClure 1987; iterated linear triangulation: Hartley & Sturm 1997.
    """
    seen, trust = _checked(cameras, pixels, weights, scale_px)
    points, error = np.empty((seen.shape[1], 3)), np.empty(seen.shape[1])
    for part in _chunks(seen.shape[1], len(cameras)):
        points[part] = _solve(_equations(cameras, seen[:, part], trust[:, part]), scale_px)
        error[part] = _error(cameras, points[part], seen[:, part], trust[:, part])
    shape = np.shape(pixels)[1:-1]
    points[np.isnan(error)] = np.nan
    return points.reshape(*shape, 3), error.reshape(shape)


def reproject_error(cameras: Cameras, points: ArrayLike, pixels: ArrayLike) -> Array:
    """Measure how far each view saw each point from where it should have.

    Args:
        cameras: V cameras.
        points: (..., 3) in the world.
        pixels: (V, ..., 2) where each view saw it.

    Returns:
        (V, ...) distances, pixels; NaN where a view did not see the point, or cannot.
    """
    miss = cameras.project(points) - np.asarray(pixels, dtype=np.float64)
    return np.hypot(miss[..., 0], miss[..., 1])


@dataclass(frozen=True)
class _Equations:
    """Each view's two linear equations a . X = b for each point, in pixels times metres of depth."""

    a: Array  # (V, 2, N, 3)
    b: Array  # (V, 2, N)
    normal: Array  # (V, N, 6) a^T a, entries xx xy xz yy yz zz
    right: Array  # (V, N, 3) a^T b
    forward: Array  # (V, 4) depth = forward[:3] . X + forward[3]
    weight: Array  # (V, N)

    def only(self, chosen: NDArray[np.bool_]) -> _Equations:
        return _Equations(
            self.a[:, :, chosen],
            self.b[:, :, chosen],
            self.normal[:, chosen],
            self.right[:, chosen],
            self.forward,
            self.weight[:, chosen],
        )

    def depth(self, points: Array) -> Array:
        """(V, N) metres in front of each view."""
        return self.forward[:, :3] @ points.T + self.forward[:, 3:]

    def squared_error(self, points: Array) -> tuple[Array, Array]:
        """(V, N) squared reprojection error, pixels; infinite behind a view; and (V, N) depth."""
        depth = self.depth(points)
        miss = np.einsum("vknx,nx->vkn", self.a, points) - self.b
        with np.errstate(divide="ignore", invalid="ignore"):
            squared = np.sum(miss * miss, axis=1) / (depth * depth)
        return np.where(depth > _NEAREST_DEPTH, squared, np.inf), depth

    def solve(self, weight: Array) -> tuple[Array, Array]:
        """(N, 3) least squares points, and (N) how far one pixel moves them, metres."""
        normal = np.einsum("vn,vnx->nx", weight, self.normal)
        right = np.einsum("vn,vnx->nx", weight, self.right)
        return _solve_3x3(normal, right)


def _checked(
    cameras: Cameras, pixels: ArrayLike, weights: ArrayLike | None, scale_px: float
) -> tuple[Array, Array]:
    """(V, N, 2) pixels and (V, N) weights, 0 where nothing is seen."""
    seen = np.asarray(pixels, dtype=np.float64)
    if seen.ndim < 2 or len(seen) != len(cameras) or seen.shape[-1] != 2:
        raise ValueError(f"pixels: must be ({len(cameras)} views, ..., 2), got {seen.shape}")
    trust = np.ones(seen.shape[:-1]) if weights is None else np.asarray(weights, dtype=np.float64)
    if trust.shape != seen.shape[:-1]:
        raise ValueError(f"weights: must have shape {seen.shape[:-1]}, got {trust.shape}")
    if not scale_px > 0:
        raise ValueError(f"scale_px: must be above 0, got {scale_px}")
    trust = np.where(np.all(np.isfinite(seen), axis=-1) & (trust > 0), trust, 0.0)
    count = seen[0, ..., 0].size
    return seen.reshape(len(seen), count, 2), trust.reshape(len(seen), count)


def _chunks(count: int, views: int) -> Iterator[slice]:
    step = max(1, _CHUNK // views)
    for start in range(0, count, step):
        yield slice(start, start + step)


def _equations(cameras: Cameras, pixels: Array, weights: Array) -> _Equations:
    parts = [_view_equations(camera, seen) for camera, seen in zip(cameras, pixels, strict=True)]
    a, b = np.stack([a for a, _ in parts]), np.stack([b for _, b in parts])
    known = np.isfinite(b[:, 0])
    a, b = np.where(known[:, None, :, None], a, 0.0), np.where(known[:, None], b, 0.0)
    pairs = [(0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)]
    normal = np.stack([np.sum(a[..., i] * a[..., j], axis=1) for i, j in pairs], axis=-1)
    right = np.sum(a * b[..., None], axis=1)
    forward = np.stack([camera.camera_from_world[2] for camera in cameras])
    return _Equations(a, b, normal, right, forward, np.where(known, weights, 0.0))


def _view_equations(camera: Camera, pixels: Array) -> tuple[Array, Array]:
    """(2, N, 3) and (2, N): x z - X = 0 and y z - Y = 0, times the focal length."""
    xy = np.moveaxis(camera.undistort(pixels), -1, 0)
    focal = np.array([camera.K[0, 0], camera.K[1, 1]])[:, None]
    turn, shift = camera.camera_from_world[:3, :3], camera.camera_from_world[:3, 3]
    a = (xy[..., None] * turn[2] - turn[:2, None]) * focal[..., None]
    b = (shift[:2, None] - xy * shift[2]) * focal
    return a, b


def _solve_3x3(m: Array, right: Array) -> tuple[Array, Array]:
    """Solve (N) symmetric systems by their adjugate; also the square root of the trace of the inverse."""
    xx, xy, xz, yy, yz, zz = np.moveaxis(m, -1, 0)
    a, b, c = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    d, e, f = xx * zz - xz * xz, xy * xz - xx * yz, xx * yy - xy * xy
    with np.errstate(divide="ignore", invalid="ignore"):
        over = 1.0 / (xx * a + xy * b + xz * c)
        x, y, z = np.moveaxis(right, -1, 0)
        points = np.stack([a * x + b * y + c * z, b * x + d * y + e * z, c * x + e * y + f * z], axis=-1)
        spread = np.sqrt(np.maximum((a + d + f) * over, 0.0))
        points = points * over[:, None]
    solved = np.isfinite(over) & (over > 0)
    return np.where(solved[:, None], points, np.nan), np.where(solved, spread, np.inf)


def _solve(equations: _Equations, scale_px: float) -> Array:
    """(N, 3) robust points."""
    start = _linear(equations)
    squared, _ = equations.squared_error(start)
    contradicted = np.any((equations.weight > 0) & ~(squared < scale_px**2), axis=0)
    if np.any(contradicted):
        start[contradicted] = _best_pair(equations.only(contradicted), scale_px)
    return _refine(equations, start, scale_px)


def _linear(equations: _Equations) -> Array:
    """The weighted linear solution, its rows once brought from metres of depth to pixels."""
    points, _ = equations.solve(equations.weight)
    depth = np.maximum(equations.depth(points), _NEAREST_DEPTH)
    points, _ = equations.solve(equations.weight / depth**2)
    return points


def _best_pair(equations: _Equations, scale_px: float) -> Array:
    """Of the points where two rays meet, the one that leaves the least loss over all views."""
    best = np.full((equations.weight.shape[1], 3), np.nan)
    least = np.full(len(best), np.inf)
    for pair in combinations(range(len(equations.weight)), 2):
        candidate = _meeting(equations, pair)
        squared, _ = equations.squared_error(candidate)
        loss = np.sum(equations.weight * _loss(squared, scale_px), axis=0)
        better = loss < least
        best[better], least[better] = candidate[better], loss[better]
    return best


def _meeting(equations: _Equations, pair: tuple[int, int]) -> Array:
    """(N, 3) where the rays of two views come closest on their images; NaN where one sees nothing."""
    weight = np.zeros_like(equations.weight)
    weight[list(pair)] = equations.weight[list(pair)] > 0
    points, _ = equations.solve(weight)
    depth = np.maximum(equations.depth(points), _NEAREST_DEPTH)
    points, spread = equations.solve(weight / depth**2)
    points[~(spread < _BLINDNESS)] = np.nan
    return points


def _loss(squared: Array, scale_px: float) -> Array:
    """Geman-McClure: r^2 / (r^2 + s^2), 1 for what is infinitely far (or unknown)."""
    return 1.0 - scale_px**2 / (scale_px**2 + np.where(np.isnan(squared), np.inf, squared))


def _refine(equations: _Equations, points: Array, scale_px: float) -> Array:
    """Reweight and solve again until the loss is at its bottom."""
    spread = np.full(len(points), np.inf)
    for width in _WIDTHS:
        squared, depth = equations.squared_error(points)
        weight = equations.weight * (1.0 - _loss(squared, width * scale_px)) ** 2
        points, spread = equations.solve(weight / np.maximum(depth, _NEAREST_DEPTH) ** 2)
    return np.where(_observable(equations, points, spread, scale_px)[:, None], points, np.nan)


def _observable(equations: _Equations, points: Array, spread: Array, scale_px: float) -> NDArray[np.bool_]:
    """Whether at least two views in front of which the point lies hold it well enough."""
    squared, _ = equations.squared_error(points)
    holding = np.sum((equations.weight > 0) & (squared < (10 * scale_px) ** 2), axis=0)
    top = np.max(equations.weight, axis=0)
    return (holding >= 2) & (spread < _BLINDNESS / np.sqrt(np.maximum(top, 1e-12)))


def _error(cameras: Cameras, points: Array, pixels: Array, weights: Array) -> Array:
    """(N) weighted rms over every view that saw something; NaN where there is no point."""
    miss = reproject_error(cameras, points, pixels)
    diagonal = np.array([np.hypot(*camera.size) for camera in cameras])
    miss = np.where(np.isnan(miss), diagonal[:, None], miss)
    total = np.sum(weights, axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(np.sum(weights * np.minimum(miss, diagonal[:, None]) ** 2, axis=0) / total)
    return np.where(np.isnan(points[:, 0]), np.nan, error)
