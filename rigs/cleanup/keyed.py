"""What readers make of sparse keys: the frames between, by either of the two ways in which they fill them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.formats import euler
from rigs.motion import Motion
from rigs.quat import FloatArray

FBX_ORDER = "ZYX"  # as `rigs.formats.euler` reads it: FBX's XYZ, about x first


def filled(clip: Clip) -> Motion:
    """Return the motion that a clip's keys give, in every frame: for formats that have a number for each.

    Between keys rotations go by the shortest arc at a steady rate, positions on a line; in frames with keys
    they are exactly the motion's.
    """
    motion = clip.motion
    if clip.keys is None:
        return motion
    between = [Between.of(clip.keys[:, j]) for j in range(len(motion.skeleton))]
    rotations = np.stack([slerped(motion.rotations[:, j], b) for j, b in enumerate(between)], axis=1)
    moved = {j: on_lines(values, between[j]) for j, values in motion.translations.items()}
    root = on_lines(motion.root, between[0])
    return Motion(motion.skeleton, quat.continuous(rotations), root, motion.fps, moved)


@dataclass(frozen=True, eq=False)
class Between:
    """For each of some frames (N,): the frames of the keys around it, and how far from one to the other."""

    frame: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    part: FloatArray

    @classmethod
    def of(cls, keys: NDArray[np.bool_]) -> Between:
        """For every frame of one joint's keys (T,), of which the first and the last are set."""
        frame = np.arange(len(keys))
        before = np.maximum.accumulate(np.where(keys, frame, 0))
        after = np.minimum.accumulate(np.where(keys, frame, len(keys) - 1)[::-1])[::-1]
        return cls(frame, before, after, (frame - before) / np.maximum(after - before, 1))

    def at(self, some: NDArray[np.bool_]) -> Between:
        """Return some of the frames (N,)."""
        return Between(self.frame[some], self.before[some], self.after[some], self.part[some])


def on_lines(values: FloatArray, between: Between) -> FloatArray:
    """Values (N, C) on lines between those (T, C) of the keys; exact at keys."""
    start = values[between.before]
    return start + between.part[:, None] * (values[between.after] - start)


def slerped(q: FloatArray, between: Between) -> FloatArray:
    """Rotations (N, 4) by the shortest arc between those (T, 4) of the keys, as glTF and USD have it."""
    start = q[between.before]
    turned = quat.slerp(start, q[between.after], between.part)
    return np.where(between.part[:, None] == 0.0, start, turned)


def mixed(q: FloatArray, between: Between) -> FloatArray:
    """Rotations (N, 4) whose four numbers go on lines between those (T, 4) of the keys, as in Blender.

    It is the shortest arc, too, but not at a steady rate.
    """
    start, end = q[between.before], q[between.after]
    nearer = np.where((start * end).sum(axis=-1, keepdims=True) < 0.0, -end, end)
    part = between.part[:, None]
    return np.where(part == 0.0, start, quat.normalise(start + part * (nearer - start)))


Fill = Callable[[Between], FloatArray]


def ways_of_filling(q: FloatArray, rest: FloatArray) -> list[Fill]:
    """Return how readers fill rotations (T, 4) of a joint with a rest rotation (4,): from frames to (N, 4).

    By the shortest arc, at a steady rate or with numbers on lines; and, in FBX, by lines between angles about
    the axes, which are of the whole rotation or of what departs from rest, as the file has it.
    """
    ways: list[Fill] = [partial(slerped, q), partial(mixed, q)]
    for base in [quat.identity()] if abs(rest[0]) > 1.0 - 1e-12 else [quat.identity(), rest]:
        ways.append(_by_angles(q, base))
    return ways


def _by_angles(q: FloatArray, base: FloatArray) -> Fill:
    angles = euler.unwrap(euler.to_euler(quat.multiply(quat.conjugate(base), q), FBX_ORDER))

    def fill(between: Between) -> FloatArray:
        return quat.multiply(base, _from_angles(on_lines(angles, between)))

    return fill


def _from_angles(angles: FloatArray) -> FloatArray:
    """Return quaternions (N, 4) of angles (N, 3) about z, y and x, x first: `from_euler` written out."""
    cosine, sine = np.cos(angles / 2.0).T, np.sin(angles / 2.0).T
    (cz, cy, cx), (sz, sy, sx) = cosine, sine
    return np.stack(
        [
            cz * cy * cx + sz * sy * sx,
            cz * cy * sx - sz * sy * cx,
            cz * sy * cx + sz * cy * sx,
            sz * cy * cx - cz * sy * sx,
        ],
        axis=-1,
    )
