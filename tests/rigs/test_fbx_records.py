"""The two forms of FBX files, in all their versions, and what is refused of them."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import read_clips
from tests.rigs.fbx_text import TICKS, Curve, Node, fbx_text, limbs


def read(path: Path, text: str) -> list[Clip]:
    path.write_text(text, encoding="utf-8")
    return read_clips(path)


def binary(text_of_records: list[tuple], version: int) -> bytes:
    """Return records (name, values, below) as a binary file of a version."""
    wide = version >= 7500
    head, size = ("<QQQB", 25) if wide else ("<IIIB", 13)

    def value(v: object) -> bytes:
        if isinstance(v, np.ndarray):
            packed = zlib.compress(v.tobytes())
            return (
                {"f": b"f", "d": b"d", "q": b"l", "l": b"l", "i": b"i"}[v.dtype.char]
                + struct.pack("<III", v.size, 1, len(packed))
                + packed
            )
        if isinstance(v, str):
            return b"S" + struct.pack("<I", len(v.encode())) + v.encode()
        if isinstance(v, float):
            return b"D" + struct.pack("<d", v)
        return b"L" + struct.pack("<q", v)

    def record(one: tuple, at: int) -> bytes:
        name, values, below = one
        body = b"".join(map(value, values))
        inner, here = b"", at + size + len(name) + len(body)
        for child in below:
            inner += record(child, here + len(inner))
        inner += bytes(size) if below else b""
        return (
            struct.pack(head, here + len(inner), len(values), len(body), len(name))
            + name.encode()
            + body
            + inner
        )

    data = b"Kaydara FBX Binary  \x00\x1a\x00" + struct.pack("<I", version)
    for one in text_of_records:
        data += record(one, len(data))
    return data + bytes(size)


@pytest.mark.parametrize("version", [7100, 7400, 7500, 7700])
def test_versions_of_the_binary_form(tmp_path: Path, version: int) -> None:
    def model(key: int, name: str, *at: float) -> tuple:
        rows = [("P", ["Lcl Translation", "Lcl Translation", "", "A", *at], [])]
        return "Model", [key, f"{name}\x00\x01Model", "LimbNode"], [("Properties70", [], rows)]

    curve = [
        ("KeyTime", [np.arange(3) * (TICKS // 30)], []),
        ("KeyValueFloat", [np.float32([0, 45, 90])], []),
    ]
    objects = [
        model(1, "hips", 0.0, 90.0, 0.0), model(2, "head", 0.0, 60.0, 0.0),
        ("AnimationStack", [3, "take\x00\x01AnimStack", ""], []),
        ("AnimationLayer", [4, "\x00\x01AnimLayer", ""], []),
        ("AnimationCurveNode", [5, "R\x00\x01AnimCurveNode", ""], []),
        ("AnimationCurve", [6, "\x00\x01AnimCurve", ""], curve),
    ]  # fmt: skip
    links = [
        ("OO", 1, 0),
        ("OO", 2, 1),
        ("OO", 4, 3),
        ("OO", 5, 4),
        ("OP", 5, 1, "Lcl Rotation"),
        ("OP", 6, 5, "d|Z"),
    ]
    records = [("Objects", [], objects), ("Connections", [], [("C", list(link), []) for link in links])]
    (tmp_path / "a.fbx").write_bytes(binary(records, version))
    (clip,) = read_clips(tmp_path / "a.fbx")
    assert clip.motion.skeleton.names == ("hips", "head")
    np.testing.assert_allclose(
        clip.motion.world()[0][:, 1, :2],
        [[0, 1.5], [-0.6 * 0.5**0.5, 0.9 + 0.6 * 0.5**0.5], [-0.6, 0.9]],
        atol=1e-7,
    )


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda text: text.replace("7400", "6100"), "its version is 6100, and only 7000 to 7999 are read"),
        (lambda text: text.replace("FBXVersion: 7400", ""), "it has no FBXVersion"),
        (lambda text: text.replace("LimbNode", "Mesh"), "it has no skeleton; export it with its bones"),
        (lambda text: text.replace("Objects:", "Things:"), "it has no Objects"),
        (lambda text: text[:-1], "record 'Takes' is not closed"),
        (lambda text: text + "}", "closes a brace that is not open"),
        (lambda text: text.replace("*2", "*3"), "promises 3 numbers, and 2 follow"),
        (lambda text: text.replace(",1.0,20.0,3.0", ",1.0,20.0"), "has Lcl Translation .* instead of three"),
        (lambda text: text.replace(",1.0,20.0,3.0", ",1.0,nan,3.0"), "instead of three finite numbers"),
        (lambda text: "\0" + text, "neither binary nor text FBX"),
        (lambda text: text.replace(f"{TICKS}", f"{TICKS * 10**5}"), "frames and few keys"),
        (lambda text: text.replace(f"a: 0,{TICKS}", "a: 0,-9223372036854775808"), "keys that do not follow"),
        (lambda text: text.replace(f"a: 0,{TICKS}", "a: 0,nan"), "keys that do not follow one another"),
        (lambda text: text.replace(f"0,{TICKS}", f"{TICKS},0"), "keys that do not follow one another"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path: Path, change, what: str) -> None:
    text = fbx_text(limbs(), [Curve("hips", "Lcl Rotation", "X", [(0.0, 0.0), (1.0, 9.0)])], span=(0.0, 1e7))
    assert len(read(tmp_path / "good.fbx", text)) == 1
    with pytest.raises(FormatError, match=what) as refused:
        read(tmp_path / "a.fbx", change(text))
    assert str(refused.value).startswith(f"cannot read {tmp_path / 'a.fbx'}: ")
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file or directory; check the file's name"):
        read_clips(tmp_path / "none.fbx")


def test_nodes_in_a_circle_are_left_out(tmp_path: Path) -> None:
    text = fbx_text([*limbs(), Node("a"), Node("b", parent="a")]).replace(
        'C: "OO",1003,0', 'C: "OO",1003,1004'
    )
    (clip,) = read(tmp_path / "a.fbx", text)
    assert clip.motion.skeleton.names == ("hips", "spine", "head")


def test_every_letter_of_a_text_file_counts(tmp_path: Path) -> None:
    """Comments, odd spaces and escapes are what text files have."""
    text = (
        fbx_text(limbs())
        .replace("Objects: {", "; a comment {\n\n\tObjects:   {  ; another")
        .replace("Model::spine", "Model::&quot;sp ine;{}&quot;")
    )
    (clip,) = read(tmp_path / "a.fbx", text)
    assert clip.motion.skeleton.names == ("hips", '"sp ine;{}"', "head")
