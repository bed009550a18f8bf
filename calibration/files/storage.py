"""OpenCV's FileStorage as text: YAML 1.0 and XML, both ways, without OpenCV.

A storage is named values: matrices (`!!opencv-matrix` or `type_id="opencv-matrix"`), numbers, strings and
lists of strings. Numbers are written with all their digits.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import numpy as np

from calibration.errors import FileError

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")  # what OpenCV takes as a key

Value = np.ndarray | int | str | Sequence[str]


def is_yaml(text: str) -> bool:
    """Whether a text is a FileStorage in YAML.

    Args:
        text: of a file.
    """
    return text.startswith("%YAML") or "!!opencv-matrix" in text


def from_yaml(path: Path, text: str) -> dict[str, Any]:
    """Read OpenCV's YAML 1.0: PyYAML's safe loader reads it without its first line.

    Args:
        path: the file, for messages.
        text: what it says.

    Returns:
        The named values; matrices as arrays.

    Raises:
        FileError: it cannot be read.
    """
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
        said = " ".join(str(error).split())
        raise FileError(f"{path}: no OpenCV FileStorage that can be read: {said}") from None
    if not isinstance(data, dict):
        raise FileError(f"{path}: an OpenCV FileStorage without named values; give a calibration file")
    return {str(key): value for key, value in data.items()}


def from_xml(path: Path, root: ElementTree.Element) -> dict[str, Any]:
    """Read OpenCV's XML.

    Args:
        path: the file, for messages.
        root: its element `opencv_storage`.

    Returns:
        The named values; matrices as arrays.

    Raises:
        FileError: a matrix that is none.
    """
    return {child.tag: _xml_value(path, child) for child in root}


def to_yaml(values: Mapping[str, Value]) -> str:
    """Write a FileStorage in YAML.

    Args:
        values: matrices (n, m), whole numbers, strings or lists of strings by key.
    """
    return "%YAML:1.0\n---\n" + "".join(_yaml_value(key, value) for key, value in values.items())


def to_xml(values: Mapping[str, Value]) -> str:
    """Write a FileStorage in XML.

    Args:
        values: matrices (n, m), whole numbers or strings by key.
    """
    body = "".join(_xml_text(key, value) for key, value in values.items())
    return f'<?xml version="1.0"?>\n<opencv_storage>\n{body}</opencv_storage>\n'


def _yaml_value(key: str, value: Value) -> str:
    if isinstance(value, np.ndarray):
        rows, cols = value.shape
        data = ", ".join(repr(float(x)) for x in value.ravel())
        head = f"{key}: !!opencv-matrix\n   rows: {rows}\n   cols: {cols}\n   dt: d\n"
        return f"{head}   data: [ {data} ]\n"
    if isinstance(value, int):
        return f"{key}: {value}\n"
    if isinstance(value, str):
        return f"{key}: {json.dumps(value, ensure_ascii=False)}\n"
    return f"{key}:\n" + "".join(f"   - {json.dumps(item, ensure_ascii=False)}\n" for item in value)


def _xml_text(key: str, value: Value) -> str:
    if isinstance(value, np.ndarray):
        rows, cols = value.shape
        data = " ".join(repr(float(x)) for x in value.ravel())
        head = f"<rows>{rows}</rows>\n  <cols>{cols}</cols>\n  <dt>d</dt>"
        return f'<{key} type_id="opencv-matrix">\n  {head}\n  <data>{data}</data></{key}>\n'
    text = str(value) if isinstance(value, int) else f'"{escape(str(value))}"'
    return f"<{key}>{text}</{key}>\n"


def _xml_value(path: Path, node: ElementTree.Element) -> Any:
    if node.get("type_id") == "opencv-matrix":
        fields = {child.tag: (child.text or "") for child in node}
        return _matrix(path, node.tag, {**fields, "data": fields.get("data", "").split()})
    if len(node):
        return [(child.text or "").strip() for child in node]
    text = (node.text or "").strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else " ".join(text.split())


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
