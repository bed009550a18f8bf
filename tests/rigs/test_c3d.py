"""C3D as ezc3d reads it, and as its bytes stand."""

import struct
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import read_clips, write_clips
from rigs.motion import Motion
from rigs.skeleton import Skeleton

ezc3d = pytest.importorskip("ezc3d")  # not built for Linux on ARM


def z_up(positions: np.ndarray) -> np.ndarray:
    """Millimetres as ezc3d has them: (4, P, T) but for the last of the four."""
    x, y, z = np.moveaxis(positions * 1000.0, 2, 0)
    return np.stack([x, -z, y]).swapaxes(1, 2)


def without(motion: Motion, frame: int) -> Motion:
    root = motion.root.copy()
    root[frame] = np.nan
    return Motion(motion.skeleton, motion.rotations, root, motion.fps)


def test_points_come_back_to_a_hundredth_of_a_millimetre(wild, tmp_path: Path) -> None:
    motion = wild(frames=40, fps=Fraction(30000, 1001))
    write_clips(tmp_path / "a.c3d", [Clip("anna", motion)])
    found = ezc3d.c3d(str(tmp_path / "a.c3d"))
    assert np.abs(found["data"]["points"][:3] - z_up(motion.world()[0])).max() < 0.01
    point = found["parameters"]["POINT"]
    assert point["LABELS"]["value"] == list(motion.skeleton.names)
    assert point["RATE"]["value"][0] == np.float32(30000 / 1001)
    assert [point[name]["value"][0] for name in ("UNITS", "X_SCREEN", "Y_SCREEN")] == ["mm", "+X", "+Z"]
    header = found["header"]["points"]
    assert (header["first_frame"], header["last_frame"], header["size"]) == (0, 39, 17)  # ezc3d counts from 0
    assert np.all(found["data"]["meta_points"]["residuals"] == 0.0)


def test_the_first_frame_is_1_and_the_file_is_little_endian(wild, tmp_path: Path) -> None:
    write_clips(tmp_path / "a.c3d", [Clip("anna", wild(frames=7))])
    content = (tmp_path / "a.c3d").read_bytes()
    assert len(content) == 512 * (content[514] + 1) + 7 * 17 * 16
    assert struct.unpack("<5H", content[2:12]) == (17, 0, 1, 7, 0)
    assert content[512 + 3] == 84


def test_several_characters_are_on_one_clock_with_gaps(wild, tmp_path: Path) -> None:
    anna, bert = without(wild(frames=10), 4), wild(frames=5, seed=1)
    write_clips(tmp_path / "a.c3d", [Clip("anna", anna, first=100), Clip("bert b.", bert, first=108)])
    found = ezc3d.c3d(str(tmp_path / "a.c3d"))
    labels, points = found["parameters"]["POINT"]["LABELS"]["value"], found["data"]["points"]
    assert labels[0] == "anna:Hips" and labels[17] == "bert_b.:Hips" and points.shape == (4, 34, 13)
    there = np.isfinite(points[0])
    assert np.flatnonzero(~there[:17].all(axis=0)).tolist() == [4, 10, 11, 12]
    assert np.flatnonzero(there[17:].all(axis=0)).tolist() == [8, 9, 10, 11, 12]
    assert np.abs(points[:3, 17:, 8:] - z_up(bert.world()[0])).max() < 0.01
    assert set(np.unique(found["data"]["meta_points"]["residuals"])) == {-1.0, 0.0}


def test_more_points_than_one_parameter_names(tmp_path: Path) -> None:
    names = tuple(f"joint{n}" for n in range(600))
    skeleton = Skeleton(names, np.arange(-1, 599), np.full((600, 3), 0.001))
    still = np.tile([1.0, 0.0, 0.0, 0.0], (2, 600, 1))
    write_clips(tmp_path / "a.c3d", [Clip("a", Motion(skeleton, still, np.zeros((2, 3)), Fraction(30)))])
    point = ezc3d.c3d(str(tmp_path / "a.c3d"))["parameters"]["POINT"]
    labels = [name for part in ("LABELS", "LABELS2", "LABELS3") for name in point[part]["value"]]
    assert labels == list(names)


def test_more_frames_than_16_bits_count(tmp_path: Path) -> None:
    frames = 70000
    skeleton = Skeleton(("Hips",), np.array([-1]), np.zeros((1, 3)))
    root = np.linspace([0.0, 1.0, 0.0], [3.0, 1.0, 0.0], frames)
    still = np.tile([1.0, 0.0, 0.0, 0.0], (frames, 1, 1))
    write_clips(tmp_path / "a.c3d", [Clip("a", Motion(skeleton, still, root, Fraction(120)))])
    points = ezc3d.c3d(str(tmp_path / "a.c3d"))["data"]["points"]
    assert points.shape == (4, 1, frames) and abs(points[0, 0, -1] - 3000.0) < 0.01


def test_refusals(wild, tmp_path: Path) -> None:
    anna = Clip("anna", wild(frames=2))
    with pytest.raises(FormatError, match=r"two points would have the name 'anna:Hips'; rename"):
        write_clips(tmp_path / "a.c3d", [anna, anna])
    with pytest.raises(FormatError, match=r"'anna' has 30 frames per second and 'bert' has 25; resample"):
        write_clips(tmp_path / "a.c3d", [anna, Clip("bert", wild(frames=2, fps=Fraction(25)))])
    with pytest.raises(FormatError, match="is longer than 255 letters"):
        write_clips(tmp_path / "a.c3d", [Clip("a" * 300, anna.motion), anna])
    many = [Clip(f"{n:0200d}", anna.motion) for n in range(60)]
    with pytest.raises(FormatError, match=r"1020 points take more than C3D has room for; write a file for"):
        write_clips(tmp_path / "a.c3d", many)
    with pytest.raises(FormatError, match=r"cannot read .*: it has the suffix '.c3d'"):
        read_clips(tmp_path / "a.c3d")
    assert not list(tmp_path.iterdir())
