"""Motion of a skeleton as key frames of an armature's own bones."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from rigs import quat
from rigs.motion import Motion
from rigs.quat import FloatArray

from .bones import AtRest
from .curves import Curves

_MOVES = 1e-6  # metres


def animate(
    target: Any,
    curves: Curves,
    at_rest: AtRest,
    motion: Motion,
    frames: FloatArray,
    size: float = 1.0,
    only: Collection[str] | None = None,
) -> None:
    """Write a motion onto bones.

    Args:
        target: the armature.
        curves: of its action.
        at_rest: its rest pose.
        motion: T frames of the same bones, in our world; rotations whole, the rest pose's included.
        frames: (T,) of the scene.
        size: how many times as large the motion's skeleton is as the armature.
        only: the bones to write; None: all.
    """
    skeleton = at_rest.skeleton
    for j, name in enumerate(skeleton.names):
        if only is not None and name not in only:
            continue
        bone, back = target.pose.bones[name], quat.conjugate(at_rest.rest[j])
        curves.turn(bone, quat.multiply(back, motion.rotations[:, j]), frames)
        places = motion.root if j == 0 else motion.translations.get(j)
        if places is None:
            continue
        away = quat.rotate(back, places / size - skeleton.offsets[j]) / at_rest.scale
        if j == 0 or np.abs(away).max() > _MOVES:
            curves.move(bone, away, frames)
