"""How lively joints may be: what views disagree on from frame to frame is noise, and noise is no motion.

A landmark that moved shifts in all views as one shift in space would have it. What is left of their second
differences beside the shift that explains them best is noise, whatever the detector says of itself; and how
much of it a shift in space may hold follows. Where joints accelerate little beside that, most of what they
seem to do is noise, and where they accelerate far more, the solve holds back what is true. Of two views and
of quick motion noise looks larger than it is, so what is quick is not held back for it.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from mocap.attach import NEAREST
from mocap.scene import EVIDENCE_RATE, Scene
from rigs.solving.kinematics import Points, Pose, locate

Floats = NDArray[np.float64]

# Chosen on 15 held-out people and 25 drawn ones, of whom slow ones accelerated 1.2 to 1.6 times as they truly
# did, and quick ones 0.95 times: docs/findings.md.
TIMES = 0.75  # times the noise: what accelerates by that much is as lively as the solve's settings say
QUICK = 2.0  # times a body's accelerations in lively motion: as lively as that, too, however large the noise
LEAST, MOST = 0.25, 2.0  # times that liveliness, at most
SECONDS = 1.0  # standard deviation of the time over which motion and noise are told
SOME = 0.1  # of that time, in which views are to say something at all
JOLT = 30.0  # squared deviations of a second difference from which on it counts no more
FREE = np.eye(3) / 0.3**2  # 1/m^2, so that a landmark may be shifted by 0.3 m where views do not tell
TINY = 1e-12  # m^2 of noise, at least
CHUNK = 512  # frames that are looked at together


def liveliness(scene: Scene, pose: Pose, sizes: Floats, stature: float) -> Floats:
    """Tell how lively joints may be: times what the scene's settings say, (T, J).

    Source: noise is the reduced chi-squared of a weighted least-squares shift, with the shift's covariance.

    Args:
        scene: what the views saw.
        pose: T frames, as solved.
        sizes: (G,) metres of stature.
        stature: metres.
    """
    step = max(1, round(scene.fps / EVIDENCE_RATE))
    joints, inner = len(scene.body.names), len(pose) - 2 * step
    if inner < 1:
        return np.ones((len(pose), joints))
    posed, points = scene.chain.place(pose, sizes), scene.attachment.points(stature)
    world = locate(posed, points)
    motion = (_bends(posed.positions, step) ** 2).sum(axis=-1)
    edges = [*range(0, inner, CHUNK), inner]
    parts = [
        _noise(scene, points, world, slice(start, stop + 2 * step), step) for start, stop in pairwise(edges)
    ]
    noise = np.concatenate(parts)
    known, width = np.isfinite(noise), SECONDS * scene.fps
    motion, noise, share = (
        gaussian_filter1d(a, width, axis=0, mode="nearest")
        for a in (motion, np.nan_to_num(noise), known.astype(float))
    )
    ratio = motion * share / np.maximum(noise, TINY)
    ratio[share < SOME] = 0.0
    rest = ~known.any(axis=0)  # joints that carry no landmarks are as the others
    ratio[:, rest] = ((motion * share).sum(axis=1) / np.maximum(noise.sum(axis=1), TINY))[:, None]
    quick = motion * (scene.fps / step) ** 4 / (QUICK * scene.body.acceleration) ** 2
    lively = np.clip(np.maximum(ratio / TIMES**2, np.minimum(quick, 1.0)), LEAST, MOST)
    return np.asarray(np.pad(lively, ((step, step), (0, 0)), mode="edge"))


def _noise(scene: Scene, points: Points, world: Floats, frames: slice, step: int) -> Floats:
    """Square of the second differences, in m, that noise in the views may give joints: (T' - 2 step, J).

    NaN where no two views tell. world: (T, N, 3) m, where the points are; frames: T' of them.
    """
    square, freedom, information = _left(scene, world[frames], frames, step)
    home = (np.arange(len(scene.body.names))[:, None] == points.joint) * 1.0
    square, freedom = square @ home.T, freedom @ home.T
    joined = home @ information.reshape(*information.shape[:2], 9)
    spread = np.linalg.inv(joined.reshape(*joined.shape[:2], 3, 3) + FREE)
    noise = square / np.where(freedom > 0, freedom, np.nan)
    return np.asarray(noise * np.trace(spread, axis1=-2, axis2=-1))


def _left(scene: Scene, world: Floats, frames: slice, step: int) -> tuple[Floats, Floats, Floats]:
    """What is left of points' second differences beside the shift in space that explains them best.

    world: (T', N, 3) m, where the points are in `frames`. Returns squares in deviations (T' - 2 step, N), of
    how many freedoms they are, and the information (T' - 2 step, N, 3, 3) on the shift, 1/m^2.
    """
    middle, imaged = world[step:-step], scene.imaged(world)
    square, freedom = np.zeros((2, *middle.shape[:2]))
    pull, information = np.zeros(middle.shape), np.zeros((*middle.shape, 3))
    for v, (turn, shift) in enumerate(zip(scene.rotation, scene.translation, strict=True)):
        bend = _bends(scene.seen[v, frames] - imaged[v], step)
        sd = scene.sd[v, frames][step:-step]
        seen = np.isfinite(bend).all(axis=-1) & np.isfinite(sd)
        weight = np.where(seen, 1 / np.where(seen, sd, 1.0) ** 2, 0.0)
        bend = np.where(seen[..., None], bend, 0.0)
        weight *= np.minimum(1.0, JOLT / np.maximum(weight * (bend**2).sum(axis=-1), JOLT))
        depth = np.maximum(middle @ turn[2] + shift[2], NEAREST)
        rows = (turn[:2] - imaged[v, step:-step, :, :, None] * turn[2]) / depth[..., None, None]
        heavy = weight[..., None, None] * rows
        information += heavy.swapaxes(-1, -2) @ rows
        pull += (bend[..., None, :] @ heavy)[..., 0, :]
        square += weight * (bend**2).sum(axis=-1)
        freedom += 2.0 * seen
    square -= (pull * np.linalg.solve(information + FREE, pull[..., None])[..., 0]).sum(axis=-1)
    freedom = np.maximum(freedom - 3, 0.0)
    return np.where(freedom > 0, square, 0.0), freedom, information


def _bends(values: Floats, step: int) -> Floats:
    """Second differences of values (T, ...) over `step` frames: (T - 2 step, ...)."""
    return np.asarray(values[: -2 * step] - 2 * values[step:-step] + values[2 * step :])
