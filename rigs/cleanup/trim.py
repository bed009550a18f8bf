"""Cutting clips to a range of time, as a person types it, and putting the rest pose before them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.motion import Motion

_NUMBER = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(s?)")


@dataclass(frozen=True)
class Range:
    """A range on the clock of all clips, both ends included; None is the beginning or the end of the clip.

    start, stop: frames, or seconds if `seconds`.
    """

    start: Fraction | None
    stop: Fraction | None
    seconds: bool

    def frames(self, fps: Fraction, first: int, count: int) -> slice:
        """Return which of a clip's own frames are within the range; an empty slice where none is.

        Args:
            fps: frames a second.
            first: frame on the clock on which the clip begins.
            count: its frames.
        """
        rate = fps if self.seconds else Fraction(1)
        start = 0 if self.start is None else -(-self.start * rate // 1) - first
        stop = count if self.stop is None else self.stop * rate // 1 + 1 - first
        start = min(max(int(start), 0), count)
        return slice(start, max(min(int(stop), count), start))

    def first_frame(self, fps: Fraction) -> int:
        """Return the frame on the clock with which the range begins."""
        start = Fraction(0) if self.start is None else self.start
        return int(-(-start * (fps if self.seconds else 1) // 1))


def parse_range(text: str) -> Range:
    """Read a range such as "10:200" (frames), "1.5:4" or "1s:4s" (seconds), ":90" or "2s:".

    Frames count from 0, on the clock of the take. A decimal point or an s at either end makes both seconds.

    Raises:
        RigError: anything else.
    """
    ends = text.strip().split(":")
    found = [_NUMBER.fullmatch(end.strip()) if end.strip() else None for end in ends]
    if len(ends) != 2 or any(
        bool(end.strip()) != bool(match) for end, match in zip(ends, found, strict=True)
    ):
        raise RigError(
            f"cannot read the range {text!r}; write frames as 10:200, or seconds as 1.5:4 or 1s:4s"
        )
    start, stop = (Fraction(match[1]) if match else None for match in found)
    if start is not None and stop is not None and start > stop:
        raise RigError(f"the range {text!r} ends before it begins; write the earlier end first")
    return Range(start, stop, "s" in text or "." in text)


def trim(clips: Sequence[Clip], part: Range) -> list[Clip]:
    """Return what the clips do within a range, on a clock that begins with it; who is not there is left out.

    Raises:
        RigError: nobody is there.
    """
    kept = []
    for clip in clips:
        fps, count = clip.motion.fps, len(clip.motion)
        frames = part.frames(fps, clip.first, count)
        if frames.start < frames.stop:
            kept.append(_cut(clip, frames, part.first_frame(fps)))
    if not kept:
        here = ", ".join(f"{c.first} to {c.first + len(c.motion) - 1} ({c.name})" for c in clips)
        raise RigError(
            f"no frame is within the range; give some of frames {here}, at {clips[0].motion.fps} fps"
        )
    return kept


def _cut(clip: Clip, frames: slice, begins: int) -> Clip:
    """Return frames of a clip; the new ends have keys. The clock begins at the old one's frame `begins`."""
    keys = None
    if clip.keys is not None:
        keys = clip.keys[frames].copy()
        keys[[0, -1]] = True
    first = clip.first + frames.start - begins
    return replace(clip, motion=clip.motion.slice(frames.start, frames.stop), first=first, keys=keys)


def rest_first(clip: Clip) -> Clip:
    """Return the clip with the rest pose as its first frame, for programs that measure characters by it.

    It faces +z at its own height, over where the motion begins; the motion follows one frame later than it
    was. Files say what the rest pose is without this, so it is asked for, never done by itself.
    """
    motion, rest = clip.motion, clip.resting
    place = np.array([motion.root[0, 0], rest.root[0, 1], motion.root[0, 2]])
    made = Motion(
        motion.skeleton,
        quat.continuous(np.concatenate([rest.rotations, motion.rotations])),
        np.concatenate([place[None], motion.root]),
        motion.fps,
        {j: np.concatenate([motion.skeleton.offsets[j : j + 1], v]) for j, v in motion.translations.items()},
    )
    keys = None if clip.keys is None else np.concatenate([np.ones_like(clip.keys[:1]), clip.keys])
    return replace(clip, motion=made, keys=keys)
