"""The animations of an FBX file, and what each of them moves."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from rigs.formats.fbx_curves import Curve, curve_of
from rigs.formats.fbx_graph import Graph, integer, name_of, properties
from rigs.formats.fbx_records import Damage, Packed, Record

log = logging.getLogger(__name__)

Moved: TypeAlias = "tuple[int, str]"  # a model's id, and which of its properties
Curves: TypeAlias = "Mapping[Moved, list[Curve | None]]"  # of X, Y and Z

_ANIMATED = ("Lcl Translation", "Lcl Rotation", "Lcl Scaling")
_MOST_KEYS = (
    5_000_000  # and two more for each byte of the file: curves of one value take over half a byte a key
)


@dataclass(frozen=True, eq=False)
class Animation:
    """name; first and last tick of its span; and the ids of the curves of X, Y and Z of what it moves."""

    name: str
    span: tuple[int, int]
    curves: dict[Moved, list[int | None]] = field(default_factory=dict)

    def moves(self, models: Iterable[int]) -> bool:
        """Return whether it moves one of the models."""
        return any((model, name) in self.curves for model in models for name in _ANIMATED)


def animations_of(top: Record, graph: Graph) -> list[Animation]:
    """Return all animations, the one first that the document names as active.

    Where layers lie one over another, the lowest that moves a property counts.
    """
    stacks, layers = graph.ids("AnimationStack"), graph.ids("AnimationLayer")
    rank: dict[int, tuple[int, int]] = {}  # of layers, by their stack and their place in it
    for child, parent, _ in graph.links:
        if child in layers and parent in stacks:
            rank.setdefault(child, (parent, len(rank)))
    about = {key: properties(record) for key, record in graph.records.items() if key in stacks}
    found = {
        key: Animation(name_of(graph.records[key]), (integer(p, "LocalStart"), integer(p, "LocalStop")))
        for key, p in about.items()
    }
    for (stack, model, name), curves in _lowest(graph, rank).items():
        found[stack].curves[model, name] = curves
    documents = top.first("Documents")
    document = documents.first("Document") if documents else None
    active = properties(document).get("ActiveAnimStackName", [])[:1]
    return sorted(found.values(), key=lambda animation: [animation.name] != active)


def _lowest(graph: Graph, rank: dict[int, tuple[int, int]]) -> dict[tuple[int, int, str], list[int | None]]:
    """Return the curves of a stack's id, a model's id and a property."""
    models, curves = graph.ids("Model"), graph.ids("AnimationCurve")
    rank_of = {child: rank[parent] for child, parent, _ in graph.links if parent in rank}
    axes: dict[int, dict[str, int]] = defaultdict(dict)
    movers: dict[tuple[int, int, str], list[tuple[int, int]]] = defaultdict(list)
    for child, parent, name in graph.links:
        if child in curves and name[:2] == "d|":
            axes[parent].setdefault(name[2:], child)
        elif parent in models and name in _ANIMATED and child in rank_of:
            stack, place = rank_of[child]
            movers[stack, parent, name].append((place, child))
    moving = {key: sorted(m for m in found if m[1] in axes) for key, found in movers.items()}
    if any(len(found) > 1 for found in moving.values()):
        log.warning("layers of the animation lie one over another; the lowest is read")
    return {key: [axes[found[0][1]].get(axis) for axis in "XYZ"] for key, found in moving.items() if found}


def curves_of(graph: Graph, animation: Animation, models: set[int], size: int) -> Curves:
    """Return the curves by which an animation moves models; size is the file's in bytes.

    Raises:
        Damage: a curve makes no sense, or there are more keys than a file of that size can hold.
    """
    wanted = {moved: three for moved, three in animation.curves.items() if moved[0] in models}
    keys = sum(
        _keys(graph.records[curve]) for three in wanted.values() for curve in three if curve is not None
    )
    if keys > _MOST_KEYS + 2 * size:
        raise Damage(f"it has {keys} keys, more than a file of its size can hold")
    return {
        moved: [None if curve is None else curve_of(graph.records[curve]) for curve in three]
        for moved, three in wanted.items()
    }


def _keys(record: Record) -> int:
    times = record.first("KeyTime")
    return times.values[0].count if times and times.values and isinstance(times.values[0], Packed) else 0
