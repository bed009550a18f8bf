"""JSON and NPZ of our own: what comes back is what was written, and what is wrong is refused."""

import json
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import read_clips, write_clips
from rigs.motion import Motion
from tests.rigs.mutations import damaged, damaged_npz, odd_numbers

Damage = Callable[[bytes, np.random.Generator], bytes]


@pytest.fixture
def clip(wild) -> Clip:
    motion = wild(frames=6, fps=Fraction(30000, 1001))
    moved = {3: np.random.default_rng(2).normal(size=(6, 3))}
    rest = quat.normalise(np.random.default_rng(3).normal(size=(17, 4)))
    whole = Motion(motion.skeleton, motion.rotations, motion.root, motion.fps, moved)
    return Clip("anna", whole, rest, {"Hips": "Hips", "LeftHand": "LeftHand"}, first=12)


def assert_same(found: Clip, clip: Clip, within: float) -> None:
    assert (found.name, found.first, found.roles) == (clip.name, clip.first, clip.roles)
    a, b = found.motion, clip.motion
    assert a.skeleton.names == b.skeleton.names and a.fps == b.fps
    assert a.skeleton.parents.tolist() == b.skeleton.parents.tolist()
    assert a.skeleton.tips.keys() == b.skeleton.tips.keys()
    for name, tip in b.skeleton.tips.items():
        np.testing.assert_allclose(a.skeleton.tips[name], tip, atol=within)
    pairs = [(a.skeleton.offsets, b.skeleton.offsets), (a.root, b.root), (a.rotations, b.rotations)]
    for one, other in [*pairs, (found.rest, clip.rest), (a.translations[3], b.translations[3])]:
        np.testing.assert_allclose(one, other, atol=within)


@pytest.mark.parametrize(("suffix", "within"), [(".json", 1e-9), (".npz", 1e-15)])
def test_what_comes_back_is_what_was_written(clip: Clip, tmp_path: Path, suffix: str, within: float) -> None:
    write_clips(tmp_path / f"a{suffix}", [clip])
    (found,) = read_clips(tmp_path / f"a{suffix}")
    assert_same(found, clip, within)


def test_json_holds_several_and_says_what_it_is(clip: Clip, wild, tmp_path: Path) -> None:
    write_clips(tmp_path / "a.json", [clip, Clip("bert", wild(frames=2))], positions=True)
    assert [found.name for found in read_clips(tmp_path / "a.json")] == ["anna", "bert"]
    whole = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    assert (whole["format"], whole["version"]) == ("markerless-mocap motion", 1)
    anna = whole["characters"][0]
    assert anna["fps"] == [30000, 1001] and anna["first_frame"] == 12
    assert anna["joints"][0]["parent"] is None and anna["joints"][1]["parent"] == "Hips"
    np.testing.assert_allclose(
        [frame["positions"] for frame in anna["frames"]], clip.motion.world()[0], atol=1e-9
    )


def test_npz_is_plain_arrays(clip: Clip, tmp_path: Path) -> None:
    level = np.full((6, 4), np.nan)
    level[2:, 0] = 0.02
    write_clips(tmp_path / "a.npz", [clip], contacts=level)
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        arrays = dict(file)
    np.testing.assert_array_equal(arrays["positions_m"], clip.motion.world()[0])
    np.testing.assert_array_equal(arrays["contact_level_m"], level)
    assert arrays["fps"].tolist() == [30000, 1001] and arrays["names"].tolist()[0] == "Hips"
    with pytest.raises(FormatError, match=r"contacts have the shape \(5, 4\); give \(6, 4\)"):
        write_clips(tmp_path / "b.npz", [clip], contacts=level[1:])
    with pytest.raises(FormatError, match="layout 'numpy'; choose one of arrays, amass"):
        write_clips(tmp_path / "b.npz", [clip], layout="numpy")


def test_the_same_clip_makes_the_same_bytes(clip: Clip, tmp_path: Path) -> None:
    for suffix in (".json", ".npz", ".c3d"):
        for name in "ab":
            write_clips(tmp_path / f"{name}{suffix}", [clip])
        assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()


WRONG_JSON = {
    "no number": (["characters", 0, "frames", 1, "root", 0], "one", r"Expected `float`, got `str`.*root"),
    "a short vector": (["characters", 0, "frames", 1, "root"], [0.0, 1.0], "length 3"),
    "another format": (["format"], "bvh", "it says 'bvh', version 1"),
    "a newer version": (["version"], 2, "version 2; this reads"),
    "nobody": (["characters"], [], "it has no characters, or"),
    "no frames": (["characters", 0, "frames"], [], "no quaternions"),
    "no joints": (["characters", 0, "joints"], [], "has no joints"),
    "a rate of none": (["characters", 0, "fps"], [30, 0], r"fps is \[30, 0\]"),
    "a rate below none": (["characters", 0, "fps"], [-30, 1], "give a rate above zero"),
    "a stray parent": (
        ["characters", 0, "joints", 4, "parent"],
        "Tail",
        "the joint 'Tail', which it has not",
    ),
    "a later parent": (["characters", 0, "joints", 1, "parent"], "Head", "depth-first"),
    "a short frame": (["characters", 0, "frames", 1, "rotations"], [[1, 0, 0, 0]], "inhomogeneous"),
    "no rotation": (["characters", 0, "frames", 1, "rotations", 3], [2, 0, 0, 0], "not of length 1"),
    "no turn at all": (["characters", 0, "joints", 3, "rest"], [0, 0, 0, 0], "rest .* not of length 1"),
    "partly moved": (["characters", 0, "frames", 1, "translations"], {}, "translations in some frames only"),
    "a huge rotation": (["characters", 0, "frames", 1, "rotations", 3], [1e308, 0, 0, 0], "beyond 1e"),
    "a huge tip": (["characters", 0, "joints", -1, "tip"], [0, 1e10, 0], "tips has numbers beyond 1e"),
    "a stray role": (["characters", 0, "roles", "Hips"], "Tail", "roles speak of the joint 'Tail'"),
    "a field of two lines": (["characters", 0, "two\nlines"], 1, "unknown field `two lines`"),
    "a stray field": (["characters", 0, "frames", 1, "scale"], 1, "unknown field `scale`"),
}


@pytest.mark.parametrize(("at", "value", "message"), WRONG_JSON.values(), ids=WRONG_JSON.keys())
def test_wrong_json_is_refused(clip: Clip, tmp_path: Path, at: list, value: object, message: str) -> None:
    write_clips(tmp_path / "a.json", [clip])
    whole = place = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    for step in at[:-1]:
        place = place[step]
    place[at[-1]] = value
    (tmp_path / "a.json").write_text(json.dumps(whole), encoding="utf-8")
    with pytest.raises(FormatError, match=message) as caught:
        read_clips(tmp_path / "a.json")
    assert "\n" not in str(caught.value) and "a.json" in str(caught.value)


WRONG_NPZ = {
    "parents that are fractions": ({"parents": np.zeros(17)}, "array parents is of type float64"),
    "rotations of another clip": ({"rotations_wxyz": np.ones((6, 3, 4)) / 2}, "rotations has shape"),
    "not a number": ({"root_m": np.full((6, 3), np.nan)}, "root has numbers that are not finite"),
    "flat rotations": ({"rotations_wxyz": np.ones(4)}, "which are no quaternions"),
    "objects": ({"names": np.array(["a", None], object)}, "no .npz file of plain arrays"),
    "names as bytes": ({"names": np.array([b"a"])}, r"array names is of type \|S1"),
    "letters that are none": ({"names": np.array([2**31], "u4").view("U1")}, "letters that Unicode has not"),
    "half a letter": ({"names": np.array([0xD800], ">u4").view(">U1")}, "letters that Unicode has not"),
    "fewer tips than names": ({"tips_m": np.zeros((1, 3))}, "zip"),
    "a moved root": ({"moved_joints": np.array([0])}, "translations of joint 0"),
    "three numbers for a rate": ({"fps": np.array([30, 1, 1])}, "fps is"),
    "many first frames": ({"first_frame": np.arange(3)}, "array first_frame is of type int64 and shape"),
}


@pytest.mark.parametrize(("change", "message"), WRONG_NPZ.values(), ids=WRONG_NPZ.keys())
def test_wrong_npz_is_refused(clip: Clip, tmp_path: Path, change: dict, message: str) -> None:
    write_clips(tmp_path / "a.npz", [clip])
    with np.load(tmp_path / "a.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "a.npz", **{**arrays, **change})
    with pytest.raises(FormatError, match=message) as caught:
        read_clips(tmp_path / "a.npz")
    assert "\n" not in str(caught.value)


def test_files_that_are_something_else_are_refused(clip: Clip, tmp_path: Path) -> None:
    write_clips(tmp_path / "whole.npz", [clip])
    whole = (tmp_path / "whole.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[:2000])
    (tmp_path / "text.npz").write_text("a,b\n")
    (tmp_path / "empty.npz").write_bytes(b"")
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with zipfile.ZipFile(tmp_path / "bytes.npz", "w") as file:
        file.writestr("names.npy", b"no array")
    with zipfile.ZipFile(tmp_path / "endless.npz", "w") as file, file.open("names.npy", "w") as names:
        header = {"descr": "<U0", "fortran_order": False, "shape": (2**40,)}
        np.lib.format.write_array_header_1_0(names, header)  # texts of no length take no room
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("names.npy", bytes(1000))
        file.filelist[0].file_size = 2**32 + 1  # which is what the index says
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as file:
        file.writestr("names.npy", b"\x93NUMPY\x01\x00nothing of the kind")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.savez(tmp_path / "amass.npz", poses=np.zeros((3, 72)), trans=np.zeros((3, 3)))
    (tmp_path / "text.json").write_bytes(b"\xff\xfe{")
    (tmp_path / "deep.json").write_text("[" * 100000)
    broken = [path.name for path in tmp_path.iterdir() if path.name != "whole.npz"]
    assert len(broken) == 12
    for name in [*broken, "nowhere.npz", "nowhere.json"]:
        with pytest.raises(FormatError, match=f"cannot read .*{name}") as caught:
            read_clips(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0.0, 1.0), byte=st.integers(0, 255))
def test_a_damaged_byte_is_read_or_refused(
    clip: Clip, tmp_path: Path, suffix: str, at: float, byte: int
) -> None:
    path = tmp_path / f"a{suffix}"
    write_clips(path, [clip])
    content = bytearray(path.read_bytes())
    content[min(int(at * len(content)), len(content) - 1)] = byte
    path.write_bytes(content)
    try:
        (found,) = read_clips(path)
    except FormatError as error:
        assert "\n" not in str(error)
    else:
        assert len(found.motion.skeleton) == 17


@pytest.mark.parametrize(
    ("suffix", "damage"), [(".json", odd_numbers), (".json", damaged), (".npz", damaged_npz)]
)
def test_damaged_files_are_read_or_refused(clip: Clip, tmp_path: Path, suffix: str, damage: Damage) -> None:
    path, random = tmp_path / f"a{suffix}", np.random.default_rng(8)
    write_clips(path, [clip])
    whole = path.read_bytes()
    refused = 0
    for _ in range(300):
        path.write_bytes(damage(whole, random))
        try:
            read_clips(path)
        except FormatError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 100
