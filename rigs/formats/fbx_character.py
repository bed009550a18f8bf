"""A character as FBX objects: limbs, a stick figure bound to them, the pose of that, and curves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.formats.fbx_clip import TIP
from rigs.formats.fbx_document import TOP, Objects, property_of
from rigs.formats.fbx_encode import pack
from rigs.formats.fbx_keys import rest_angles, rotation_keys
from rigs.formats.fbx_records import Long, Packed, Record
from rigs.formats.fbx_time import ticks_of
from rigs.quat import FloatArray
from rigs.stick import stick_figure

_LINEAR = 0x4


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


def add_character(objects: Objects, character: Character, layer: Long) -> None:
    """Add all objects and connections of a character; its curves go onto the animation layer."""
    limbs = _add_limbs(objects, character)
    mesh, geometry = _add_mesh(objects, character)
    _add_skin(objects, character, limbs, mesh, geometry)
    _add_motion(objects, character, limbs, layer)


def _add_limbs(objects: Objects, character: Character) -> list[Long]:
    """Add a model for each joint, in its rest pose, and return their ids."""
    clip, skeleton = character.clip, character.clip.motion.skeleton
    angles = rest_angles(clip.resting.rotations[0])
    top = TOP if character.above is None else _add_null(objects, character.above)
    limbs: list[Long] = []
    for j, name in enumerate(character.joints):
        at, tip = character.scale * skeleton.offsets[j], skeleton.tips.get(skeleton.names[j])
        more = [] if tip is None else [property_of(TIP, "Vector3D", *(character.scale * tip), flags="U")]
        limb = objects.model(name, "LimbNode", at, angles[j], more)
        size = property_of("Size", "double", 100.0)
        attribute = objects.add(
            "NodeAttribute",
            name,
            "LimbNode",
            Record("Properties70", below=[size]),
            Record("TypeFlags", ["Skeleton"]),
        )
        objects.connect(limb, limbs[skeleton.parents[j]] if j else top)
        objects.connect(attribute, limb)
        limbs.append(limb)
    return limbs


def _add_null(objects: Objects, name: str) -> Long:
    null = objects.model(name, "Null", np.zeros(3), np.zeros(3))
    attribute = objects.add("NodeAttribute", name, "Null", Record("TypeFlags", ["Null"]))
    objects.connect(null, TOP)
    objects.connect(attribute, null)
    return null


def _add_mesh(objects: Objects, character: Character) -> tuple[Long, Long]:
    """Add the stick figure, and return the ids of its model and its geometry."""
    stick = stick_figure(character.clip)
    corners = stick.faces.astype(np.int32)
    normals = Record(
        "LayerElementNormal",
        [0],
        [
            Record("Version", [101]),
            Record("Name", [""]),
            Record("MappingInformationType", ["ByPolygonVertex"]),
            Record("ReferenceInformationType", ["Direct"]),
            Record("Normals", [pack(stick.normals[corners])]),
        ],
    )
    element = [Record("Type", ["LayerElementNormal"]), Record("TypedIndex", [0])]
    geometry = objects.add(
        "Geometry",
        character.mesh,
        "Mesh",
        Record("GeometryVersion", [124]),
        Record("Vertices", [pack(character.scale * stick.vertices)]),
        Record("PolygonVertexIndex", [pack(corners ^ np.array([0, 0, -1], np.int32))]),  # the last of a face
        normals,
        Record("Layer", [0], [Record("Version", [100]), Record("LayerElement", below=element)]),
    )
    mesh = objects.model(character.mesh, "Mesh", np.zeros(3), np.zeros(3))
    objects.connect(mesh, TOP)
    objects.connect(geometry, mesh)
    return mesh, geometry


def _add_skin(objects: Objects, character: Character, limbs: list[Long], mesh: Long, geometry: Long) -> None:
    """Bind the stick figure to the limbs, and say in which pose."""
    matrices, carrier = _rest_matrices(character), stick_figure(character.clip).joint
    skin = objects.add(
        "Deformer", character.mesh, "Skin", Record("Version", [101]), Record("Link_DeformAcuracy", [50.0])
    )
    objects.connect(skin, geometry)
    for j, limb in enumerate(limbs):
        vertices = np.flatnonzero(carrier == j).astype(np.int32)
        cluster = objects.add(
            "Deformer",
            character.joints[j],
            "Cluster",
            Record("Version", [100]),
            Record("UserData", ["", ""]),
            Record("Indexes", [pack(vertices)]),
            Record("Weights", [pack(np.ones(len(vertices)))]),
            Record("Transform", [_matrix(np.linalg.inv(matrices[j]))]),
            Record("TransformLink", [_matrix(matrices[j])]),
        )
        objects.connect(cluster, skin)
        objects.connect(limb, cluster)
    poses = [
        Record("PoseNode", below=[Record("Node", [key]), Record("Matrix", [_matrix(matrix)])])
        for key, matrix in zip([mesh, *limbs], [np.eye(4), *matrices], strict=True)
    ]
    objects.add(
        "Pose",
        character.mesh,
        "BindPose",
        Record("Type", ["BindPose"]),
        Record("Version", [100]),
        Record("NbPoseNodes", [len(poses)]),
        *poses,
    )


def _rest_matrices(character: Character) -> FloatArray:
    """Return where joints rest, (J, 4, 4), in the file's units."""
    positions, rotations = (values[0] for values in character.clip.resting.world())
    matrices = np.tile(np.eye(4), (len(positions), 1, 1))
    matrices[:, :3, :3] = quat.to_matrix(rotations)
    matrices[:, :3, 3] = character.scale * positions
    return matrices


def _matrix(matrix: FloatArray) -> Packed:
    return pack(np.ascontiguousarray(matrix.T))


def _add_motion(objects: Objects, character: Character, limbs: list[Long], layer: Long) -> None:
    clip, scale = character.clip, character.scale
    ticks = np.array([ticks_of(clip.key_time(frame)) for frame in range(len(clip.motion))], np.int64)
    moved = {0: clip.motion.root, **clip.motion.translations}
    packed: dict[bytes, Packed] = {}
    for j, (frames, degrees) in enumerate(rotation_keys(clip)):
        _add_curves(objects, limbs[j], layer, "Lcl Rotation", _times(ticks, frames, packed), degrees)
        if j in moved:
            keyed = clip.key_frames(j)
            values = scale * moved[j][keyed]
            _add_curves(objects, limbs[j], layer, "Lcl Translation", _times(ticks, keyed, packed), values)


def _times(ticks: NDArray[np.int64], frames: NDArray[np.int64], packed: dict[bytes, Packed]) -> Packed:
    """Return the times of keys, packed once for all joints with keys in the same frames."""
    key = frames.tobytes()
    if key not in packed:
        packed[key] = pack(ticks[frames])
    return packed[key]


def _add_curves(
    objects: Objects, limb: Long, layer: Long, moved: str, times: Packed, values: FloatArray
) -> None:
    """Add the three curves of a property: values (K, 3) at times."""
    starts = [
        property_of(f"d|{axis}", "Number", float(v), flags="A")
        for axis, v in zip("XYZ", values[0], strict=True)
    ]
    node = objects.add("AnimationCurveNode", moved[4], "", Record("Properties70", below=starts))
    objects.connect(node, layer)
    objects.connect(node, limb, moved)
    for axis, column in zip("XYZ", values.T, strict=True):
        curve = objects.add(
            "AnimationCurve",
            "",
            "",
            Record("Default", [float(column[0])]),
            Record("KeyVer", [4008]),
            Record("KeyTime", [times]),
            Record("KeyValueFloat", [pack(column.astype(np.float32))]),
            Record("KeyAttrFlags", [pack(np.array([_LINEAR], np.int32))]),
            Record("KeyAttrDataFloat", [pack(np.zeros(4, np.float32))]),
            Record("KeyAttrRefCount", [pack(np.array([times.count], np.int32))]),
        )
        objects.connect(curve, node, f"d|{axis}")
