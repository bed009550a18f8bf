"""The records of which every FBX file is made, and their binary form.

A record has a name, values and records below it. In binary FBX (little-endian) it is the offset at which it
ends, the number and the length of its values (32 bits each, 64 from version 7500 on), its name, the values,
each after a letter for its type, then the records below, closed by a record of zeros. Arrays may be deflated.
Source: the Blender developers' "FBX binary file format specification", 2013.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

MAGIC = b"Kaydara FBX Binary  \x00\x1a\x00"
HEADER = len(MAGIC) + 4  # then the version

_SCALARS = {
    ord(letter): struct.Struct(form)
    for letter, form in {"Y": "<h", "C": "<B", "B": "<B", "I": "<i", "F": "<f", "D": "<d", "L": "<q"}.items()
}
ARRAYS = {"f": "<f4", "d": "<f8", "l": "<i8", "i": "<i4", "b": "u1", "c": "u1"}
_DEEPEST = 64  # records inside records; real files have about ten
_MOST_RECORDS = 5_000_000  # real files have thousands
_NAME_SEPARATOR = b"\x00\x01"
_DENSEST = 1100  # bytes that one byte can become: deflate reaches 1032


class Damage(Exception):
    """What is wrong with the bytes, and where; the reader of the file adds the file's name."""


@dataclass(frozen=True, eq=False)
class Packed:
    """An array as it stands in a file, unpacked only where somebody asks for its numbers.

    kind: numpy's name of the type; count: how many numbers; packed: their bytes; deflated: whether those are
    zlib's.
    """

    kind: str
    count: int
    packed: bytes
    deflated: bool

    def numbers(self) -> NDArray:
        """Return the numbers (count,).

        Raises:
            Damage: they are not as many as the file says.
        """
        size = self.count * np.dtype(self.kind).itemsize
        if size > _DENSEST * len(self.packed):
            raise Damage(f"an array of {self.count} numbers has only {len(self.packed)} bytes")
        data = _inflated(self.packed, size) if self.deflated else self.packed
        if len(data) != size:
            raise Damage(f"an array of {self.count} numbers has {len(data)} bytes instead of {size}")
        return np.frombuffer(data, self.kind)


class Long(int):
    """A whole number that is written in 64 bits, as ids and times are."""


Value: TypeAlias = "bool | int | float | str | bytes | Packed"


@dataclass
class Record:
    """A record: its name, its values, and the records below it, in order."""

    name: str
    values: list[Value] = field(default_factory=list)
    below: list[Record] = field(default_factory=list)

    def first(self, name: str) -> Record | None:
        """Return the first record of a name below this one."""
        return next((record for record in self.below if record.name == name), None)

    def all(self, name: str) -> Iterator[Record]:
        """Yield the records of a name below this one."""
        return (record for record in self.below if record.name == name)


def decode(data: bytes) -> Record:
    """Return of a binary file a record without a name that holds its records.

    Raises:
        Damage: the bytes are not what a binary FBX consists of.
    """
    if len(data) < HEADER:
        raise Damage("the file ends within its header")
    (version,) = struct.unpack_from("<I", data, len(MAGIC))
    if not 7000 <= version < 8000:
        raise Damage(f"its version is {version}, and only 7000 to 7999 are read")
    return _Decoder(data, "<QQQB" if version >= 7500 else "<IIIB").file()


class _Decoder:
    """Walks over the bytes with a stack of open records rather than by recursion."""

    def __init__(self, data: bytes, head: str) -> None:
        self.data, self.head, self.at, self.count = data, struct.Struct(head), HEADER, 0

    def file(self) -> Record:
        top = Record("")
        stack, ends = [top], [len(self.data)]
        while stack:
            if (
                self.at == ends[-1] and len(stack) > 1
            ):  # without the record of zeros, as where nothing is below
                stack.pop()
                ends.pop()
                continue
            found = self.record(ends[-1])
            if found is None:
                if self.at != ends[-1] and len(stack) > 1:
                    raise Damage(f"record {stack[-1].name!r} closes before its end, at byte {self.at}")
                stack.pop()
                ends.pop()
                continue
            record, end = found
            stack[-1].below.append(record)
            stack.append(record)
            ends.append(end)
            if len(stack) > _DEEPEST:
                raise Damage(f"records lie more than {_DEEPEST} deep at byte {self.at}")
        return top

    def record(self, outer: int) -> tuple[Record, int] | None:
        """Read name and values of a record and where it ends; None for the record of zeros."""
        start = self.at
        if start + self.head.size > outer:
            raise Damage(
                f"a record at byte {start} begins where nothing is left to read; the file is cut off"
            )
        end, count, length, name_length = self.head.unpack_from(self.data, start)
        self.at += self.head.size
        if end == 0:
            return None
        self.count += 1
        first = self.at + name_length
        if not first + length <= end <= outer or count > length or self.count > _MOST_RECORDS:
            raise Damage(
                f"the record at byte {start} does not fit where it stands; the file is cut off or damaged"
            )
        record = Record(self.data[self.at : first].decode("utf-8", "replace"))
        self.at = first
        for _ in range(count):
            record.values.append(self.value(first + length))
        if self.at != first + length:
            raise Damage(f"the values of record {record.name!r} at byte {start} are not as long as it says")
        return record, end

    def value(self, end: int) -> Value:
        code = self.take(1, end)[0]
        if form := _SCALARS.get(code):
            found: Value = form.unpack(self.take(form.size, end))[0]
            return found
        letter = chr(code)
        if letter in "SR":
            text = self.take(self.number(end), end)
            return text_of(text) if letter == "S" else text
        if letter in ARRAYS:
            count, encoding, length = self.number(end), self.number(end), self.number(end)
            if encoding > 1:
                raise Damage(f"an array at byte {self.at} has the unknown encoding {encoding}")
            kind = ARRAYS[letter]
            size = length if encoding else count * np.dtype(kind).itemsize
            return Packed(kind, count, self.take(size, end), encoding == 1)
        raise Damage(f"a value at byte {self.at - 1} has the unknown type {letter!r}")

    def number(self, end: int) -> int:
        return int.from_bytes(self.take(4, end), "little")

    def take(self, length: int, end: int) -> bytes:
        if self.at + length > end:
            raise Damage(f"a value at byte {self.at} goes past the end of its record")
        self.at += length
        return self.data[self.at - length : self.at]


def text_of(data: bytes) -> str:
    """Return a string of a file; "Hips", zero, one, "Model" becomes "Model::Hips", as it is in text files."""
    if _NAME_SEPARATOR in data:
        name, kind = data.split(_NAME_SEPARATOR, 1)
        data = kind + b"::" + name
    return data.decode("utf-8", "replace")


def _inflated(data: bytes, size: int) -> bytes:
    """Unpack, and never more than a little past the size that the file promises."""
    try:
        return zlib.decompressobj().decompress(data, size + 1)
    except zlib.error as error:
        raise Damage(f"a compressed array is damaged ({error})") from error
