"""The animations of an FBX file, and what each of them moves."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from rigs.formats.fbx.curves import FARTHEST, Curve, curve_of
from rigs.formats.fbx.graph import Graph, integer, name_of, number, properties
from rigs.formats.fbx.records import Damage, Packed, Record

log = logging.getLogger(__name__)

Moved: TypeAlias = "tuple[int, str]"  # a model's id, and which of its properties
Axis: TypeAlias = "Curve | float | None"  # a curve, a number that holds, or what the model itself says
Curves: TypeAlias = "Mapping[Moved, list[Axis]]"  # of X, Y and Z

_ANIMATED = ("Lcl Translation", "Lcl Rotation", "Lcl Scaling")
_MOST_KEYS = 1_000_000  # and two more for each byte of the file: curves of one value take half a byte a key


@dataclass(frozen=True, eq=False)
class Animation:
    """An animation by its name.

    span: its first and last tick; movers: the id of the curve node of what it moves; moved: ids of models
    that it has curves for.
    """

    name: str
    span: tuple[int, int]
    movers: dict[Moved, int] = field(default_factory=dict)
    moved: set[int] = field(default_factory=set)


def animations_of(top: Record, graph: Graph) -> list[Animation]:
    """Return all animations, the one first that the document names as active.

    Where layers lie one over another, the lowest that has curves for a property counts.
    """
    stacks, layers = graph.ids("AnimationStack"), graph.ids("AnimationLayer")
    rank: dict[int, tuple[int, int]] = {}  # of layers: their stack and their place in it
    for child, parent, _ in graph.links:
        if child in layers and parent in stacks:
            rank.setdefault(child, (parent, len(rank)))
    about = {key: properties(record) for key, record in graph.records.items() if key in stacks}
    found = {
        key: Animation(name_of(graph.records[key]), (integer(p, "LocalStart"), integer(p, "LocalStop")))
        for key, p in about.items()
    }
    for (stack, model, name), mover in _lowest(graph, rank).items():
        found[stack].movers[model, name] = mover
        if mover in graph.channels:
            found[stack].moved.add(model)
    documents = top.first("Documents")
    document = documents.first("Document") if documents else None
    active = properties(document).get("ActiveAnimStackName", [])[:1]
    return sorted(found.values(), key=lambda animation: [animation.name] != active)


def _lowest(graph: Graph, rank: dict[int, tuple[int, int]]) -> dict[tuple[int, int, str], int]:
    """Return the curve node that counts for a stack's id, a model's id and a property."""
    models, nodes = graph.ids("Model"), graph.ids("AnimationCurveNode")
    rank_of = {child: rank[parent] for child, parent, _ in graph.links if parent in rank and child in nodes}
    found: dict[tuple[int, int, str], list[tuple[bool, int, int]]] = defaultdict(list)
    for child, parent, name in graph.links:
        if parent in models and name in _ANIMATED and child in rank_of:
            stack, place = rank_of[child]
            found[stack, parent, name].append((child not in graph.channels, place, child))
    if any(sum(not bare for bare, _, _ in movers) > 1 for movers in found.values()):
        log.warning("layers of the animation lie one over another; the lowest is read")
    return {key: min(movers)[-1] for key, movers in found.items()}


def curves_of(graph: Graph, animation: Animation, models: set[int], size: int) -> Curves:
    """Return the curves by which an animation moves models; size is the file's in bytes.

    Raises:
        Damage: a curve makes no sense, or there are more keys than a file of that size can hold.
    """
    moved = {(model, name) for model in models for name in _ANIMATED} & animation.movers.keys()
    wanted = {key: animation.movers[key] for key in moved}
    curves = [curve for mover in wanted.values() for curve in graph.channels.get(mover, {}).values()]
    keys = sum(_keys(graph.records[curve]) for curve in curves)
    if keys > _MOST_KEYS + 2 * size:
        raise Damage(f"it has {keys} keys, more than a file of its size can hold")
    return {key: [_axis(graph, mover, axis) for axis in "XYZ"] for key, mover in wanted.items()}


def _axis(graph: Graph, mover: int, axis: str) -> Axis:
    key = graph.channels.get(mover, {}).get(axis)
    curve = curve_of(graph.records[key]) if key is not None else None
    if curve is not None:
        return curve
    held = number(properties(graph.records[mover]), f"d|{axis}", None)
    if held is not None and not abs(held) < FARTHEST:
        raise Damage(f"a curve node has the value {held} instead of a finite number")
    return held


def _keys(record: Record) -> int:
    times = record.first("KeyTime")
    return times.values[0].count if times and times.values and isinstance(times.values[0], Packed) else 0
