"""OpenCV's FileStorage, YAML or XML: one camera a file, several in one, or a folder of such files.

Metres and z up unless told otherwise. A camera is a group of keys that share what follows (or goes before)
the known name: `K_cam1 dist_cam1 R_cam1 T_cam1`, or plain `camera_matrix distortion_coefficients rvec tvec`.
Written are, as OpenCV's calibration sample has them, `camera_matrix`, `distortion_coefficients`,
`image_width`, `image_height` and `fisheye_model`, besides `rvec`, `tvec` and `camera_name`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from calibration.camera import Camera, Cameras
from calibration.errors import FileError
from calibration.files import storage, tables
from calibration.files.document import Document
from calibration.files.source import Entry, Source
from calibration.files.world import from_metres_y_up
from calibration.rotation import to_rotvec
from calibration.saving import save, save_folder

_KEYS = {
    "matrix": ("camera_matrix", "cameramatrix", "intrinsic_matrix", "intrinsics", "mtx", "k", "m"),
    "distortion": (
        "distortion_coefficients",
        "distortion_coeffs",
        "distortion",
        "distcoeffs",
        "dist_coeffs",
        "dist",
        "d",
    ),
    "rotation": ("rotation_matrix", "rotation_vector", "rotation", "rvec", "rot", "r"),
    "translation": ("translation_vector", "translation", "tvec", "t"),
    "width": ("image_width", "width", "w"),
    "height": ("image_height", "height", "h"),
    "size": ("image_size", "size", "resolution"),
    "model": ("camera_model", "distortion_model", "model"),
    "name": ("camera_name",),
}
_BY_KEY = {key: field for field, keys in _KEYS.items() for key in keys}
_LONGEST_FIRST = sorted(_BY_KEY, key=len, reverse=True)


def claims(document: Document) -> bool:
    """Whether the document is of this format: a storage, or a folder of them, with a camera matrix.

    Args:
        document: a parsed file or folder.
    """
    return any("matrix" in group for part in _storages(document) for group in _groups(part).values())


def read(document: Document) -> Source:
    """Take the cameras out of the document.

    Args:
        document: one that `claims` accepts.

    Raises:
        FileError: a size that is half there.
    """
    entries = [entry for part in _storages(document) for entry in _entries(part)]
    return Source(document.path, tuple(entries))


def write(path: Path, cameras: Cameras) -> tuple[Path, ...]:
    """Write metres, z up: one file if the path ends in .yml, .yaml or .xml, else a folder with one a camera.

    Args:
        path: the file or the folder.
        cameras: metres, y up.

    Returns:
        The files.

    Raises:
        FileError: names of cameras that cannot be told apart as keys or files, or nothing can be written.
    """
    placed = [from_metres_y_up(camera, "m", "z") for camera in cameras]
    suffix = path.suffix.lower()
    if suffix in (".yml", ".yaml", ".xml"):
        values = _values(placed[0]) if len(placed) == 1 else _together(path, placed)
        save(path, storage.to_xml(values) if suffix == ".xml" else storage.to_yaml(values))
        return (path,)
    texts = {_file_name(camera.name): storage.to_yaml(_values(camera)) for camera in placed}
    if len(texts) < len(placed):
        raise FileError(f"{path}: names of cameras are too alike for files: {', '.join(cameras.names)}")
    save_folder(path, texts)
    return tuple(path / name for name in texts)


def _values(camera: Camera) -> dict[str, storage.Value]:
    pose, fisheye = camera.camera_from_world, camera.model == "fisheye"
    coefficients = tables.at_least(camera.distortion, 4 if fisheye else 5)
    return {
        "camera_name": camera.name,
        "image_width": camera.size[0],
        "image_height": camera.size[1],
        "fisheye_model": int(fisheye),
        "camera_matrix": camera.K,
        "distortion_coefficients": np.array(coefficients)[:, None],
        "rvec": to_rotvec(pose[:3, :3])[:, None],
        "tvec": pose[:3, 3:],
    }


def _together(path: Path, cameras: list[Camera]) -> dict[str, storage.Value]:
    """All cameras in one storage: each key is followed by the name, which has to be read off it again."""
    values: dict[str, storage.Value] = {}
    for camera in cameras:
        own = _values(camera)
        fisheye, name = own.pop("fisheye_model"), own.pop("camera_name")
        own["camera_model"] = "fisheye" if fisheye else "pinhole"
        keys = [f"{key}_{name}" for key in own]
        if not all(storage.KEY.fullmatch(key) and (_split(key) or ("", ""))[1] == name for key in keys):
            raise FileError(f"{path}: camera {name!r}: no name for a key in one file; give a folder instead")
        values.update(zip(keys, own.values(), strict=True))
    return values


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name) + ".yml"


def _storages(document: Document) -> tuple[Document, ...]:
    if document.kind == "folder":
        return tuple(member for member in document.members if member.kind == "storage")
    return (document,) if document.kind == "storage" else ()


def _entries(document: Document) -> list[Entry]:
    groups = {name: group for name, group in _groups(document).items() if "matrix" in group}
    shared = _groups(document).get("", {})
    alone = len(groups) == 1
    stem = document.path.name.split(".")[0]
    return [
        _entry(document, stem if alone or not name else name, {**shared, **group} if alone else group)
        for name, group in groups.items()
    ]


def _groups(document: Document) -> dict[str, dict[str, Any]]:
    """What is said of each camera, by the part of the key that is not a known name."""
    groups: dict[str, dict[str, Any]] = {}
    for key, value in document.data.items():
        split = _split(key)
        if split is not None:
            groups.setdefault(split[1], {})[split[0]] = value
    return groups


def _split(key: str) -> tuple[str, str] | None:
    """Field and camera name of a key, or None: K_cam1, cam1_K and K1 all speak of a camera's matrix."""
    low = key.lower()
    for known in _LONGEST_FIRST:
        rest_after, rest_before = key[len(known) :], key[: len(key) - len(known)]
        if low == known:
            return _BY_KEY[known], ""
        if low.startswith(known) and (rest_after[0] in "_-" or rest_after.isdigit()):
            return _BY_KEY[known], rest_after.lstrip("_-")
        if low.endswith(known) and rest_before[-1] in "_-":
            return _BY_KEY[known], rest_before.rstrip("_-")
    return None


def _entry(document: Document, name: str, group: dict[str, Any]) -> Entry:
    size = group.get("size")
    if size is None and ("width" in group or "height" in group):
        if not ("width" in group and "height" in group):
            raise FileError(
                f"{document.path}: camera {name!r}: size: image_width and image_height are both needed"
            )
        size = [group["width"], group["height"]]
    named = "fisheye" in str(group.get("model", "")).lower()
    flagged = str(document.data.get("fisheye_model", 0)) not in ("0", "0.0")  # OpenCV's calibration sample
    model = "fisheye" if named or flagged else "pinhole"
    pose = group.get("rotation"), group.get("translation")
    name = str(group.get("name", name))
    return Entry(name, size, group["matrix"], group.get("distortion"), *pose, model)
