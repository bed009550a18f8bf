"""What a motion should agree with: each term gives a cost and its part of the normal equations.

Costs are half sums of squares, made robust where said. The gradients are exact; the matrices are
Gauss-Newton's, J^T W J with the robust weights W of the current pose (iteratively reweighted least squares).
Frame rates: observations close in time share their detector's error, so a frame counts for at most 1/30 s of
evidence, and the motion priors are integrals over time. A clip at 120 fps and its 30 fps half then agree.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rigs import quat
from rigs.body import Body, Bools, Floats
from rigs.kinematics import Points, Posed, derivative, locate, size_derivative
from rigs.normal import Normal

NEAREST = 0.05  # m before a camera; a point nearer than this, or behind, is held there


class Term(Protocol):
    """A part of the solve's objective."""

    def cost(self, posed: Posed) -> float:
        """Return the term's cost at a pose."""
        ...

    def add(self, posed: Posed, normal: Normal) -> None:
        """Add the term's J^T J and J^T r at a pose to `normal`."""
        ...


def robust_cost(square: Floats, scale: float) -> Floats:
    """Geman-McClure: s^2 r^2 / (s^2 + r^2) for squared residuals `square`; grows to s^2 and no further."""
    return scale**2 * square / (scale**2 + square)


def robust_weight(square: Floats, scale: float) -> Floats:
    """Weight of a residual under Geman-McClure, 1 at zero (Geman and McClure 1987)."""
    return (scale**2 / (scale**2 + square)) ** 2


@dataclass
class Reprojection:
    """Landmarks seen in calibrated views, as undistorted image coordinates x/z, y/z.

    camera_rotation (V, 3, 3) and camera_translation (V, 3): camera from world. seen (V, T, N, 2) with NaN
    where unseen. sd (V, T, N): standard deviation in the same units. scale: robust scale in deviations.
    """

    points: Points
    camera_rotation: Floats
    camera_translation: Floats
    seen: Floats
    sd: Floats
    scale: float = 3.0
    precision: Floats = field(init=False)

    def __post_init__(self) -> None:
        known = np.isfinite(self.seen).all(axis=-1) & np.isfinite(self.sd)
        self.precision = np.where(known, 1.0 / np.where(known, self.sd, 1.0), 0.0) ** 2
        self.seen = np.where(known[..., None], self.seen, 0.0)

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared reprojection errors over all views, in deviations."""
        residual, _ = self._residual(posed)
        return 0.5 * float(robust_cost(self._square(residual), self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Reduce all views to one 3 x 3 information matrix a landmark and frame, then to the freedoms."""
        residual, camera = self._residual(posed)
        weight = self.precision * robust_weight(self._square(residual), self.scale)
        gain = self._projection_derivative(camera)
        weighted = gain * weight[..., None, None]
        information = np.einsum("vtnki,vtnkj->tnij", weighted, gain, optimize=True)
        pull = np.einsum("vtnki,vtnk->tni", weighted, residual, optimize=True)
        add_points(posed, self.points, information, pull, normal)

    def weights(self, posed: Posed) -> Floats:
        """Return each observation's robust weight (V, T, N) in [0, 1]; 0 where nothing was seen."""
        residual, _ = self._residual(posed)
        return np.where(self.precision > 0, robust_weight(self._square(residual), self.scale), 0.0)

    def _residual(self, posed: Posed) -> tuple[Floats, Floats]:
        world = locate(posed, self.points)
        camera = (
            np.einsum("vij,tnj->vtni", self.camera_rotation, world) + self.camera_translation[:, None, None]
        )
        camera[..., 2] = np.maximum(camera[..., 2], NEAREST)
        return camera[..., :2] / camera[..., 2:] - self.seen, camera

    def _square(self, residual: Floats) -> Floats:
        return (residual**2).sum(axis=-1) * self.precision

    def _projection_derivative(self, camera: Floats) -> Floats:
        """d(x/z, y/z) / d(world): (V, T, N, 2, 3)."""
        r = self.camera_rotation[:, None, None]
        ratio = (camera[..., :2] / camera[..., 2:])[..., None]
        return (r[..., :2, :] - ratio * r[..., 2:, :]) / camera[..., 2:, None]


@dataclass
class Shape:
    """The body's shape in each frame as a detector guesses it: landmarks (T, N, 3) m in world axes.

    Only differences within a frame count: the mean of the known landmarks is taken out of both sides.
    sd: metres; frame_weight as in the module's note on frame rates.
    """

    points: Points
    shape: Floats
    sd: Floats  # (T, N) metres, infinite where unknown
    scale: float = 3.0

    def __post_init__(self) -> None:
        known = np.isfinite(self.shape).all(axis=-1) & np.isfinite(self.sd)
        self.precision = np.where(known, 1.0 / np.where(known, self.sd, 1.0), 0.0) ** 2
        self.share = self.precision / np.maximum(self.precision.sum(axis=1, keepdims=True), 1e-12)
        self.shape = np.where(known[..., None], self.shape, 0.0)

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared differences of shape, in deviations."""
        return 0.5 * float(robust_cost(self._square(self._residual(posed)), self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Gauss-Newton on the landmarks about their weighted mean."""
        residual = self._residual(posed)
        weight = (self.precision * robust_weight(self._square(residual), self.scale))[..., None]
        jacobian = self._centred(derivative(posed, self.points))
        add_rows(jacobian, residual, weight, normal)
        if normal.corner.size:
            sizes = self._centred(size_derivative(posed, self.points))
            add_size_rows(jacobian, sizes, residual, weight, normal)

    def _residual(self, posed: Posed) -> Floats:
        return self._centred(locate(posed, self.points)) - self._centred(self.shape)

    def _centred(self, values: Floats) -> Floats:
        """Take the weighted mean over the landmarks (axis 1) out."""
        share = self.share.reshape(self.share.shape + (1,) * (values.ndim - 2))
        return values - (values * share).sum(axis=1, keepdims=True)

    def _square(self, residual: Floats) -> Floats:
        return (residual**2).sum(axis=-1) * self.precision


@dataclass
class Acceleration:
    """Bodies accelerate moderately: the integral over time of (acceleration / density)^2 of points (N,).

    density: (N,) m / s^1.5, the root of the spectral density of the points' acceleration.
    """

    points: Points
    density: Floats
    fps: float

    @property
    def _gain(self) -> Floats:
        return self.fps**1.5 / self.density

    def cost(self, posed: Posed) -> float:
        """Half the integral of squared acceleration over density."""
        bend = np.diff(locate(posed, self.points), n=2, axis=0) * self._gain[:, None]
        return 0.5 * float((bend**2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Second differences couple three frames; every product of frames is formed once."""
        jacobian = derivative(posed, self.points) * self._gain[:, None, None]
        frames, freedoms = len(jacobian), jacobian.shape[-1]
        rows = jacobian.reshape(frames, -1, freedoms)
        bend = np.diff(locate(posed, self.points) * self._gain[:, None], n=2, axis=0)
        if frames < 3:
            return
        times = _middle_weights(frames)
        columns = rows.transpose(0, 2, 1)
        normal.blocks[0] += times[0][:, None, None] * (columns @ rows)
        normal.blocks[1] += times[1][:, None, None] * (columns[:-1] @ rows[1:])
        normal.blocks[2] += columns[:-2] @ rows[2:]
        back = _second_difference_transposed(bend).reshape(frames, 1, -1)
        normal.gradient += (back @ rows)[:, 0]
        if normal.corner.size:
            self._add_sizes(posed, rows, bend, normal)

    def _add_sizes(self, posed: Posed, rows: Floats, bend: Floats, normal: Normal) -> None:
        sizes = size_derivative(posed, self.points) * self._gain[:, None, None]
        sizes = np.diff(sizes, n=2, axis=0)
        back = _second_difference_transposed(sizes).reshape(len(rows), -1, sizes.shape[-1])
        normal.border += rows.transpose(0, 2, 1) @ back
        flat = sizes.reshape(-1, sizes.shape[-1])
        normal.corner += flat.T @ flat
        normal.size_gradient += flat.T @ bend.reshape(-1)


def _middle_weights(frames: int) -> tuple[Floats, Floats]:
    """How often each frame meets itself, and its next, in the squares of all second differences."""
    stencil = np.array([1.0, -2.0, 1.0])
    alone, beside = np.zeros(frames), np.zeros(frames - 1)
    for k in range(3):
        alone[k : frames - 2 + k] += stencil[k] ** 2
    for k in range(2):
        beside[k : frames - 2 + k] += stencil[k] * stencil[k + 1]
    return alone, beside


def _second_difference_transposed(values: Floats) -> Floats:
    """Apply the transpose of the second difference over frames: (T - 2, ...) to (T, ...)."""
    out = np.zeros((len(values) + 2, *values.shape[1:]))
    out[:-2] += values
    out[1:-1] -= 2 * values
    out[2:] += values
    return out


@dataclass
class Planted:
    """Feet that nearly stand, stand: robust zero velocity of points; fast ones feel nothing.

    sd: m/s that a standing point shows; scale: robust scale in deviations.
    """

    points: Points
    sd: float
    fps: float
    scale: float = 3.0
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared speeds, in deviations."""
        speed = np.diff(locate(posed, self.points), axis=0) * self._gain
        return 0.5 * self.frame_weight * float(robust_cost((speed**2).sum(axis=-1), self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """First differences couple a frame with the next."""
        speed = np.diff(locate(posed, self.points), axis=0) * self._gain
        weight = self.frame_weight * robust_weight((speed**2).sum(axis=-1), self.scale)
        rows = derivative(posed, self.points) * self._gain
        flat = rows.reshape(len(rows), -1, rows.shape[-1])
        w = np.repeat(weight, 3, axis=1)[..., None]
        pull = (speed * weight[..., None]).reshape(len(speed), 1, -1)
        before, after = flat[:-1], flat[1:]
        normal.blocks[0][:-1] += before.transpose(0, 2, 1) @ (w * before)
        normal.blocks[0][1:] += after.transpose(0, 2, 1) @ (w * after)
        normal.blocks[1] -= before.transpose(0, 2, 1) @ (w * after)
        normal.gradient[:-1] -= (pull @ before)[:, 0]
        normal.gradient[1:] += (pull @ after)[:, 0]
        if normal.corner.size:
            self._add_sizes(posed, before, after, weight, speed, normal)

    def _add_sizes(
        self, posed: Posed, before: Floats, after: Floats, weight: Floats, speed: Floats, normal: Normal
    ) -> None:
        sizes = np.diff(size_derivative(posed, self.points), axis=0) * self._gain
        heavy = (sizes * weight[..., None, None]).reshape(len(sizes), -1, sizes.shape[-1])
        normal.border[:-1] -= before.transpose(0, 2, 1) @ heavy
        normal.border[1:] += after.transpose(0, 2, 1) @ heavy
        normal.corner += np.einsum("tkg,tkh->gh", heavy, sizes.reshape(heavy.shape))
        normal.size_gradient += np.einsum("tkg,tk->g", heavy, speed.reshape(len(speed), -1))

    @property
    def _gain(self) -> float:
        return self.fps / self.sd


@dataclass
class Limits:
    """Joints stay within their limits: one-sided springs on the rotation vector from rest.

    sd: radians beyond the limit that cost one deviation.
    """

    body: Body
    sd: float = np.deg2rad(3.0)
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the sum of squared excesses, in deviations."""
        return 0.5 * self.frame_weight * float((self._excess(posed) ** 2).sum()) / self.sd**2

    def add(self, posed: Posed, normal: Normal) -> None:
        """Add the springs that are stretched."""
        excess = self._excess(posed)
        jacobian = _angle_derivative(self.body, posed) * (excess != 0)[..., None]
        gain = self.frame_weight / self.sd**2
        normal.blocks[0][:, 3:, 3:] += gain * jacobian.transpose(0, 2, 1) @ jacobian
        normal.gradient[:, 3:] += gain * np.einsum("trk,tr->tk", jacobian, excess)

    def _excess(self, posed: Posed) -> Floats:
        angle = _angles(self.body, posed)
        low, high = self.body.limits.T
        return np.minimum(angle - low, 0.0) + np.maximum(angle - high, 0.0)


@dataclass
class Rest:
    """Joints that nothing is seen of stay near rest, and those that share a bend share it."""

    body: Body
    frame_weight: float = 1.0

    def cost(self, posed: Posed) -> float:
        """Half the sum of squared rotation vectors from rest and between sharing joints, in deviations."""
        pull, share = self._residuals(posed)
        return 0.5 * self.frame_weight * float((pull**2).sum() + (share**2).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Add both springs; a sharing joint is tied to its like."""
        pull, share = self._residuals(posed)
        jacobian = _angle_derivative(self.body, posed)
        firm, tied = self._gains()
        other = self._other_rows()
        differ = jacobian - np.where((other >= 0)[:, None], jacobian[:, other], 0.0)
        for rows, residual in ((jacobian * firm[:, None], pull), (differ * tied[:, None], share)):
            normal.blocks[0][:, 3:, 3:] += self.frame_weight * rows.transpose(0, 2, 1) @ rows
            normal.gradient[:, 3:] += self.frame_weight * np.einsum("trk,tr->tk", rows, residual)

    def _residuals(self, posed: Posed) -> tuple[Floats, Floats]:
        angle = _angles(self.body, posed)
        firm, tied = self._gains()
        other = self._other_rows()
        return angle * firm, (angle - np.where(other >= 0, angle[:, other], 0.0)) * tied

    def _gains(self) -> tuple[Floats, Floats]:
        joint = self.body.freedom_joint
        return 1.0 / self.body.rest_sd[joint], 1.0 / self.body.like_sd[joint]

    def _other_rows(self) -> np.ndarray:
        """For each freedom the same freedom of the joint it is like, or -1."""
        joint = self.body.freedom_joint
        first = {int(j): int(np.argmax(joint == j)) for j in np.unique(joint)}
        like = self.body.like_joint[joint]
        rank = np.arange(len(joint)) - np.array([first[int(j)] for j in joint])
        return np.array([first[int(k)] + r if k >= 0 else -1 for k, r in zip(like, rank, strict=True)])


def _angles(body: Body, posed: Posed) -> Floats:
    """Rotation vector from rest along each freedom's axis: (T, R) radians."""
    rotvec = quat.to_rotvec(posed.pose.rotations)
    return np.einsum("tri,ri->tr", rotvec[:, body.freedom_joint], body.freedom_axis)


def _angle_derivative(body: Body, posed: Posed) -> Floats:
    """d(angles) / d(turns): (T, R, R), block-diagonal by joint; the inverse right Jacobian of SO(3).

    Source: Sola, Deray and Atchuthan, A micro Lie theory (2018), eq. 144.
    """
    rotvec = quat.to_rotvec(posed.pose.rotations)[:, body.freedom_joint]
    inverse = right_jacobian_inverse(rotvec)
    turned = np.einsum("trij,sj->trsi", inverse, body.freedom_axis, optimize=True)
    same: Bools = body.freedom_joint[:, None] == body.freedom_joint[None, :]
    return np.einsum("trsi,ri->trs", turned, body.freedom_axis, optimize=True) * same


def right_jacobian_inverse(rotvec: Floats) -> Floats:
    """Return d log(exp(rotvec) exp(e)) / d e at e = 0: (..., 3, 3)."""
    angle = np.linalg.norm(rotvec, axis=-1)
    small = angle < 1e-4
    safe = np.where(small, 1.0, angle)
    second = 1.0 / safe**2 - (1.0 + np.cos(safe)) / (2.0 * safe * np.sin(np.where(small, 1.0, angle)))
    second = np.where(small, 1.0 / 12.0, second)
    x = np.zeros((*rotvec.shape, 3))
    x[..., 0, 1], x[..., 0, 2], x[..., 1, 2] = -rotvec[..., 2], rotvec[..., 1], -rotvec[..., 0]
    x = x - np.swapaxes(x, -1, -2)
    return np.eye(3) + 0.5 * x + second[..., None, None] * (x @ x)


def add_points(posed: Posed, points: Points, information: Floats, pull: Floats, normal: Normal) -> None:
    """Add point-wise information (T, N, 3, 3) and pull (T, N, 3), both in world axes, to the freedoms."""
    jacobian = derivative(posed, points)
    frames, freedoms = len(jacobian), jacobian.shape[-1]
    heavy = (information @ jacobian).reshape(frames, -1, freedoms)
    flat = jacobian.reshape(frames, -1, freedoms)
    normal.blocks[0] += flat.transpose(0, 2, 1) @ heavy
    normal.gradient += (pull.reshape(frames, 1, -1) @ flat)[:, 0]
    if normal.corner.size:
        sizes = size_derivative(posed, points)
        flat_sizes = sizes.reshape(frames, -1, sizes.shape[-1])
        normal.border += heavy.transpose(0, 2, 1) @ flat_sizes
        heavy_sizes = (information @ sizes).reshape(flat_sizes.shape)
        normal.corner += np.einsum("tkg,tkh->gh", flat_sizes, heavy_sizes)
        normal.size_gradient += np.einsum("tkg,tk->g", flat_sizes, pull.reshape(frames, -1))


def add_rows(jacobian: Floats, residual: Floats, weight: Floats, normal: Normal) -> None:
    """Add rows (T, N, 3, D) with residuals (T, N, 3) and weights (T, N, 1) within frames."""
    frames, freedoms = len(jacobian), jacobian.shape[-1]
    flat = jacobian.reshape(frames, -1, freedoms)
    heavy = (jacobian * weight[..., None]).reshape(flat.shape)
    normal.blocks[0] += flat.transpose(0, 2, 1) @ heavy
    normal.gradient += (residual.reshape(frames, 1, -1) @ heavy)[:, 0]


def add_size_rows(jacobian: Floats, sizes: Floats, residual: Floats, weight: Floats, normal: Normal) -> None:
    """Add the sizes' part of rows: (T, N, 3, G) beside (T, N, 3, D)."""
    frames, groups = len(sizes), sizes.shape[-1]
    heavy = (sizes * weight[..., None]).reshape(frames, -1, groups)
    normal.border += jacobian.reshape(frames, heavy.shape[1], -1).transpose(0, 2, 1) @ heavy
    normal.corner += np.einsum("tkg,tkh->gh", heavy, sizes.reshape(heavy.shape))
    normal.size_gradient += np.einsum("tkg,tk->g", heavy, residual.reshape(frames, -1))
