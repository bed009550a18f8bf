"""When parts of a person keep still, so that a detector's sway, alike for many frames, hardly shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, uniform_filter1d

from rigs.solving.body import Body
from rigs.solving.kinematics import Chain, Points, Pose, locate
from rigs.solving.terms import Held

Floats = NDArray[np.float64]

SECONDS = 1.0  # over which a part that keeps still does so
RANGE = 0.004  # metres, root mean square about its mean in that time, of what may as well keep still
REACH = 0.33  # seconds before and after such a time that are still as well: who stops has stopped at once
SHARP = 4.0  # power of the range with which the pull ends
SD = 0.015  # m/s of what keeps still


@dataclass(frozen=True, eq=False)
class Stillness:
    """Points of all bones, and how surely each keeps still in each frame: (T, N), from 0 to 1."""

    points: Points
    still: Floats

    def term(self, start: int, stop: int, fps: float, frame_weight: float) -> Held:
        """Return the pull on frames [start, stop): smooth over a second, and so none on steady motion."""
        still = self.still[start:stop]
        return Held(self.points, np.minimum(still[1:], still[:-1]) * frame_weight, SD, fps)


def find_stillness(body: Body, sizes: Floats, pose: Pose, fps: float) -> Stillness:
    """Find which parts of a solved person keep still when.

    Args:
        body: of the person.
        sizes: (G,) metres of stature.
        pose: T frames, as solved.
        fps: frames a second.
    """
    points = _points(body, sizes)
    at = locate(Chain(body).place(pose, sizes), points)
    width = 2 * round(SECONDS / 2 * fps) + 1
    if width > len(at):  # nobody has been still for so long
        return Stillness(points, np.zeros(at.shape[:2]))
    mean, square = (uniform_filter1d(v, width, axis=0, mode="nearest") for v in (at, at**2))
    variance = np.maximum(square - mean**2, 0.0).sum(axis=-1)
    still = 1 / (1 + (variance / RANGE**2) ** SHARP)
    return Stillness(points, maximum_filter1d(still, 2 * round(REACH * fps) + 1, axis=0, mode="nearest"))


def _points(body: Body, sizes: Floats) -> Points:
    """All joints, and the tips of the leaves."""
    joints = len(body.names)
    leaves = [body.index(name) for name in body.tips]
    offsets = np.zeros((joints + len(leaves), joints, 3))
    for n, (j, tip) in enumerate(zip(leaves, body.tips.values(), strict=True)):
        offsets[joints + n, j] = tip * sizes[body.size_of[j]]
    return Points(np.concatenate([np.arange(joints), np.array(leaves, dtype=np.int64)]), offsets)
