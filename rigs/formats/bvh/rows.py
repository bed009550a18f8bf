"""The MOTION block of a BVH file: its two header lines and its rows of numbers."""

import re
from fractions import Fraction

import numpy as np

from rigs.errors import FormatError
from rigs.formats.bvh.tree import Tree, in_range
from rigs.formats.rate import rate_from_frame_time
from rigs.quat import FloatArray

_FRAMES = re.compile(r"frames\s*:?\s*(\S+)", re.IGNORECASE)
_FRAME_TIME = re.compile(r"frame\s*time\s*:?\s*(\S+)", re.IGNORECASE)


def read_rows(path: object, lines: list[str], tree: Tree) -> tuple[FloatArray, Fraction]:
    """Read the numbers (T, C) of a MOTION block as they stand, and the frames per second.

    Args:
        path: the file's name, for messages.
        lines: all lines of the file.
        tree: its hierarchy, which says how many numbers a row holds.

    Raises:
        FormatError: naming the line, what was found there and what to write instead.
    """
    filled = [n for n in range(tree.end, len(lines)) if not lines[n].isspace() and lines[n]]
    count = _frames(path, lines, filled[:1])
    fps = _rate(path, lines, filled[1:2])
    rows = filled[2:]
    values = _numbers([lines[n] for n in rows], tree.width)
    if values is None or not in_range(values):
        values = _wrapped([lines[n] for n in rows], count, tree.width)
    if values is None:
        raise _refuse_numbers(path, lines, rows, tree)
    if len(values) != count:
        raise _refuse_count(path, rows, filled[0], count)
    return values, fps


def _frames(path: object, lines: list[str], found: list[int]) -> int:
    line = _header(path, lines, found, "Frames: 100")
    match = _FRAMES.fullmatch(line)
    if not match:
        raise _refuse_header(path, found[0], line, "Frames: 100")
    if not re.fullmatch("[0-9]{1,12}", match[1]) or int(match[1]) < 1:
        raise FormatError(
            f"{path}, line {found[0] + 1}: Frames is {match[1]!r}; a motion has 1 frame or more"
        )
    return int(match[1])


def _rate(path: object, lines: list[str], found: list[int]) -> Fraction:
    line = _header(path, lines, found, "Frame Time: 0.0333333")
    match = _FRAME_TIME.fullmatch(line)
    if not match:
        raise _refuse_header(path, found[0], line, "Frame Time: 0.0333333")
    try:
        return rate_from_frame_time(match[1])
    except ValueError as error:
        raise FormatError(f"{path}, line {found[0] + 1}: {error}; write 0.0333333 for 30 fps") from error


def _header(path: object, lines: list[str], found: list[int], example: str) -> str:
    if not found:
        raise FormatError(
            f"{path}, line {len(lines)}: no line like {example!r} before the end; is the file cut off?"
        )
    return lines[found[0]].strip()


def _refuse_header(path: object, at: int, line: str, example: str) -> FormatError:
    return FormatError(
        f"{path}, line {at + 1}: expected a line like {example!r}, found {line[:40]!r}; add it"
    )


def _numbers(rows: list[str], width: int) -> FloatArray | None:
    """Return rows (T, width), or None where they are not all numbers, or not all so many."""
    if not rows or width == 0:
        return np.empty((len(rows), width))
    try:
        values = np.loadtxt(rows, dtype=np.float64, comments=None, ndmin=2)
    except ValueError:
        return None
    return values if values.shape[1] == width else None


def _wrapped(rows: list[str], count: int, width: int) -> FloatArray | None:
    """Return (count, width) where the numbers are all there but break over lines in another way."""
    try:
        values = np.array(" ".join(rows).split(), dtype=np.float64)
    except ValueError:
        return None
    return values.reshape(count, width) if values.size == count * width and in_range(values) else None


def _refuse_numbers(path: object, lines: list[str], rows: list[int], tree: Tree) -> FormatError:
    """Say which number is not one, or which row is too short or too long."""
    for frame, n in enumerate(rows):
        words = lines[n].split()
        where = f"{path}, line {n + 1}, frame {frame}"
        for column, word in enumerate(words[: tree.width]):
            if not _is_number(word):
                what = tree.column_name(column)
                return FormatError(f"{where}: {what} is {word!r}; write a number there or cut the frame")
        if len(words) != tree.width:
            what = (
                f"the row has {len(words)} numbers, its {len(tree.names)} joints have {tree.width} channels"
            )
            return FormatError(f"{where}: {what}; complete the row or cut the frame")
    return FormatError(f"{path}: the rows of numbers cannot be read; write the file anew")


def _refuse_count(path: object, rows: list[int], header: int, count: int) -> FormatError:
    where, last = f"{path}, line {header + 1}", (rows[-1] if rows else header) + 1
    what = f"Frames is {count} but {len(rows)} rows of numbers follow, up to line {last}"
    if not rows:
        return FormatError(f"{where}: {what}; the file is cut off, export it again")
    do = "the file is cut off, or write" if len(rows) < count else "cut the rest, or write"
    return FormatError(f"{where}: {what}; {do} Frames: {len(rows)}")


def _is_number(word: str) -> bool:
    try:
        return in_range(np.array(float(word)))
    except ValueError:
        return False
