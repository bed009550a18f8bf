"""The views file: good ones come through whole, wrong ones are refused in one line that names the field."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from calibration.boards.board import Board
from mocap.config import CalibrationFile, load_views, single_video, with_people
from mocap.errors import ConfigError

FULL = """
calibration: {file: sub/cal.toml, units: m, up: z}
board: {type: charuco, squares: [5, 4], square: 0.25, marker: 0.19, dictionary: DICT_4X4_50}
subject: {height: 1.78}
views:
  - {name: cam1, video: a.mp4, offset: -0.5, intrinsics: 60}
  - {name: "größe 2", video: sub/b.mp4, intrinsics: sub/cal.toml}
"""
VIEWS = "views: [{name: a, video: a.mp4}]"
CHARUCO = VIEWS + "\nboard: {type: charuco, squares: [5, 4], square: 0.25, marker: 0.19"
CHESS = VIEWS + "\nboard: {type: chessboard, squares: [5, 8], square: 0.06"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sub").mkdir()
    for name in ("a.mp4", "sub/b.mp4", "sub/cal.toml"):
        (tmp_path / name).touch()
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "cams.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_full_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, FULL)
    monkeypatch.chdir(folder.parent)
    config = load_views(Path(folder.name) / "cams.yaml")
    first, second = config.views
    assert (first.name, first.video, first.offset) == ("cam1", folder / "a.mp4", -0.5)
    assert (first.fov, first.intrinsics) == (pytest.approx(math.pi / 3), None)
    assert (second.name, second.offset) == ("größe 2", None)
    assert (second.fov, second.intrinsics) == (None, folder / "sub/cal.toml")
    assert config.calibration == CalibrationFile(folder / "sub/cal.toml", "m", "z")
    assert config.board is not None and config.board.squares == (5, 4) and config.board.marker == 0.19
    assert (config.subject.height, config.source) == (1.78, folder / "cams.yaml")


def test_least_file_and_plain_calibration(folder: Path) -> None:
    config = load_views(write(folder, VIEWS))
    assert (config.calibration, config.board, config.subject.height) == (None, None, None)
    config = load_views(write(folder, VIEWS + "\ncalibration: sub/cal.toml"))
    assert config.calibration == CalibrationFile(folder / "sub/cal.toml")


def test_chessboards_and_footage_of_the_board(folder: Path) -> None:
    views = (
        "views: [{name: a, video: a.mp4, intrinsics: sub}, {name: b, video: sub/b.mp4, intrinsics: a.mp4}]"
    )
    config = load_views(write(folder, views + CHESS.removeprefix(VIEWS) + "}"))
    assert config.board == Board((5, 8), 0.06, type="chessboard")
    assert [v.footage for v in config.views] == [folder / "sub", folder / "a.mp4"]
    assert [v.intrinsics for v in config.views] == [None, None]


def test_single_video(folder: Path) -> None:
    (folder / "my clip: 1.mp4").touch()
    config = single_video(folder / "my clip: 1.mp4")
    assert [v.name for v in config.views] == ["my_clip_1"]
    assert config.source is None
    with pytest.raises(ConfigError, match=r"no video file .*gone.mp4"):
        single_video(folder / "gone.mp4")


WRONG = {
    "views: [{name: a, vidoe: a.mp4}]": r"views\[0\].vidoe: unknown field \(did you mean video\?\); "
    "known: name, video, offset, intrinsics",
    "vews: []": "vews: unknown field .did you mean views.*known: views, calibration, board, subject",
    "views: [{name: a}]": r"views\[0\].video: missing; the fields are: name, video",
    "subject: {height: 1}": "views: missing",
    "views: []": "views: the list is empty",
    "views: {name: a}": "views: must be a list, not fields",
    "views: [{name: 1, video: a.mp4}]": r"0\].name: must be text, not a whole number; write it in quotes",
    "views: [{name: a, video: a.mp4, offset: soon}]": r"0\].offset: must be a number or nothing, not text",
    "views: [{name: a, video: a.mp4, offset: .nan}]": r"0\].offset: must be a number of seconds, not nan",
    "views: [{name: a, video: a.mp4, intrinsics: 400}]": r"0\].intrinsics: .*1 and 179 degrees, not 400",
    "views: [{name: a, video: gone.mp4}]": r"views\[0\].video: no such file: .*gone.mp4",
    "views: [{name: a, video: sub}]": r"views\[0\].video: a folder",
    "views: [{name: a, video: ''}]": r"views\[0\].video: no such file",
    "views: [{name: '', video: a.mp4}]": r"views\[0\].name: is empty",
    "views: [{name: a/b, video: a.mp4}]": r"views\[0\].name: 'a/b' cannot be a file name because of '/'",
    "views: [{name: .., video: a.mp4}]": r"views\[0\].name: '..' cannot be a file name",
    "views: [{name: CON, video: a.mp4}]": r"views\[0\].name: 'CON' cannot be",
    "views: [{name: a, video: a.mp4}, {name: A, video: sub/b.mp4}]": r"1\].name: A is also .* views\[0\]",
    "views: [{name: a, video: a.mp4}, {name: b, video: sub/../a.mp4}]": r"1\].video: .*also .* views\[0\]",
    VIEWS + "\nsubject: {height: 178}": r"subject.height: must be 0.3 to 2.6 metres, not 178 .*write 1.78",
    VIEWS + "\nsubject: {height: .nan}": r"subject.height: must be",
    VIEWS + "\nsubject: {weight: 80}": r"subject.weight: unknown field.*known: height",
    VIEWS + "\ncalibration: gone.toml": r"calibration: no such file",
    VIEWS + "\ncalibration: {file: sub/cal.toml, up: q}": r"calibration.up: must be x or y or .*, not 'q'",
    VIEWS + "\ncalibration: {units: m}": r"calibration.file: missing",
    VIEWS + "\ncalibration: 7": r"calibration: must be .*not a whole number",
    VIEWS
    + "\nboard: {type: charuco, squares: [5], square: 1, marker: 0.5, dictionary: D}": r"board.squares: ",
    VIEWS
    + "\nboard: {type: charuco, squares: [5, 4], square: 0.2, marker: 0.3, dictionary: D}": r"board.marker",
    VIEWS
    + "\nboard: {type: charuco, squares: [5, 4], square: 250, marker: 1, dictionary: D}": r"board.square",
    CHARUCO + ", dictionary: DICT_4x4_50}": "board.dictionary: unknown dictionary .*did you mean DICT_4X4_50",
    CHARUCO + "}": "board.dictionary: missing; a charuco board needs marker and dictionary",
    CHESS + ", marker: 0.1}": "board.marker: a chessboard has no markers: leave it out, or take charuco",
    CHESS.replace("5, 8", "3, 8") + "}": r"board.squares: .* at least 4, not \[3, 8\]",
    CHESS.replace("chessboard", "circles") + "}": "board.type: must be charuco or chessboard, not 'circles'",
    "views: [{name: a, video: a.mp4, intrinsics: sub}]": r"views\[0\].intrinsics: images of a board",
    "": "the file is empty",
    "# only a comment": "the file is empty",
    "just text": "file: must be fields, not text",
    "- a": "file: must be fields, not a list",
    "views: [{name: a": "line 1, column 17: not YAML",
    "views:\n\t- a": "line 2, column 1: not YAML",
    "a: 1\nb: [": "line 2, column 5: not YAML",
    VIEWS + "\n" + VIEWS: "line 2: views is there twice",
    "views: [{name: a, name: b, video: a.mp4}]": "line 1: name is there twice",
    "views: !!python/object/apply:os.system [ls]": "not YAML",
    "&a [*a]": "file: must be fields",
    "[" * 3000: "not YAML",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=range(len(WRONG)))
def test_wrong_files_name_the_field_in_one_line(folder: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        load_views(write(folder, text))
    assert str(caught.value).startswith("cams.yaml: ")
    assert "\n" not in str(caught.value) and "`" not in str(caught.value) and "$" not in str(caught.value)


def test_files_that_are_no_text(folder: Path) -> None:
    (folder / "video.mp4").write_bytes(bytes(range(256)) * 9)
    (folder / "large.mp4").write_bytes(bytes(2 << 20))
    for name, message in {
        "video.mp4": "--video",
        "large.mp4": "--video",
        "gone": "no such file",
        "sub": "read",
    }.items():
        with pytest.raises(ConfigError, match=message):
            load_views(folder / name)


def test_the_number_of_people_is_read_and_checked(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    file = tmp_path / "cams.yaml"
    file.write_text("people: 2\nviews: [{name: a, video: a.mp4}]\n")
    assert load_views(file).people == 2
    assert with_people(load_views(file), 3).people == 3 and with_people(load_views(file), None).people == 2
    with pytest.raises(ConfigError, match=r"cams.yaml: people: must be 1 to 16, not 0"):
        with_people(load_views(file), 0)
    file.write_text("people: some\nviews: [{name: a, video: a.mp4}]\n")
    with pytest.raises(ConfigError, match=r"people: must be a whole number or nothing, not text"):
        load_views(file)
