"""A file's text, parsed once and safely, before anyone asks which program wrote it."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from calibration.errors import FileError
from calibration.files import pickled, storage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 16 * 2**20  # bytes; a calibration is a few kilobytes, COLMAP's with its points a few megabytes
_STORAGES = (".yml", ".yaml", ".xml")
_PICKLES = (".pickle", ".pkl")
_OPENCAP = "cameraIntrinsicsExtrinsics.pickle"
_TEXTS = ("cameras.txt", "images.txt")  # COLMAP's, which nothing but their names tells from other text
_INSTEAD = {
    ".bin": "COLMAP's binary files are read as text: colmap model_converter --output_type TXT",
    ".cal": "Motive before 3.2 writes calibrations that only it can read: save it as .mcal with a later one",
}


@dataclass(frozen=True)
class Document:
    """What a file, or a folder of files, says.

    Args:
        path: where it is.
        kind: "toml", "xml", "storage" (OpenCV's FileStorage, YAML or XML), "pickle", "text" or "folder".
        data: the tables of a TOML file, the named values of a storage or pickle (matrices as arrays); else
            empty.
        root: the root element of an XML file; else None.
        text: the text of a text file; else empty.
        members: what is in a folder, in order of the names, numbers as numbers; else empty.
    """

    path: Path
    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    root: ElementTree.Element | None = None
    text: str = ""
    members: tuple[Document, ...] = ()


def open_document(path: Path) -> Document:
    """Read and parse a calibration file, or those in a folder.

    Args:
        path: a file or a folder.

    Raises:
        FileError: it is missing, too large, not text, or no well-formed TOML, XML, FileStorage or pickle.
    """
    if path.is_dir():
        return Document(path, "folder", members=_members(path))
    raw = _bytes(path)
    if re.match(rb"\x80[\x02-\x05]", raw):
        return Document(path, "pickle", pickled.read_pickle(path, raw))
    text = _text(path, raw)
    if path.name.lower() in _TEXTS:
        return Document(path, "text", text=text)
    if text.startswith("<"):
        return _xml(path, text)
    if storage.is_yaml(text):
        return Document(path, "storage", storage.from_yaml(path, text))
    return Document(path, "toml", _toml(path, text))


def _members(folder: Path) -> tuple[Document, ...]:
    """What is meant to be a calibration; other files are passed over, damaged ones not."""
    try:
        inside = sorted((p for p in folder.iterdir() if p.is_file()), key=_natural)
        nested = sorted(folder.glob(f"*/{_OPENCAP}"), key=_natural)
    except OSError as error:
        raise FileError(f"{folder}: cannot be read: {error.strerror}") from None
    named = [p for p in inside if p.name.lower() in _TEXTS]
    storages = [p for p in inside if p.suffix.lower() in _STORAGES and _is_storage(p)]
    pickles = [p for p in inside if p.suffix.lower() in _PICKLES]
    return tuple(open_document(p) for p in (named + storages or nested or pickles))


def _is_storage(path: Path) -> bool:
    text = _text(path, _bytes(path))
    return text.startswith("<") or storage.is_yaml(text)


def _natural(path: Path) -> list[tuple[int, str]]:
    """Orders Cam2 before Cam10."""
    return [(int(n), word) if n else (-1, word) for n, word in re.findall(r"(\d*)(\D*)", str(path))]


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise FileError(f"{path}: there is no such calibration file; give the path of one")
    try:
        if path.stat().st_size > _LARGEST:
            raise FileError(
                f"{path}: larger than {_LARGEST >> 20} MB, so no calibration; give the right file"
            )
        return path.read_bytes()
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from None


def _text(path: Path, raw: bytes) -> str:
    """UTF-8, or UTF-16 as Motive writes it."""
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    narrow = "utf-16-le" if raw[:2] == b"<\x00" else "utf-8-sig"
    try:
        text = raw.decode("utf-16" if wide else narrow)
    except UnicodeDecodeError:
        advice = _INSTEAD.get(path.suffix.lower(), "so no calibration that is known here")
        raise FileError(f"{path}: not a text file; {advice}") from None
    return re.sub("\r\n?", "\n", text).lstrip()


def _toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(
            f"{path}: neither TOML ({_line(error)}) nor XML nor OpenCV FileStorage; give a calibration file"
        ) from None


class _NoDoctype(ElementTree.TreeBuilder):
    """Refuses document types, and with them every entity, before any is expanded."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        raise ElementTree.ParseError("it has a DOCTYPE, which is not read for safety")


def _xml(path: Path, text: str) -> Document:
    try:
        root = ElementTree.fromstring(
            _without_encoding(text), parser=ElementTree.XMLParser(target=_NoDoctype())
        )
    except ElementTree.ParseError as error:
        raise FileError(f"{path}: no XML that can be read: {_line(error)}; export it again") from None
    if root.tag == "opencv_storage":
        return Document(path, "storage", storage.from_xml(path, root))
    return Document(path, "xml", root=root)


def _without_encoding(text: str) -> str:
    """The text has been decoded already, whatever its declaration says."""
    return re.sub(r"^<\?xml[^>]*\?>", "", text, count=1)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
