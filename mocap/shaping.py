"""What is done to motions between a take and a file: cut, smoothed, mirrored, looped, put onto a rig."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mocap.performers import Performer
from rigs import quat
from rigs.cleanup import (
    Cycle,
    loop,
    mirror_clip,
    mirror_contacts,
    parse_range,
    resample_clip,
    resample_nearest,
    rest_first,
    simplify,
    smooth,
    trim,
)
from rigs.clip import Clip
from rigs.contact import Contacts
from rigs.motion import Motion
from rigs.retargeting.perform import Performance, perform
from rigs.retargeting.root import carry
from rigs.rig import Rig

ROUNDS = 3  # of a cycle are put onto a rig, and the middle one is kept: its feet stand as if it went on


@dataclass(frozen=True)
class Shape:
    """What is done to a motion before it is written; the defaults do nothing.

    performance: feet, hands and root. fps: frames a second. span: as `rigs.cleanup.parse_range` reads it.
    cycle: make it go round. mirrored: exchange left and right. cutoff: Hz, smooth what is faster. bound:
    metres by which joints may be off for having fewer keys. rest_first: begin with the rest pose.
    """

    performance: Performance = field(default_factory=Performance)
    fps: Fraction | None = None
    span: str | None = None
    cycle: bool = False
    mirrored: bool = False
    cutoff: float | None = None
    bound: float | None = None
    rest_first: bool = False


@dataclass(frozen=True, eq=False)
class _Going:
    """A clip on its way.

    level: (T, 4) when feet stand, None if nobody knows; new: whether there are poses that nobody planted;
    cycle: what makes it go round.
    """

    clip: Clip
    level: NDArray[np.float64] | None
    new: bool = False
    cycle: Cycle | None = None


def shaped(
    who: Mapping[int, Performer],
    target: Rig | None,
    shape: Shape,
    say: Callable[[str], None] = lambda line: None,
) -> dict[int, Clip]:
    """Return performers' motions, cleaned up and put onto a rig; who is not there in the span is left out.

    Args:
        who: by number.
        target: the rig; None = everybody keeps their own.
        shape: what is done.
        say: told a line about each cycle.

    Raises:
        rigs.RigError: nobody is there within the span, or something cannot be done with the motion.
    """
    going = {
        number: _Going(Clip(p.name, p.motion, p.rig.rest, p.rig.roles, p.first), p.level)
        for number, p in who.items()
    }
    if shape.span is not None:
        going = _cut(going, shape.span)
    done = {}
    for number, one in going.items():
        one = _cleaned(one, shape)
        if shape.cycle:
            one = _round(one)
            assert one.cycle is not None
            say(_cycle_line(one.clip, one.cycle))
        clip = _put_onto(one, who[number].rig, target, shape)
        clip = simplify(clip, shape.bound) if shape.bound is not None else clip
        done[number] = rest_first(clip) if shape.rest_first else clip
    return done


def _cut(going: Mapping[int, _Going], span: str) -> dict[int, _Going]:
    part = parse_range(span)
    kept = {}
    trimmed = iter(trim([one.clip for one in going.values()], part))
    for number, one in going.items():
        frames = part.frames(one.clip.motion.fps, one.clip.first, len(one.clip.motion))
        if frames.start < frames.stop:
            kept[number] = _Going(next(trimmed), None if one.level is None else one.level[frames])
    return kept


def _cleaned(one: _Going, shape: Shape) -> _Going:
    clip, level, new = one.clip, one.level, shape.cutoff is not None
    if shape.cutoff is not None:
        clip = replace(clip, motion=smooth(clip.motion, shape.cutoff), keys=None)
    if shape.mirrored:
        clip = mirror_clip(clip)
        level = None if level is None else mirror_contacts(Contacts(level)).level
    if shape.fps is not None and shape.fps != clip.motion.fps:
        level = None if level is None else resample_nearest(level, clip.motion.fps, shape.fps, clip.first)
        clip, new = resample_clip(clip, shape.fps), True
    return _Going(clip, level, new)


def _round(one: _Going) -> _Going:
    """Make a cycle, and several rounds of it one after another."""
    cycle = loop(one.clip.motion)
    level = None if one.level is None else np.tile(one.level[cycle.start : cycle.stop], (ROUNDS, 1))
    rounds = _rounds(cycle, ROUNDS)
    return _Going(replace(one.clip, motion=rounds, first=0, keys=None), level, True, cycle)


def _rounds(cycle: Cycle, count: int) -> Motion:
    """Return rounds of a cycle one after another, each moved on from the one before."""
    one, roots, turns = cycle.motion, [cycle.motion.root], [cycle.motion.rotations[:, 0]]
    for _ in range(count - 1):
        roots.append(cycle.move.places(roots[-1]))
        turns.append(quat.multiply(cycle.move.turn(), turns[-1]))
    rotations = np.tile(one.rotations, (count, 1, 1))
    rotations[:, 0] = np.concatenate(turns)
    moved = {j: np.tile(v, (count, 1)) for j, v in one.translations.items()}
    return Motion(one.skeleton, quat.continuous(rotations), np.concatenate(roots), one.fps, moved)


def _cycle_line(clip: Clip, cycle: Cycle) -> str:
    gap = float(np.degrees(cycle.gap).max())
    return (
        f"{clip.name}: goes round in {len(cycle.motion)} frames, {cycle.start} to {cycle.stop - 1}; "
        f"its ends were {gap:.0f} degrees apart at most"
    )


def _put_onto(one: _Going, source: Rig, target: Rig | None, shape: Shape) -> Clip:
    """Put a clip onto the target, or leave it on its own rig, on which feet stand unless poses are new."""
    clip, how = one.clip, shape.performance
    if target is None and how.foot_lock == "auto" and not how.hands and not one.new:
        motion, rig = carry(clip.motion, source, how.root)
        done = replace(clip, motion=motion, rest=rig.rest)
    else:
        done = perform(clip.motion, source, target or source, how, one.level, clip.name, clip.first)
    if one.cycle is None:
        return done
    count = len(one.cycle.motion)
    return replace(done, motion=done.motion.slice(count, 2 * count))
