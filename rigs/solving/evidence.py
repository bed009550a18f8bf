"""What was seen: landmarks in calibrated views, or the shape of the body as a detector guesses it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rigs.solving.body import Floats
from rigs.solving.inertia import Carried
from rigs.solving.kinematics import Points, Posed, limb_derivative, locate, size_derivative
from rigs.solving.normal import Normal
from rigs.solving.robust import robust_cost, robust_weight

NEAREST = 0.05  # m before a camera; a point nearer than this, or behind, is held there


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
        self.precision, self.seen = _known(self.seen, self.sd)

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared reprojection errors over all views, in deviations."""
        residual, _ = self._residual(posed)
        return 0.5 * float(robust_cost(self._square(residual), self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Reduce all views to one 3 x 3 information matrix a landmark and frame, then to the freedoms."""
        residual, camera = self._residual(posed)
        weight = self.precision * robust_weight(self._square(residual), self.scale)
        information, pull = self._reduced(camera, residual, weight)
        add_points(posed, self.points, information, pull, normal)

    def _residual(self, posed: Posed) -> tuple[Floats, Floats]:
        """Image residuals (V, T, N, 2) and points in the cameras' axes (V, T, N, 3)."""
        world = locate(posed, self.points)
        turn = self.camera_rotation.swapaxes(1, 2)[:, None]
        camera = world @ turn + self.camera_translation[:, None, None]
        np.maximum(camera[..., 2], NEAREST, out=camera[..., 2])
        return camera[..., :2] / camera[..., 2:] - self.seen, camera

    def _square(self, residual: Floats) -> Floats:
        return (residual[..., 0] ** 2 + residual[..., 1] ** 2) * self.precision

    def _reduced(self, camera: Floats, residual: Floats, weight: Floats) -> tuple[Floats, Floats]:
        """Sum J^T W J (T, N, 3, 3) and J^T W r (T, N, 3) of d(x/z, y/z) / d(world) over the views.

        In the camera's axes J = [1 0 -a; 0 1 -b] / z with a, b = x/z, y/z, so J^T W J has six entries in
        closed form; each view's are turned to the world by one matrix.
        """
        inverse = 1 / camera[..., 2]
        slide = np.where(camera[..., 2] > NEAREST, inverse, 0.0)  # a depth that is held does not act
        a, b = camera[..., 0] * slide, camera[..., 1] * slide
        w = weight * inverse**2
        zero, far = np.zeros_like(w), a**2 + b**2
        flat = np.stack([w, zero, -w * a, zero, w, -w * b, -w * a, -w * b, w * far], axis=-1)
        turn = np.stack([np.kron(r, r) for r in self.camera_rotation])[:, None]
        information = (flat @ turn).sum(axis=0).reshape(*w.shape[1:], 3, 3)
        x, y = (residual * (weight * inverse)[..., None]).transpose(3, 0, 1, 2)
        pull = np.stack([x, y, -a * x - b * y], axis=-1) @ self.camera_rotation[:, None]
        return information, pull.sum(axis=0)


@dataclass
class Depth:
    """How far before calibrated views landmarks are, as guessed: m along the optical axis.

    camera_rotation (V, 3, 3) and camera_translation (V, 3): camera from world. depth (V, T, N) with NaN where
    unknown. sd (V, T, N): m. scale: robust scale in deviations.
    """

    points: Points
    camera_rotation: Floats
    camera_translation: Floats
    depth: Floats
    sd: Floats
    scale: float = 3.0
    precision: Floats = field(init=False)

    def __post_init__(self) -> None:
        self.precision, self.depth = _known(self.depth[..., None], self.sd)
        self.depth = self.depth[..., 0]

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared differences in depth, in deviations."""
        return 0.5 * float(robust_cost(self._residual(posed) ** 2 * self.precision, self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Each view knows one direction, its optical axis."""
        residual = self._residual(posed)
        weight = self.precision * robust_weight(residual**2 * self.precision, self.scale)
        axis = self.camera_rotation[:, 2]
        information = np.einsum("vtn,vi,vj->tnij", weight, axis, axis)
        pull = np.einsum("vtn,vi->tni", weight * residual, axis)
        add_points(posed, self.points, information, pull, normal)

    def _residual(self, posed: Posed) -> Floats:
        world = locate(posed, self.points)
        along = np.einsum("tni,vi->vtn", world, self.camera_rotation[:, 2])
        return np.asarray(along + self.camera_translation[:, 2, None, None] - self.depth)


@dataclass
class Shape:
    """The body's shape in each frame as a detector guesses it: landmarks (T, N, 3) m in world axes.

    Only differences within a frame count: the mean of the known landmarks is taken out of both sides.
    sd: (T, N) metres, infinite where unknown. scale: robust scale in deviations.
    """

    points: Points
    shape: Floats
    sd: Floats
    scale: float = 3.0
    precision: Floats = field(init=False)
    share: Floats = field(init=False)  # (T, N) of the mean

    def __post_init__(self) -> None:
        self.precision, self.shape = _known(self.shape, self.sd)
        self.share = self.precision / np.maximum(self.precision.sum(axis=1, keepdims=True), 1e-12)

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared differences of shape, in deviations."""
        return 0.5 * float(robust_cost(self._square(self._residual(posed)), self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Gauss-Newton on the landmarks about their weighted mean.

        The mean m = sum of share p moves with every landmark: sum w (J - M)^T (J - M) = sum w J^T J
        - K^T M - M^T K + (sum w) M^T M with M = sum share J and K = sum w J.
        """
        residual = self._residual(posed)
        weight = self.precision * robust_weight(self._square(residual), self.scale)
        pull = residual * weight[..., None]
        add_points(posed, self.points, weight[..., None, None] * np.eye(3), pull, normal)
        total, lost = weight.sum(axis=1)[:, None, None], pull.sum(axis=1)[:, None]
        mean, heavy = summed(posed, self.points, normal, np.stack([self.share, weight]))
        change = mean.swapaxes(1, 2) @ (total * mean - heavy) - heavy.swapaxes(1, 2) @ mean
        add_joined(change, -(lost @ mean)[:, 0], normal)

    def _residual(self, posed: Posed) -> Floats:
        away = locate(posed, self.points) - self.shape
        return away - (away * self.share[..., None]).sum(axis=1, keepdims=True)

    def _square(self, residual: Floats) -> Floats:
        return (residual**2).sum(axis=-1) * self.precision


def add_points(posed: Posed, points: Points, information: Floats, pull: Floats, normal: Normal) -> None:
    """Add point-wise information (T, N, 3, 3) and pull (T, N, 3), both in world axes, to the freedoms."""
    (rows, stiff), (others, loose) = points.stiff, points.loose
    if len(rows):
        inertia, carried = normal.bones(len(posed.chain.body.names)), Carried.at(posed, stiff)
        inertia.add(carried, information[:, rows])
        inertia.pull(carried, pull[:, rows])
    if len(others):
        _add_loose(posed, loose, information[:, others], pull[:, others], normal)


def _add_loose(posed: Posed, points: Points, information: Floats, pull: Floats, normal: Normal) -> None:
    frames = len(pull)
    sizes = size_derivative(posed, points) if normal.corner.size else None
    for limb in posed.chain.limbs(points):
        jacobian = limb_derivative(posed, points, limb)
        heavy = (information[:, limb.rows] @ jacobian).reshape(frames, -1, len(limb.columns)).swapaxes(1, 2)
        flat = jacobian.reshape(frames, -1, len(limb.columns))
        normal.add(0, limb.columns, heavy @ flat)
        normal.gradient[:, limb.columns] += (pull[:, limb.rows].reshape(frames, 1, -1) @ flat)[:, 0]
        if sizes is not None:
            normal.border[:, limb.columns] += heavy @ sizes[:, limb.rows].reshape(frames, -1, sizes.shape[-1])
    if sizes is not None:
        flat = sizes.reshape(-1, sizes.shape[-1])
        normal.corner += flat.T @ (information @ sizes).reshape(flat.shape)
        normal.size_gradient += pull.reshape(-1) @ flat


def summed(posed: Posed, points: Points, normal: Normal, weight: Floats) -> Floats:
    """Sum weight (W, T, N) times the derivative of points by freedoms and sizes: (W, T, 3, D + G)."""
    frames, freedoms = normal.gradient.shape
    out = np.zeros((len(weight), frames, 3, freedoms + len(normal.corner)))
    for limb in posed.chain.limbs(points):
        jacobian = limb_derivative(posed, points, limb)
        out[..., limb.columns] += np.einsum("wtn,tnid->wtid", weight[..., limb.rows], jacobian)
    if normal.corner.size:
        out[..., freedoms:] = np.einsum("wtn,tnig->wtig", weight, size_derivative(posed, points))
    return out


def add_joined(matrix: Floats, gradient: Floats, normal: Normal) -> None:
    """Add (T, D + G, D + G) and (T, D + G), freedoms and sizes in one."""
    freedoms = normal.gradient.shape[1]
    normal.blocks[0] += matrix[:, :freedoms, :freedoms]
    normal.border += matrix[:, :freedoms, freedoms:]
    normal.corner += matrix[:, freedoms:, freedoms:].sum(axis=0)
    normal.gradient += gradient[:, :freedoms]
    normal.size_gradient += gradient[:, freedoms:].sum(axis=0)


def _known(values: Floats, sd: Floats) -> tuple[Floats, Floats]:
    """Precision 1 / sd^2, zero where unknown, and the values with zeros there."""
    known = np.isfinite(values).all(axis=-1) & np.isfinite(sd)
    precision = np.where(known, 1.0 / np.where(known, sd, 1.0) ** 2, 0.0)
    return np.asarray(precision), np.asarray(np.where(known[..., None], values, 0.0))
