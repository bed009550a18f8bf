"""JSON for the web and for scripts: skeleton, rest pose and frames, checked against a schema on reading.

The schema is that of `File` and what it holds; metres, seconds, quaternions wxyz, y up, facing +z.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.finite import check_finite
from rigs.formats.replacing import replacing
from rigs.formats.whole import Parts, clip_of
from rigs.quat import FloatArray

FORMAT = "markerless-mocap motion"
VERSION = 1
_DIGITS = 9  # of metres and quaternions

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


class Joint(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One joint at rest.

    parent: its name, null of the root, which comes first; offset: metres from the parent in the parent's
    frame, of the root its place; rest: its local rotation; tip: end of the bone of a leaf, in its frame.
    """

    name: str
    parent: str | None
    offset: Vector
    rest: Quaternion
    tip: Vector | None = None


class Frame(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One frame.

    root: place of the root in the world; rotations: local, whole (the rest pose's included), in the order of
    the joints; translations: joint to what replaces its offset; positions: of all joints in the world, as
    a help for readers.
    """

    root: Vector
    rotations: list[Quaternion]
    translations: dict[str, Vector] = {}
    positions: list[Vector] | None = None


class Character(msgspec.Struct, forbid_unknown_fields=True):
    """One character.

    fps: numerator and denominator of the frames per second; first_frame: on the clock of all characters;
    roles: our names of joints to the character's own.
    """

    name: str
    fps: tuple[int, int]
    first_frame: int
    roles: dict[str, str]
    joints: list[Joint]
    frames: list[Frame]


class File(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file."""

    format: str
    version: int
    characters: list[Character]


def write(path: str | PathLike[str], clips: Sequence[Clip], positions: bool = False) -> None:
    """Write characters; sparse keys are filled in.

    Args:
        path: the file; one that is there is replaced.
        clips: one character or more.
        positions: with the joints' places in the world in every frame, for readers that do no kinematics.

    Raises:
        FormatError: a number is not finite, or the file cannot be written.
    """
    for clip in clips:
        check_finite(path, clip.motion)
    whole = File(FORMAT, VERSION, [_character(clip, positions) for clip in clips])
    with replacing(path, "wb") as file:
        file.write(msgspec.json.encode(whole))


def read(path: str | PathLike[str]) -> list[Clip]:
    """Read characters that `write` wrote.

    Raises:
        FormatError: the file is missing, no JSON, of another schema, or its parts do not agree.
    """
    try:
        whole = msgspec.json.decode(Path(path).read_bytes(), type=File)
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the path") from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        problem = " ".join(str(error).split())[:200]
        raise FormatError(f"cannot read {path}: {problem}; see docs/formats.md for the schema") from error
    if whole.format != FORMAT or whole.version != VERSION:
        raise FormatError(
            f"cannot read {path}: it says {whole.format[:40]!r}, version {whole.version}; "
            f"this reads {FORMAT!r}, version {VERSION}"
        )
    if not whole.characters or not all(character.joints for character in whole.characters):
        raise FormatError(f"cannot read {path}: it has no characters, or one has no joints; export it again")
    return [_clip(path, character) for character in whole.characters]


def _character(clip: Clip, positions: bool) -> Character:
    motion, skeleton = clip.motion, clip.motion.skeleton
    assert clip.rest is not None  # made whole by Clip
    parents = [None, *(skeleton.names[p] for p in skeleton.parents[1:])]
    tips: dict[str, Any] = {name: _listed(tip) for name, tip in skeleton.tips.items()}
    at_rest = zip(skeleton.names, parents, _listed(skeleton.offsets), _listed(clip.rest), strict=True)
    joints = [Joint(name, parent, offset, rest, tips.get(name)) for name, parent, offset, rest in at_rest]
    moved = {skeleton.names[j]: _listed(values) for j, values in motion.translations.items()}
    places = _listed(motion.world()[0]) if positions else [None] * len(motion)
    frames = [
        Frame(root, turned, {name: values[t] for name, values in moved.items()}, placed)
        for t, (root, turned, placed) in enumerate(
            zip(_listed(motion.root), _listed(motion.rotations), places, strict=True)
        )
    ]
    fps = (motion.fps.numerator, motion.fps.denominator)
    return Character(clip.name, fps, clip.first, dict(clip.roles), joints, frames)


def _listed(values: FloatArray) -> list:
    return (np.round(values, _DIGITS) + 0.0).tolist()


def _clip(path: object, character: Character) -> Clip:
    joints, frames = character.joints, character.frames
    index = {joint.name: j for j, joint in enumerate(joints)} | {None: -1}
    moved = sorted({name for frame in frames for name in frame.translations})
    named = [*(joint.parent for joint in joints), *moved]
    unknown = [name for name in named if name not in index]
    if unknown:
        raise FormatError(f"cannot read {path}: it speaks of the joint {unknown[0]!r}, which it has not")
    partly = [n for n in moved if not all(n in frame.translations for frame in frames)]
    if partly:
        raise FormatError(f"cannot read {path}: joint {partly[0]!r} has translations in some frames only")
    parts = Parts(
        name=character.name,
        names=[joint.name for joint in joints],
        parents=[index[joint.parent] for joint in joints],
        offsets=[joint.offset for joint in joints],
        tips={joint.name: joint.tip for joint in joints if joint.tip is not None},
        rest=[joint.rest for joint in joints],
        rotations=[frame.rotations for frame in frames],
        root=[frame.root for frame in frames],
        fps=character.fps,
        first=character.first_frame,
        translations={index[name]: [frame.translations[name] for frame in frames] for name in moved},
        roles=character.roles,
    )
    return clip_of(path, parts)
