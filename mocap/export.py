"""From a take, or a motion file, to animation files for other programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from mocap.errors import MocapError
from mocap.performers import Performer, character, characters_of, people_of
from mocap.shaping import Shape, shaped
from rigs.clip import Clip
from rigs.formats import format_of, options_of, write_clips
from rigs.library import rig_names
from rigs.rig import Rig

OWN = "human"  # the rig that a take's motion is of

_HINTS = {
    ".bvh": "centimetres, y up: in Blender import with Scale 0.01, other tools take it as it is",
    ".fbx": "centimetres: Unreal, Unity, Maya, MotionBuilder and Blender import it as it is",
    ".glb": "metres, y up: Blender, Godot, three.js and other glTF readers import it as it is",
    ".usd": "metres, y up: Blender, Houdini, Omniverse and Maya import it as it is",
    ".vrma": "a VRM animation: any VRM character plays it",
    ".c3d": "joints as points, millimetres, z up",
    ".trc": "joints as markers, for OpenSim",
    ".mot": "joint angles, for OpenSim",
    ".csv": "a table: metres, y up, quaternions in the world",
    ".json": "skeleton and frames: metres, y up, quaternions wxyz",
    ".npz": "arrays for NumPy: metres, y up, quaternions wxyz",
}
_LIKE = {".gltf": ".glb", ".usda": ".usd", ".usdc": ".usd"}
_LENGTHS = {"mm": 1e-3, "cm": 1e-2, "m": 1.0}


def export(
    targets: Sequence[Path],
    take: Path | None = None,
    person: int | None = None,
    every: bool = False,
    unit: str | None = None,
    shape: Shape | None = None,
    rig: str = OWN,
    mapped: Path | None = None,
    motion: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> list[Path]:
    """Write motion to animation files.

    Args:
        targets: the files; their suffixes say the formats.
        take: the take folder; None = the newest one below the current folder.
        person: whom, from 1; None = the only one.
        every: all people; where a format holds one, into `OUT_1.bvh`, `OUT_2.bvh`, ...
        unit: "cm" or "m" in the file, where the format leaves a choice; None = what is usual there.
        shape: what is done to the motion.
        rig: name of a rig, or a character's file.
        mapped: a file that says which joint plays which part: of the rig's file, else of the motion file.
        motion: a motion file, instead of a take.
        say: told a line about each person who was not there from the first frame on, each cycle, and files
            that cannot have fewer keys.

    Returns:
        The files that were written.

    Raises:
        MocapError: no take, no such person, or several and none named; options that do not go together.
        rigs.RigError: an unknown suffix or rig, a motion that does not fit, or a file that cannot be written.
    """
    _check_targets(targets, unit)
    known = rig in rig_names()
    if motion is not None and take is not None:
        raise MocapError(f"--take {take} and --motion {motion}: give the one whose motion is wanted")
    if mapped is not None and known and motion is None:
        raise MocapError(f"--map {mapped}: it is for a character's file; the joints of {rig} are known")
    target_rig = None if rig == OWN else character(rig, None if known else mapped)
    if motion is not None:
        who = _chosen(characters_of(motion, mapped if known else None), person, every, motion)
    else:
        who = people_of(take, person, every)
    clips = shaped(who, target_rig, shape or Shape(), say)
    if shape is not None and shape.bound is not None:
        for target in targets:
            if not format_of(target, "write").sparse:
                say(f"{target.name}: has a key in every frame, which --simplify does not change")
    written = []
    for target in targets:
        for path, group in _files(target, clips).items():
            alone = len(group) == 1
            clips_at_zero = [replace(clip, first=0) for clip in group.values()] if alone else group.values()
            write_clips(path, list(clips_at_zero), **_options(path, unit, target_rig))
            written.append(path)
            for number, clip in group.items():
                if alone and clip.first:
                    say(f"person {number} comes in frame {clip.first} of the take: {path.name} begins there")
    return written


def _check_targets(targets: Sequence[Path], unit: str | None) -> None:
    """Refuse a target of no format, and a unit that its format does not leave open."""
    for target in targets:
        format_of(target, "write")
        if unit is not None and "unit" not in options_of(target):
            raise MocapError(f"{target}: this format has one unit only; leave out --unit {unit}")


def _chosen(
    who: Mapping[int, Performer], person: int | None, every: bool, source: Path
) -> Mapping[int, Performer]:
    numbers = ", ".join(map(str, who))
    if every or (person is None and len(who) == 1):
        return who
    if person is None:
        raise MocapError(f"{source} has {len(who)} characters: say --person {numbers}, or --all")
    if person not in who:
        raise MocapError(f"{source}: no character {person}; it has {numbers}")
    return {person: who[person]}


def _files(target: Path, clips: Mapping[int, Clip]) -> dict[Path, dict[int, Clip]]:
    """Which characters, by number, go into which file."""
    if len(clips) == 1 or format_of(target, "write").several:
        return {target: dict(clips)}
    return {target.with_name(f"{target.stem}_{n}{target.suffix}"): {n: clip} for n, clip in clips.items()}


def _options(path: Path, unit: str | None, rig: Rig | None) -> dict[str, str]:
    """Options of the format: the unit if one is asked for, and the axis that is up for the character."""
    taken = options_of(path)
    options = {"unit": unit} if unit is not None else {}
    return options | ({"up": rig.up} if rig is not None and "up" in taken else {})


def rate(text: str) -> Fraction:
    """Read a frame rate such as 24, 23.976 or 24000/1001.

    Raises:
        MocapError: it is none.
    """
    known = {"23.976": Fraction(24000, 1001), "29.97": Fraction(30000, 1001), "59.94": Fraction(60000, 1001)}
    try:
        value = known.get(text.strip()) or Fraction(text)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if not 0 < value <= 1000:
        raise MocapError(f"--fps {text}: give frames a second, as 24, 60 or 30000/1001")
    return value


def length(text: str) -> float:
    """Read a length such as 2mm, 0.5cm or 0.002m in metres; without a unit it is millimetres.

    Raises:
        MocapError: it is none.
    """
    match = re.fullmatch(r"\s*([0-9.]+)\s*(mm|cm|m)?\s*", text)
    try:
        value = float(match[1]) * _LENGTHS[match[2] or "mm"] if match else 0.0
    except ValueError:
        value = 0.0
    if value <= 0.0:
        raise MocapError(f"--simplify {text}: give a distance above zero, as 2mm")
    return value


def import_hint(path: Path, unit: str | None = None) -> str:
    """Return what a person importing the file should know."""
    suffix = path.suffix.lower()
    suffix = _LIKE.get(suffix, suffix)
    if unit == "m" and suffix == ".bvh":
        return "metres, y up: in Blender import with Scale 1"
    return _HINTS[suffix].replace("centimetres", "metres") if unit == "m" else _HINTS[suffix]
