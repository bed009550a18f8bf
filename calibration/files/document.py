"""A file's text, parsed once and safely, before anyone asks which program wrote it."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from calibration.errors import FileError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_LARGEST = 16 * 2**20  # bytes; a calibration is a few kilobytes
_SUFFIXES = (".yml", ".yaml", ".xml")


@dataclass(frozen=True)
class Document:
    """What a file, or a folder of files, says.

    Args:
        path: where it is.
        kind: "toml", "xml", "storage" (OpenCV's FileStorage, YAML or XML) or "folder".
        data: the tables of a TOML file, the named values of a storage (matrices as arrays); else empty.
        root: the root element of an XML file; else None.
        members: the storages of a folder, in order of their names; else empty.
    """

    path: Path
    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    root: ElementTree.Element | None = None
    members: tuple[Document, ...] = ()


def open_document(path: Path) -> Document:
    """Read and parse a calibration file, or the storages in a folder.

    Args:
        path: a file or a folder.

    Raises:
        FileError: it is missing, too large, not text, or no well-formed TOML, XML or FileStorage.
    """
    if path.is_dir():
        return Document(path, "folder", members=_members(path))
    text = _text(path)
    if text.startswith("<"):
        return _xml(path, text)
    if _is_yaml_storage(text):
        return Document(path, "storage", _yaml(path, text))
    return Document(path, "toml", _toml(path, text))


def _members(folder: Path) -> tuple[Document, ...]:
    """The storages in a folder; files that were never meant to be one are passed over, damaged ones not."""
    try:
        inside = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES and p.is_file())
    except OSError as error:
        raise FileError(f"{folder}: cannot be read: {error.strerror}") from None
    texts = [(path, _text(path)) for path in inside]
    return tuple(open_document(p) for p, text in texts if text.startswith("<") or _is_yaml_storage(text))


def _is_yaml_storage(text: str) -> bool:
    return text.startswith("%YAML") or "!!opencv-matrix" in text


def _text(path: Path) -> str:
    if not path.is_file():
        raise FileError(f"{path}: there is no such calibration file; give the path of one")
    try:
        if path.stat().st_size > _LARGEST:
            raise FileError(
                f"{path}: larger than {_LARGEST >> 20} MB, so no calibration; give the right file"
            )
        return path.read_text(encoding="utf-8-sig").lstrip()
    except UnicodeDecodeError:
        raise FileError(f"{path}: not a text file, so no calibration that is known here") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from None


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
        return Document(path, "storage", {child.tag: _xml_value(path, child) for child in root})
    return Document(path, "xml", root=root)


def _without_encoding(text: str) -> str:
    """The text has been decoded already, whatever its declaration says."""
    return re.sub(r"^<\?xml[^>]*\?>", "", text, count=1)


def _xml_value(path: Path, node: ElementTree.Element) -> Any:
    if node.get("type_id") == "opencv-matrix":
        fields = {child.tag: (child.text or "") for child in node}
        return _matrix(path, node.tag, {**fields, "data": fields.get("data", "").split()})
    words = (node.text or "").split()
    if len(node):
        return [(child.text or "").strip() for child in node]
    return words[0].strip('"') if len(words) == 1 else " ".join(words)


def _yaml(path: Path, text: str) -> dict[str, Any]:
    """OpenCV's YAML 1.0: PyYAML's safe loader reads it without its first line."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Safe, and knows OpenCV's matrices."""

    def matrix(loader: yaml.SafeLoader, node: yaml.MappingNode) -> Any:
        return _matrix(path, f"line {node.start_mark.line + 1}", loader.construct_mapping(node, deep=True))

    Loader.add_constructor("tag:yaml.org,2002:opencv-matrix", matrix)
    body = re.sub(r"^%YAML[^\n]*", "", text, count=1)  # leaves the line break: line numbers stay true
    try:
        data = yaml.load(body, Loader)  # a subclass of SafeLoader
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise FileError(f"{path}: no OpenCV FileStorage that can be read: {_line(error)}") from None
    if not isinstance(data, dict):
        raise FileError(f"{path}: an OpenCV FileStorage without named values; give a calibration file")
    return {str(key): value for key, value in data.items()}


def _matrix(path: Path, where: str, fields: Mapping[Any, Any]) -> np.ndarray:
    try:
        shape = int(fields["rows"]), int(fields["cols"])
        return np.array([_number(x) for x in fields["data"]]).reshape(shape)
    except (KeyError, TypeError, ValueError):
        raise FileError(f"{path}: {where}: a matrix whose rows, cols and data do not fit together") from None


def _number(value: Any) -> float:
    """OpenCV writes .Nan and .Inf, and exponents without a point, which PyYAML leaves as text."""
    text = str(value).lower()
    return math.nan if text.endswith("nan") else float(text.replace(".inf", "inf"))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())
