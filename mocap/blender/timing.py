"""The scene's frame rate and range."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

_FINEST = 100_000  # of the rate's fraction: Blender holds it in single precision


def set_rate(scene: Any, fps: Fraction) -> None:
    """Give a scene an exact rate: a whole one over a base, 30 over 1.001 for 30000/1001."""
    whole = max(1, round(fps))
    scene.render.fps, scene.render.fps_base = whole, float(Fraction(whole) / fps)


def rate_of(scene: Any) -> Fraction:
    """Return the frames per second of a scene."""
    base = Fraction(scene.render.fps_base).limit_denominator(_FINEST)
    return Fraction(scene.render.fps) / base


def set_range(scene: Any, start: int, count: int) -> None:
    """Let a scene play `count` frames from `start`, and stand on the first."""
    scene.frame_start, scene.frame_end = start, start + count - 1
    scene.frame_set(start)
