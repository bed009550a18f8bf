"""Where a motion repeats itself: two frames between which it is once round.

Frames are compared as clouds of the joints' positions over a short while, after the turn about the upright
axis and the shift along the floor that fit them best (L. Kovar, M. Gleicher and F. Pighin, "Motion graphs",
2002), so pose and velocity count, and place and heading do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rigs.cleanup.ground_turn import ComplexArray, on_floor
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.quat import FloatArray

SHORTEST, LONGEST = 0.5, 10.0  # seconds of a cycle
REACH = 1 / 15  # seconds before and after a frame that belong to its cloud
COARSE = 2500  # frames of a motion; of longer ones not all are looked at at first
ALIKE = 0.25  # of the cycle's own extent: strides are 0.06 to 0.15, what repeats nothing is more than this
QUARTERS = (0.25, 0.5, 0.75)
DOUBT = 1e-3  # metres by which all frames count as apart in any case, so that a frozen body is no cycle
TIE = 1.1  # times the best score: within it the shorter cycle is taken
Frames = NDArray[np.int64]


def find_cycle(motion: Motion, shortest: float = SHORTEST, longest: float = LONGEST) -> tuple[int, int]:
    """Return the frames (start, stop) of the best cycle: at stop the motion is where it was at start.

    Of all pairs of frames it is the one that is most alike, measured by how far the motion departs from the
    start at a quarter, half and three quarters of the way. So standing still is no cycle, two strides are
    hardly better than one and not taken, and a step that ends on the other foot is none at all.

    Args:
        motion: T frames.
        shortest: seconds that the cycle lasts at least.
        longest: seconds that it lasts at most.

    Raises:
        RigError: the motion is too short, or no part of it repeats itself.
    """
    fps = float(motion.fps)
    reach = max(round(REACH * fps), 1)
    fewest = max(int(np.ceil(shortest * fps)), 4)
    most = min(int(longest * fps), len(motion) - 1 - 2 * reach)
    if most < fewest:
        raise RigError(
            f"cannot find a cycle of {shortest:g} to {longest:g} s in {len(motion)} frames at {fps:g} per "
            "second; give a longer part, or its start and stop"
        )
    cloud = _Cloud(motion, reach)
    usable = np.arange(reach, len(motion) - reach)
    step = min(-(-len(usable) // COARSE), fewest // 4)
    start, stop, extent = _best(cloud, usable[::step], -(-fewest // step), most // step)
    near = [np.clip(k + np.arange(-step, step + 1), usable[0], usable[-1]) for k in (start, stop)]
    lag = near[1] - near[0][:, None]
    closest = np.where((fewest <= lag) & (lag <= most), cloud.apart(*near), np.inf)
    a, b = np.unravel_index(np.argmin(closest), closest.shape)
    if closest[a, b] + DOUBT > ALIKE * extent:
        raise RigError(
            f"no part of the motion repeats itself: frames {near[0][a]} and {near[1][b]}, most alike, are "
            f"{1e3 * closest[a, b]:.0f} mm apart in a movement of {1e3 * extent:.0f} mm; "
            "take another part, or give start and stop"
        )
    return int(near[0][a]), int(near[1][b])


class _Cloud:
    """Of every frame, the positions of all joints shortly before, at and after it."""

    def __init__(self, motion: Motion, reach: int) -> None:
        self.positions, self.reach = motion.world()[0], reach

    def apart(self, a: Frames, b: Frames) -> FloatArray:
        """Return how far the clouds of frames a (A,) and b (B,) are apart, (A, B) metres root mean square."""
        (floor_a, height_a), (floor_b, height_b) = self.at(a), self.at(b)
        return _apart(floor_a[:, None], height_a[:, None], floor_b, height_b)

    def at(self, frames: Frames) -> tuple[ComplexArray, FloatArray]:
        """Places on the floor about their middle, and heights, of the clouds (K, 3 J)."""
        cloud = np.concatenate([self.positions[frames + k * self.reach] for k in (-1, 0, 1)], axis=1)
        floor = on_floor(cloud)
        return floor - floor.mean(axis=1, keepdims=True), cloud[..., 1]


def _apart(
    floor_a: ComplexArray, height_a: FloatArray, floor_b: ComplexArray, height_b: FloatArray
) -> FloatArray:
    """Return how far clouds (..., 3 J) are apart when they are turned as fits best, metres."""
    square = np.sum(np.abs(floor_a) ** 2 + np.abs(floor_b) ** 2 + (height_a - height_b) ** 2, axis=-1)
    square -= 2.0 * np.abs(np.sum(np.conj(floor_a) * floor_b, axis=-1))
    return np.sqrt(np.maximum(square, 0.0) / floor_a.shape[-1])


def _best(cloud: _Cloud, frames: Frames, fewest: int, most: int) -> tuple[int, int, float]:
    """Return the two of the frames (K,), in even steps, that are most alike; and the extent between them.

    fewest, most: steps from one to the other.
    """
    floor, height = cloud.at(frames)
    count, most = len(frames), min(most, len(frames) - 1)
    apart = np.zeros((most + 1, count))  # by how many steps, and from which frame
    scores, starts, extents = np.full(most + 1, np.inf), np.zeros(most + 1, int), np.zeros(most + 1)
    for lag in range(1, most + 1):
        rest = count - lag
        apart[lag, :rest] = _apart(floor[:rest], height[:rest], floor[lag:], height[lag:])
        if lag >= fewest:
            extent = np.max([apart[round(part * lag), :rest] for part in QUARTERS], axis=0)
            score = (apart[lag, :rest] + DOUBT) / np.maximum(extent, DOUBT)
            k = starts[lag] = np.argmin(score)
            scores[lag], extents[lag] = score[k], extent[k]
    lag = int(np.argmax(scores <= TIE * scores.min()))
    while lag < most and scores[lag + 1] < scores[lag]:
        lag += 1
    return int(frames[starts[lag]]), int(frames[starts[lag] + lag]), float(extents[lag])
