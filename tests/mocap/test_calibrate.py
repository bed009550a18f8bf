"""`mocap calibrate` with a board: from rendered videos to the files, and its refusals."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import yaml
from av.video.stream import VideoStream

from calibration import Camera, Cameras
from calibration.files import read_calibration
from calibration.rotation import from_rotvec
from mocap.cli import _run
from tests.calibration.boardscene import CHARUCO, render
from tests.calibration.synthetic import look_at

pytestmark = pytest.mark.slow  # all wait for the films to be rendered
FRAMES, LYING, FPS = 20, 4, 10
NAMES = ("left", "right")
WALL = np.full((240, 320), 110, np.uint8)
BOARD = {"type": "charuco", "squares": [5, 4], "square": 0.25, "marker": 0.19, "dictionary": "DICT_4X4_50"}


def cameras() -> Cameras:
    """Two before the place where the board is waved, 45 degrees apart, 2.4 m away."""
    matrix = np.array([[300.0, 0, 159.5], [0, 300.0, 119.5], [0, 0, 1]])
    made = []
    for name, turn in zip(NAMES, (-0.4, 0.4), strict=True):
        place = look_at((2.4 * np.sin(turn), 1.7, 2.4 * np.cos(turn)), (0.0, 0.9, 0.0))
        made.append(Camera(name, (320, 240), matrix, np.zeros(5), place))
    return Cameras(tuple(made))


def poses() -> np.ndarray:
    """(20, 4, 4) a board waved before the cameras, and laid on the floor at the end."""
    made = []
    for i in range(FRAMES - LYING):
        t = 2 * np.pi * i / (FRAMES - LYING)
        pose = np.eye(4)
        tilt = [0.55 * np.sin(2 * t), 0.6 * np.cos(3 * t), 0.4 * np.sin(t)]
        pose[:3, :3] = from_rotvec([np.pi, 0, 0]) @ from_rotvec(tilt)
        middle = [0.45 * np.sin(3 * t + 1), 0.95 + 0.3 * np.cos(2 * t), 0.35 * np.cos(t)]
        pose[:3, 3] = middle - pose[:3, :3] @ CHARUCO.middle
        made.append(pose)
    floor = np.eye(4)
    floor[:3, :3] = from_rotvec([np.pi / 2, 0, 0])  # z into the board is down
    floor[:3, 3] = [-0.6, 0.0, -0.3]
    return np.stack([*made, *[floor] * LYING])


def write(path: Path, images: list[np.ndarray]) -> Path:
    high, wide = images[0].shape
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "ultrafast", "crf": "12"})
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = wide, high, "yuv420p"
        for image in images:
            frame = av.VideoFrame.from_ndarray(np.stack(3 * [image], axis=-1), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def images() -> list[list[np.ndarray]]:
    """What each camera sees."""
    return [[render(camera, pose, CHARUCO) for pose in poses()] for camera in cameras()]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory, images: list[list[np.ndarray]]) -> Path:
    """A folder with a film of each view, and two of a bare wall."""
    folder = tmp_path_factory.mktemp("films")
    for name, seen in zip(NAMES, images, strict=True):
        write(folder / f"{name}.mp4", seen)
    for name in ("wall", "other_wall"):
        write(folder / f"{name}.mp4", FRAMES * [WALL])
    return folder


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory, images: list[list[np.ndarray]]) -> Path:
    """A folder of photographs by the left camera: 16 of the board and one of the wall."""
    folder = tmp_path_factory.mktemp("photographs")
    for i, image in enumerate(images[0][: FRAMES - LYING]):
        cv2.imwrite(str(folder / f"{i}.png"), image)
    cv2.imwrite(str(folder / "wall.png"), WALL)
    return folder


def views_file(folder: Path, films: Path, names=NAMES, board=BOARD, **of_first: object) -> Path:
    """A views file; `names` may be name: film, and `of_first` is said of the first view."""
    named = names if isinstance(names, dict) else {name: name for name in names}
    views: list[dict[str, object]] = [
        {"name": name, "video": str(films / f"{film}.mp4")} for name, film in named.items()
    ]
    views[0].update(of_first)
    file = folder / "cams.yaml"
    file.write_text(yaml.safe_dump({"views": views, "board": board}))
    return file


def calibrate(file: Path, capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, str, str]:
    """Exit status, what is said, and what is said aside."""
    words = ["mocap", "calibrate", "--views", str(file), "-o", str(file.parent / "rig.toml"), *more]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", words)
        status = _run()
    said = capsys.readouterr()
    return status, said.out, said.err


def refused(file: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of a refusal that leaves nothing behind."""
    status, out, err = calibrate(file, capsys, "-q")
    assert (status, out) == (1, "")
    assert len(err.strip().splitlines()) == 1, err
    assert not list(file.parent.glob("rig.*"))
    return err


def test_films_of_a_board_become_cameras_record_and_page(
    tmp_path: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = calibrate(views_file(tmp_path, films), capsys)
    assert status == 0, err
    found, true = read_calibration(tmp_path / "rig.toml"), cameras()
    assert found.names == NAMES
    for mine, its in zip(found, true, strict=True):
        np.testing.assert_allclose(np.diag(mine.K)[:2], np.diag(its.K)[:2], rtol=0.02)
    # Distances between cameras do not depend on where the world is: 1 % of 2.4 m.
    apart = [[np.linalg.norm(a.centre - b.centre) for a in each for b in each] for each in (found, true)]
    np.testing.assert_allclose(*apart, atol=0.024)
    # The board lay on the floor, so that heights are known.
    np.testing.assert_allclose([c.centre[1] for c in found], 1.7, atol=0.05)
    record = json.loads((tmp_path / "rig.quality.json").read_text())
    assert record["floor_known"]
    assert [view["name"] for view in record["views"]] == list(NAMES)
    assert all(0 < view["rms_px"] < 0.4 for view in record["views"])
    assert all(name in (tmp_path / "rig.html").read_text() for name in NAMES)
    assert all(name in out for name in (*NAMES, "rig.toml", "rig.quality.json", "rig.html"))


def test_view_that_never_saw_the_board_is_named(
    tmp_path: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = {"left": "left", "blind": "wall"}
    assert "view blind: 0 of " in refused(views_file(tmp_path, films, names), capsys)


def test_board_that_nobody_saw_is_said(
    tmp_path: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(views_file(tmp_path, films, {"a": "wall", "b": "other_wall"}), capsys)
    assert "no board with markers of DICT_4X4_50" in said


def test_views_that_never_saw_it_together_are_named(
    tmp_path: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = views_file(tmp_path, films, offset=1000.0)
    assert "the board does not connect the views: left and right stand alone" in refused(file, capsys)


def test_wrong_board_is_refused_with_the_right_one(
    tmp_path: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = views_file(tmp_path, films, board={**BOARD, "squares": [4, 5]})
    assert "write squares: [5, 4]" in refused(wrong, capsys)


def test_photographs_give_the_lens_and_those_without_the_board_are_named(
    tmp_path: Path, films: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = views_file(tmp_path, films, intrinsics=str(photographs))
    status, _, err = calibrate(file, capsys)
    assert status == 0, err
    assert "view left: wall.png left out, no whole board was found in it" in err
    assert "view left: lens from 1" in err  # 15 or 16 of the 16 images
    found = read_calibration(tmp_path / "rig.toml")[0]
    np.testing.assert_allclose(np.diag(found.K)[:2], 300.0, rtol=0.02)


def test_photograph_that_is_none_is_named(
    tmp_path: Path, films: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "1.png").write_bytes((photographs / "1.png").read_bytes())
    for broken in (b"", b"no image"):
        (folder / "2.png").write_bytes(broken)
        file = views_file(tmp_path, films, intrinsics=str(folder))
        assert "2.png: not an image that can be read" in refused(file, capsys)


def test_photographs_of_two_sizes_are_refused(
    tmp_path: Path, films: Path, photographs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    (folder / "1.png").write_bytes((photographs / "1.png").read_bytes())
    cv2.imwrite(str(folder / "2.png"), np.full((200, 320), 110, np.uint8))
    file = views_file(tmp_path, films, intrinsics=str(folder))
    assert "2.png: is 320x200, the first 320x240" in refused(file, capsys)


def test_folder_without_images_is_refused(
    tmp_path: Path, films: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nothing").mkdir()
    file = views_file(tmp_path, films, intrinsics=str(tmp_path / "nothing"))
    assert "no images in the folder" in refused(file, capsys)
