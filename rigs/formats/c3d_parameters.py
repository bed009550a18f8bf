"""The parameter section of a C3D file: groups of named values, as bytes.

Source: the C3D User Guide at c3d.org, chapters "Group Format" and "Parameter Format".
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

import numpy as np

BLOCK = 512  # bytes; sections are counted in blocks
MOST_BLOCKS = 255  # the section's length is one byte
_MOST_TEXTS = 255  # in one parameter, as a dimension is one byte
_MOST_TEXT = 32000  # bytes of them, as the way to the next parameter is 16 bits with a sign
_LITTLE_ENDIAN = 84  # "Intel": little-endian integers and IEEE floats
_TEXT, _INTEGER, _REAL = -1, 2, 4

Value = str | int | float | Sequence[str] | Sequence[int]


def parameter_section(groups: Mapping[str, Mapping[str, Value]]) -> bytes:
    """Return the section, filled up to whole blocks; it may be more of them than a file can hold.

    Args:
        groups: group to parameter to value: text, unsigned 16-bit integer, 32-bit real, or several of text
            or integers.
    """
    records = []
    for number, (group, parameters) in enumerate(groups.items(), start=1):
        records.append(_record(group, -number, b""))
        records += [_record(name, number, _encoded(value)) for name, value in parameters.items()]
    body = b"".join(records) + b"\0\0"  # a name of no length ends the list
    blocks = -(-(4 + len(body)) // BLOCK)
    return (bytes([1, 80, min(blocks, MOST_BLOCKS), _LITTLE_ENDIAN]) + body).ljust(blocks * BLOCK, b"\0")


def split_texts(name: str, texts: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return texts as parameters ``name``, ``name2``, ... of as many as one can hold."""
    each = min(_MOST_TEXTS, _MOST_TEXT // max(map(len, texts)))
    starts = range(0, len(texts), each)
    return {f"{name}{n if n > 1 else ''}": texts[start : start + each] for n, start in enumerate(starts, 1)}


def _record(name: str, number: int, content: bytes) -> bytes:
    """Return a group (negative number, no content) or parameter without a description."""
    rest = content + b"\0"
    return (
        struct.pack("<bb", len(name), number) + name.encode("ascii") + struct.pack("<h", 2 + len(rest)) + rest
    )


def _encoded(value: Value) -> bytes:
    """Return type, dimensions and data."""
    if isinstance(value, str):
        text = value.encode("ascii")
        return struct.pack("<bBB", _TEXT, 1, len(text)) + text
    if isinstance(value, int):
        return struct.pack("<bBH", _INTEGER, 0, value)
    if isinstance(value, float):
        return struct.pack("<bBf", _REAL, 0, value)
    if all(isinstance(item, int) for item in value):
        return struct.pack("<bBB", _INTEGER, 1, len(value)) + np.array(value, "<u2").tobytes()
    texts = [str(item).encode("ascii") for item in value]
    width = max(map(len, texts))
    data = b"".join(text.ljust(width) for text in texts)
    return struct.pack("<bBBB", _TEXT, 2, width, len(texts)) + data
