"""Write BVH in the dialect that every reader shares.

One ROOT with OFFSET 0 0 0 and its position channels first (three.js adds the root's OFFSET to them, Blender
does not); Zrotation Xrotation Yrotation; a non-zero End Site on every leaf; keywords, braces and OFFSETs on
lines of their own; names of letters, digits, ``_`` and ``:``; plain decimals with single spaces; Euler
angles without jumps; the exact number of frames.
"""

import logging
import re
from collections.abc import Iterator
from os import PathLike

import numpy as np

from rigs.errors import FormatError
from rigs.formats import euler
from rigs.formats.finite import check_finite
from rigs.formats.rate import frame_time
from rigs.formats.replacing import replacing
from rigs.formats.rows import rows
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

log = logging.getLogger(__name__)

_PER_METRE = {"cm": 100.0, "m": 1.0}
_POSITION = "Xposition Yposition Zposition"
_ROTATION = "Zrotation Xrotation Yrotation"
_DIGITS = {"cm": 6, "m": 8}  # so that both hold 1e-8 m
_TIP = 0.05  # metres: End Site of a leaf without one, along the bone that leads to it
_SHORTEST_TIP = 1e-4  # metres: below it readers take a bone for one of no length


def write_bvh(path: str | PathLike[str], motion: Motion, unit: str = "cm") -> None:
    """Write a motion as BVH, y up, one row for every frame and the first row for the first frame.

    The file appears whole or not at all. Joints with translations get position channels, the others none.
    Characters that BVH readers stumble over become ``_`` in names.

    Args:
        path: the file; one that is there is replaced.
        motion: T frames of J joints.
        unit: "cm", or "m" for readers that take a unit for a metre.

    Raises:
        FormatError: an unknown unit, a number that is not finite (naming joint and frame), or a file that
            cannot be written.
    """
    if unit not in _PER_METRE:
        raise FormatError(f"cannot write {path} in the unit {unit!r}; choose one of {', '.join(_PER_METRE)}")
    check_finite(path, motion)
    with replacing(path) as file:
        file.writelines(f"{line}\n" for line in _hierarchy(motion, unit))
        file.write(f"MOTION\nFrames: {len(motion)}\nFrame Time: {frame_time(motion.fps)}\n")
        file.writelines(rows(_channels(motion, unit), _formats(motion, unit)))


def _hierarchy(motion: Motion, unit: str) -> Iterator[str]:
    """Yield the lines of the tree; depth-first order makes the open braces a matter of depth alone."""
    skeleton, scale, digits = motion.skeleton, _PER_METRE[unit], _DIGITS[unit]
    depth = _depths(skeleton)
    yield "HIERARCHY"
    for j, name in enumerate(_safe_names(skeleton)):
        pad = "  " * depth[j]
        yield f"{pad}{'JOINT' if j else 'ROOT'} {name}"
        yield f"{pad}{{"
        yield f"{pad}  OFFSET {_vector(scale * skeleton.offsets[j] if j else np.zeros(3), digits)}"
        moves = j == 0 or j in motion.translations
        yield f"{pad}  CHANNELS {f'6 {_POSITION}' if moves else '3'} {_ROTATION}"
        if skeleton.is_leaf[j]:
            yield from (f"{pad}  {line}" for line in _end_site(scale * _tip(skeleton, j), digits))
            following = depth[j + 1] if j + 1 < len(skeleton) else 0
            yield from ("  " * level + "}" for level in range(depth[j], following - 1, -1))


def _end_site(tip: FloatArray, digits: int) -> tuple[str, ...]:
    return ("End Site", "{", f"  OFFSET {_vector(tip, digits)}", "}")


def _vector(values: FloatArray, digits: int) -> str:
    return " ".join(f"{value:.{digits}f}" for value in np.round(values, digits) + 0.0)


def _depths(skeleton: Skeleton) -> list[int]:
    depths = [0]
    for parent in skeleton.parents[1:].tolist():
        depths.append(depths[parent] + 1)
    return depths


def _safe_names(skeleton: Skeleton) -> list[str]:
    """Return the joints' names in the characters that every reader takes, still all different."""
    names: list[str] = []
    for name in skeleton.names:
        safe = base = re.sub(r"[^A-Za-z0-9_:]", "_", name)
        copy = 2
        while safe in names or (safe != name and safe in skeleton.names):
            safe, copy = f"{base}_{copy}", copy + 1
        names.append(safe)
    changed = [f"{a!r} as {b!r}" for a, b in zip(skeleton.names, names, strict=True) if a != b]
    if changed:
        log.warning("%d joints renamed to what BVH readers take, %s first", len(changed), changed[0])
    return names


def _tip(skeleton: Skeleton, joint: int) -> FloatArray:
    """Return the leaf's tip (3,), metres; one of no length points on along the bone before it, or up."""
    tip = skeleton.tips.get(skeleton.names[joint], np.zeros(3))
    if np.linalg.norm(tip) >= _SHORTEST_TIP:
        return tip
    bone = skeleton.offsets[joint] if joint else np.zeros(3)
    length = float(np.linalg.norm(bone))
    return _TIP * (bone / length if length >= _SHORTEST_TIP else np.array([0.0, 1.0, 0.0]))


def _channels(motion: Motion, unit: str) -> FloatArray:
    """Return every channel (T, C) in file order, in the file's unit and degrees."""
    angles = np.degrees(euler.unwrap(euler.to_euler(motion.rotations, "ZXY")))
    columns = [_PER_METRE[unit] * motion.root]
    for j in range(len(motion.skeleton)):
        if j in motion.translations:
            columns.append(_PER_METRE[unit] * motion.translations[j])
        columns.append(angles[:, j])
    return np.concatenate(columns, axis=1)


def _formats(motion: Motion, unit: str) -> list[int]:
    """Return the decimals of every channel: lengths by the unit, angles 6."""
    digits = [_DIGITS[unit]] * 3
    for j in range(len(motion.skeleton)):
        digits += [_DIGITS[unit]] * 3 * (j in motion.translations) + [6] * 3
    return digits
