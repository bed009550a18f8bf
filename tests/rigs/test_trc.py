"""TRC against a parser written from the description of the format, line by line."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import write_clips
from rigs.motion import Motion


def parse(path: Path) -> tuple[dict[str, str], list[str], list[int], np.ndarray, np.ndarray]:
    """Header, markers, frame numbers, times and places (T, P, 3)."""
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines[0].split("\t")[:3] == ["PathFileType", "4", "(X/Y/Z)"]
    header = dict(zip(lines[1].split("\t"), lines[2].split("\t"), strict=True))
    frame, time, *names = lines[3].split("\t")
    assert (frame, time) == ("Frame#", "Time") and not any(names[1::3]) and not any(names[2::3])
    count = int(header["NumMarkers"])
    assert lines[4].split("\t") == ["", "", *(f"{axis}{n}" for n in range(1, count + 1) for axis in "XYZ")]
    assert lines[5] == "" and lines[-1] == ""
    rows = [line.split("\t") for line in lines[6:-1]]
    assert all(len(row) == 2 + 3 * count for row in rows)
    places = np.array([[float(word or "nan") for word in row[2:]] for row in rows]).reshape(
        len(rows), count, 3
    )
    return header, names[::3], [int(row[0]) for row in rows], np.array([float(r[1]) for r in rows]), places


@pytest.mark.parametrize(("unit", "per_metre"), [("mm", 1000.0), ("m", 1.0)])
def test_markers_come_back_in_the_axes_of_opensim(wild, tmp_path: Path, unit: str, per_metre: float) -> None:
    motion = wild(frames=40, fps=Fraction(30000, 1001))
    write_clips(tmp_path / "a.trc", [Clip("anna", motion)], unit=unit)
    header, names, frames, times, places = parse(tmp_path / "a.trc")
    assert names == list(motion.skeleton.names) and frames == list(range(1, 41))
    assert header["Units"] == unit and header["NumFrames"] == header["OrigNumFrames"] == "40"
    assert float(header["DataRate"]) == pytest.approx(30000 / 1001, rel=1e-11)
    np.testing.assert_allclose(times, np.arange(40) * 1001 / 30000, atol=1e-9)
    x, y, z = np.moveaxis(motion.world()[0], 2, 0)
    assert np.abs(places / per_metre - np.stack([z, y, -x], axis=2)).max() < 1e-5 / 1000.0 * 2


def test_gaps_are_empty(wild, tmp_path: Path) -> None:
    motion = wild(frames=5)
    root = motion.root.copy()
    root[2] = np.nan
    gap = Motion(motion.skeleton, motion.rotations, root, motion.fps)
    write_clips(tmp_path / "a.trc", [Clip("anna", gap), Clip("bert", motion, first=1)])
    _, names, frames, times, places = parse(tmp_path / "a.trc")
    assert names[17] == "bert:Hips" and frames == [1, 2, 3, 4, 5, 6] and times[0] == 0.0
    known = np.isfinite(places).all(axis=2)
    assert known[:, 0].tolist() == [True, True, False, True, True, False]
    assert known[:, 17].tolist() == [False, True, True, True, True, True]


def test_an_unknown_unit_is_refused(wild, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="unit 'inch'; choose one of mm, m"):
        write_clips(tmp_path / "a.trc", [Clip("a", wild(frames=2))], unit="inch")
