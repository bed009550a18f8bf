"""Armatures: made from a clip, and read as a skeleton at rest and in motion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from mathutils import Vector

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

from .axes import OURS_FROM_BLENDER, to_blender

_SHORTEST = 0.01  # metres: Blender drops bones of no length
_LEAF = 0.5  # of its parent's length, a last bone whose end nobody knows
_FRONT, _UP = Vector((0.0, -1.0, 0.0)), Vector((0.0, 0.0, 1.0))
_ALONG = 0.9  # cosine past which a bone counts as pointing to the front
_MIDDLE = 1e-3  # metres from the plane between the sides
_UNEVEN = 1e-3  # relative


@dataclass(frozen=True, eq=False)
class AtRest:
    """An armature at rest, in our world: metres, y up, the object's own turn and scale in it, not its place.

    skeleton: J bones, each offset in its parent's frame; rest: (J, 4) wxyz local; world: (J, 4) wxyz and
    heads: (J, 3) m in the world; scale: of the object, by which a bone's own lengths are to be multiplied.
    """

    skeleton: Skeleton
    rest: FloatArray
    world: FloatArray
    heads: FloatArray
    scale: float


def make_armature(clip: Clip, name: str) -> Any:
    """Make an armature in the scene with the joints of a clip as bones, in its rest pose."""
    armature = bpy.data.armatures.new(name)
    target = bpy.data.objects.new(name, armature)
    bpy.context.collection.objects.link(target)
    bpy.context.view_layer.objects.active = target
    bpy.ops.object.mode_set(mode="EDIT")
    heads = to_blender(clip.resting.world()[0][0])
    tails = to_blender(_ends(clip))
    skeleton = clip.motion.skeleton
    for j, joint in enumerate(skeleton.names):
        bone = armature.edit_bones.new(joint)
        bone.head, bone.tail = heads[j], tails[j]
        bone.align_roll(_UP if abs(bone.vector.normalized() @ _FRONT) > _ALONG else _FRONT)
        if j:
            bone.parent = armature.edit_bones[skeleton.names[int(skeleton.parents[j])]]
    bpy.ops.object.mode_set(mode="OBJECT")
    return target


def read_rest(target: Any, parents: Mapping[str, str | None] | None = None, prefix: str = "") -> AtRest:
    """Read an armature's rest pose.

    Args:
        target: the object.
        parents: bone to the bone that it hangs from, where others count than the armature's own; only these
            bones are read, and their root is the one without.
        prefix: that the names in `parents` have in the armature.

    Raises:
        RigError: it has no bones, or the object is not scaled alike along all axes.
    """
    bones = target.data.bones
    if not len(bones):
        raise RigError(f"armature {target.name!r} has no bones; give another")
    tree = _own_parents(target) if parents is None else dict(parents)
    order = _depth_first(tree)
    turn, scale = _placing(target)
    matrices = np.array([bones[prefix + name].matrix_local for name in order], float)
    heads = scale * quat.rotate(turn, matrices[:, :3, 3])
    world = quat.multiply(turn, quat.from_matrix(matrices[:, :3, :3]))
    above = np.array([-1 if tree[name] is None else order.index(str(tree[name])) for name in order])
    offsets, rest = heads.copy(), world.copy()
    back = quat.conjugate(world[above[1:]])
    offsets[1:] = quat.rotate(back, heads[1:] - heads[above[1:]])
    rest[1:] = quat.multiply(back, world[1:])
    leaves = set(order) - {str(parent) for parent in tree.values()}
    tips = {n: np.array([0.0, scale * bones[prefix + n].length, 0.0]) for n in order if n in leaves}
    return AtRest(Skeleton(tuple(order), above, offsets, tips), rest, world, heads, scale)


def read_pose(target: Any, at_rest: AtRest) -> tuple[FloatArray, FloatArray]:
    """Return where bones are (J, 3) m and how they are turned (J, 4), in our world, as the scene is now."""
    turn, scale = _placing(target)
    bones = target.pose.bones
    matrices = np.array([bones[name].matrix for name in at_rest.skeleton.names], float)
    places = scale * quat.rotate(turn, matrices[:, :3, 3])
    return places, quat.multiply(turn, quat.from_matrix(matrices[:, :3, :3]))


def _placing(target: Any) -> tuple[FloatArray, float]:
    """How an object is turned (4,) into our world, and its scale."""
    _, turn, scale = target.matrix_world.decompose()
    if max(scale) - min(scale) > _UNEVEN * max(scale):
        raise RigError(
            f"armature {target.name!r} is scaled by {', '.join(f'{s:.3g}' for s in scale)}; apply its scale"
        )
    return quat.normalise(quat.multiply(OURS_FROM_BLENDER, np.array(turn, float))), float(sum(scale)) / 3.0


def _own_parents(target: Any) -> dict[str, str | None]:
    """Bone to parent, of the largest of the armature's trees."""
    roots = [bone for bone in target.data.bones if bone.parent is None]
    root = max(roots, key=lambda bone: len(bone.children_recursive))
    return {bone.name: bone.parent and bone.parent.name for bone in [root, *root.children_recursive]}


def _depth_first(parents: Mapping[str, str | None]) -> list[str]:
    children: dict[str | None, list[str]] = {}
    for name, parent in parents.items():
        children.setdefault(parent, []).append(name)
    order, waiting = [], list(children[None][:1])
    while waiting:
        order.append(waiting.pop())
        waiting += reversed(children.get(order[-1], []))
    return order


def _ends(clip: Clip) -> FloatArray:
    """Where each joint's bone ends at rest (J, 3): at the child that goes on, at the tip, or further on."""
    skeleton = clip.motion.skeleton
    heads, turns = (values[0] for values in clip.resting.world())
    ends = heads.copy()
    for j, name in enumerate(skeleton.names):
        children = skeleton.children(j)
        if children:
            ends[j] = heads[_going_on(heads, j, children)]
        elif name in skeleton.tips:
            ends[j] = heads[j] + quat.rotate(turns[j], skeleton.tips[name])
        elif j:
            parent = int(skeleton.parents[j])
            ends[j] = heads[j] + _LEAF * (heads[j] - heads[parent])
        if np.linalg.norm(ends[j] - heads[j]) < _SHORTEST:
            ends[j] = heads[j] + np.array([0.0, _SHORTEST, 0.0])
    return ends


def _going_on(heads: FloatArray, joint: int, children: list[int]) -> int:
    """The child to which a bone is drawn: in the middle of the body the one there, else that amid all."""
    away = heads[children] - heads[joint]
    if abs(heads[joint, 0]) < _MIDDLE:
        return children[int(np.argmin(np.abs(away[:, 0])))]
    return children[int(np.argmin(np.linalg.norm(away - away.mean(axis=0), axis=1)))]
