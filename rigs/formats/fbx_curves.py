"""Curves of FBX: keys of one number over time, and what lies between them.

Between keys a curve is constant (its own value, or that of the next key), linear or cubic. Cubic curves go by
the slopes stored with user's tangents and, with automatic ones, by that of the chord from the key before to
the next (Catmull and Rom); weights of tangents are left out. Before the first key and after the last the
curve stays where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rigs.formats.fbx_records import Damage, Packed, Record
from rigs.formats.fbx_time import TICKS
from rigs.quat import FloatArray

CONSTANT, LINEAR, CUBIC = 0x2, 0x4, 0x8
_CONSTANT_NEXT = 0x100
_USER_TANGENT = 0x400
_FARTHEST = 2**53  # ticks that a float holds exactly; 54 hours


@dataclass(frozen=True, eq=False)
class Curve:
    """times (K,) ticks, ascending; values (K,); flags (K,) of what follows a key; slopes (K, 2) per second.

    A key's slopes are its own to the right and the next key's to the left.
    """

    times: NDArray[np.int64]
    values: FloatArray
    flags: NDArray[np.int64]
    slopes: FloatArray

    def at(self, ticks: NDArray[np.int64]) -> FloatArray:
        """Return the values at times (T,), ticks."""
        found = np.interp(ticks, self.times, self.values)
        if len(self.times) < 2 or np.all(self.flags & (CONSTANT | CUBIC) == 0):
            return found
        k = np.clip(np.searchsorted(self.times, ticks, side="right") - 1, 0, len(self.times) - 2)
        inside = (ticks > self.times[k]) & (ticks < self.times[k + 1])
        flags = self.flags[k]
        step = np.where(flags & _CONSTANT_NEXT, self.values[k + 1], self.values[k])
        found = np.where(inside & (flags & CONSTANT != 0), step, found)
        cubic = inside & (flags & CUBIC != 0) & (flags & CONSTANT == 0)
        return np.where(cubic, self._cubic(k, ticks), found) if cubic.any() else found

    def _cubic(self, k: NDArray[np.int64], ticks: NDArray[np.int64]) -> FloatArray:
        """Hermite's cubic from key k to the next."""
        length = (self.times[k + 1] - self.times[k]) / TICKS
        u = (ticks - self.times[k]) / TICKS / length
        chords = self._chords()
        user = self.flags[k] & _USER_TANGENT != 0
        right = np.where(user, self.slopes[k, 0], chords[k])
        left = np.where(user, self.slopes[k, 1], chords[k + 1])
        return (
            (2 * u**3 - 3 * u**2 + 1) * self.values[k]
            + (3 * u**2 - 2 * u**3) * self.values[k + 1]
            + ((u**3 - 2 * u**2 + u) * right + (u**3 - u**2) * left) * length
        )

    def _chords(self) -> FloatArray:
        """Slopes (K,) from the key before each to the next; at the ends those of the last chords."""
        before = np.maximum(np.arange(len(self.times)) - 1, 0)
        after = np.minimum(before + 2, len(self.times) - 1)
        after[0] = 1
        return (self.values[after] - self.values[before]) / ((self.times[after] - self.times[before]) / TICKS)


def curve_of(record: Record) -> Curve | None:
    """Return an AnimationCurve; None where it has no keys.

    Raises:
        Damage: its keys do not agree with one another.
    """
    times = _array(record, "KeyTime").astype(np.int64)
    values = _array(record, "KeyValueFloat").astype(float)
    if len(times) != len(values):
        raise Damage(f"a curve has {len(times)} times and {len(values)} values")
    if len(times) == 0:
        return None
    if not np.isfinite(values).all() or np.abs(values).max() > 1e30:
        raise Damage("a curve has a value that is not finite")
    if np.any(np.abs(times) > _FARTHEST) or np.any(np.diff(times) < 0):
        raise Damage("a curve has keys that do not follow one another in time")
    flags, slopes = _attributes(record, len(times))
    last = np.append(np.diff(times) > 0, True)  # of keys at one time
    return Curve(times[last], values[last], flags[last], slopes[last])


def _array(record: Record, name: str) -> NDArray[Any]:
    found = record.first(name)
    if found is None or not found.values:
        return np.empty(0, np.int64)
    if not isinstance(found.values[0], Packed):
        raise Damage(f"{name} of a curve is {found.values[0]!r:.40} instead of an array")
    return found.values[0].numbers()


def _attributes(record: Record, keys: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Return flags (K,) and slopes (K, 2) of keys; runs of keys share them. Without any a curve is linear."""
    flags = _array(record, "KeyAttrFlags").astype(np.int64)
    repeats = _array(record, "KeyAttrRefCount").astype(np.int64)
    data = _array(record, "KeyAttrDataFloat").astype(float)
    fits = len(repeats) == len(flags) and np.all(repeats >= 0) and np.all(repeats <= keys)
    if not fits or repeats.sum() != keys or len(data) != 4 * len(flags):
        return np.full(keys, LINEAR), np.zeros((keys, 2))
    slopes = np.nan_to_num(data.reshape(-1, 4)[:, :2], nan=0.0, posinf=0.0, neginf=0.0)
    return np.repeat(flags, repeats), np.repeat(slopes, repeats, axis=0)
