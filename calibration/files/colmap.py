"""COLMAP's text: `cameras.txt` and `images.txt`, one image a camera that stands still.

Pixels: the centre of the first is at (0.5, 0.5), half a pixel more than here. An image is called after its
file, or after its folder where every image has a folder of its own. A reconstruction has neither unit nor
up, so the user says them; ours are metres and y up, and a comment that COLMAP skips says so. COLMAP has
no skew.
Models: SIMPLE_PINHOLE, PINHOLE, SIMPLE_RADIAL, RADIAL, OPENCV, FULL_OPENCV, OPENCV_FISHEYE.
Source: COLMAP's documentation, "Output format", and `sensor/models.h`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from calibration.camera import Camera, Cameras
from calibration.errors import FileError
from calibration.files.document import Document, open_document
from calibration.files.quaternion import from_matrix, to_matrix
from calibration.files.source import Entry, Source
from calibration.saving import save_folder

_FILES = ("cameras.txt", "images.txt")
_HALF = 0.5  # px
# Which parameters are fx, fy, cx, cy and OpenCV's coefficients; "0" stands for no such coefficient.
_MODELS = {
    "SIMPLE_PINHOLE": "f f cx cy",
    "PINHOLE": "fx fy cx cy",
    "SIMPLE_RADIAL": "f f cx cy k1 0 0 0",
    "RADIAL": "f f cx cy k1 k2 0 0",
    "OPENCV": "fx fy cx cy k1 k2 p1 p2",
    "FULL_OPENCV": "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6",
    "OPENCV_FISHEYE": "fx fy cx cy k1 k2 k3 k4",
}


def claims(document: Document) -> bool:
    """Whether the document is of this format: one of the two files, or the folder with both.

    Args:
        document: a parsed file or folder.
    """
    texts = sum(member.kind == "text" for member in document.members)
    return document.kind == "text" or texts == len(_FILES) or 0 < texts == len(document.members)


def read(document: Document) -> Source:
    """Take the cameras out of the pair, whichever of the two was given.

    Args:
        document: one that `claims` accepts.

    Raises:
        FileError: the other file is missing, or a line of either cannot be understood.
    """
    folder = document.path if document.kind == "folder" else document.path.parent
    cameras, images = (_text(folder / name) for name in _FILES)
    lenses = dict(_lenses(folder / _FILES[0], cameras))
    shots = list(_shots(folder / _FILES[1], images))
    named = zip(_names([name for name, *_ in shots]), shots, strict=True)
    entries = tuple(_entry(folder, name, lenses, *shot[1:]) for name, shot in named)
    said = re.search(r"^# units: (\w+), up: ([-\w]+)$", images, re.MULTILINE)
    return Source(document.path, entries, said and said.group(1), said and said.group(2))


def write(path: Path, cameras: Cameras) -> tuple[Path, ...]:
    """Write a folder with cameras.txt, images.txt and an empty points3D.txt, metres and y up.

    Args:
        path: the folder, or one of the files in it.
        cameras: metres, y up.

    Returns:
        The three files.

    Raises:
        FileError: a camera with skew or a name that is no file's, or the folder cannot be written.
    """
    folder = path.parent if path.name.lower() in _FILES else path
    for camera in cameras:
        _check(folder, camera)
    lenses = [f"{i} {_lens(camera)}\n" for i, camera in enumerate(cameras, 1)]
    shots = [f"{i} {_pose(camera)} {i} {camera.name}.png\n\n" for i, camera in enumerate(cameras, 1)]
    texts = {
        _FILES[0]: "# CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]\n" + "".join(lenses),
        _FILES[1]: "# IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME, and a line of points\n"
        "# units: m, up: y\n" + "".join(shots),
        "points3D.txt": "# POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[]\n",
    }
    save_folder(folder, texts)
    return tuple(folder / name for name in texts)


def _text(path: Path) -> str:
    if not path.is_file():
        raise FileError(f"{path}: is missing; COLMAP writes {' and '.join(_FILES)}, keep them together")
    return open_document(path).text


def _lenses(path: Path, text: str) -> Iterator[tuple[str, Entry]]:
    """Each camera's number, and what it says of the lens."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not line.lstrip().startswith("#"):
            yield words[0], _lens_of(f"{path}: line {number}", words)


def _lens_of(where: str, words: list[str]) -> Entry:
    if len(words) < 4 or words[1] not in _MODELS:
        known = ", ".join(_MODELS)
        raise FileError(
            f"{where}: model: must be one of {known}, got {' '.join(words[1:2])!r:.40}; undistort first"
        )
    layout = _MODELS[words[1]].split()
    names = list(dict.fromkeys(name for name in layout if name != "0"))
    values = _numbers(where, words[4:], len(names))
    by_name = {**dict(zip(names, values, strict=True)), "0": 0.0}
    fx, fy, cx, cy, *lens = (by_name[name] for name in layout)
    matrix = [[fx, 0.0, cx - _HALF], [0.0, fy, cy - _HALF], [0.0, 0.0, 1.0]]
    coefficients = lens if any(lens[5:]) else lens[:5]
    model = "fisheye" if words[1] == "OPENCV_FISHEYE" else "pinhole"
    return Entry("", words[2:4], matrix, coefficients, None, None, model)


def _shots(path: Path, text: str) -> Iterator[tuple[str, str, list[float]]]:
    """Name, number of the camera, and pose of each image, which takes two lines; the second may be empty."""
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if not line.lstrip().startswith("#")]
    while lines and not lines[-1][1].strip():
        lines.pop()
    for (number, line), (after, points) in zip(lines[::2], [*lines[1::2], (0, "")], strict=False):
        words = line.split(None, 9)
        if len(words) != 10:
            raise FileError(f"{path}: line {number}: an image must have 10 values, got {len(words)}")
        if len(points.split()) % 3:
            raise FileError(f"{path}: line {after}: must be the points of the image before, x y id, or empty")
        yield words[9].strip(), words[8], _numbers(f"{path}: line {number}", words[1:8], 7)


def _entry(folder: Path, name: str, lenses: dict[str, Entry], number: str, pose: list[float]) -> Entry:
    if number not in lenses:
        raise FileError(f"{folder / _FILES[1]}: camera {name!r}: there is no camera {number} in {_FILES[0]}")
    lens = lenses[number]
    rotation = to_matrix(pose[:4])
    return Entry(name, lens.size, lens.matrix, lens.distortion, rotation, pose[4:], lens.model)


def _names(images: list[str]) -> list[str]:
    paths = [PurePosixPath(image.replace("\\", "/")) for image in images]
    folders = [str(path.parent) for path in paths]
    alone = len(set(folders)) == len(folders) and "." not in folders
    return folders if alone else [path.stem for path in paths]


def _numbers(where: str, words: list[str], count: int) -> list[float]:
    try:
        values = [float(word) for word in words]
    except ValueError:
        values = []
    if len(values) != count:
        raise FileError(f"{where}: must have {count} numbers here, got {' '.join(words)!r:.60}")
    return values


def _check(folder: Path, camera: Camera) -> None:
    where = f"{folder}: camera {camera.name!r}"
    if camera.K[0, 1]:
        raise FileError(f"{where}: K: COLMAP has no skew; write aniposelib")
    if not re.fullmatch(r"[^\s/\\#](?:[^\n\r/\\]*[^\s/\\])?", camera.name):
        raise FileError(f"{where}: name: must be a file's, without slashes or spaces around; rename it")


def _lens(camera: Camera) -> str:
    k = np.zeros(8)
    k[: len(camera.distortion)] = camera.distortion
    fisheye = camera.model == "fisheye"
    model = (
        "OPENCV_FISHEYE" if fisheye else "FULL_OPENCV" if any(k[4:]) else "OPENCV" if any(k) else "PINHOLE"
    )
    focal, centre = (camera.K[0, 0], camera.K[1, 1]), camera.K[:2, 2] + _HALF
    values = [*focal, *centre, *k][: len(_MODELS[model].split())]
    return " ".join([model, *map(str, camera.size), *(repr(float(value)) for value in values)])


def _pose(camera: Camera) -> str:
    pose = camera.camera_from_world
    return " ".join(repr(float(value)) for value in (*from_matrix(pose[:3, :3]), *pose[:3, 3]))
