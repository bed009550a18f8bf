"""The rest pose of a character of a glTF file: of its nodes, or where its mesh was bound."""

from __future__ import annotations

import logging
from itertools import permutations, product

import numpy as np

from rigs import quat
from rigs.formats.gltf.characters import Character
from rigs.formats.gltf.file import GltfFile, shown
from rigs.formats.gltf.nodes import Nodes, turn_and_scale
from rigs.formats.gltf.values import values_of
from rigs.quat import FloatArray

log = logging.getLogger(__name__)

_ANGLE = np.radians(2.0)  # apart, from which two poses are not the same
_DISTANCE = 0.01  # alike, of the character's size
_LEAST = 1e-12  # of a determinant, of a matrix that has an inverse


def node_matrices(nodes: Nodes) -> FloatArray:
    """Return the places (N, 4, 4) of all nodes at rest, in the world."""
    local = np.tile(np.eye(4), (len(nodes.parents), 1, 1))
    local[:, :3, :3] = quat.to_matrix(nodes.rotation) * nodes.scale[:, None, :]
    local[:, :3, 3] = nodes.translation
    world = local.copy()
    for node in nodes.order:
        if nodes.parents[node] >= 0:
            world[node] = world[nodes.parents[node]] @ local[node]
    return world


def bind_pose(file: GltfFile, nodes: Nodes, character: Character) -> tuple[FloatArray, FloatArray] | None:
    """Return where a mesh was bound to its joints, where that is not the nodes' own pose.

    A file that was saved in the midst of a motion has that moment in its nodes, while the mesh was made in
    the rest pose, so that one holds.

    Returns:
        Positions (J, 3) and rotations (J, 4) in the world, in the file's unit, or None.

    Raises:
        FormatError: inverse bind matrices that are not there, or have no inverse.
    """
    inverse = _inverse_bind(file, character)
    bound = [node for node in character.joints if node in inverse]
    if not bound:
        return None
    try:
        matrices = _placed(nodes, character, inverse, bound)
    except np.linalg.LinAlgError as error:
        raise file.fail("its nodes shrink to nothing") from error
    if matrices is None:
        return None
    log.warning(
        "%s: the nodes of %s are not in the pose that its mesh was bound in, which is taken as the rest pose",
        file.path,
        shown(nodes.names[character.joints[0]]),
    )
    return matrices[:, :3, 3], turn_and_scale(matrices[:, :3, :3])[0]


def _placed(
    nodes: Nodes, character: Character, inverse: dict[int, FloatArray], bound: list[int]
) -> FloatArray | None:
    """Return where all joints (J, 4, 4) were bound, in the world; None where they are there at rest."""
    world = node_matrices(nodes)
    meshes = np.array([world[node] @ inverse[node] for node in bound])
    if _alike(world[bound], meshes):
        return None
    root = nodes.parents[character.joints[0]]
    world_from_mesh = _world_from_mesh(meshes, world[root] if root >= 0 else np.eye(4))
    placed: dict[int, FloatArray] = {}
    for node in character.joints:
        if node in inverse:
            placed[node] = world_from_mesh @ np.linalg.inv(inverse[node])
        else:
            parent = nodes.parents[node]
            above = world[parent] if parent >= 0 else np.eye(4)
            placed[node] = placed.get(parent, above) @ np.linalg.solve(above, world[node])
    return np.array([placed[node] for node in character.joints])


def _inverse_bind(file: GltfFile, character: Character) -> dict[int, FloatArray]:
    """Return the inverse bind matrices (4, 4) by node, of the first skin that has each."""
    found: dict[int, FloatArray] = {}
    for number in character.skins:
        skin = file.document.skins[number]
        if skin.inverse_bind_matrices is None:
            continue
        where = f"skin {number}"
        matrices = (
            values_of(file, skin.inverse_bind_matrices, "MAT4", where).reshape(-1, 4, 4).transpose(0, 2, 1)
        )
        if len(matrices) < len(skin.joints):
            raise file.fail(
                f"{where} has {len(skin.joints)} joints and {len(matrices)} inverse bind matrices"
            )
        for node, matrix in zip(skin.joints, matrices, strict=False):
            if abs(np.linalg.det(matrix)) < _LEAST or not np.allclose(matrix[3], (0, 0, 0, 1)):
                raise file.fail(f"{where} has an inverse bind matrix without an inverse, of node {node}")
            found.setdefault(node, matrix)
    return found


def _alike(world: FloatArray, meshes: FloatArray) -> bool:
    """Return whether all joints (J, 4, 4) put the mesh (J, 4, 4) where the first one does."""
    size = max(float(np.ptp(world[:, :3, 3], axis=0).max()), 1e-6)
    moved = meshes[0] @ np.linalg.solve(meshes, world)  # where each joint was bound, in the world
    apart = np.linalg.norm(moved[:, :3, 3] - world[:, :3, 3], axis=1).max()
    turns = turn_and_scale(meshes[:, :3, :3])[0]
    angles = quat.angle(turns[0], turns)
    return bool(apart <= _DISTANCE * size and angles.max() <= _ANGLE)


def _world_from_mesh(meshes: FloatArray, above: FloatArray) -> FloatArray:
    """Return the map (4, 4) from the mesh's space, in which it was bound, to the world.

    In a pose each joint has the mesh elsewhere (J, 4, 4). Programs make meshes in the world's space or in
    that of the node above the root: of those that have the right size it is the one that most joints are
    turned the least from. A mesh in another space is turned by quarters to where the first joint has it.
    """
    turns, scales = turn_and_scale(meshes[:, :3, :3])
    size = float(np.median(np.abs(scales)))
    best, least = None, np.inf
    for space in (np.eye(4), above):
        turn, scale = turn_and_scale(space[:3, :3])
        angle = float(np.median(quat.angle(turn, turns)))
        if np.abs(np.abs(scale) - size).max() <= _DISTANCE * size and angle < least:
            best, least = space, angle
    if best is not None:
        return best
    matrix = quat.to_matrix(turns[0])
    result = np.eye(4)
    result[:3, :3] = size * max(_QUARTERS, key=lambda quarter: float(np.sum(quarter * matrix)))
    return result


def _quarters() -> list[FloatArray]:
    signed = [
        np.eye(3)[list(axes)] * signs
        for axes in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ]
    return [matrix for matrix in signed if np.linalg.det(matrix) > 0]


_QUARTERS = _quarters()
