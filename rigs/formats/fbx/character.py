"""A character as FBX objects: limbs, a mesh bound to them, and curves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rigs.formats.fbx.clip import TIP
from rigs.formats.fbx.document import TOP, Objects, property_of
from rigs.formats.fbx.encode import pack
from rigs.formats.fbx.keys import rest_angles, rotation_keys
from rigs.formats.fbx.records import Long, Packed, Record
from rigs.formats.fbx.skin import Character, add_skin
from rigs.formats.fbx.time import ticks_of
from rigs.quat import FloatArray

_LINEAR = 0x4


def add_character(objects: Objects, character: Character, layer: Long) -> None:
    """Add all objects and connections of a character; its curves go onto the animation layer."""
    limbs = _add_limbs(objects, character)
    add_skin(objects, character, limbs)
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
