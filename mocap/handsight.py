"""What views saw of a hand, ready for the solve: image, scatter, and the networks' guess of its shape."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from calibration.camera import Camera, Cameras
from mocap.attach import PIXEL
from mocap.detect.hands import LANDMARKS
from mocap.handplace import RATE
from mocap.observations import Observations
from rigs import quat

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SURE = 0.7  # score from which a hand is believed at all: below, landmarks are off by half a palm
# Image scatter of a landmark over the palm (wrist to middle knuckle) at a score; a little more than was
# measured on rendered hands of 10 to 15 px, as the landmarks of a hand err together.
SCORES, SCATTER = (0.7, 0.8, 0.9, 0.95, 0.97, 0.99), (0.9, 0.6, 0.3, 0.2, 0.16, 0.14)
PALM = 0.056  # of stature
GUESS = 1.2  # times that scatter: of the network's own 3D guess
NEAREST = 0.1  # metres from a camera


@dataclass(frozen=True, eq=False)
class Wrist:
    """Where a solved body has a hand: at (T, 3) m, turned (T, 4) wxyz, both in the world, as is `arm` (T, 4).

    arm: how the forearm is turned; stature: metres; known: whether that was given; fps: frames a second.
    """

    left: bool
    at: Floats
    turned: Floats
    arm: Floats
    stature: float
    known: bool
    fps: float

    def at_looks(self, phase: int, every: int) -> Wrist:
        """The same at every so manieth frame, from number `phase` on."""
        looks = slice(phase, None, every)
        at, turned, arm = self.at[looks], self.turned[looks], self.arm[looks]
        return replace(self, at=at, turned=turned, arm=arm, fps=self.fps / every)


@dataclass(frozen=True, eq=False)
class Sight:
    """What V views saw of a hand: image (V, T, 21, 2) undistorted with its scatter (V, T, 21), and a shape.

    rotation (V, 3, 3), translation (V, 3): camera from world; shape (T, 21, 3) m in world axes, the networks'
    guess of all views, with its scatter shape_sd (T, 21). Infinite scatter where nothing was seen.
    """

    rotation: Floats
    translation: Floats
    image: Floats
    sd: Floats
    shape: Floats
    shape_sd: Floats
    every: int = 1  # frames from look to look

    @classmethod
    def nothing(cls, frames: int) -> Sight:
        """What no view says."""
        shape = np.zeros((frames, LANDMARKS, 3))
        image, sd = np.zeros((0, frames, LANDMARKS, 2)), np.zeros((0, frames, LANDMARKS))
        return cls(np.zeros((0, 3, 3)), np.zeros((0, 3)), image, sd, shape, np.full(shape.shape[:2], np.inf))

    @property
    def seen(self) -> Bools:
        """(T,) whether any view saw the hand."""
        return np.isfinite(self.sd).any(axis=(0, 2))

    @property
    def known(self) -> Bools:
        """(T,) whether any view saw the hand, or would have between two looks."""
        return np.asarray(maximum_filter1d(self.seen, 2 * self.every - 1))

    @property
    def phase(self) -> int | None:
        """The first frame that is looked at, where all looks are `every` frames apart; else None."""
        when = np.flatnonzero(self.seen)
        if self.every == 1 or not len(when) or (when % self.every != when[0] % self.every).any():
            return None
        return int(when[0] % self.every)

    def at_looks(self, phase: int) -> Sight:
        """The same in the frames that are looked at, from number `phase` on."""
        looks = slice(phase, None, self.every)
        image, sd, shape, shape_sd = (
            self.image[:, looks], self.sd[:, looks], self.shape[looks], self.shape_sd[looks],
        )  # fmt: skip
        return replace(self, image=image, sd=sd, shape=shape, shape_sd=shape_sd, every=1)


def sight_of(seen: Observations, cameras: Cameras, wrist: Wrist, rate: float = RATE) -> Sight:
    """Return what views saw of a hand, in the terms of the solve.

    Args:
        seen: V views, layout "hands42", on the clock of the wrist.
        cameras: of these views.
        wrist: of the hand.
        rate: looks a second.
    """
    rows = slice(0, LANDMARKS) if wrist.left else slice(LANDMARKS, 2 * LANDMARKS)
    assert seen.world is not None
    image = np.stack([c.undistort(p[:, rows]) for c, p in zip(cameras, seen.pixels, strict=True)])
    if len(cameras) == 1:  # its depths and floor may be wrong: the hand is held against its own wrist
        image = image + (_flat(cameras[0], wrist.at) - image[0, :, 0])[:, None]
    scatter = scatter_at(seen.confidence[:, :, rows])
    rotation = np.stack([c.camera_from_world[:3, :3] for c in cameras])
    translation = np.stack([c.camera_from_world[:3, 3] for c in cameras])
    depth = np.einsum("vj,tj->vt", rotation[:, 2], wrist.at) + translation[:, 2:]
    pixel = np.array([PIXEL / c.K[0, 0] for c in cameras])[:, None, None]
    sd = np.hypot(scatter * PALM * wrist.stature / np.maximum(depth, NEAREST)[..., None], pixel)
    shapes = [_in_world(seen.world[v][:, rows], image[v], turn) for v, turn in enumerate(rotation)]
    shape, shape_sd = _joined(np.stack(shapes), scatter)
    every = max(1, round(wrist.fps / rate))
    return Sight(rotation, translation, image, sd, *_scaled(shape, shape_sd, wrist.stature), every)


def scatter_at(score: Floats) -> Floats:
    """Scatter of landmarks over the palm at scores of any shape; infinite where the hand is not believed."""
    return np.where(score >= SURE, np.interp(score, SCORES, SCATTER), np.inf)


def _flat(camera: Camera, points: Floats) -> Floats:
    """Points (T, 3) in the world as undistorted x/z, y/z (T, 2)."""
    local = points @ camera.camera_from_world[:3, :3].T + camera.camera_from_world[:3, 3]
    return local[:, :2] / np.maximum(local[:, 2:], NEAREST)


def _in_world(world: Floats, image: Floats, rotation: Floats) -> Floats:
    """A guess (T, 21, 3), made in a crop about the ray to it, in world axes."""
    ray = np.concatenate([image.mean(axis=1), np.ones((len(image), 1))], axis=1)
    ahead = np.broadcast_to([0.0, 0.0, 1.0], ray.shape)
    turned = quat.rotate(quat.between(ahead, np.nan_to_num(ray))[:, None], world)
    return np.asarray(turned @ rotation)


def _joined(shapes: Floats, scatter: Floats) -> tuple[Floats, Floats]:
    """Mean (T, 21, 3) of shapes (V, T, 21, 3), each about its wrist, by how sure they are; its scatter.

    A network errs alike in all views: two are surer than the better one only by a little.
    """
    weight = np.where(np.isfinite(shapes).all(axis=-1), 1 / scatter**2, 0.0)
    about = np.nan_to_num(shapes - shapes[:, :, :1])
    total = weight.sum(axis=0)
    mean = (about * weight[..., None]).sum(axis=0) / np.maximum(total, 1e-12)[..., None]
    best = np.where(total > 0, scatter.min(axis=0), np.inf)
    return mean, best


def _scaled(shape: Floats, scatter: Floats, stature: float) -> tuple[Floats, Floats]:
    """The shape at the size of the person's hand, metres, and its scatter."""
    palm = np.linalg.norm(shape[:, 9] - shape[:, 0], axis=-1)
    known = palm > 0
    own = float(np.median(palm[known])) if known.any() else 1.0
    sd = np.where(np.isfinite(scatter), GUESS * scatter * PALM * stature, np.inf)
    return shape * (PALM * stature / own), sd
