"""The HIERARCHY of a BVH file: from lines of text to names, parents, offsets and channels."""

import logging
import re
from dataclasses import dataclass, field
from typing import NoReturn

import numpy as np

from rigs.errors import FormatError
from rigs.quat import FloatArray

log = logging.getLogger(__name__)

_PIECE = re.compile(r"[{}]|[^{}]+")
_CHANNEL = re.compile(r"[xyz](position|rotation)", re.IGNORECASE)
_END = -1  # on the stack: inside an End Site
_LARGEST = 1e9  # no number of a motion file is as large, in any unit


def in_range(values: FloatArray) -> bool:
    """Whether all values (...) are numbers that a motion can have."""
    return bool((np.abs(values) < _LARGEST).all())


@dataclass
class Tree:
    """Joints in the order of the file, which is depth-first; lengths in the file's unit.

    Attributes:
        names: J names, all different.
        parents: J indices, -1 for the root.
        offsets: J times (3,), each joint's OFFSET.
        tips: joint index to (3,), the OFFSET of its End Site.
        channels: J tuples of channels such as "Xposition", "Zrotation", in file order.
        lines: J line numbers, where each joint begins.
        end: number of the line that says MOTION.
    """

    names: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    offsets: list[FloatArray | None] = field(default_factory=list)
    tips: dict[int, FloatArray] = field(default_factory=dict)
    channels: list[tuple[str, ...]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    end: int = 0

    @property
    def width(self) -> int:
        """Numbers in a row of the MOTION block."""
        return sum(map(len, self.channels))

    def column_name(self, column: int) -> str:
        """Return what a column of the MOTION block holds, in words."""
        columns = [f"{c} of joint {n!r}" for n, cs in zip(self.names, self.channels, strict=True) for c in cs]
        return columns[column]


def read_tree(path: object, lines: list[str]) -> Tree:
    """Read the hierarchy from the top of the file to the line MOTION.

    Args:
        path: the file's name, for messages.
        lines: the file's lines.

    Raises:
        FormatError: naming the line, what was found there and what to write instead.
    """
    parser = _Parser(path)
    for number, line in enumerate(lines, start=1):
        for piece in _PIECE.findall(line):
            if words := piece.split():
                parser.take(number, words)
        if parser.tree.end:
            return parser.tree
    raise FormatError(
        f"{path}, line {len(lines)}: the file ends before a line MOTION; it is cut off or not BVH"
    )


class _Parser:
    """Takes one statement at a time; knows which braces are open."""

    def __init__(self, path: object) -> None:
        self.path, self.tree, self.number = path, Tree(), 0
        self.open: list[int] = []  # joints whose braces are open, innermost last
        self.announced: int | None = None  # joint named but its brace not yet open
        self.begun = False

    def fail(self, message: str) -> NoReturn:
        raise FormatError(f"{self.path}, line {self.number}: {message}")

    def take(self, number: int, words: list[str]) -> None:
        self.number = number
        keyword = words[0].lower()
        if not self.begun and keyword != "hierarchy":
            self.fail(
                f"a BVH file begins with HIERARCHY, here is {' '.join(words)[:40]!r}; is it another format?"
            )
        self.begun = True
        if self.announced is not None and keyword != "{":
            self.fail(
                f"expected '{{' after a joint's name, found {' '.join(words)[:40]!r}; put the brace there"
            )
        take = {
            "hierarchy": lambda words: None, "root": self.root, "joint": self.joint, "end": self.end_site,
            "endsite": self.end_site, "offset": self.offset, "channels": self.channels, "{": self.brace,
            "}": self.unbrace, "motion": self.motion,
        }.get(keyword)  # fmt: skip
        if take is None:
            self.fail(f"unknown keyword {words[0]!r}; expected JOINT, End Site, OFFSET, CHANNELS or MOTION")
        take(words)

    def root(self, words: list[str]) -> None:
        if self.tree.names:
            self.fail(f"a second ROOT {' '.join(words[1:])!r}; keep one skeleton in a file")
        self.add(words, parent=-1)

    def joint(self, words: list[str]) -> None:
        if not self.open or self.open[-1] == _END:
            self.fail(
                f"JOINT {' '.join(words[1:])!r} is not inside a joint's braces; check the braces above it"
            )
        self.add(words, parent=self.open[-1])

    def add(self, words: list[str], parent: int) -> None:
        tree = self.tree
        name = " ".join(words[1:]) or f"joint{len(tree.names)}"
        unique, copy = name, 2
        while unique in tree.names:
            unique, copy = f"{name}_{copy}", copy + 1
        if unique != name:
            log.warning(
                "%s, line %d: a second joint named %r, read as %r", self.path, self.number, name, unique
            )
        self.announced = len(tree.names)
        tree.names.append(unique)
        tree.parents.append(parent)
        tree.offsets.append(None)
        tree.channels.append(())
        tree.lines.append(self.number)

    def end_site(self, words: list[str]) -> None:
        if not self.open or self.open[-1] == _END:
            self.fail("End Site is not inside a joint's braces; check the braces above it")
        self.announced = _END

    def brace(self, words: list[str]) -> None:
        if self.announced is None:
            self.fail("'{' without a ROOT, JOINT or End Site before it; remove it or name the joint")
        self.open.append(self.announced)
        self.announced = None

    def unbrace(self, words: list[str]) -> None:
        if not self.open:
            self.fail("'}' closes nothing; remove it")
        joint = self.open.pop()
        if joint != _END and self.tree.offsets[joint] is None:
            self.number = self.tree.lines[joint]
            self.fail(f"joint {self.tree.names[joint]!r} has no OFFSET; add one, such as OFFSET 0 10 0")

    def offset(self, words: list[str]) -> None:
        if not self.open:
            self.fail("OFFSET is not inside a joint's braces; check the braces above it")
        vector = self.vector(words[1:])
        if self.open[-1] == _END:
            self.tree.tips.setdefault(self.open[-2], vector)
        else:
            self.tree.offsets[self.open[-1]] = vector

    def vector(self, words: list[str]) -> FloatArray:
        try:
            values = np.array([float(word) for word in words])
        except ValueError:
            values = np.empty(0)
        if values.shape != (3,) or not in_range(values):
            self.fail(f"OFFSET is {' '.join(words)!r}; give three numbers with decimal points")
        return values

    def channels(self, words: list[str]) -> None:
        if not self.open or self.open[-1] == _END:
            self.fail("CHANNELS is not inside a joint's braces; check the braces above it")
        names = words[2:]
        if len(words) < 2 or words[1] != str(len(names)):
            self.fail(f"CHANNELS says {' '.join(words[1:2])!r} but names {len(names)}; make the two agree")
        for name in names:
            if not _CHANNEL.fullmatch(name):
                self.fail(f"unknown channel {name!r}; a channel is X, Y or Z with position or rotation")
        self.tree.channels[self.open[-1]] = tuple(name.capitalize() for name in names)

    def motion(self, words: list[str]) -> None:
        if self.open:
            names = ["End Site" if joint == _END else self.tree.names[joint] for joint in self.open]
            self.fail(f"MOTION begins but {names[-1]!r} is still open; {len(names)} '}}' are missing above")
        if not self.tree.names:
            self.fail("MOTION begins but there is no ROOT above; the file holds no skeleton")
        self.tree.end = self.number
