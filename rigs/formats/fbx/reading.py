"""Read FBX: characters with their rest poses, in metres, y up and quaternions."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.fbx import ascii as fbx_ascii
from rigs.formats.fbx import records as fbx_records
from rigs.formats.fbx.clip import clip_of
from rigs.formats.fbx.joints import skeletons
from rigs.formats.fbx.records import MAGIC, Damage, Record
from rigs.formats.fbx.scene import read_scene


def read_fbx(path: str | PathLike[str]) -> list[Clip]:
    """Read the characters of an FBX file of version 7, binary or text.

    One clip for every skeleton. What stands above a skeleton and all scaling is worked into its root and
    offsets; axes and unit are turned into ours. The rest pose is the bind pose where that has every joint
    but ends, and otherwise how nodes stand without animation. Of several animations the active one is read,
    or the first that moves the skeleton, from the first to the last key within its span, at the file's rate;
    a skeleton without keys rests for one frame. `fbx_curves` says what lies between keys. What had to be
    left out is logged as a warning.

    Raises:
        FormatError: the file is damaged, of another version, or has no skeleton.
    """
    data = _bytes(path)
    try:
        with np.errstate(all="ignore"):  # what is not finite is found at the end
            scene = read_scene(_records(data), len(data))
            found = skeletons(scene)
            clips = [clip_of(scene, joints, len(found) - 1, Path(path).stem) for joints in found]
    except Damage as damage:
        raise FormatError(f"cannot read {path}: {damage}; export it again as FBX 7.4") from damage
    if not clips:
        raise FormatError(f"cannot read {path}: it has no skeleton; export it with its bones")
    return clips


def _bytes(path: str | PathLike[str]) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the file's name") from error


def _records(data: bytes) -> Record:
    if data.startswith(MAGIC):
        return fbx_records.decode(data)
    if b"\0" in data:
        raise Damage("it is neither binary nor text FBX")
    return fbx_ascii.parse(data.decode("utf-8", "replace"))
