"""What a joint's name says: part, side, number. The words are data (`definitions/vocabulary.yaml`)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from rigs.data import load_data

_NAMESPACE = re.compile(r"^.*[:|]")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_BEGINNING = re.compile(r"^[A-Za-z0-9]+[_ .-]")
_MOST = 0.6  # of all joints: what so many names begin with is no part of them
_SIDE_PREFIX = re.compile(r"J_(?:Bip|Sec)_([CLR])_")


@dataclass(frozen=True)
class Label:
    """A name understood.

    stem: its words but for the side, in small letters; kinds: what it may be, keys of the vocabulary's
    `kinds`; side: "Left", "Right" or ""; finger: "Thumb" and so on, "#" for a finger told by its number only,
    or ""; numbers: those in the name, in order, as written; twisting, following, other: see the vocabulary;
    metacarpal: within the palm.
    """

    stem: str = ""
    kinds: frozenset[str] = frozenset()
    side: str = ""
    finger: str = ""
    numbers: tuple[str, ...] = ()
    twisting: bool = False
    following: bool = False
    other: bool = False
    metacarpal: bool = False

    def may(self, kind: str) -> bool:
        """Whether it may be of a kind, and is no helper."""
        return kind in self.kinds and not (self.other or self.twisting or self.following)


def read_names(names: Sequence[str]) -> list[Label]:
    """Return what the names of a skeleton's joints say; a beginning that most of them share says nothing."""
    words = _Words()
    starts = Counter(found[0] for name in names if (found := _BEGINNING.match(words.bare(name))))
    for start, count in starts.most_common(1):
        if count > _MOST * len(names) and not words.side([start[:-1].lower()])[0]:
            return [read_name(name, start) for name in names]
    return [read_name(name) for name in names]


def read_name(name: str, beginning: str = "") -> Label:
    """Return what a joint's name says; a beginning of it that says nothing may be given."""
    words = _Words()
    side_letter = _SIDE_PREFIX.match(_NAMESPACE.sub("", name))
    bare = words.bare(name).removeprefix(beginning) or name
    parts = [part.lower() for part in _WORD.findall(bare)]
    side, parts = words.side(parts)
    if not side and side_letter:
        side = {"L": "Left", "R": "Right"}.get(side_letter[1], "")
    plain = [part for part in parts if not part.isdigit()]
    whole = "".join(plain)
    plain = [part for part in plain if part not in words.all["empty"]] or plain
    numbers = tuple(part for part in parts if part.isdigit())
    stem = "".join(plain)
    kinds = words.kinds(stem)
    if not side and not kinds and stem[:1] in ("l", "r") and words.known(stem[1:]):  # lfemur, rhand, lthumb
        side, stem = {"l": "Left", "r": "Right"}[stem[0]], stem[1:]
        plain, kinds = [stem], words.kinds(stem)
    finger = words.finger(plain, stem)
    return Label(
        stem,
        kinds,
        side,
        finger,
        numbers,
        words.any("twisting", plain, stem),
        words.any("following", plain, stem),
        words.any("others", plain, whole) or words.helper(name),
        words.any("metacarpal", plain, stem),
    )


@lru_cache
def vocabulary() -> dict[str, Any]:
    """Return the words, by their use."""
    words: dict[str, Any] = load_data("vocabulary")
    return words


class _Words:
    """The vocabulary, asked."""

    def __init__(self) -> None:
        self.all = vocabulary()

    def bare(self, name: str) -> str:
        """A name without what stands before it in any skeleton of its kind."""
        name = _NAMESPACE.sub("", name)
        for prefix in self.all["prefixes"]:
            rest = re.sub(f"^(?:{prefix})", "", name)
            name = rest or name
        return name

    def helper(self, name: str) -> bool:
        return any(re.search(pattern, name) for pattern in self.all["helpers"])

    def side(self, parts: list[str]) -> tuple[str, list[str]]:
        """The side that words tell, and the other words."""
        for side in ("left", "right"):
            for word in self.all["sides"][side]:
                if word in parts:
                    at = parts.index(word)
                    return side.capitalize(), parts[:at] + parts[at + 1 :]
        return "", parts

    def kinds(self, stem: str) -> frozenset[str]:
        return frozenset(kind for kind, stems in self.all["kinds"].items() if stem in stems)

    def known(self, stem: str) -> bool:
        return bool(
            self.kinds(stem) or self.finger([stem], stem) or stem in ("fingers", "hipjoint", "buttock")
        )

    def finger(self, plain: list[str], stem: str) -> str:
        for finger, names in self.all["fingers"].items():
            if stem in names or any(word in names for word in plain):
                return str(finger)
        return "#" if "finger" in plain else ""

    def any(self, use: str, plain: list[str], stem: str) -> bool:
        words = self.all[use]
        return stem in words or any(word in words for word in plain)
