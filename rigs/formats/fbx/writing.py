"""Write FBX 7.4, binary: characters with skeletons, a stick figure each, and one animation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from os import PathLike
from pathlib import Path

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.fbx.character import add_character
from rigs.formats.fbx.document import Objects, add_take, file_bytes
from rigs.formats.fbx.skin import Character
from rigs.formats.fbx.time import ticks_of
from rigs.formats.finite import check_finite
from rigs.formats.replacing import replacing
from rigs.motion import Motion
from rigs.skeleton import Skeleton

_CENTIMETRES = {"cm": 1.0, "m": 100.0}
_TO = {"y": quat.identity(), "z": quat.from_rotvec([np.pi / 2.0, 0.0, 0.0])}  # (x, y, z) -> (x, -z, y)
_UNSAFE = re.compile(
    r"[\x00-\x1f\x7f\ud800-\udfff]"
)  # zero and one part a name from its class; no text has the others


def write_fbx(path: str | PathLike[str], clips: Sequence[Clip], unit: str = "cm", up: str = "y") -> None:
    """Write characters into one file with one animation, which begins with the take's clock.

    A key stands in every frame, or where a clip has its keys; each clip begins at its first frame on their
    common clock. The rest pose is both the bind pose and how joints stand without animation. Where
    characters share names of joints, each joint has its character's name before it, as ``anna:Hips``. The
    file appears whole or not at all.

    Args:
        path: the file; one that is there is replaced.
        clips: one character or more, of one rate.
        unit: "cm", as most programs expect, or "m".
        up: the file's upward axis, "y" or "z".

    Raises:
        FormatError: an unknown unit or axis, no clips or clips of several rates, a number that is not finite
            (naming joint and frame), or a file that cannot be written.
    """
    _check(path, clips, unit, up)
    objects, take = Objects(), _safe(clips[0].name if len(clips) == 1 else Path(path).stem)
    span = _span(clips)
    layer = add_take(objects, take, span)
    for character in _characters(clips, unit, up):
        add_character(objects, character, layer)
    with replacing(path, "wb") as file:
        file.write(file_bytes(objects, take, span, clips[0].motion.fps, _CENTIMETRES[unit], up))


def _check(path: object, clips: Sequence[Clip], unit: str, up: str) -> None:
    if unit not in _CENTIMETRES:
        raise FormatError(
            f"cannot write {path} in the unit {unit!r}; choose one of {', '.join(_CENTIMETRES)}"
        )
    if up not in _TO:
        raise FormatError(f"cannot write {path} with up={up!r}; up is 'y' or 'z'")
    if not clips:
        raise FormatError(f"cannot write {path}: no clips are given; give one or more")
    rates = sorted({clip.motion.fps for clip in clips})
    if len(rates) > 1:
        found = f"its characters have {rates[0]} and {rates[-1]} frames per second"
        raise FormatError(f"cannot write {path}: {found}; resample them to one rate")
    for clip in clips:
        check_finite(path, clip.motion)
        resting = np.isfinite(clip.resting.rotations[0]).all(axis=1)
        if not resting.all():
            joint = clip.motion.skeleton.names[int(np.argmin(resting))]
            what = f"joint {joint!r} of {clip.name!r} has no finite rest pose"
            raise FormatError(f"cannot write {path}: {what}; give it one")


def _span(clips: Sequence[Clip]) -> tuple[int, int]:
    """Return the first and the last tick of the animation."""
    start = min(Fraction(0), *(clip.key_time(0) for clip in clips))
    return ticks_of(start), ticks_of(max(clip.key_time(len(clip.motion) - 1) for clip in clips))


def _turned(clip: Clip, up: str) -> Clip:
    """Return a clip in axes of which another one is up: only the root knows of them."""
    turn, motion, skeleton = _TO[up], clip.motion, clip.motion.skeleton
    rest, offsets, rotations = (
        clip.resting.rotations[0].copy(),
        skeleton.offsets.copy(),
        motion.rotations.copy(),
    )
    rest[0], offsets[0] = quat.multiply(turn, rest[0]), quat.rotate(turn, offsets[0])
    rotations[:, 0] = quat.multiply(turn, rotations[:, 0])
    turned = Skeleton(skeleton.names, skeleton.parents, offsets, skeleton.tips)
    root = quat.rotate(turn, motion.root)
    return replace(clip, motion=Motion(turned, rotations, root, motion.fps, motion.translations), rest=rest)


def _characters(clips: Sequence[Clip], unit: str, up: str) -> list[Character]:
    """Return clips with the names that they have in the file, where all names of nodes are different.

    Of several, each hangs from a null: programs that have armatures make one of each.
    """
    names = _different(_safe(clip.name) or "character" for clip in clips)
    joints = [_different(map(_safe, clip.motion.skeleton.names)) for clip in clips]
    if len(set().union(*joints)) < sum(map(len, joints)):
        joints = [[f"{name}:{joint}" for joint in own] for name, own in zip(names, joints, strict=True)]
    taken = set().union(*joints, names if len(clips) > 1 else [])
    return [
        Character(
            clip=_turned(clip, up),
            mesh=f"{name}_mesh" if name in taken else name,
            joints=tuple(own),
            above=name if len(clips) > 1 else None,
            scale=100.0 / _CENTIMETRES[unit],
        )
        for clip, name, own in zip(clips, names, joints, strict=True)
    ]


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name)


def _different(names: Iterable[str]) -> list[str]:
    given: list[str] = []
    for name in names:
        unique, copy = name, 2
        while unique in given:
            unique, copy = f"{name}_{copy}", copy + 1
        given.append(unique)
    return given
