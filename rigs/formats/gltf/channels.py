"""Channels of a glTF animation, sampled at a steady rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.formats.gltf.file import GltfFile, shown
from rigs.formats.gltf.schema import Animation
from rigs.formats.gltf.values import values_of
from rigs.formats.key_times import on_grid
from rigs.quat import FloatArray

_KINDS = {"translation": "VEC3", "rotation": "VEC4", "scale": "VEC3"}
_NEAR = 0.05  # frames, that count as none
_MOST_FRAMES = 2**20  # 4.8 hours at 60 frames per second
_SHORTEST = 1e-6  # of a quaternion: below it there is no rotation


@dataclass(frozen=True, eq=False)
class Curve:
    """One part of one node over K keys.

    times: (K,) seconds, ascending; values: (K, n), rotations wxyz; interpolation: as glTF names it; arriving,
    leaving: (K, n) tangents per second, of cubic splines.
    """

    times: FloatArray
    values: FloatArray
    interpolation: str
    arriving: FloatArray | None = None
    leaving: FloatArray | None = None


Curves = dict[tuple[int, str], Curve]  # node and part


def curves_of(file: GltfFile, animation: Animation, nodes: set[int]) -> Curves:
    """Return what an animation moves of some nodes.

    Raises:
        FormatError: times that do not ascend, values that do not fit them, or rotations that are none.
    """
    found: Curves = {}
    for number, channel in enumerate(animation.channels):
        target = channel.target
        if target.node not in nodes or target.path not in _KINDS:
            continue
        if (target.node, target.path) in found:
            raise file.fail(
                f"channel {number} moves the {target.path} of node {target.node}, as another does"
            )
        found[target.node, target.path] = _curve(file, animation, number)
    return found


def _curve(file: GltfFile, animation: Animation, number: int) -> Curve:
    channel = animation.channels[number]
    sampler = file.pick(animation.samplers, channel.sampler, "sampler")
    where = f"channel {number} of animation {shown(animation.name or '')}"
    times = values_of(file, sampler.input, "SCALAR", where)[:, 0]
    values = values_of(file, sampler.output, _KINDS[channel.target.path], where)
    parts = 3 if sampler.interpolation == "CUBICSPLINE" else 1
    if not len(times) or len(values) != parts * len(times):
        raise file.fail(f"{where} has {len(times)} times and {len(values)} values")
    if (np.diff(times) < 0).any():
        raise file.fail(f"{where} has times that go back, at key {int(np.argmax(np.diff(times) < 0)) + 1}")
    if channel.target.path == "rotation":
        values = values[:, [3, 0, 1, 2]]
    arriving, values, leaving = (
        values.reshape(-1, 3, values.shape[1]).transpose(1, 0, 2) if parts == 3 else (None, values, None)
    )
    if channel.target.path == "rotation":
        length = np.linalg.norm(values, axis=1)
        if length.min() < _SHORTEST:
            raise file.fail(f"{where} has no rotation in key {int(np.argmin(length))}")
        if parts == 1:
            values = quat.normalise(values)
    return Curve(times, values, sampler.interpolation, arriving, leaving)


def sample(curve: Curve, rate: Fraction, frames: FloatArray, turns: bool) -> FloatArray:
    """Return values (T, n) at frames (T,) of a rate, from time 0; outside the keys, the outermost ones'.

    Keys on the rate's grid are met exactly, although their times are in single precision.
    """
    at = curve.times * float(rate)
    if on_grid(curve.times, rate):
        at = np.round(at)
    before = np.clip(np.searchsorted(at, frames, side="right") - 1, 0, len(at) - 1)
    after = np.minimum(before + 1, len(at) - 1)
    gap = at[after] - at[before]
    part = np.clip((frames - at[before]) / np.where(gap > 0, gap, 1.0), 0.0, 1.0)[:, None]
    a, b = curve.values[before], curve.values[after]
    if curve.interpolation == "STEP":
        return a
    if curve.arriving is not None and curve.leaving is not None:
        seconds = gap[:, None] / float(rate)
        spline = _hermite(a, seconds * curve.leaving[before], b, seconds * curve.arriving[after], part)
        return quat.normalise(spline) if turns else spline
    if turns:
        return np.where(part == 0.0, a, quat.slerp(a, b, part[:, 0]))
    return a + part * (b - a)


def _hermite(
    a: FloatArray, leaving: FloatArray, b: FloatArray, arriving: FloatArray, u: FloatArray
) -> FloatArray:
    """Return the cubic that goes from a to b with these tangents, at a part u of the way."""
    square, cube = u**2, u**3
    return (
        (2 * cube - 3 * square + 1) * a
        + (cube - 2 * square + u) * leaving
        + (3 * square - 2 * cube) * b
        + (cube - square) * arriving
    )


def frames_of(file: GltfFile, curves: Mapping[tuple[int, str], Curve], rate: Fraction) -> FloatArray:
    """Return the frames (T,) from the first key to the last, whole numbers where keys are on the rate's grid.

    Raises:
        FormatError: they are more than any animation has.
    """
    first = min(float(curve.times[0]) for curve in curves.values()) * float(rate)
    last = max(float(curve.times[-1]) for curve in curves.values()) * float(rate)
    if abs(first - round(first)) < _NEAR:
        first = float(round(first))
    count = int(np.floor(last - first + _NEAR)) + 1
    if count > _MOST_FRAMES:
        raise file.fail(
            f"its keys are from {first / float(rate):.3g} to {last / float(rate):.3g} seconds, {count} frames"
        )
    return first + np.arange(count)
