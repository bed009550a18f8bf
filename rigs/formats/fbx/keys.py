"""Keys of FBX's curves: a joint's rotation as three angles that change linearly from key to key."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.formats import euler
from rigs.quat import FloatArray

_ORDER = "ZYX"  # as our Euler angles name what FBX calls XYZ: about x first
_FAITHFUL = 1e-3  # radians: how far angles that change linearly may be from a steady turn, 1 mm at 1 m


def rest_angles(rest: FloatArray) -> FloatArray:
    """Return degrees (J, 3) about x, y and z of rotations (J, 4)."""
    return np.degrees(euler.to_euler(rest[None], _ORDER)[0][:, ::-1])


def rotation_keys(clip: Clip) -> list[tuple[NDArray[np.int64], FloatArray]]:
    """Return for every joint the frames (K,) of its keys, and degrees (K, 3) about x, y and z, without jumps.

    Where a joint has keys in some frames only, it gets more of them: where angles that change linearly would
    lead it away from the steady turn that is meant, as they do near a quarter turn about y.
    """
    frames = [clip.key_frames(j) for j in range(len(clip.motion.skeleton))]
    rotations = clip.motion.rotations
    if clip.keys is not None:
        rotations = np.stack([_steady(rotations[:, j], keyed) for j, keyed in enumerate(frames)], axis=1)
    angles = euler.unwrap(euler.to_euler(rotations, _ORDER))
    if clip.keys is not None:
        frames = [_enough(rotations[:, j], angles[:, j], keyed) for j, keyed in enumerate(frames)]
    degrees = np.degrees(angles[..., ::-1])
    return [(keyed, degrees[keyed, j]) for j, keyed in enumerate(frames)]


def _steady(rotations: FloatArray, keyed: NDArray[np.int64]) -> FloatArray:
    """Return rotations (T, 4) that turn from key to key by the shortest arc."""
    before, part = _between(len(rotations), keyed)
    after = np.minimum(before + 1, len(keyed) - 1)
    return quat.continuous(quat.slerp(rotations[keyed[before]], rotations[keyed[after]], part))


def _enough(rotations: FloatArray, angles: FloatArray, keyed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return frames between which angles (T, 3) that change linearly keep to rotations (T, 4)."""
    while True:
        before, part = _between(len(rotations), keyed)
        after = np.minimum(before + 1, len(keyed) - 1)
        step = angles[keyed[after]] - angles[keyed[before]]
        linear = euler.from_euler(angles[keyed[before]] + part[:, None] * step, _ORDER)
        away = quat.angle(rotations, linear)
        bad = np.unique(before[away > _FAITHFUL])
        if not len(bad):
            return keyed
        keyed = np.union1d(keyed, (keyed[bad] + keyed[bad + 1]) // 2)


def _between(frames: int, keyed: NDArray[np.int64]) -> tuple[NDArray[np.int64], FloatArray]:
    """Return for every frame the key (T,) before it, and which part (T,) of the way to the next it is."""
    every = np.arange(frames)
    before = np.clip(np.searchsorted(keyed, every, side="right") - 1, 0, len(keyed) - 1)
    after = np.minimum(before + 1, len(keyed) - 1)
    length = np.maximum(keyed[after] - keyed[before], 1)
    return before, np.clip((every - keyed[before]) / length, 0.0, 1.0)
