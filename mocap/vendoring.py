"""Copies of our own modules that stand inside another package: found by what imports what, made relative."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

HOME = Path(__file__).parent.parent  # of the packages
PACKAGES = ("calibration", "rigs", "mocap")
VENDOR = "vendor"


def needed_by(sources: Iterable[str]) -> list[Path]:
    """Return our modules that sources import, and those that these import, in order; paths below HOME."""
    found: set[Path] = set()
    waiting = [path for source in sources for path in _imported(source)]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported((HOME / path).read_text(encoding="utf-8"))
    return sorted(found)


def relative(source: str, depth: int, vendor: str = "") -> str:
    """Return a module's text with its imports of our packages made relative.

    Args:
        source: the text; it imports our packages in the form `from package... import ...` only.
        depth: how many packages up from the module those of ours stand, 1 for beside it.
        vendor: the package in which they stand there, "" for none.

    Raises:
        ValueError: an import of another form.
    """
    lines = source.split("\n")
    above = "." * depth + (f"{vendor}." if vendor else "")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import) and any(_is_ours(alias.name) for alias in node.names):
            raise ValueError(f"line {node.lineno}: write `from package import module`")
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _is_ours(node.module or ""):
            line, start = lines[node.lineno - 1], node.col_offset + len("from ")
            lines[node.lineno - 1] = line[:start] + above + line[start:]
    return "\n".join(lines)


def vendored(sources: Iterable[str]) -> dict[str, bytes]:
    """Return the files of a package that holds copies of our modules which sources need, by path in it."""
    files = {}
    for path in needed_by(sources):
        text = (HOME / path).read_text(encoding="utf-8")
        files[path.as_posix()] = relative(text, len(path.parts)).encode()
    for path in sorted((HOME / "rigs" / "definitions").glob("*.yaml")):
        target = path.relative_to(HOME).with_suffix(".json")
        files[target.as_posix()] = _as_json(yaml.safe_load(path.read_text(encoding="utf-8")))
    return files


def _as_json(data: Mapping[str, Any]) -> bytes:
    """JSON of parsed YAML, which must be the same when read again."""
    text = json.dumps(data, indent=1, ensure_ascii=False)
    if json.loads(text) != data:
        raise ValueError("JSON does not hold these data: a key that is no text?")
    return f"{text}\n".encode()


def _imported(source: str) -> list[Path]:
    """Paths below HOME of our modules that a text imports, with the packages that these are in."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.level == 0 and _is_ours(node.module or ""):
            names += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
    found = []
    for name in names:
        parts = name.split(".")
        for count in range(1, len(parts) + 1):
            base = Path(*parts[:count])
            found += [p for p in (base.with_suffix(".py"), base / "__init__.py") if (HOME / p).is_file()]
    return found


def _is_ours(module: str) -> bool:
    return module.split(".")[0] in PACKAGES
