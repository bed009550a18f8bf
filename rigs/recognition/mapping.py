"""Map files: which joint of a character plays which part, to look at, correct and give back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path

import yaml

from rigs.errors import FormatError
from rigs.formats.replacing import replacing
from rigs.recognition.parts import MOST_NECKS, MOST_SPINES, NEEDED, PARTS, check_map

_LARGEST = 1 << 20  # bytes
_HEAD = """\
# Which joint of {name} plays which part. Correct the joints' names on the right; leave a part without one, or
# take its line out, to have it found by itself; write "" where the character has no such part.
# {needed} are needed.
"""
_GROUPS = {
    "trunk": ("Hips", "Spine", "Neck", "Head"),
    "left arm": ("LeftShoulder", "LeftArm", "LeftForeArm"),
    "right arm": ("RightShoulder", "RightArm", "RightForeArm"),
    "left leg": ("LeftUpLeg", "LeftLeg", "LeftFoot", "LeftToeBase"),
    "right leg": ("RightUpLeg", "RightLeg", "RightFoot", "RightToeBase"),
    "left hand": ("LeftHand",),
    "right hand": ("RightHand",),
}


def write_parts(
    path: str | PathLike[str], name: str, joints: Sequence[str], roles: Mapping[str, str]
) -> None:
    """Write a map file with the parts that are known, and the other joints as a list to take from.

    Raises:
        FormatError: it cannot be written.
    """
    needed = ", ".join(role for roles in NEEDED.values() for role in roles) + ", and Head or Neck"
    lines = [_HEAD.format(name=" ".join(name.split()), needed=needed)]
    for group, starts in _GROUPS.items():
        lines.append(f"# {group}\n")
        for role in _listed(group, starts, roles):
            lines.append(f"{role}: {_scalar(roles[role])}\n" if role in roles else f"{role}:\n")
    free = [joint for joint in joints if joint not in roles.values()]
    if free:
        lines.append("\n# joints that play no part\n")
        lines += [f"#   {_scalar(joint)}\n" for joint in free]
    with replacing(path) as file:
        file.write("".join(lines))


def read_map(path: str | PathLike[str]) -> dict[str, str]:
    """Return our names of joints to a character's own, "" for a part that it has not.

    Raises:
        FormatError: the file is missing, no YAML, or no table of parts and joints; one line.
        RigError: it has a part that there is not, or a joint twice.
    """
    text = _text(Path(path))
    try:
        node, table = yaml.compose(text, Loader=yaml.SafeLoader), yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FormatError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(table, dict) or not isinstance(node, yaml.MappingNode):
        raise FormatError(f"{path}: no map; write lines like `LeftArm: upperarm_l`")
    keys = [key.value for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise FormatError(f"{path}: {key} is there twice; keep one")
    for role, joint in table.items():
        if not isinstance(role, str) or not isinstance(joint, str | None):
            raise FormatError(f"{path}: {role}: {joint!r} is no name of a joint; put it in quotes")
    mapped = {role: joint for role, joint in table.items() if joint is not None}
    check_map(mapped)
    return mapped


def _listed(group: str, starts: Sequence[str], roles: Mapping[str, str]) -> list[str]:
    """The parts of a group: those that are common, and the further spines and necks that there are."""
    if group.endswith("hand"):
        return [part for part in PARTS if part.startswith(starts[0])]
    if group != "trunk":
        return list(starts)
    spines = [f"Spine{k or ''}" for k in range(MOST_SPINES) if k < 3 or f"Spine{k}" in roles]
    necks = [f"Neck{k or ''}" for k in range(MOST_NECKS) if not k or f"Neck{k}" in roles]
    return ["Hips", *spines, *necks, "Head"]


def _scalar(name: str) -> str:
    """A name as YAML has it, on one line: in quotes where it must be."""
    text: str = yaml.safe_dump(name, default_flow_style=True, width=10_000, allow_unicode=True)
    plain = text.removesuffix("\n").removesuffix("\n...")
    return plain if "\n" not in plain else json.dumps(name)


def _text(path: Path) -> str:
    try:
        if path.is_file() and path.stat().st_size > _LARGEST:
            raise FormatError(f"{path}: larger than 1 MB: no map file")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path}: not text: no map file") from error
    except OSError as error:
        raise FormatError(f"cannot read {path}: {error.strerror}; check the file's name") from error
