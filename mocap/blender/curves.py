"""Key frames written as whole arrays into an action of an object."""

from __future__ import annotations

from typing import Any

import bpy
import numpy as np

from rigs import quat
from rigs.formats.euler import to_euler, unwrap
from rigs.quat import FloatArray

_LINEAR, _CONSTANT = "LINEAR", "CONSTANT"


class Curves:
    """A new action of an object, and its curves.

    Args:
        target: the object; an action that it had is kept in the file.
        name: of the action.
    """

    def __init__(self, target: Any, name: str) -> None:
        self.target, data = target, target.animation_data_create()
        if data.action is not None:
            data.action.use_fake_user = True
        self.action = bpy.data.actions.new(name)
        data.action = self.action
        self._held = _holder(self.action, data, target)

    def write(
        self, path: str, values: FloatArray, frames: FloatArray, group: str, steps: bool = False
    ) -> None:
        """Write the curves of a property.

        Args:
            path: the property, from the object.
            values: (T, N) its N numbers; (T,) of a property that is one number.
            frames: (T,) of the scene.
            group: under which name the curves are shown.
            steps: whether a value holds until the next key.
        """
        columns = values[:, None] if values.ndim == 1 else values
        kind = _CONSTANT if steps else _LINEAR
        number = bpy.types.Keyframe.bl_rna.properties["interpolation"].enum_items[kind].value
        for index, column in enumerate(columns.T):
            curve = self._new(path, index, group)
            curve.keyframe_points.add(len(frames))
            points = np.stack([frames, column], axis=1).astype(np.float32).ravel()
            curve.keyframe_points.foreach_set("co", points)
            curve.keyframe_points.foreach_set("interpolation", np.full(len(frames), number, np.int32))
            curve.update()

    def turn(self, bone: Any, rotations: FloatArray, frames: FloatArray) -> None:
        """Write how a pose bone is turned (T, 4) wxyz from its rest, in its mode; its pose of before goes."""
        bone.location, bone.scale = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
        path, name, mode = f'pose.bones["{_escaped(bone.name)}"].', bone.name, bone.rotation_mode
        turns = quat.continuous(quat.normalise(rotations))
        if mode == "QUATERNION":
            self.write(f"{path}rotation_quaternion", turns, frames, name)
        elif mode == "AXIS_ANGLE":
            self.write(f"{path}rotation_axis_angle", _axis_angles(turns), frames, name)
        else:
            self.write(f"{path}rotation_euler", _angles(turns, mode), frames, name)

    def move(self, bone: Any, places: FloatArray, frames: FloatArray) -> None:
        """Write where a pose bone is (T, 3) from its rest, along its own axes."""
        self.write(f'pose.bones["{_escaped(bone.name)}"].location', places, frames, bone.name)

    def hold(self, bone: Any, name: str, value: float, frame: float) -> None:
        """Set a custom property of a pose bone, with one key."""
        bone[name] = type(bone[name])(value)
        path = f'pose.bones["{_escaped(bone.name)}"]["{_escaped(name)}"]'
        self.write(path, np.array([value]), np.array([frame]), bone.name, steps=True)

    def _new(self, path: str, index: int, group: str) -> Any:
        curve = self._held.fcurves.new(path, index=index)
        curve.group = self._held.groups.get(group) or self._held.groups.new(group)
        return curve


def _holder(action: Any, data: Any, target: Any) -> Any:
    """What holds the curves of an action for an object: a slot's bag since Blender 4.4, before the action."""
    if not hasattr(action, "slots"):
        return action
    slot = action.slots.new(id_type="OBJECT", name=target.name)
    data.action_slot = slot
    strip = action.layers.new("Layer").strips.new(type="KEYFRAME")
    return strip.channelbag(slot, ensure=True)


def _angles(turns: FloatArray, mode: str) -> FloatArray:
    """Euler angles (T, 3) in the order x, y, z; Blender's "XYZ" turns about x first."""
    order = mode[::-1]
    angles = unwrap(to_euler(turns, order))
    return angles[:, [order.index(axis) for axis in "XYZ"]]


def _axis_angles(turns: FloatArray) -> FloatArray:
    rotvec = quat.to_rotvec(turns)
    angle = np.linalg.norm(rotvec, axis=1, keepdims=True)
    axis = np.where(angle > 0.0, rotvec / np.maximum(angle, 1e-12), (0.0, 1.0, 0.0))
    return np.concatenate([angle, axis], axis=1)


def _escaped(name: str) -> str:
    return bpy.utils.escape_identifier(name)
