"""Where a motion repeats itself: two frames between which it is once round.

Frames are compared as clouds of the joints' positions over a short while, after the turn about the upright
axis and the shift along the floor that fit them best (L. Kovar, M. Gleicher and F. Pighin, "Motion graphs",
2002), so pose and velocity count, and place and heading do not.
"""

from __future__ import annotations

import numpy as np

from rigs.cleanup.ground_turn import on_floor
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.quat import FloatArray

SHORTEST = 0.5  # seconds of a cycle
REACH = 1 / 15  # seconds before and after a frame that belong to its cloud
COARSE = 1200  # frames that are compared each with each; more are first looked at in steps
ALIKE = 0.25  # of the cycle's own extent: strides are 0.06 to 0.15, what repeats nothing is more than this
QUARTERS = (0.25, 0.5, 0.75)


def find_cycle(motion: Motion, shortest: float = SHORTEST, longest: float | None = None) -> tuple[int, int]:
    """Return the frames (start, stop) of the best cycle: at stop the motion is where it was at start.

    Of all pairs of frames it is the one that is most alike, measured by how far the motion departs from the
    start at a quarter, half and three quarters of the way. So standing still is no cycle, two strides are no
    better than one, and a step that ends on the other foot is none at all.

    Args:
        motion: T frames.
        shortest: seconds that the cycle lasts at least.
        longest: seconds that it lasts at most; None: as long as the motion.

    Raises:
        RigError: the motion is too short, or no part of it repeats itself.
    """
    fps = float(motion.fps)
    reach = max(round(REACH * fps), 1)
    fewest = max(int(np.ceil(shortest * fps)), 4)
    most = len(motion) - 1 if longest is None else int(longest * fps)
    usable = np.arange(reach, len(motion) - reach)
    if len(usable) <= fewest or most < fewest:
        raise RigError(
            f"cannot find a cycle of {shortest:g} s or more in {len(motion)} frames at {fps:g} per second; "
            "give a longer part, or its start and stop"
        )
    cloud = _Cloud(motion, reach)
    step = -(-len(usable) // COARSE)
    frames = usable[::step]
    apart = cloud.apart(frames, frames)
    start, stop = _best(apart, max(fewest // step, 4), max(most // step, 4))
    extent = _extent(apart, start, stop)
    near = [np.clip(frames[k] + np.arange(-step, step + 1), usable[0], usable[-1]) for k in (start, stop)]
    closest = cloud.apart(*near)
    a, b = np.unravel_index(np.argmin(closest), closest.shape)
    if closest[a, b] > ALIKE * extent:
        raise RigError(
            f"no part of the motion repeats itself: frames {near[0][a]} and {near[1][b]}, most alike, are "
            f"{1e3 * closest[a, b]:.0f} mm apart in a movement of {1e3 * extent:.0f} mm; give start and stop"
        )
    return int(near[0][a]), int(near[1][b])


class _Cloud:
    """Of every frame, the positions of all joints shortly before, at and after it."""

    def __init__(self, motion: Motion, reach: int) -> None:
        self.positions, self.reach = motion.world()[0], reach

    def apart(self, a: np.ndarray, b: np.ndarray) -> FloatArray:
        """Return how far the clouds of frames a (A,) and b (B,) are apart, (A, B) metres root mean square."""
        (floor_a, height_a), (floor_b, height_b) = self._at(a), self._at(b)
        squares = [
            np.sum(np.abs(floor) ** 2 + h**2, axis=1)
            for floor, h in ((floor_a, height_a), (floor_b, height_b))
        ]
        common = np.abs(np.conj(floor_a) @ floor_b.T) + height_a @ height_b.T
        square = squares[0][:, None] + squares[1] - 2.0 * common
        return np.sqrt(np.maximum(square, 0.0) / floor_a.shape[1])

    def _at(self, frames: np.ndarray) -> tuple[np.ndarray, FloatArray]:
        """Places on the floor about their middle, and heights, of the clouds (K, 3 J)."""
        cloud = np.concatenate([self.positions[frames + k * self.reach] for k in (-1, 0, 1)], axis=1)
        floor = on_floor(cloud)
        return floor - floor.mean(axis=1, keepdims=True), cloud[..., 1]


def _best(apart: FloatArray, fewest: int, most: int) -> tuple[int, int]:
    """Return the pair of rows that is nearest, measured by the extent of what is between."""
    best, found = np.inf, (0, fewest)
    for lag in range(fewest, min(most, len(apart) - 1) + 1):
        start = np.arange(len(apart) - lag)
        score = apart[start, start + lag] / np.maximum(_extent(apart, start, start + lag), 1e-9)
        k = int(np.argmin(score))
        if score[k] < best:
            best, found = float(score[k]), (k, k + lag)
    return found


def _extent(apart: FloatArray, start: np.ndarray | int, stop: np.ndarray | int) -> FloatArray:
    """Return how far the motion gets from its start on the way, at most, looked at in quarters."""
    lag = np.asarray(stop) - np.asarray(start)
    on_way = [apart[start, start + np.round(part * lag).astype(int)] for part in QUARTERS]
    return np.asarray(np.max(on_way, axis=0))
