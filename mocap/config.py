"""What to capture from: the views file, read and checked once, at the door."""

from __future__ import annotations

import difflib
import math
import re
import unicodedata
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from calibration.boards.board import Board
from mocap.boardfields import BoardFieldError, checked_board
from mocap.errors import ConfigError
from mocap.yamlfile import read_yaml

HEIGHTS = (0.3, 2.6)  # metres; a small child, and just under the tallest man on record
MOST_PEOPLE = 16
_APART = (0.05, 100.0)  # metres between two cameras
Unit = Literal["m", "cm", "mm"]
Up = Literal["x", "y", "z", "-x", "-y", "-z"]


@dataclass(frozen=True)
class View:
    """One camera's video.

    Args:
        name: unique, fit to be a file name.
        video: the file.
        offset: seconds to add to the video's own times for the common clock; None = to be found.
        intrinsics: calibration file with this camera's intrinsics, or None.
        fov: horizontal field of view, radians, or None.
        footage: video, or folder of images, of the board before this camera, for its intrinsics; or None.
    """

    name: str
    video: Path
    offset: float | None = None
    intrinsics: Path | None = None
    fov: float | None = None
    footage: Path | None = None


@dataclass(frozen=True)
class CalibrationFile:
    """A calibration, with its unit of length and its up axis where the file does not say."""

    file: Path
    units: Unit | None = None
    up: Up | None = None


@dataclass(frozen=True)
class Subject:
    """Who is filmed: standing height in metres, None = unknown."""

    height: float | None = None


@dataclass(frozen=True)
class Distance:
    """How far two views' cameras stand from each other, metres, lens to lens."""

    between: tuple[str, str]
    metres: float


@dataclass(frozen=True)
class CaptureConfig:
    """What to capture from, checked: every file named is there, every number is plausible.

    Args:
        views: at least one.
        calibration: None = to be found.
        board: None = there is no board in the videos.
        subject: who is filmed.
        distance: a measured distance between two cameras, which sets the scale where nothing else does.
        source: the views file; None for a single video.
        people: how many there are; None = to be found.
    """

    views: tuple[View, ...]
    calibration: CalibrationFile | None = None
    board: Board | None = None
    subject: Subject = Subject()
    distance: Distance | None = None
    source: Path | None = None
    people: int | None = None


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    pass


class _View(_Strict):
    name: str
    video: str
    offset: float | None = None
    intrinsics: str | float | None = None


class _Calibration(_Strict):
    file: str
    units: Unit | None = None
    up: Up | None = None


class _Board(_Strict):
    type: Literal["charuco", "chessboard"]
    squares: tuple[int, int]
    square: float
    marker: float | None = None
    dictionary: str | None = None


class _Subject(_Strict):
    height: float | None = None


class _Distance(_Strict):
    between: tuple[str, str]
    metres: float


class _File(_Strict):
    views: list[_View]
    calibration: str | _Calibration | None = None
    board: _Board | None = None
    subject: _Subject | None = None
    distance: _Distance | None = None
    people: int | None = None


_STRUCTS = {"": _File, "views[]": _View, "calibration": _Calibration, "board": _Board, "subject": _Subject}
_STRUCTS["distance"] = _Distance


def load_views(path: str | Path) -> CaptureConfig:
    """Read a views file. Paths in it are relative to it.

    Args:
        path: YAML with `views`, a list of {name, video, offset, intrinsics}, and perhaps `calibration`,
            `board`, `subject`, `distance` and `people`.

    Raises:
        ConfigError: in one line, with the path of the field that is wrong, what is there and what may be.
    """
    path = Path(path)
    try:
        file = msgspec.convert(read_yaml(path), _File)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path.name}: {_plainly(str(error))}") from error
    return _Checked(path).config(file)


def single_video(path: str | Path) -> CaptureConfig:
    """The configuration of one video alone; the view has the name of the file.

    Raises:
        ConfigError: there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise ConfigError(f"no video file {path}")
    name = re.sub(r"[^\w.-]+", "_", path.stem).strip("._") or "view"
    return CaptureConfig(views=(View(name[:64], path.absolute()),))


def with_height(config: CaptureConfig, height: float | None) -> CaptureConfig:
    """The same configuration with the subject's standing height in metres; None leaves it as it is.

    Raises:
        ConfigError: nobody is that tall.
    """
    if height is None:
        return config
    checked = _Checked(config.source or Path("--height")).subject(_Subject(height))
    return replace(config, subject=checked)


def with_people(config: CaptureConfig, people: int | None) -> CaptureConfig:
    """The same configuration with how many people there are; None leaves it as it is.

    Raises:
        ConfigError: that is no number of people.
    """
    if people is None:
        return config
    return replace(config, people=_Checked(config.source or Path("--people")).people(people))


class _Checked:
    """Turns the file's fields into checked values; errors say which field."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def config(self, file: _File) -> CaptureConfig:
        if not file.views:
            raise self.wrong("views", "the list is empty; it needs at least one {name, video}")
        views = tuple(self.view(view, f"views[{i}]") for i, view in enumerate(file.views))
        self.differ([_same_file_name(v.name) for v in views], "name", [v.name for v in views])
        self.differ([v.video.resolve() for v in views], "video", [v.video for v in views])
        board = None if file.board is None else self.board(file.board)
        for i, view in enumerate(views):
            if view.footage is not None and board is None:
                raise self.wrong(f"views[{i}].intrinsics", "images of a board: add the field board")
        return CaptureConfig(
            views=views,
            calibration=self.calibration(file.calibration),
            board=board,
            subject=self.subject(file.subject),
            distance=None if file.distance is None else self.distance(file.distance, [v.name for v in views]),
            source=self.path.absolute(),
            people=None if file.people is None else self.people(file.people),
        )

    def view(self, view: _View, at: str) -> View:
        self.file_name(view.name, f"{at}.name")
        if view.offset is not None and not math.isfinite(view.offset):
            raise self.wrong(f"{at}.offset", f"must be a number of seconds, not {view.offset}")
        video, given = self.existing(view.video, f"{at}.video"), view.intrinsics
        if isinstance(given, float):
            if not 1 < given < 179:
                range_ = "a horizontal field of view lies between 1 and 179 degrees"
                raise self.wrong(f"{at}.intrinsics", f"{range_}, not {given:g}")
            return View(view.name, video, view.offset, fov=math.radians(given))
        if given is None:
            return View(view.name, video, view.offset)
        file = self.existing(given, f"{at}.intrinsics", folder=True)
        if file.is_dir() or file.suffix.lower() in _FOOTAGE:
            return View(view.name, video, view.offset, footage=file)
        return View(view.name, video, view.offset, file)

    def calibration(self, given: str | _Calibration | None) -> CalibrationFile | None:
        if given is None:
            return None
        if isinstance(given, str):
            return CalibrationFile(self.existing(given, "calibration"))
        return CalibrationFile(self.existing(given.file, "calibration.file"), given.units, given.up)

    def board(self, board: _Board) -> Board:
        try:
            return checked_board(board.type, board.squares, board.square, board.marker, board.dictionary)
        except BoardFieldError as error:
            raise self.wrong(f"board.{error.field}", str(error)) from error

    def subject(self, subject: _Subject | None) -> Subject:
        height = subject.height if subject else None
        low, high = HEIGHTS
        if height is not None and not low <= height <= high:
            hint = f" (centimetres? write {height / 100:g})" if low <= height / 100 <= high else ""
            raise self.wrong("subject.height", f"must be {low} to {high} metres, not {height:g}{hint}")
        return Subject(height)

    def people(self, count: int) -> int:
        if not 1 <= count <= MOST_PEOPLE:
            raise self.wrong("people", f"must be 1 to {MOST_PEOPLE}, not {count}")
        return count

    def distance(self, given: _Distance, names: list[str]) -> Distance:
        unknown = [name for name in given.between if name not in names]
        if unknown or given.between[0] == given.between[1]:
            wanted = f"must be two of the views {', '.join(names)}"
            raise self.wrong("distance.between", f"{wanted}, not {list(given.between)}")
        if not _APART[0] <= given.metres <= _APART[1]:
            low, high = _APART
            raise self.wrong("distance.metres", f"must be {low:g} to {high:g} metres, not {given.metres:g}")
        return Distance(given.between, given.metres)

    def existing(self, name: str, at: str, folder: bool = False) -> Path:
        file = self.path.absolute().parent / name
        if folder and name.strip() and "\0" not in name and file.is_dir():
            return file
        if not name.strip() or "\0" in name or not file.is_file():
            kind = "a folder, not a file" if name.strip("\0 ") and file.is_dir() else "no such file"
            raise self.wrong(at, f"{kind}: {file}")
        return file

    def file_name(self, name: str, at: str) -> None:
        bad = re.search(r'[\\/:*?"<>|\x00-\x1f\x7f]', name)
        if not name.strip():
            raise self.wrong(at, "is empty; give every view a name")
        if bad:
            raise self.wrong(at, f"{name!r} cannot be a file name because of {bad.group()!r}; leave that out")
        if name[0] in ". " or name[-1] in ". " or len(name.encode()) > 120 or _RESERVED.fullmatch(name):
            raise self.wrong(at, f"{name!r} cannot be a file name; take letters, digits, - and _")

    def differ(self, keys: list[Any], field: str, shown: list[Any]) -> None:
        for i, key in enumerate(keys):
            if (first := keys.index(key)) != i:
                raise self.wrong(f"views[{i}].{field}", f"{shown[i]} is also that of views[{first}]")

    def wrong(self, at: str, message: str) -> ConfigError:
        return ConfigError(f"{self.path.name}: {at}: {message}")


_FOOTAGE = (".mp4", ".mov", ".avi", ".mkv", ".m4v", ".webm", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".3gp")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def _same_file_name(name: str) -> str:
    """Names that some file system takes for the same are the same."""
    return unicodedata.normalize("NFC", name).casefold()


_KINDS = {"str": "text", "float": "a number", "int": "a whole number", "object": "fields", "array": "a list"}
_CHOICES = {
    "calibration.units": get_args(Unit),
    "calibration.up": get_args(Up),
}
_CHOICES |= {"board.type": ("charuco", "chessboard")}
_KINDS |= {"bool": "true or false", "null": "nothing"}


def _plainly(message: str) -> str:
    """A message of msgspec as ours: the path of the field, what is wrong, and what is known or expected."""
    text, _, path = message.partition(" - at `$")
    at = path.rstrip("`").lstrip(".").replace("[...]", "")
    struct = _STRUCTS.get(re.sub(r"\[\d+\]", "[]", at), _File)
    known = ", ".join(struct.__struct_fields__)
    if found := re.search(r"unknown field `(.*)`", text):
        name = found.group(1)
        near = difflib.get_close_matches(name, struct.__struct_fields__, 1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        return f"{_join(at, name)}: unknown field{meant}; known: {known}"
    if found := re.search(r"missing required field `(.*)`", text):
        return f"{_join(at, found.group(1))}: missing; the fields are: {known}"
    if found := re.fullmatch(r"Expected `(.*)`, got `(.*)`", text):
        wanted = " or ".join(_KINDS.get(kind, kind) for kind in found.group(1).split(" | "))
        hint = "; write it in quotes" if "text" in wanted and found.group(2) in ("int", "float") else ""
        return f"{at or 'file'}: must be {wanted}, not {_KINDS.get(found.group(2), found.group(2))}{hint}"
    if at in _CHOICES:
        return f"{at}: must be {' or '.join(_CHOICES[at])}, not {text.rpartition(' ')[2]}"
    return f"{at or 'file'}: {text[:1].lower()}{text[1:]}".replace("`", "")


def _join(at: str, field: str) -> str:
    return f"{at}.{field}" if at else field
