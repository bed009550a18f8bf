"""The animation of an FBX file: which of several is read, and what it moves."""

from __future__ import annotations

import logging
from collections import defaultdict

from rigs.formats.fbx_curves import Curve, curve_of
from rigs.formats.fbx_graph import Graph, name_of, properties
from rigs.formats.fbx_records import Damage, Packed, Record

log = logging.getLogger(__name__)

ANIMATED = ("Lcl Translation", "Lcl Rotation", "Lcl Scaling")


def chosen_stack(top: Record, graph: Graph) -> int | None:
    """Return the id of the animation that the document names as active, or of the first that has layers."""
    layers = graph.ids("AnimationLayer")
    layered = {parent for child, parent, _ in graph.links if child in layers}
    stacks = [key for key in graph.records if key in layered and graph.records[key].name == "AnimationStack"]
    documents = top.first("Documents")
    document = documents.first("Document") if documents else None
    active = properties(document).get("ActiveAnimStackName", [])[:1]
    chosen = [key for key in stacks if [name_of(graph.records[key])] == active] or stacks
    if len(stacks) > 1:
        log.warning("of %d animations %r is read", len(stacks), name_of(graph.records[chosen[0]]))
    return chosen[0] if chosen else None


def curves_of(graph: Graph, stack: int, most_keys: int) -> dict[tuple[int, str], list[Curve | None]]:
    """Return the curves of X, Y and Z of every model's id and property that an animation moves.

    Where layers lie one over another, the lowest that moves a property counts.

    Raises:
        Damage: a curve makes no sense, or all have more keys than so many.
    """
    layers, models, curves = (graph.ids(kind) for kind in ("AnimationLayer", "Model", "AnimationCurve"))
    rank: dict[int, int] = {}
    for child, parent, _ in graph.links:
        if parent == stack and child in layers:
            rank.setdefault(child, len(rank))
    rank_of = {child: rank[parent] for child, parent, _ in graph.links if parent in rank}
    axes: dict[int, dict[str, int]] = defaultdict(dict)
    movers: dict[tuple[int, str], list[tuple[int, int]]] = defaultdict(list)
    for child, parent, name in graph.links:
        if child in curves and name[:2] == "d|":
            axes[parent].setdefault(name[2:], child)
        elif parent in models and name in ANIMATED and child in rank_of:
            movers[parent, name].append((rank_of[child], child))
    moving = {key: sorted(m for m in found if m[1] in axes) for key, found in movers.items()}
    if any(len(found) > 1 for found in moving.values()):
        log.warning("layers of the animation lie one over another; the lowest is read")
    read = {key: [axes[found[0][1]].get(axis) for axis in "XYZ"] for key, found in moving.items() if found}
    keys = sum(_keys(graph.records[curve]) for three in read.values() for curve in three if curve is not None)
    if keys > most_keys:
        raise Damage(f"it has {keys} keys, more than a file of its size can hold")
    return {
        key: [None if c is None else curve_of(graph.records[c]) for c in three] for key, three in read.items()
    }


def _keys(record: Record) -> int:
    times = record.first("KeyTime")
    return times.values[0].count if times and times.values and isinstance(times.values[0], Packed) else 0
