"""What was seen: landmarks in calibrated views, or the shape of the body as a detector guesses it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rigs.solving.body import Floats
from rigs.solving.inertia import Carried
from rigs.solving.kinematics import Points, Posed, limb_derivative, locate, size_derivative
from rigs.solving.normal import Normal
from rigs.solving.robust import robust_cost, robust_weight
from rigs.solving.slant import inverse_shape

NEAREST = 0.05  # m before a camera; a point nearer than this, or behind, is held there


@dataclass
class Reprojection:
    """Landmarks seen in calibrated views, as undistorted image coordinates x/z, y/z.

    camera_rotation (V, 3, 3) and camera_translation (V, 3): camera from world. seen (V, T, N, 2) with NaN
    where unseen. sd (V, T, N): standard deviation in the same units. scale: robust scale in deviations.
    slant (V, T, N, 2): which way each is rather off, see `rigs.solving.slant`; None = any.
    """

    points: Points
    camera_rotation: Floats
    camera_translation: Floats
    seen: Floats
    sd: Floats
    scale: float = 3.0
    slant: Floats | None = None
    precision: tuple[Floats, Floats, Floats] = field(init=False)  # (V, T, N) of xx, xy and yy

    def __post_init__(self) -> None:
        precision, self.seen = _known(self.seen, self.sd)
        slant = np.zeros((1, 1, 1, 2)) if self.slant is None else np.nan_to_num(self.slant)
        xx, xy, yy = inverse_shape(slant)
        self.precision = precision * xx, precision * xy, precision * yy

    def cost(self, posed: Posed) -> float:
        """Half the robust sum of squared reprojection errors over all views, in deviations."""
        residual, _ = self._residual(posed)
        return 0.5 * float(robust_cost(self._square(residual), self.scale).sum())

    def add(self, posed: Posed, normal: Normal) -> None:
        """Reduce all views to one 3 x 3 information matrix a landmark and frame, then to the freedoms."""
        residual, camera = self._residual(posed)
        weight = robust_weight(self._square(residual), self.scale)
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
        xx, xy, yy = self.precision
        x, y = residual[..., 0], residual[..., 1]
        return np.asarray(xx * x**2 + yy * y**2 + 2 * xy * x * y)

    def _reduced(self, camera: Floats, residual: Floats, weight: Floats) -> tuple[Floats, Floats]:
        """Sum J^T W J (T, N, 3, 3) and J^T W r (T, N, 3) of d(x/z, y/z) / d(world) over the views.

        W is the precision times a weight. In the camera's axes J = [1 0 -a; 0 1 -b] / z with a, b = x/z, y/z,
        so J^T W J has six entries in closed form; each view's are turned to the world by one matrix.
        """
        inverse = 1 / camera[..., 2]
        slide = np.where(camera[..., 2] > NEAREST, inverse, 0.0)  # a depth that is held does not act
        a, b = camera[..., 0] * slide, camera[..., 1] * slide
        near = weight * inverse
        xx, xy, yy = (near * p for p in self.precision)
        x, y = residual[..., 0], residual[..., 1]
        pulled_x, pulled_y = xx * x + xy * y, xy * x + yy * y
        xx, xy, yy = xx * inverse, xy * inverse, yy * inverse
        xz, yz = -a * xx - b * xy, -a * xy - b * yy
        flat = np.stack([xx, xy, xz, xy, yy, yz, xz, yz, -a * xz - b * yz], axis=-1)
        turn = np.stack([np.kron(r, r) for r in self.camera_rotation])[:, None]
        information = (flat @ turn).sum(axis=0).reshape(*weight.shape[1:], 3, 3)
        pull = (
            np.stack([pulled_x, pulled_y, -a * pulled_x - b * pulled_y], axis=-1)
            @ self.camera_rotation[:, None]
        )
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
