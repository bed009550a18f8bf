"""FBX as text: the same records as in the binary form.

; a comment
Model: 17, "Model::Hips", "LimbNode" {
    Version: 232
    KeyTime: *2 {
        a: 0,1924423250
    }
}
"""

from __future__ import annotations

import re

import numpy as np

from rigs.formats.fbx.records import Damage, Packed, Record, Value

_TOKEN = re.compile(
    r"""\s*(?:;[^\n]*\n\s*)*(?:
        (?P<string>"[^"]*") | (?P<open>\{) | (?P<close>\}) | (?P<comma>,)
        | (?P<name>[A-Za-z_][A-Za-z0-9_|\-]*):(?!:) | \*(?P<count>[0-9]{1,12}) | (?P<word>[^\s,{}";]+)
    )""",
    re.VERBOSE,
)
_VERSION = re.compile(r"FBXVersion:\s*([0-9]{1,9})")
_END = re.compile(r"\s*(?:;[^\n]*(?:\n\s*|$))*")
_DEEPEST = 64  # records inside records; real files have about ten
_ESCAPES = {"&quot;": '"', "&cr;": "\r", "&lf;": "\n"}


def parse(text: str) -> Record:
    """Return of a text file a record without a name that holds its records.

    Raises:
        Damage: the text is not what FBX consists of.
    """
    found = _VERSION.search(text)
    if found is None:
        raise Damage("it has no FBXVersion")
    version = int(found[1])
    if not 7000 <= version < 8000:
        raise Damage(f"its version is {version}, and only 7000 to 7999 are read")
    return _Parser(text).file()


class _Parser:
    """Takes one token after another; knows which records are open."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.open: list[Record] = [Record("")]
        self.last: Record | None = None  # takes values, until a brace opens it

    def file(self) -> Record:
        end = len(self.text)
        while self.at < end:
            found = _TOKEN.match(self.text, self.at)
            if found is None or found.lastgroup is None:
                if _END.fullmatch(self.text, self.at):
                    break
                raise Damage(f"line {self.line} has {self.text[self.at : self.at + 20].strip()!r}")
            self.at = found.end()
            self.take(found.lastgroup, found[found.lastgroup])
        if len(self.open) > 1:
            raise Damage(f"record {self.open[-1].name!r} is not closed by a brace; the file is cut off")
        return self.open[0]

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def take(self, kind: str, token: str) -> None:
        if kind == "name":
            self.last = Record(token)
            self.open[-1].below.append(self.last)
        elif kind == "open":
            if self.last is None:
                raise Damage(f"line {self.line} opens a brace without a name")
            self.open.append(self.last)
            self.last = None
            if len(self.open) > _DEEPEST:
                raise Damage(f"records lie more than {_DEEPEST} deep at line {self.line}")
        elif kind == "close":
            if len(self.open) == 1:
                raise Damage(f"line {self.line} closes a brace that is not open")
            self.open.pop()
            self.last = None
        elif kind == "count":
            self.array(int(token))
        elif kind != "comma":
            self.value(_string(token) if kind == "string" else _number(token))

    def value(self, value: Value) -> None:
        if self.last is None:
            raise Damage(f"line {self.line} has the value {value!r} without a name")
        self.last.values.append(value)

    def array(self, count: int) -> None:
        """Read ``{ a: 1,2,3 }``, what follows the count of an array's numbers."""
        start, end = self.text.find("a:", self.at), self.text.find("}", self.at)
        if end < 0 or start < 0 or start > end or self.text[self.at : start].strip() != "{":
            raise Damage(f"line {self.line} promises {count} numbers, and none follow")
        words = self.text[start + 2 : end].replace(",", " ").split()
        if len(words) != count:
            raise Damage(f"line {self.line} promises {count} numbers, and {len(words)} follow")
        try:
            numbers = np.array(words, np.int64 if all(map(_is_integer, words)) else np.float64)
        except (ValueError, OverflowError) as error:
            raise Damage(f"line {self.line} has an array of something else than numbers") from error
        self.at = end + 1
        self.value(Packed(numbers.dtype.str, count, numbers.tobytes(), deflated=False))
        self.last = None


def _string(token: str) -> str:
    text = token[1:-1]
    for escape, character in _ESCAPES.items():
        text = text.replace(escape, character)
    return text


def _is_integer(word: str) -> bool:
    return word.lstrip("-").isdigit()


def _number(word: str) -> Value:
    """Return a number, or the word itself, such as Y."""
    if _is_integer(word) and len(word) < 20:
        return int(word)
    try:
        return float(word)
    except ValueError:
        return word
