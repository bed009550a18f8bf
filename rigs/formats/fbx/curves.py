"""Curves of FBX: keys of one number over time, and what lies between them.

Between keys a curve is constant (its own value, or that of the next key), linear or cubic. A cubic curve goes
by stored slopes or, where they are automatic, by the mean of the chords to the keys on both sides; clamped
ones go by the chord between these keys and, progressively clamped, turn flat at ends and extremes and never
overshoot. Weights of tangents are left out. Before the first key and after the last a curve is level.
Source: FbxAnimCurveDef in the documentation of the FBX SDK, and the values that the SDK itself gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rigs.formats.fbx.records import Damage, Packed, Record
from rigs.formats.fbx.time import TICKS
from rigs.quat import FloatArray

CONSTANT, LINEAR, CUBIC = 0x2, 0x4, 0x8
_CONSTANT_NEXT = 0x100
_AUTOMATIC, _TENSION = 0x100, 0x200  # how the slopes of a cubic key are found; else they are stored
_CLAMPED = 0x2000
_PROGRESSIVE = 0x4000 | _CLAMPED
_STEEPEST = 3.0  # times the flatter of two chords: a steeper cubic would overshoot
FARTHEST = 1e30  # of any number: sums and products of a few of these are still finite
_LATEST = 2**53  # ticks that a float holds exactly; 54 hours


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
        found, automatic = self._automatic(), self.flags & (_AUTOMATIC | _TENSION) != 0
        right = np.where(automatic[k], found[k], self.slopes[k, 0])
        left = np.where(automatic[k + 1], found[k + 1], self.slopes[k, 1])
        return (
            (2 * u**3 - 3 * u**2 + 1) * self.values[k]
            + (3 * u**2 - 2 * u**3) * self.values[k + 1]
            + ((u**3 - 2 * u**2 + u) * right + (u**3 - u**2) * left) * length
        )

    def _automatic(self) -> FloatArray:
        """Slopes (K,) that follow from neighbouring keys."""
        times, values = self.times / TICKS, self.values
        chords = np.diff(values) / np.diff(times)
        before, after = np.append(chords[:1], chords), np.append(chords, chords[-1:])
        slopes = (before + after) / 2.0
        wide = slopes.copy()
        wide[1:-1] = (values[2:] - values[:-2]) / (times[2:] - times[:-2])
        steepest = _STEEPEST * np.where(before * after > 0.0, np.minimum(np.abs(before), np.abs(after)), 0.0)
        steepest[[0, -1]] = 0.0
        slopes = np.where(self.flags & _CLAMPED, wide, slopes)
        within = np.clip(wide, -steepest, steepest)
        return np.where(self.flags & _PROGRESSIVE == _PROGRESSIVE, within, slopes)


def curve_of(record: Record) -> Curve | None:
    """Return an AnimationCurve; None where it has no keys.

    Raises:
        Damage: its keys do not agree with one another.
    """
    times = _array(record, "KeyTime")
    values = _array(record, "KeyValueFloat").astype(float)
    if len(times) != len(values):
        raise Damage(f"a curve has {len(times)} times and {len(values)} values")
    if len(times) == 0:
        return None
    if not np.isfinite(values).all() or np.abs(values).max() > FARTHEST:
        raise Damage("a curve has a value that is not finite")
    if not np.all((times >= -_LATEST) & (times <= _LATEST)) or np.any(np.diff(times) < 0):
        raise Damage("a curve has keys that do not follow one another in time")
    times = times.astype(np.int64)
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
    data = _array(record, "KeyAttrDataFloat")
    if data.dtype.kind == "i":  # text files print the bits of these numbers as if they were whole
        data = data.astype(np.int32).view(np.float32)
    data = data.astype(float)
    fits = len(repeats) == len(flags) and np.all(repeats >= 0) and np.all(repeats <= keys)
    if not fits or repeats.sum() != keys or len(data) != 4 * len(flags):
        return np.full(keys, LINEAR), np.zeros((keys, 2))
    slopes = np.nan_to_num(data.reshape(-1, 4)[:, :2], nan=0.0, posinf=0.0, neginf=0.0)
    return np.repeat(flags, repeats), np.repeat(slopes, repeats, axis=0)
