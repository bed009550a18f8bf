"""Cameras and times brought together: calibrations held against people, cameras found, files written."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from calibration.adjust.projection import PARAMETERS, moved
from calibration.camera import Cameras
from calibration.files import read_calibration
from calibration.rotation import from_rotvec
from mocap.cli import _run
from mocap.config import load_views
from mocap.errors import MocapError
from mocap.keypoints import Keypoints2D
from mocap.pipeline import capture
from mocap.timing import trim_offsets
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, SIZE, STATURE, SURE, guess, marching, write_scene

FRAMES = 120
WALKER = marching(FRAMES)
LENS = {"intrinsics": "calibration.toml", "offset": 0.0}


def seen_late(cameras: Cameras, late: np.ndarray) -> dict[str, Keypoints2D]:
    """Keypoints of videos that began `late` (V,) frames late, parts of frames among them."""
    frames = np.arange(FRAMES)
    out = {}
    for camera, begin in zip(cameras, late, strict=True):
        at = frames[: FRAMES - int(np.ceil(late.max()))] + begin
        known = np.nan_to_num(WALKER.landmarks)
        space = np.stack([np.interp(at, frames, axis) for axis in known.reshape(FRAMES, -1).T], axis=1)
        landmarks = np.where(np.isfinite(WALKER.landmarks[0]), space.reshape(-1, len(LAYOUT), 3), np.nan)
        pixels = camera.project(landmarks)[:, None]
        sight = np.where(np.isfinite(pixels).all(axis=-1), SURE, 0.0)
        out[camera.name] = Keypoints2D(LAYOUT, pixels, sight, np.arange(len(at)) / 30, SIZE)
    return out


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple:
    monkeypatch.setattr(sys, "argv", ["mocap", *map(str, arguments)])
    capsys.readouterr()
    return _run(), *capsys.readouterr()


def test_offsets_are_trimmed_to_a_part_of_a_frame_though_cameras_are_off() -> None:
    cameras, late = ring(4), np.array([0.0, 2.4, 1.0, 0.3])
    steps = np.zeros((4, PARAMETERS))
    steps[1:, :3] = 0.01  # a little more than half a degree about every axis
    off = Cameras(tuple(moved(c, s) for c, s in zip(cameras, steps, strict=True)))
    rough = np.round(late) / 30
    found, sd = trim_offsets(seen_late(cameras, late), [Fraction(30)] * 4, rough, np.ones(4, bool), off)
    np.testing.assert_allclose((found - found[0]) * 30, late, atol=0.15)
    assert (sd[1:] > 0).all()


def test_offsets_that_were_given_are_not_moved() -> None:
    cameras, late = ring(3), np.array([0.0, 0.4, 0.0])
    free = np.array([False, True, False])
    found, sd = trim_offsets(seen_late(cameras, late), [Fraction(30)] * 3, np.zeros(3), free, cameras)
    np.testing.assert_array_equal(found[[0, 2]], 0.0)
    assert found[1] * 30 == pytest.approx(0.4, abs=0.1)
    assert not sd[[0, 2]].any()


@pytest.fixture(scope="module")
def nudged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene whose calibration has one camera turned by 1.5 degrees."""
    cameras = ring(4)
    pose = cameras[2].camera_from_world.copy()
    pose[:3, :3] = from_rotvec(np.deg2rad([1.0, 1.0, 0.5])) @ pose[:3, :3]
    pose[:3, 3] = -pose[:3, :3] @ cameras[2].centre
    wrong = Cameras((*cameras.cameras[:2], replace(cameras[2], camera_from_world=pose), cameras[3]))
    folder = tmp_path_factory.mktemp("nudged") / "scene"
    return write_scene(folder, WALKER, calibrated=wrong, view_fields={"offset": 0.0})


def test_a_camera_that_was_nudged_is_put_right_and_shown(nudged: Path, tmp_path: Path) -> None:
    record = capture(load_views(nudged), tmp_path / "take", detector="given").record
    assert record["calibration"]["refined"]
    assert (
        record["calibration"]["left_out_px"]["median"]
        < 0.3 * record["calibration"]["left_out_px_as_given"]["median"]
    )
    assert any("cam3" in note for note in record["notes"])
    assert (tmp_path / "take" / "views" / "cam3.disagreement.png").read_bytes()[:4] == b"\x89PNG"
    off = (
        read_calibration(tmp_path / "take" / "cameras.toml")["cam3"].camera_from_world
        - ring(4)["cam3"].camera_from_world
    )
    assert np.abs(off[:3, :3]).max() < 0.005


def test_a_trusted_calibration_is_left_as_it_is(nudged: Path, tmp_path: Path) -> None:
    record = capture(load_views(nudged), tmp_path / "take", detector="given", trust=True).record
    assert record["calibration"] == {"from": "file", "trusted": True}
    given, used = (
        read_calibration(p)["cam3"]
        for p in (nudged.parent / "calibration.toml", tmp_path / "take" / "cameras.toml")
    )
    np.testing.assert_allclose(used.camera_from_world, given.camera_from_world, atol=1e-9)


def test_the_command_calibrates_from_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    views = write_scene(
        tmp_path / "scene", WALKER, view_fields=LENS, calibration=None, subject={"height": STATURE}
    )
    out = tmp_path / "found.toml"
    common = ["calibrate", "--views", views, "-o", out, "--take", tmp_path / "take", "--detector", "given"]
    code, said, _ = run(monkeypatch, capsys, *common, "--picture", tmp_path / "rig.png")
    assert code == 0, said
    found, true = read_calibration(out), ring(4)
    a, b = (np.stack([c.centre for c in cameras]) for cameras in (found, true))
    ratio = np.linalg.norm(a[0] - a[2]) / np.linalg.norm(b[0] - b[2])
    assert np.linalg.norm(a[1] - a[3]) / np.linalg.norm(b[1] - b[3]) == pytest.approx(ratio, rel=0.01)
    record = json.loads(out.with_suffix(".quality.json").read_text())
    assert record["method"] == "people" and record["calibration"]["from"] == "people"
    assert "cam1" in out.with_suffix(".html").read_text()
    assert (tmp_path / "rig.png").read_bytes()[:4] == b"\x89PNG"
    code, _, said = run(monkeypatch, capsys, *common[:4], tmp_path / "none" / "a.toml")
    assert (code, said.startswith("error: ")) == (1, True) and "there is no folder" in said


def test_the_command_refuses_a_lone_view_without_a_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    views = write_scene(tmp_path / "scene", marching(4), seen_by=ring(1), calibration=None)
    code, _, said = run(monkeypatch, capsys, "calibrate", "--views", views, "-o", tmp_path / "a.toml")
    assert code == 1 and "one view, and no board" in said


def test_a_picture_is_a_png(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    views = write_scene(tmp_path / "scene", marching(4), calibration=None)
    arguments = ["calibrate", "--views", views, "-o", tmp_path / "a.toml", "--picture", tmp_path / "a.jpg"]
    code, _, said = run(monkeypatch, capsys, *arguments)
    assert code == 1 and "ends in .png" in said


def test_somebody_who_stands_still_does_not_place_cameras(tmp_path: Path) -> None:
    frozen = replace(
        WALKER,
        joints=np.repeat(WALKER.joints[:1], FRAMES, axis=0),
        landmarks=np.repeat(WALKER.landmarks[:1], FRAMES, axis=0),
    )
    fields = {"view_fields": {"intrinsics": "calibration.toml"}, "calibration": None}
    with pytest.raises(MocapError, match="when the video began cannot be told"):
        capture(
            load_views(write_scene(tmp_path / "scene", frozen, **fields)), tmp_path / "take", detector="given"
        )


def test_the_guess_of_the_detector_is_needed(tmp_path: Path) -> None:
    assert guess(ring(1)[0], WALKER.landmarks).shape == WALKER.landmarks.shape
    views = write_scene(tmp_path / "scene", WALKER, view_fields=LENS, calibration=None)
    for name in ("cam1", "cam2", "cam3", "cam4"):
        path = tmp_path / "scene" / f"{name}.keypoints.npz"
        with np.load(path) as arrays:
            kept = {key: arrays[key] for key in arrays.files if key != "world"}
        np.savez(path, **kept)
    with pytest.raises(MocapError, match="gives no 3D guess"):
        capture(load_views(views), tmp_path / "take", detector="given")
