"""A motion at another rate: points on a smooth curve through its frames.

Positions follow the cubic of Catmull and Rom: through every frame with the mean of the velocities before and
after it. Rotations follow the same cubic on the sphere of rotations, with cumulative Bernstein polynomials
(M.-J. Kim, M.-S. Kim and S. Y. Shin, "A general construction scheme for unit quaternion curves with simple
high order derivatives", 1995). Four frames decide about every point, so a hit stays where it is: after a
dead stop the curve swings over by 2/27 of the way of the frame before it, and is back at the next frame.

What 24 frames a second hold: of 60 taken to 24 and back, the ends of limbs in a sample of CMU's motions are
1.1 mm off on average and 4.2 mm in the worst twentieth of frames; by lines between frames, 2.0 and 7.6 mm.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.cleanup.clock import Ticks, ticks
from rigs.cleanup.smooth import smooth
from rigs.clip import Clip
from rigs.motion import Motion
from rigs.quat import FloatArray


def resample(motion: Motion, fps: Fraction | int, low_pass: bool = False) -> Motion:
    """Return a motion at another rate, from the same first frame over the same duration.

    Where a new frame falls on an old one it is that frame exactly. The last frame is kept when the new rate
    reaches it.

    Args:
        motion: T frames.
        fps: the new rate, exact.
        low_pass: on the way to a lower rate, halve first what swings at half that rate and take out what is
            faster, which the new frames would show as a slow tremble. It dulls hits, so it is off.

    Raises:
        RigError: the rate is not positive.
    """
    return _at(motion, ticks(len(motion), motion.fps, fps), Fraction(fps), low_pass)


def resample_clip(clip: Clip, fps: Fraction | int, low_pass: bool = False) -> Clip:
    """Return a clip at another rate, on the same clock: its frames stand at whole frames of the new clock.

    Somebody who comes late may so begin up to one new frame later. Every frame has keys. Arguments and errors
    as for `resample`.
    """
    motion = clip.motion
    when = ticks(len(motion), motion.fps, fps, clip.first)
    return replace(clip, motion=_at(motion, when, Fraction(fps), low_pass), first=when.first, keys=None)


def _at(motion: Motion, when: Ticks, fps: Fraction, low_pass: bool) -> Motion:
    """Return the motion at the ticks of another clock."""
    if low_pass and fps < motion.fps:
        motion = smooth(motion, float(fps) / 2.0)
    return Motion(
        motion.skeleton,
        quat.continuous(_turned(motion.rotations, when)),
        _moved(motion.root, when),
        fps,
        {j: _moved(values, when) for j, values in motion.translations.items()},
    )


def _turned(q: FloatArray, when: Ticks) -> FloatArray:
    """Return rotations (K, J, 4) on the cubic through rotations (T, J, 4)."""
    steps = quat.to_rotvec(quat.multiply(quat.conjugate(q[:-1]), q[1:]))
    start, first, last, s = _frame_and_slopes(q, steps, when)
    end = q[np.minimum(when.before + 1, len(q) - 1)]
    first, last = first / 3.0, last / 3.0
    across = quat.multiply(quat.conjugate(start), end)
    middle = quat.multiply(quat.from_rotvec(-first), quat.multiply(across, quat.from_rotvec(-last)))
    curve = start
    for part, turn in (
        (1.0 - (1.0 - s) ** 3, first),
        (3.0 * s**2 - 2.0 * s**3, quat.to_rotvec(middle)),
        (s**3, last),
    ):
        curve = quat.multiply(curve, quat.from_rotvec(part * turn))
    return np.where(s == 0.0, start, curve)


def _moved(p: FloatArray, when: Ticks) -> FloatArray:
    """Return positions (K, 3) on the cubic through positions (T, 3)."""
    start, first, last, s = _frame_and_slopes(p, np.diff(p, axis=0), when)
    across = p[np.minimum(when.before + 1, len(p) - 1)] - start
    curve = (
        start + (3.0 * s**2 - 2.0 * s**3) * across + (s**3 - 2.0 * s**2 + s) * first + (s**3 - s**2) * last
    )
    return np.where(s == 0.0, start, curve)


def _frame_and_slopes(
    values: FloatArray, steps: FloatArray, when: Ticks
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Of every tick: the frame before it, the slopes there and at the next frame, and how far between."""
    slopes = np.zeros((len(values), *steps.shape[1:]))
    if len(steps):
        slopes[1:-1] = (steps[1:] + steps[:-1]) / 2.0
        slopes[[0, -1]] = steps[[0, -1]]
    if len(steps) > 1:  # the parabola through the three frames at an end
        slopes[0] += (steps[0] - steps[1]) / 2.0
        slopes[-1] += (steps[-1] - steps[-2]) / 2.0
    after = np.minimum(when.before + 1, len(values) - 1)
    s = when.part.reshape(-1, *[1] * (values.ndim - 1))
    return values[when.before], slopes[when.before], slopes[after], s
