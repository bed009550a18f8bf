"""The mesh of an FBX character: a stick figure, bound to its limbs in their rest pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.formats.fbx.document import TOP, Objects
from rigs.formats.fbx.encode import pack
from rigs.formats.fbx.records import Long, Packed, Record
from rigs.quat import FloatArray
from rigs.stick import Stick, stick_figure


@dataclass(frozen=True, eq=False)
class Character:
    """A clip in the file's axes, with the names that it has in the file and how many units a metre has.

    mesh: its name; joints: J names; above: name of a null above the root, None where there is none.
    """

    clip: Clip
    mesh: str
    joints: tuple[str, ...]
    above: str | None
    scale: float


def add_skin(objects: Objects, character: Character, limbs: list[Long]) -> None:
    """Add a stick figure whose vertices the limbs (J) carry, and the pose in which it is bound to them."""
    stick, matrices = stick_figure(character.clip), _rest_matrices(character)
    mesh = objects.model(character.mesh, "Mesh", np.zeros(3), np.zeros(3))
    objects.connect(mesh, TOP)
    geometry = _add_geometry(objects, character, stick)
    objects.connect(geometry, mesh)
    skin = objects.add(
        "Deformer", character.mesh, "Skin", Record("Version", [101]), Record("Link_DeformAcuracy", [50.0])
    )
    objects.connect(skin, geometry)
    for j, limb in enumerate(limbs):
        vertices = np.flatnonzero(stick.joint == j).astype(np.int32)
        cluster = _add_cluster(objects, character.joints[j], vertices, matrices[j])
        objects.connect(cluster, skin)
        objects.connect(limb, cluster)
    _add_pose(objects, character.mesh, dict(zip([mesh, *limbs], [np.eye(4), *matrices], strict=True)))


def _add_geometry(objects: Objects, character: Character, stick: Stick) -> Long:
    corners = stick.faces.astype(np.int32)
    normals = [
        Record("Version", [101]),
        Record("Name", [""]),
        Record("MappingInformationType", ["ByPolygonVertex"]),
        Record("ReferenceInformationType", ["Direct"]),
        Record("Normals", [pack(stick.normals[corners])]),
    ]
    element = [Record("Type", ["LayerElementNormal"]), Record("TypedIndex", [0])]
    return objects.add(
        "Geometry",
        character.mesh,
        "Mesh",
        Record("GeometryVersion", [124]),
        Record("Vertices", [pack(character.scale * stick.vertices)]),
        Record("PolygonVertexIndex", [pack(corners ^ np.array([0, 0, -1], np.int32))]),  # -1: ends a face
        Record("LayerElementNormal", [0], normals),
        Record("Layer", [0], [Record("Version", [100]), Record("LayerElement", below=element)]),
    )


def _add_cluster(objects: Objects, name: str, vertices: NDArray[np.int32], matrix: FloatArray) -> Long:
    """Add what binds vertices to a limb that rests at a matrix; a limb without any is bound all the same."""
    return objects.add(
        "Deformer",
        name,
        "Cluster",
        Record("Version", [100]),
        Record("UserData", ["", ""]),
        Record("Indexes", [pack(vertices)]),
        Record("Weights", [pack(np.ones(len(vertices)))]),
        Record("Transform", [_columns(np.linalg.inv(matrix))]),
        Record("TransformLink", [_columns(matrix)]),
    )


def _add_pose(objects: Objects, name: str, matrices: dict[Long, FloatArray]) -> None:
    nodes = [
        Record("PoseNode", below=[Record("Node", [key]), Record("Matrix", [_columns(matrix)])])
        for key, matrix in matrices.items()
    ]
    objects.add(
        "Pose",
        name,
        "BindPose",
        Record("Type", ["BindPose"]),
        Record("Version", [100]),
        Record("NbPoseNodes", [len(nodes)]),
        *nodes,
    )


def _rest_matrices(character: Character) -> FloatArray:
    """Return where joints rest, (J, 4, 4), in the file's units."""
    positions, rotations = (values[0] for values in character.clip.resting.world())
    matrices = np.tile(np.eye(4), (len(positions), 1, 1))
    matrices[:, :3, :3] = quat.to_matrix(rotations)
    matrices[:, :3, 3] = character.scale * positions
    return matrices


def _columns(matrix: FloatArray) -> Packed:
    """Return a matrix one column after the other, as FBX has them."""
    return pack(np.ascontiguousarray(matrix.T))
