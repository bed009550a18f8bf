"""Joints of characters as points on one timeline, for formats that know points and no skeleton."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.quat import FloatArray

_FOREIGN = re.compile(r"[^A-Za-z0-9_.-]")  # what readers of points stumble over in a name


@dataclass(frozen=True, eq=False)
class Points:
    """P points over T frames.

    labels: P names, all different; positions: (T, P, 3) metres, world, y up, NaN where a point is not known;
    fps: frames per second.
    """

    labels: tuple[str, ...]
    positions: FloatArray
    fps: Fraction


def joints_as_points(path: object, clips: Sequence[Clip]) -> Points:
    """Return the joints of all characters as points, from the first frame of any of them to the last.

    A point is named as its joint; with several characters, as ``CHARACTER:JOINT``. Where a character is not
    there, or a joint's place is not finite, the point is NaN.

    Args:
        path: the file to be written, for messages.
        clips: one character or more, on one clock.

    Raises:
        FormatError: characters of different rates, or two points of one name.
    """
    fps = clips[0].motion.fps
    for clip in clips[1:]:
        if clip.motion.fps != fps:
            raise FormatError(
                f"cannot write {path}: {clips[0].name!r} has {fps} frames per second and {clip.name!r} has "
                f"{clip.motion.fps}; resample one, or write a file for each"
            )
    start = min(clip.first for clip in clips)
    frames = max(clip.first + len(clip.motion) for clip in clips) - start
    positions = np.full((frames, sum(len(clip.motion.skeleton) for clip in clips), 3), np.nan)
    column = 0
    for clip in clips:
        here, joints = clip.first - start, len(clip.motion.skeleton)
        found, _ = clip.motion.world()
        known = np.isfinite(found).all(axis=2, keepdims=True)
        positions[here : here + len(found), column : column + joints] = np.where(known, found, np.nan)
        column += joints
    return Points(_labels(path, clips), positions, fps)


def _labels(path: object, clips: Sequence[Clip]) -> tuple[str, ...]:
    labels: list[str] = []
    for clip in clips:
        prefix = f"{_FOREIGN.sub('_', clip.name)}:" if len(clips) > 1 else ""
        labels += [prefix + _FOREIGN.sub("_", name) for name in clip.motion.skeleton.names]
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise FormatError(
            f"cannot write {path}: two points would have the name {twice[0]!r}; rename a character or a joint"
        )
    return tuple(labels)
