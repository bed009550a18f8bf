"""The cameras of a capture: by name, for the pixels of the videos, and refused where they do not fit."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from calibration.camera import Cameras
from calibration.errors import CalibrationError
from calibration.files import write_aniposelib
from mocap.cameras import axis_in_file, cameras_for, lens_of
from mocap.config import CalibrationFile, View
from mocap.errors import ConfigError
from mocap.video import VideoInfo
from tests.calibration.synthetic import ring
from tests.synth_take import film

CAMERAS = ring()


@pytest.fixture
def calibration(tmp_path: Path) -> CalibrationFile:
    write_aniposelib(tmp_path / "calibration.toml", CAMERAS)
    return CalibrationFile(tmp_path / "calibration.toml")


def views(*names: str, size: tuple[int, int] = (720, 540)) -> tuple[list[View], list[VideoInfo]]:
    paths = [Path(f"{name}.mp4") for name in names]
    infos = [VideoInfo(p, size, Fraction(30), 9, 0.3, 0, False, False) for p in paths]
    return [View(n, p) for n, p in zip(names, paths, strict=True)], infos


def test_cameras_come_in_the_order_of_the_views(calibration: CalibrationFile) -> None:
    found, notes = cameras_for(calibration, *views("cam3", "cam1"))
    assert found.names == ("cam3", "cam1") and notes == []
    np.testing.assert_allclose(found["cam1"].camera_from_world, CAMERAS["cam1"].camera_from_world, atol=1e-12)
    np.testing.assert_array_equal(found["cam3"].K, CAMERAS["cam3"].K)


def test_a_missing_view_lists_the_cameras(calibration: CalibrationFile) -> None:
    with pytest.raises(ConfigError, match=r"no camera for view left, right; .* cam1, cam2, cam3, cam4: name"):
        cameras_for(calibration, *views("cam1", "left", "right"))


def test_scaled_videos_are_said(
    tmp_path: Path, calibration: CalibrationFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("cam1", "cam2"):
        film(Path(f"{name}.mp4"), 9, size=(360, 270))
    found, notes = cameras_for(calibration, *views("cam1", "cam2", size=(360, 270)))
    assert found["cam1"].size == (360, 270)
    assert found["cam1"].K[0, 0] == pytest.approx(CAMERAS["cam1"].K[0, 0] / 2)
    assert [note.split(":")[0] for note in notes] == ["cam1", "cam2"]


def test_a_views_own_intrinsics_go_before_those_of_the_calibration(
    tmp_path: Path, calibration: CalibrationFile
) -> None:
    lens = replace(CAMERAS["cam2"], name="phone", K=CAMERAS["cam2"].K * [[1.1], [1.1], [1]])
    write_aniposelib(tmp_path / "phone.toml", Cameras((lens,)))
    (first, second), videos = views("cam1", "cam2")
    found, _ = cameras_for(calibration, [first, replace(second, intrinsics=tmp_path / "phone.toml")], videos)
    np.testing.assert_allclose(found["cam2"].K, lens.K)
    np.testing.assert_allclose(found["cam1"].K, CAMERAS["cam1"].K)
    np.testing.assert_allclose(found["cam2"].camera_from_world, CAMERAS["cam2"].camera_from_world, atol=1e-12)


def test_intrinsics_that_leave_a_choice_are_refused(calibration: CalibrationFile) -> None:
    (view,), (video,) = views("phone")
    assert lens_of(view, video) == (None, [])
    with pytest.raises(ConfigError, match="no camera for view phone; its cameras are cam1, cam2"):
        lens_of(replace(view, intrinsics=calibration.file), video)
    with pytest.raises(ConfigError, match="field of view beside a calibration"):
        cameras_for(calibration, [replace(view, name="cam1", fov=1.0)], [video])


def test_a_size_that_cannot_come_from_the_camera_is_refused(
    tmp_path: Path, calibration: CalibrationFile
) -> None:
    video = film(tmp_path / "cam1.mp4", 3, size=(500, 200))
    info = VideoInfo(video, (500, 200), Fraction(30), 3, 0.1, 0, False, False)
    with pytest.raises(CalibrationError, match=r"camera 'cam1'.*500x200.*720x540") as caught:
        cameras_for(calibration, [View("cam1", video)], [info])
    assert "\n" not in str(caught.value)


def test_numbers_that_are_none_are_refused(calibration: CalibrationFile) -> None:
    text = calibration.file.read_text()
    focal = re.search(r"matrix = \[\[(\S+),", text)
    assert focal
    calibration.file.write_text(text.replace(focal.group(1), "nan", 1))
    with pytest.raises(CalibrationError, match=r"calibration.toml.*cam1"):
        cameras_for(calibration, *views("cam1", "cam2"))


@pytest.mark.parametrize("up", ["x", "y", "z", "-x", "-y", "-z"])
def test_our_up_is_what_the_file_was_read_with(calibration: CalibrationFile, up: str) -> None:
    read_with = CalibrationFile(calibration.file, up=up)  # type: ignore[arg-type]
    assert axis_in_file(read_with, {}, 1, 1.0) == up
    assert axis_in_file(read_with, {}, 1, -1.0) == (up[1:] if up.startswith("-") else f"-{up}")


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_what_the_file_says_itself_is_heeded(calibration: CalibrationFile, axis: int) -> None:
    assert axis_in_file(calibration, {}, axis, 1.0) == "xyz"[axis]  # written as y up
