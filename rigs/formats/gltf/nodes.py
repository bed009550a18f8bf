"""The nodes of a glTF file as a tree, each with its translation, rotation and scale at rest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rigs import quat
from rigs.formats.gltf.file import GltfFile, shown
from rigs.quat import FloatArray

_FLAT = 1e-9  # of a scale: below it a node has no inverse
_FAR = 1e9  # of any number: beyond it no character is
_DEEPEST = 512  # nodes in a line


@dataclass(frozen=True, eq=False)
class Nodes:
    """N nodes at rest.

    names: "" where a node has none; parents: (N,) -1 at the top; order: parents before children, depth first;
    translation: (N, 3) in the file's unit; rotation: (N, 4) wxyz; scale: (N, 3).
    """

    names: list[str]
    parents: list[int]
    children: list[list[int]]
    order: list[int]
    translation: FloatArray
    rotation: FloatArray
    scale: FloatArray

    def ancestors(self, node: int) -> list[int]:
        """Return the nodes above, the nearest first."""
        found = []
        while (node := self.parents[node]) >= 0:
            found.append(node)
        return found


def nodes_of(file: GltfFile) -> Nodes:
    """Return the nodes of a file.

    Raises:
        FormatError: they are no trees, or one has no size.
    """
    nodes = file.document.nodes
    parents = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.children:
            file.pick(nodes, child, "node")
            if parents[child] >= 0:
                raise file.fail(f"node {child} hangs from node {parents[child]} and from node {index}")
            parents[child] = index
    children = [list(node.children) for node in nodes]
    order = _depth_first(file, parents, children)
    names = [node.name or "" for node in nodes]
    return Nodes(names, parents, children, order, *_parts(file))


def _depth_first(file: GltfFile, parents: list[int], children: list[list[int]]) -> list[int]:
    order: list[int] = []
    depth = [0] * len(parents)
    waiting = [index for index in reversed(range(len(parents))) if parents[index] < 0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        depth[node] = depth[parents[node]] + 1 if parents[node] >= 0 else 0
        if depth[node] > _DEEPEST:
            raise file.fail(f"node {node} is more than {_DEEPEST} nodes deep")
        waiting += reversed(children[node])
    if len(order) < len(parents):
        lost = min(set(range(len(parents))) - set(order))
        raise file.fail(f"node {lost} hangs from itself, by way of its parents")
    return order


def _parts(file: GltfFile) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return translations (N, 3), rotations (N, 4) and scales (N, 3), of matrices too."""
    nodes = file.document.nodes
    translation = np.array([node.translation for node in nodes], float).reshape(-1, 3)
    rotation = np.array([node.rotation for node in nodes], float).reshape(-1, 4)[:, [3, 0, 1, 2]]
    scale = np.array([node.scale for node in nodes], float).reshape(-1, 3)
    whole = [index for index, node in enumerate(nodes) if node.matrix is not None]
    matrices = np.array([nodes[index].matrix for index in whole], float).reshape(-1, 4, 4).transpose(0, 2, 1)
    every = range(len(nodes))
    for owners, values in ((every, translation), (every, rotation), (every, scale), (whole, matrices)):
        most = np.abs(values).max(axis=tuple(range(1, values.ndim)))
        for k in np.flatnonzero(most > _FAR)[:1]:
            name = shown(nodes[owners[k]].name or "")
            raise file.fail(f"node {owners[k]} {name} has the number {most[k]:.3g}")
    translation[whole] = matrices[:, :3, 3]
    rotation[whole], scale[whole] = turn_and_scale(matrices[:, :3, :3])
    rotation = quat.normalise(rotation)
    for index in np.flatnonzero(~np.isfinite(rotation).all(axis=1) | ~(np.abs(scale) > _FLAT).all(axis=1))[
        :1
    ]:
        raise file.fail(f"node {index} {shown(nodes[index].name or '')} has no size, or no rotation")
    return translation, rotation, scale


def turn_and_scale(linear: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return rotations (..., 4), scales (..., 3) of linear maps (..., 3, 3), zero where they have none.

    Shear is lost.
    """
    scale = np.linalg.norm(linear, axis=-2)
    flat = (scale <= _FLAT).any(axis=-1)
    axes = np.where(
        flat[..., None, None], np.eye(3), linear / np.where(scale > _FLAT, scale, 1.0)[..., None, :]
    )
    mirrored = np.where(np.linalg.det(axes) < 0.0, -1.0, 1.0)[..., None]
    u, _, vt = np.linalg.svd(axes * mirrored[..., None])
    proper = np.where(np.linalg.det(u @ vt) < 0.0, -1.0, 1.0)
    u = u * np.stack([np.ones_like(proper), np.ones_like(proper), proper], axis=-1)[..., None, :]
    turn = quat.from_matrix(u @ vt)
    return np.where(flat[..., None], 0.0, turn), np.where(flat[..., None], 0.0, scale * mirrored)
