"""Write the records of FBX in their binary form."""

from __future__ import annotations

import struct
import zlib

from numpy.typing import NDArray

from rigs.formats.fbx.records import ARRAYS, Long, Packed, Record, Value

_LETTERS = {kind: letter for letter, kind in ARRAYS.items()}
_ALWAYS_CLOSED = (
    "AnimationStack",
    "AnimationLayer",
)  # by a record of zeros, whether or not any is below them
_COMPRESS_FROM = 128  # bytes: below it nothing is saved


def pack(numbers: NDArray, level: int = 1) -> Packed:
    """Return an array in the form that `encode` writes, deflated where that saves something."""
    kind = numbers.dtype.newbyteorder("<").str
    data = numbers.astype(kind, copy=False).tobytes()
    deflated = zlib.compress(data, level) if len(data) >= _COMPRESS_FROM else data
    smaller = len(deflated) < len(data)
    return Packed(kind, numbers.size, deflated if smaller else data, smaller)


def encode(record: Record, offset: int) -> bytes:
    """Return a record in the binary form of versions before 7500.

    Whole numbers take 32 bits, and 64 where they are `Long`.

    Args:
        record: it and what is below it.
        offset: where in the file it begins, in bytes.
    """
    name, values = record.name.encode(), b"".join(map(_encode_value, record.values))
    parts = [b"", name, values]
    at = offset + 13 + len(name) + len(values)
    for child in record.below:
        parts.append(encode(child, at))
        at += len(parts[-1])
    if record.below or not record.values or record.name in _ALWAYS_CLOSED:
        parts.append(bytes(13))
        at += 13
    parts[0] = struct.pack("<IIIB", at, len(record.values), len(values), len(name))
    return b"".join(parts)


def _encode_value(value: Value) -> bytes:
    if isinstance(value, bool):
        return struct.pack("<cB", b"C", value)
    if isinstance(value, Long):
        return struct.pack("<cq", b"L", int(value))
    if isinstance(value, int):
        return struct.pack("<ci", b"I", value)
    if isinstance(value, float):
        return struct.pack("<cd", b"D", value)
    if isinstance(value, Packed):
        letter = _LETTERS[value.kind]
        head = struct.pack("<III", value.count, value.deflated, len(value.packed))
        return letter.encode() + head + value.packed
    assert isinstance(value, (str, bytes))
    data = value.encode() if isinstance(value, str) else value
    return (b"S" if isinstance(value, str) else b"R") + struct.pack("<I", len(data)) + data
