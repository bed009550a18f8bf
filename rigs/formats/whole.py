"""Make a clip of what a file of ours holds, or say what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError, RigError
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

_LARGEST = 1e9  # metres; no motion goes as far
_OFF = 1e-3  # how far from 1 the length of a quaternion may be


@dataclass(frozen=True, eq=False)
class Parts:
    """The fields of a clip as read: nothing about them is known but that they are numbers or names."""

    name: str
    names: Sequence[str]
    parents: ArrayLike
    offsets: ArrayLike
    tips: Mapping[str, ArrayLike]
    rest: ArrayLike
    rotations: ArrayLike
    root: ArrayLike
    fps: Sequence[int]
    first: int = 0
    translations: Mapping[int, Any] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)


def clip_of(path: object, parts: Parts) -> Clip:
    """Return the clip.

    Raises:
        FormatError: the parts do not agree, or a number is no number or no rotation.
    """
    try:
        tips = {name: _numbers("tips", tip) for name, tip in parts.tips.items()}
        skeleton = Skeleton(
            tuple(parts.names), np.asarray(parts.parents, np.int64), _numbers("offsets", parts.offsets), tips
        )
        motion = Motion(
            skeleton,
            _rotations("rotations", parts.rotations),
            _numbers("root", parts.root),
            _rate(parts.fps),
            {j: _numbers("translations", moved) for j, moved in parts.translations.items()},
        )
        unknown = [joint for joint in parts.roles.values() if joint not in skeleton.names]
        if unknown:
            raise ValueError(f"roles speak of the joint {unknown[0]!r}, which there is not")
        return Clip(parts.name, motion, _rotations("rest", parts.rest), dict(parts.roles), parts.first)
    except (ValueError, TypeError, OverflowError, RigError) as error:
        problem = " ".join(str(error).split())
        raise FormatError(f"cannot read {path}: {problem[:200]}; export it again") from error


def _numbers(what: str, values: ArrayLike) -> FloatArray:
    array = np.asarray(values, float)
    if not np.isfinite(array).all():
        raise ValueError(f"{what} has numbers that are not finite")
    if (abs(array) > _LARGEST).any():
        raise ValueError(f"{what} has numbers beyond {_LARGEST:g}")
    return array


def _rotations(what: str, values: ArrayLike) -> FloatArray:
    array = _numbers(what, values)
    if array.ndim < 2 or array.shape[-1] != 4:
        raise ValueError(f"{what} has the shape {array.shape}, which are no quaternions")
    if (abs(np.linalg.norm(array, axis=-1) - 1.0) > _OFF).any():
        raise ValueError(f"{what} has quaternions that are not of length 1")
    return quat.normalise(array)


def _rate(fps: Sequence[int]) -> Fraction:
    if len(fps) != 2 or fps[1] == 0:
        raise ValueError(f"fps is {list(fps)}, not a numerator and a denominator")
    return Fraction(int(fps[0]), int(fps[1]))
