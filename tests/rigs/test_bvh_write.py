"""The BVH that is written: the dialect, its numbers, and what other readers find in it."""

import logging
import re
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs import quat
from rigs.errors import FormatError
from rigs.formats.bvh import read_bvh, write_bvh
from rigs.motion import Motion
from rigs.skeleton import Skeleton

# Six decimals of a degree, half a unit, at the end of a 1.6 m chain of seven joints: 7 x 1.6 m x 8.7e-9
SAME_PLACE = 1e-7  # metres


def apart(a: Motion, b: Motion) -> float:
    return float(np.abs(a.world()[0] - b.world()[0]).max())


@pytest.mark.parametrize("unit", ["cm", "m"])
@pytest.mark.parametrize("fps", [Fraction(24), Fraction(30000, 1001), Fraction(120), Fraction(7, 3)])
def test_what_is_written_is_read(wild, tmp_path: Path, unit: str, fps: Fraction) -> None:
    motion = wild(frames=120, fps=fps, seed=3)
    write_bvh(tmp_path / "a.bvh", motion, unit=unit)
    back = read_bvh(tmp_path / "a.bvh")
    assert back.fps == fps
    assert len(back) == 120
    assert back.skeleton.names == motion.skeleton.names
    assert back.skeleton.parents.tolist() == motion.skeleton.parents.tolist()
    np.testing.assert_allclose(back.skeleton.offsets, motion.skeleton.offsets, atol=1e-8)
    assert not back.translations
    assert apart(back, motion) < SAME_PLACE
    assert np.sum(back.rotations[1:] * back.rotations[:-1], axis=-1).min() > 0.0


def test_moving_joints_get_position_channels(wild, tmp_path: Path) -> None:
    motion = wild(frames=20)
    slide = 0.1 * np.sin(np.arange(60.0)).reshape(20, 3) + 0.2
    sliding = Motion(motion.skeleton, motion.rotations, motion.root, motion.fps, {4: slide, 16: slide})
    write_bvh(tmp_path / "a.bvh", sliding)
    back = read_bvh(tmp_path / "a.bvh")
    assert sorted(back.translations) == [4, 16]
    assert apart(back, sliding) < SAME_PLACE


def test_the_dialect(wild, tmp_path: Path) -> None:
    write_bvh(tmp_path / "a.bvh", wild(frames=5))
    data = (tmp_path / "a.bvh").read_bytes()
    text = data.decode("ascii")
    tree, motion = text.split("MOTION\n")
    assert b"\r" not in data
    assert b"\t" not in data
    assert text.endswith("\n")
    assert tree.startswith("HIERARCHY\nROOT Hips\n{\n  OFFSET 0.000000 0.000000 0.000000\n  CHANNELS 6 ")
    assert tree.count("{") == tree.count("}") == 17 + 5
    assert tree.count("End Site") == 5
    assert re.findall("CHANNELS .*", tree) == [
        "CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"
    ] + 16 * ["CHANNELS 3 Zrotation Xrotation Yrotation"]
    for line in tree.splitlines():
        assert re.fullmatch(
            r" *(HIERARCHY|\{|\}|End Site|(ROOT|JOINT) [A-Za-z0-9_:]+|(OFFSET|CHANNELS) .*)", line
        )
    lines = motion.splitlines()
    assert lines[0] == "Frames: 5"
    assert re.fullmatch(r"Frame Time: 0\.0333333333333333\d*", lines[1])
    assert len(lines) == 2 + 5
    assert all(re.fullmatch(r"(-?\d+\.\d{6} ){53}-?\d+\.\d{6}", line) for line in lines[2:])
    assert "-0.000000" not in text


def test_every_leaf_has_an_end(wild, tmp_path: Path) -> None:
    write_bvh(tmp_path / "a.bvh", wild(frames=2))
    tips = read_bvh(tmp_path / "a.bvh").skeleton.tips
    assert sorted(tips) == ["Head", "LeftFoot", "LeftHand", "RightFoot", "RightHand"]
    np.testing.assert_allclose(tips["Head"], [0.0, 0.2, 0.0], atol=1e-8)
    np.testing.assert_allclose(tips["LeftFoot"], [0.0, -0.05, 0.0], atol=1e-8)  # none given: the shin runs on


def test_a_single_joint_is_a_whole_file(tmp_path: Path) -> None:
    one = Motion(
        Skeleton(("Dot",), [-1], np.zeros((1, 3))), quat.identity(2, 1), np.ones((2, 3)), Fraction(30)
    )
    write_bvh(tmp_path / "a.bvh", one)
    assert apart(read_bvh(tmp_path / "a.bvh", unit=0.01), one) < SAME_PLACE


def test_a_root_offset_is_not_added(wild, tmp_path: Path) -> None:
    motion = wild(frames=3)
    offsets = motion.skeleton.offsets.copy()
    offsets[0] = (0.0, 0.9, 0.0)
    skeleton = Skeleton(motion.skeleton.names, motion.skeleton.parents, offsets, motion.skeleton.tips)
    write_bvh(tmp_path / "a.bvh", Motion(skeleton, motion.rotations, motion.root, motion.fps))
    assert "ROOT Hips\n{\n  OFFSET 0.000000 0.000000 0.000000\n" in (tmp_path / "a.bvh").read_text()
    assert apart(read_bvh(tmp_path / "a.bvh"), motion) < SAME_PLACE


def test_channels_do_not_jump(humanoid: Skeleton, tmp_path: Path) -> None:
    """Turning on the spot five times: the heading runs on to 1800 degrees."""
    heading = np.linspace(0.0, 10 * np.pi, 301)
    rotations = quat.identity(301, len(humanoid))
    rotations[:, 0] = quat.from_rotvec(heading[:, None] * [0.0, 1.0, 0.0])
    write_bvh(tmp_path / "a.bvh", Motion(humanoid, rotations, np.zeros((301, 3)), Fraction(30)))
    rows = np.loadtxt((tmp_path / "a.bvh").read_text().splitlines()[-301:])
    np.testing.assert_allclose(rows[:, 5], np.degrees(heading), atol=1e-5)
    assert np.abs(np.delete(rows, 5, axis=1)).max() == 0.0


def test_the_bvh_package_reads_it(wild, tmp_path: Path) -> None:
    bvh = pytest.importorskip("bvh")
    motion = wild(frames=4, fps=Fraction(30000, 1001))
    write_bvh(tmp_path / "a.bvh", motion)
    other = bvh.Bvh((tmp_path / "a.bvh").read_text())
    names = other.get_joints_names()
    assert names == list(motion.skeleton.names)
    assert other.nframes == len(other.frames) == 4
    assert other.frame_time == pytest.approx(1001 / 30000, rel=1e-12)
    assert [other.joint_parent_index(name) for name in names] == motion.skeleton.parents.tolist()
    for j, name in enumerate(names[1:], start=1):
        np.testing.assert_allclose(other.joint_offset(name), 100 * motion.skeleton.offsets[j], atol=1e-6)
    position = [other.frame_joint_channels(2, "Hips", ["Xposition", "Yposition", "Zposition"])]
    np.testing.assert_allclose(position[0], 100 * motion.root[2], atol=1e-6)
    for name in ("Hips", "LeftHand", "RightFoot"):
        turned = quat.identity()
        for axis, vector in zip("ZXY", np.eye(3)[[2, 0, 1]], strict=True):
            degrees = other.frame_joint_channel(2, name, f"{axis}rotation")
            turned = quat.multiply(turned, quat.from_rotvec(np.radians(degrees) * vector))
        assert abs(turned @ motion.rotations[2, names.index(name)]) == pytest.approx(1.0, abs=1e-12)


def test_names_become_what_readers_take(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = ("mixamorig:Hips", "Bip01 L Thigh", "Bip01_L_Thigh", "upper.L", "été")
    motion = Motion(
        Skeleton(names, [-1, 0, 0, 0, 0], np.eye(5, 3)), quat.identity(1, 5), np.zeros((1, 3)), Fraction(30)
    )
    with caplog.at_level(logging.WARNING):
        write_bvh(tmp_path / "a.bvh", motion)
    back = read_bvh(tmp_path / "a.bvh", unit=0.01).skeleton.names
    assert back == ("mixamorig:Hips", "Bip01_L_Thigh_2", "Bip01_L_Thigh", "upper_L", "_t_")
    assert "3 joints renamed" in caplog.text


@pytest.mark.parametrize("where", ["rotation", "root"])
def test_unknown_poses_are_refused_by_name(wild, tmp_path: Path, where: str) -> None:
    motion = wild(frames=6)
    rotations, root = motion.rotations.copy(), motion.root.copy()
    if where == "rotation":
        rotations[3:5, 7] = np.nan
    else:
        root[3:5, 1] = np.inf
    name = motion.skeleton.names[7 if where == "rotation" else 0]
    (tmp_path / "a.bvh").write_text("the last good file")
    with pytest.raises(
        FormatError, match=f"joint '{name}' has no finite pose at frame 3, the first of 2 such"
    ):
        write_bvh(tmp_path / "a.bvh", Motion(motion.skeleton, rotations, root, motion.fps))
    assert (tmp_path / "a.bvh").read_text() == "the last good file"


def test_a_file_appears_whole_or_not_at_all(wild, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a.bvh").write_text("the last good file")
    monkeypatch.setattr("rigs.formats.bvh.writing.rows", fail)
    with pytest.raises(FormatError, match="No space left on device"):
        write_bvh(tmp_path / "a.bvh", wild(frames=2))
    assert [p.read_text() for p in tmp_path.iterdir()] == ["the last good file"]


def test_refusals(wild, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="unit 'inch'; choose one of cm, m"):
        write_bvh(tmp_path / "a.bvh", wild(frames=2), unit="inch")
    with pytest.raises(FormatError, match="No such file or directory"):
        write_bvh(tmp_path / "nowhere" / "a.bvh", wild(frames=2))


@pytest.mark.slow
def test_long_clips_take_seconds(tmp_path: Path) -> None:
    joints, frames = 60, 10_000
    skeleton = Skeleton(
        tuple(f"j{j}" for j in range(joints)), range(-1, joints - 1), np.full((joints, 3), 0.02)
    )
    turns = quat.from_rotvec(0.3 * np.sin(np.arange(frames * joints * 3.0)).reshape(frames, joints, 3))
    start = time.process_time()
    write_bvh(tmp_path / "a.bvh", Motion(skeleton, turns, np.zeros((frames, 3)), Fraction(120)))
    written = time.process_time()
    assert len(read_bvh(tmp_path / "a.bvh")) == frames
    assert written - start < 10.0
    assert time.process_time() - written < 10.0
