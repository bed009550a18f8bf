"""Map files of `mocap rigs map`, whose lines are a part and a joint, for a Python without YAML."""

from __future__ import annotations

import json
import re
from pathlib import Path

from rigs.errors import FormatError

_LINE = re.compile(r"""(\w+)\s*:\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s"'#\[{&*!|>][^#]*?|)\s*(?:\s#.*)?""")


def read_map_lines(path: Path) -> dict[str, str]:
    """Return our names of joints to a character's own, "" for a part that it has not.

    Raises:
        FormatError: the file cannot be read, or a line is no part and joint; one line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(f"cannot read {path}: {error}; give a map file, text in UTF-8") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or match[1] in found:
            raise FormatError(f"{path}, line {number}: {line[:60]!r}; write a part once, as `LeftArm: arm_l`")
        if match[2]:  # a part without a joint is found by itself
            found[match[1]] = _unquoted(path, number, match[2])
    return found


def _unquoted(path: Path, number: int, text: str) -> str:
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if text[0] != '"':
        return text
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise FormatError(f"{path}, line {number}: {text[:60]} is no text; check the backslashes") from error
