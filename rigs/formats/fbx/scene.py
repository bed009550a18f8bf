"""What the records of an FBX file say of a scene: nodes, how they hang together, and what moves them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from rigs.formats.fbx.animation import Animation, animations_of
from rigs.formats.fbx.curves import FARTHEST
from rigs.formats.fbx.graph import Graph, Properties, graph_of, integer, name_of, properties, text
from rigs.formats.fbx.records import Damage, Packed, Record, Value
from rigs.quat import FloatArray

LIMBS = ("LimbNode", "Limb", "Root")
_MOST_NODES = 50_000
_DEEPEST = 500


@dataclass(eq=False)
class Node:
    """A model: kind such as LimbNode, Null or Mesh; properties by name; no parent at the top of the scene."""

    id: int
    name: str
    kind: str
    properties: Properties
    parent: Node | None = None
    children: list[Node] = field(default_factory=list)

    def vector(self, name: str, default: float = 0.0) -> FloatArray:
        """Return a property of three numbers (3,).

        Raises:
            Damage: it is something else.
        """
        values = self.properties.get(name, [default] * 3)
        if len(values) != 3 or not all(isinstance(v, (int, float)) and abs(v) < FARTHEST for v in values):
            raise Damage(f"node {self.name!r} has {name} {values!r:.60} instead of three finite numbers")
        return np.array(values, float)

    def integer(self, name: str) -> int:
        """Return a property that is a whole number, 0 where there is none."""
        return integer(self.properties, name)

    def ancestors(self) -> Iterator[Node]:
        """Yield the nodes above, nearest first."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    def descendants(self) -> Iterator[Node]:
        """Yield the nodes below, depth first."""
        waiting = self.children[::-1]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children[::-1]


@dataclass(eq=False)
class Scene:
    """The tree of nodes, its settings, and what moves it.

    graph: what it was made of; settings: GlobalSettings by name; nodes: depth first; bound: nodes that carry
    a skin, each with that of the mesh; bind: world matrices (4, 4) of nodes in bind poses; animations: the
    active one first; size: the file's, in bytes.
    """

    graph: Graph
    settings: Properties
    nodes: list[Node]
    bound: dict[Node, Node | None]
    bind: dict[Node, FloatArray]
    animations: list[Animation]
    size: int


def read_scene(top: Record, size: int) -> Scene:
    """Return the scene of a file's records; size is the file's in bytes.

    Raises:
        Damage: what matters of it makes no sense.
    """
    graph, default = graph_of(top), _template(top)
    nodes = _tree(
        {
            key: Node(key, name_of(record), text(record, 2), {**default, **properties(record)})
            for key, record in graph.records.items()
            if record.name == "Model"
        },
        graph,
    )
    return Scene(
        graph=graph,
        settings=properties(top.first("GlobalSettings")),
        nodes=[*nodes.values()],
        bound=_bound(nodes, graph),
        bind=_bind_poses(nodes, graph),
        animations=animations_of(top, graph),
        size=size,
    )


def _template(top: Record) -> Properties:
    """Return what Definitions say that models have where they say nothing themselves."""
    definitions = top.first("Definitions")
    for kind in definitions.all("ObjectType") if definitions else ():
        if kind.values[:1] == ["Model"]:
            return properties(kind.first("PropertyTemplate"))
    return {}


def _tree(nodes: dict[int, Node], graph: Graph) -> dict[int, Node]:
    """Hang nodes below their parents, and return those that hang from the top by id, depth first.

    What hangs in a circle is not among them.
    """
    if len(nodes) > _MOST_NODES:
        raise Damage(f"it has {len(nodes)} nodes, and at most {_MOST_NODES} are read")
    top = Node(0, "", "", {})
    placed = set()
    for child, parent, name in graph.links:  # their order is that of children
        node = nodes.get(child)
        if node and not name and child not in placed and (parent in nodes or parent == 0):
            placed.add(child)
            node.parent = nodes.get(parent)
            (node.parent or top).children.append(node)
    top.children += [node for key, node in nodes.items() if key not in placed]
    ordered = list(top.descendants())
    depth: dict[Node | None, int] = {None: 0}
    for node in ordered:
        depth[node] = depth[node.parent] + 1
        if depth[node] > _DEEPEST:
            raise Damage(f"its nodes hang more than {_DEEPEST} deep from one another")
    return {node.id: node for node in ordered}


def _bound(nodes: dict[int, Node], graph: Graph) -> dict[Node, Node | None]:
    """Return the nodes that clusters of skins bind, each with the node of its mesh."""
    clusters = {key for key, record in graph.records.items() if text(record, 2) == "Cluster"}
    above = {child: parent for child, parent, name in graph.links if not name and child not in nodes}
    found: dict[Node, Node | None] = {}
    for child, parent, _ in graph.links:
        if parent in clusters and child in nodes:
            mesh = above.get(above.get(above.get(parent, 0), 0), 0)  # cluster, skin, geometry, node
            found.setdefault(nodes[child], nodes.get(mesh))
    return found


def _bind_poses(nodes: dict[int, Node], graph: Graph) -> dict[Node, FloatArray]:
    """Return world matrices (4, 4) of nodes in the file's bind poses, the first of each node."""
    found: dict[Node, FloatArray] = {}
    for record in graph.records.values():
        if record.name == "Pose" and text(record, 2) == "BindPose":
            for key, matrix in _pose_nodes(record.all("PoseNode")):
                regular = np.isfinite(matrix).all() and abs(np.linalg.det(matrix[:3, :3])) > 1e-12
                if isinstance(key, int) and key in nodes and regular:
                    found.setdefault(nodes[key], matrix)
    return found


def _pose_nodes(records: Iterable[Record]) -> Iterator[tuple[Value, FloatArray]]:
    for record in records:
        node, matrix = record.first("Node"), record.first("Matrix")
        if node and matrix and node.values and matrix.values and isinstance(matrix.values[0], Packed):
            if matrix.values[0].count != 16:
                raise Damage(f"a matrix of a bind pose has {matrix.values[0].count} numbers instead of 16")
            yield node.values[0], matrix.values[0].numbers().astype(float).reshape(4, 4).T
