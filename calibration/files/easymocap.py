"""EasyMocap's pair `intri.yml` and `extri.yml`: K_<name>, dist_<name>; R_<name> or Rot_<name>, T_<name>.

Metres (its documentation demands them), z up. `H_<name>` and `W_<name>` give the size where they are.
Lenses are OpenCV's, five coefficients or more; it has no fisheye lenses in these files.
Source: EasyMocap, `easymocap/mytools/camera_utils.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from calibration.camera import Cameras
from calibration.errors import FileError
from calibration.files import storage, tables
from calibration.files.document import Document, open_document
from calibration.files.source import Entry, Source, refuse_models
from calibration.files.world import from_metres_y_up
from calibration.rotation import to_rotvec
from calibration.saving import save_folder

_PAIR = ("intri", "extri")


def claims(document: Document) -> bool:
    """Whether the document is of this format: one of the two files, or the folder with both.

    Args:
        document: a parsed file or folder.
    """
    if document.kind == "folder":
        return {member.path.stem.lower() for member in document.members} >= set(_PAIR)
    keys = document.data
    return document.kind == "storage" and "names" in keys and any(k.startswith(("K_", "T_")) for k in keys)


def read(document: Document) -> Source:
    """Take the cameras out of the pair, whichever of the two was given.

    Args:
        document: one that `claims` accepts.

    Raises:
        FileError: the other file is missing, or has no camera of that name.
    """
    intri, extri = _pair(document)
    names = [str(name) for name in intri.get("names") or []]
    return Source(document.path, tuple(_entry(name, intri, extri) for name in names))


def write(path: Path, cameras: Cameras) -> tuple[Path, ...]:
    """Write both files, metres, z up.

    Args:
        path: their folder, or one of the two.
        cameras: metres, y up.

    Returns:
        The two files.

    Raises:
        FileError: a fisheye lens, a name that is no key, or the folder cannot be written.
    """
    folder = path.parent if path.stem.lower() in _PAIR else path
    refuse_models(folder, cameras, "EasyMocap", fisheye=True)
    intri: dict[str, storage.Value] = {"names": list(cameras.names)}
    extri: dict[str, storage.Value] = {"names": list(cameras.names)}
    for camera in (from_metres_y_up(camera, "m", "z") for camera in cameras):
        name, pose = camera.name, camera.camera_from_world
        if not storage.KEY.fullmatch(f"K_{name}"):
            raise FileError(f"{folder}: camera {name!r}: name: must be letters, digits, _ and -; rename it")
        intri[f"K_{name}"] = camera.K
        intri[f"dist_{name}"] = np.array([tables.at_least(camera.distortion, 5)])
        intri[f"W_{name}"], intri[f"H_{name}"] = camera.size
        extri[f"R_{name}"] = to_rotvec(pose[:3, :3])[:, None]
        extri[f"Rot_{name}"], extri[f"T_{name}"] = pose[:3, :3], pose[:3, 3:]
    texts = {"intri.yml": storage.to_yaml(intri), "extri.yml": storage.to_yaml(extri)}
    save_folder(folder, texts)
    return tuple(folder / name for name in texts)


def _pair(document: Document) -> tuple[dict[str, Any], dict[str, Any]]:
    """What both files say; a single file may say everything."""
    if document.kind == "folder":
        by_stem = {member.path.stem.lower(): member.data for member in document.members}
        return by_stem["intri"], by_stem["extri"]
    keys = document.data
    has = [any(key.startswith(mark) for key in keys) for mark in ("K_", "T_")]
    if all(has):
        return keys, keys
    other = open_document(_sibling(document.path, _PAIR[0] if has[1] else _PAIR[1])).data
    return (keys, other) if has[0] else (other, keys)


def _sibling(path: Path, stem: str) -> Path:
    """The other file of the pair, beside this one."""
    for suffix in (path.suffix, ".yml", ".yaml"):
        if (path.parent / f"{stem}{suffix}").is_file():
            return path.parent / f"{stem}{suffix}"
    raise FileError(
        f"{path}: {stem}{path.suffix} is missing beside it; EasyMocap writes both, keep them together"
    )


def _entry(name: str, intri: dict[str, Any], extri: dict[str, Any]) -> Entry:
    size = [intri.get(f"W_{name}"), intri.get(f"H_{name}")]
    rotation = extri.get(f"Rot_{name}", extri.get(f"R_{name}"))
    distortion = intri.get(f"dist_{name}", intri.get(f"D_{name}"))
    return Entry(
        name,
        None if None in size else size,
        intri.get(f"K_{name}"),
        distortion,
        rotation,
        extri.get(f"T_{name}"),
    )
