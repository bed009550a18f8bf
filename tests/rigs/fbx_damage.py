"""Binary FBX files damaged at random: bytes anywhere, or records that say odd things in a whole frame."""

import numpy as np

from rigs.formats.fbx.encode import encode, pack
from rigs.formats.fbx.records import HEADER, Long, Packed, Record, Value, decode
from tests.rigs.mutations import damaged

_ODD = (
    0,
    1,
    -1,
    2**31 - 1,
    2**62,
    -(2**63),
    0.0,
    7.5,
    1e9,
    1e308,
    float("inf"),
    float("nan"),
    "",
    "Null",
    b"x",
)


def damaged_fbx(data: bytes, random: np.random.Generator) -> bytes:
    """Return a file with damaged bytes, or with one to three damaged records."""
    if random.random() < 0.4:
        return damaged(data, random)
    top = decode(data)
    records = [record for record in _walk(top) if record.name]
    for _ in range(int(random.integers(1, 4))):
        _damage(records[int(random.integers(len(records)))], records, random)
    parts = [data[: HEADER - 4] + (7400).to_bytes(4, "little")]
    for record in top.below:
        parts.append(encode(_wide(record), sum(map(len, parts))))
    return b"".join(parts) + bytes(13)


def _walk(record: Record) -> list[Record]:
    return [record, *(found for child in record.below for found in _walk(child))]


def _damage(record: Record, others: list[Record], random: np.random.Generator) -> None:
    kind, other = random.random(), others[int(random.integers(len(others)))]
    place = int(random.integers(len(record.values))) if record.values else None
    if kind < 0.5 and place is not None:
        record.values[place] = _odd(record.values[place], random)
    elif kind < 0.6 and place is not None:
        del record.values[place]
    elif kind < 0.7:
        record.values = list(other.values)
    elif kind < 0.8 and record.below:
        del record.below[int(random.integers(len(record.below)))]
    elif kind < 0.9:
        record.name = other.name
    elif not _walk_has(other, record):
        record.below = [*record.below, other]


def _walk_has(record: Record, wanted: Record) -> bool:
    return any(found is wanted for found in _walk(record))


def _odd(value: Value, random: np.random.Generator) -> Value:
    if not isinstance(value, Packed) or random.random() < 0.2:
        return _ODD[int(random.integers(len(_ODD)))]
    numbers = value.numbers().copy()
    if random.random() < 0.3 or not numbers.size:
        return pack(numbers[: int(random.integers(len(numbers) + 1))])
    odd = (
        [0, 1, -1, 2**30, 3e38]
        if numbers.dtype.kind == "f"
        else [0, 1, -1, 2**30, np.iinfo(numbers.dtype).max]
    )
    numbers[int(random.integers(len(numbers)))] = odd[int(random.integers(len(odd)))]
    if random.random() < 0.2:
        return Packed(value.kind, int(random.integers(2**31)), value.packed, value.deflated)
    return pack(numbers)


def _wide(record: Record) -> Record:
    """Return a record whose whole numbers are of 64 bits, which holds them whatever they were."""
    values = [Long(value) if isinstance(value, int) else value for value in record.values]
    return Record(record.name, values, [_wide(child) for child in record.below])
