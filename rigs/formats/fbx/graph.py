"""The objects of an FBX file by their ids, how they are connected, and their properties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from rigs.formats.fbx.records import Damage, Record, Value

Properties: TypeAlias = "dict[str, list[Value]]"
Default = TypeVar("Default")
Link: TypeAlias = "tuple[int, int, str]"


@dataclass(frozen=True, eq=False)
class Graph:
    """The objects of a file.

    records: by id; links: child, parent and, where a property of that is meant, its name; channels: the
    curves of curve nodes that have any, by axis.
    """

    records: dict[int, Record]
    links: list[Link]
    channels: dict[int, dict[str, int]]

    def ids(self, kind: str) -> set[int]:
        """Return the ids of all objects of a kind, such as Model."""
        return {key for key, record in self.records.items() if record.name == kind}


def graph_of(top: Record) -> Graph:
    """Return the objects and connections of a file's records.

    Raises:
        Damage: there are no objects.
    """
    objects = top.first("Objects")
    if objects is None:
        raise Damage("it has no Objects")
    records = {r.values[0]: r for r in objects.below if r.values and isinstance(r.values[0], int)}
    links = list(_links(top))
    channels: dict[int, dict[str, int]] = {}
    for child, parent, name in links:
        if name[:2] == "d|" and child in records and records[child].name == "AnimationCurve":
            channels.setdefault(parent, {}).setdefault(name[2:], child)
    return Graph(records, links, channels)


def _links(top: Record) -> Iterator[Link]:
    records = top.first("Connections")
    for record in records.all("C") if records else ():
        if len(record.values) >= 3 and record.values[0] in ("OO", "OP"):
            child, parent = record.values[1:3]
            if isinstance(child, int) and isinstance(parent, int):
                yield child, parent, text(record, 3) if record.values[0] == "OP" else ""


def text(record: Record, place: int) -> str:
    """Return one of a record's values that is a string, empty where there is none."""
    value = record.values[place] if len(record.values) > place else ""
    return value if isinstance(value, str) else ""


def name_of(record: Record) -> str:
    """Return the name of an object, without its class."""
    return text(record, 1).split("::", 1)[-1]


def properties(record: Record | None) -> Properties:
    """Return the Properties70 of a record: name to values."""
    table = record.first("Properties70") if record else None
    rows = [row.values for row in table.all("P")] if table else []
    return {row[0]: row[4:] for row in rows if len(row) >= 4 and isinstance(row[0], str)}


def number(table: Properties, name: str, default: Default) -> float | Default:
    """Return a property that is a number, or what stands for one that is not there."""
    values = table.get(name)
    return values[0] if values and isinstance(values[0], (int, float)) else default


def integer(table: Properties, name: str) -> int:
    """Return a property that is a whole number, 0 where there is none."""
    found = number(table, name, 0)
    return found if isinstance(found, int) else 0
