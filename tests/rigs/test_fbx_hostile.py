"""A damaged or hostile FBX file is refused with one line, whatever it says, and costs little."""

import logging
import resource
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest

from rigs.errors import FormatError
from rigs.formats import read_clips, write_clips
from rigs.formats.fbx.document import Objects, file_bytes
from rigs.formats.fbx.encode import encode
from rigs.formats.fbx.records import HEADER, Long, Packed, Record, decode
from tests.rigs.fbx_damage import damaged_fbx
from tests.rigs.fbx_text import Curve, Node, fbx_text, limbs
from tests.rigs.mutations import damaged, odd_numbers
from tests.rigs.wild_clip import wild_clip

TRIES = 1000


def read_or_refuse(path: Path, data: bytes) -> bool:
    """Return whether a file is read; raises what is not a refusal of one line."""
    path.write_bytes(data)
    try:
        read_clips(path)
    except FormatError as refused:
        assert "\n" not in str(refused) and str(refused).startswith(f"cannot read {path}: ")
        return False
    return True


@pytest.fixture
def small(tmp_path: Path) -> bytes:
    """A character of three joints, in five frames."""
    write_clips(tmp_path / "small.fbx", [wild_clip(joints=3, frames=5)])
    return (tmp_path / "small.fbx").read_bytes()


def text() -> bytes:
    keys = [(0.0, 0.0), (0.1, 5.0), (0.2, -5.0)]
    curves = [
        Curve("spine", "Lcl Rotation", "Y", keys, flags=0x6108),
        Curve("hips", "Lcl Scaling", "X", keys),
    ]
    pose = {name: np.eye(4).ravel().tolist() for name in ("hips", "spine", "head")}
    return fbx_text([Node("top", "Null"), *limbs(PreRotation=(1.0, 2.0, 3.0))], curves, poses=pose).encode()


@pytest.mark.slow
def test_damaged_binary_files(tmp_path: Path, small: bytes) -> None:
    random = np.random.default_rng(7)
    logging.disable(logging.WARNING)
    read = sum(read_or_refuse(tmp_path / "a.fbx", damaged_fbx(small, random)) for _ in range(TRIES))
    logging.disable(logging.NOTSET)
    assert 0.1 * TRIES < read < 0.9 * TRIES  # both happen, or the damage is none, or nothing is read at all


@pytest.mark.slow
def test_damaged_text_files(tmp_path: Path) -> None:
    random, source = np.random.default_rng(8), text()
    logging.disable(logging.WARNING)
    read = sum(
        read_or_refuse(tmp_path / "a.fbx", (damaged if k % 2 else odd_numbers)(source, random))
        for k in range(TRIES)
    )
    logging.disable(logging.NOTSET)
    assert 0.1 * TRIES < read < 0.9 * TRIES


def test_files_that_end_early(tmp_path: Path, small: bytes) -> None:
    """Every length but that of the footer, which says nothing."""
    for length in range(0, len(small) - 300, 97):
        assert not read_or_refuse(tmp_path / "a.fbx", small[:length])


def changed(data: bytes, record: str, values: list) -> bytes:
    """Return a binary file with other values in the first record of a name."""
    top = decode(data)

    def walk(one: Record) -> bool:
        if one.name == record:
            one.values = values
            return True
        return any(map(walk, one.below))

    assert walk(top)
    parts = [data[:HEADER]]
    for one in top.below:
        parts.append(encode(wide(one), sum(map(len, parts))))
    return b"".join(parts) + bytes(13)


def wide(record: Record) -> Record:
    values = [Long(value) if isinstance(value, int) else value for value in record.values]
    return Record(record.name, values, [wide(child) for child in record.below])


BOMB = zlib.compress(bytes(10**8))


@pytest.mark.parametrize(
    ("record", "value", "what"),
    [
        ("KeyTime", Packed("<i8", 2**32 - 1, b"", False), "goes past the end of its record"),
        ("KeyTime", Packed("<i8", 10**5, b"", True), "an array of 100000 numbers has only 0 bytes"),
        ("KeyTime", Packed("<i8", 10**7, BOMB, True), "keys, more than a file of its size can hold"),
        ("KeyValueFloat", Packed("<f4", 5, BOMB, True), "an array of 5 numbers has 21 bytes instead of 20"),
        ("KeyValueFloat", Packed("<f4", 5, b"no deflate", True), "a compressed array is damaged"),
        ("KeyTime", Packed("<i8", 2, struct.pack("<qq", 0, 2**52), False), "2 times and 5 values"),
        ("Matrix", Packed("<f8", 1, bytes(8), False), "a matrix of a bind pose has 1 numbers instead of 16"),
    ],
)
def test_arrays_that_promise_too_much(
    tmp_path: Path, small: bytes, record: str, value: Packed, what: str
) -> None:
    (tmp_path / "a.fbx").write_bytes(changed(small, record, [value]))
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    with pytest.raises(FormatError, match=what):
        read_clips(tmp_path / "a.fbx")
    assert time.perf_counter() - start < 2.0
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def nested(depth: int) -> bytes:
    record = Record("Objects")
    for _ in range(depth):
        record = Record("Objects", below=[record])
    head = file_bytes(Objects(), "a", (0, 1), 30, 1.0, "y")[:HEADER]
    return head + encode(record, HEADER) + bytes(13)


@pytest.mark.parametrize("depth", [63, 900])
def test_records_nested_deep(tmp_path: Path, depth: int) -> None:
    assert not read_or_refuse(tmp_path / "a.fbx", nested(depth))
    assert not read_or_refuse(tmp_path / "b.fbx", b"; FBX\nFBXVersion: 7400\n" + b"A: {\n" * depth * 1000)


def test_nodes_in_a_long_row(tmp_path: Path) -> None:
    row = [Node("n0"), *(Node(f"n{k}", parent=f"n{k - 1}") for k in range(1, 900))]
    with pytest.raises(FormatError, match="hang more than 500 deep"):
        (tmp_path / "a.fbx").write_text(fbx_text(row))
        read_clips(tmp_path / "a.fbx")
    assert read_or_refuse(tmp_path / "b.fbx", fbx_text(row[:400]).encode())


def test_more_skeletons_than_any_scene_has(tmp_path: Path) -> None:
    (tmp_path / "a.fbx").write_text(fbx_text([Node(f"n{k}") for k in range(1001)]))
    with pytest.raises(FormatError, match="its joints make 1001 skeletons, and at most 1000 are read"):
        read_clips(tmp_path / "a.fbx")


def test_many_skeletons_that_share_one_long_animation(tmp_path: Path) -> None:
    """A few keys for hours would make poses that no memory holds."""
    roots = [Node(f"r{k}", parent=f"g{k}") for k in range(300)]
    heads = [Node(f"h{k}", parent=f"r{k}") for k in range(300)]
    groups = [Node(f"g{k}", "Null", parent="top") for k in range(300)]
    hours = [Curve("top", "Lcl Rotation", "X", [(0.0, 0.0), (3600.0, 90.0)])]
    scene = fbx_text([Node("top", "Null"), *groups, *roots, *heads], hours)
    (tmp_path / "a.fbx").write_text(scene)
    with pytest.raises(FormatError, match="its animation has 108001 frames and few keys"):
        read_clips(tmp_path / "a.fbx")
