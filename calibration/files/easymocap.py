"""EasyMocap's pair `intri.yml` and `extri.yml`: K_<name>, dist_<name>; R_<name> or Rot_<name>, T_<name>.

Metres (its documentation demands them), z up. `H_<name>` and `W_<name>` give the size where they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from calibration.errors import FileError
from calibration.files.document import Document, open_document
from calibration.files.source import Entry, Source

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
