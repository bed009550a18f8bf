"""From joints of an FBX scene to a clip."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.formats.fbx.animation import Curves, curves_of
from rigs.formats.fbx.axes import Turn, turn_of
from rigs.formats.fbx.frames import frames_of
from rigs.formats.fbx.graph import integer, number
from rigs.formats.fbx.joints import character_name, joint_names
from rigs.formats.fbx.records import Damage
from rigs.formats.fbx.scene import Node, Scene
from rigs.formats.fbx.time import rate_of
from rigs.formats.fbx.transform import Place, places
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

log = logging.getLogger(__name__)

TIP = "TipOffset"  # our own property of a leaf, in its axes: where its bone ends

_STILL = 1e-6, 1e-5  # metres, or of its length: a joint that moves less than this in its parent does not move
_SAME = 1e-5, 1e-3  # metres, or of its length: how far an offset in motion is still the one at rest


def clip_of(scene: Scene, joints: list[Node], others: int, otherwise: str) -> Clip:
    """Return the clip of one skeleton.

    Args:
        scene: the file's.
        joints: the skeleton's, depth first.
        others: how many skeletons the file has beside it.
        otherwise: a name for a skeleton that has none.

    Raises:
        Damage: it is not finite, or too long for what moves it.
    """
    nodes = [*[*joints[0].ancestors()][::-1], *joints]
    name = character_name(scene, joints, otherwise)
    rate = rate_of(integer(scene.settings, "TimeMode"), number(scene.settings, "CustomFrameRate", 0.0))
    span, curves = _animation(scene, nodes, name)
    first, ticks = frames_of(curves, span, rate, len(nodes), others)
    turn = turn_of(scene.settings)
    standing, moving = places(nodes, {}, ticks[:1]), places(nodes, curves, ticks)
    place = {node: j for j, node in enumerate(joints)}
    parents = [-1, *(place[node.parent] for node in joints[1:] if node.parent)]
    rest_offsets, rest = _local(parents, *_world(turn, joints, _bound(scene, joints, standing), 1))
    offsets, rotations = _local(parents, *_world(turn, joints, moving, len(ticks)))
    names = joint_names(joints, name)
    still, translations = _parted(rest_offsets[0], offsets)
    if not all(np.isfinite(values).all() for values in (still, rest, offsets, rotations)):
        raise Damage(f"skeleton {name!r} is not finite")
    skeleton = Skeleton(tuple(names), np.array(parents), still, _tips(joints, names, turn.unit))
    motion = Motion(skeleton, quat.continuous(rotations), offsets[:, 0], rate, translations)
    return Clip(name, motion, rest[0], first=first)


def _animation(scene: Scene, nodes: list[Node], name: str) -> tuple[tuple[int, int], Curves]:
    """Return the span, and the curves, of the first animation that moves nodes."""
    ids = {node.id for node in nodes}
    moving = [animation for animation in scene.animations if not animation.moved.isdisjoint(ids)]
    if not moving:
        return (0, 0), {}
    if len(moving) > 1:
        log.warning("of the %d animations of %r the one named %r is read", len(moving), name, moving[0].name)
    return moving[0].span, curves_of(scene.graph, moving[0], ids, scene.size)


def _bound(scene: Scene, joints: list[Node], standing: Mapping[Node, Place]) -> Mapping[Node, Place]:
    """Return where joints are in the bind pose.

    It may leave out nulls and the ends of limbs, which then are in their parents as they stand without
    animation; where it leaves out more, all joints are as they stand.
    """
    inner = {joint.parent for joint in joints}
    if not any(joint in scene.bind for joint in joints) or any(
        joint not in scene.bind and joint in inner and joint.kind != "Null" for joint in joints
    ):
        return standing
    found: dict[Node, Place] = {}
    for joint in joints:
        if joint in scene.bind:
            found[joint] = _upright(scene.bind[joint])
        elif joint.parent in found:
            found[joint] = _carried(found[joint.parent], standing[joint.parent], standing[joint])
        else:
            found[joint] = standing[joint]
    return found


def _upright(matrix: FloatArray) -> Place:
    """Return a world matrix (4, 4) as position and the nearest rotation, whatever its scale."""
    left, _, right = np.linalg.svd(matrix[:3, :3])
    left[:, 2] *= np.sign(np.linalg.det(left @ right))
    return Place(matrix[None, :3, 3], quat.from_matrix(left @ right)[None], np.eye(3)[None], np.ones((1, 3)))


def _carried(parent: Place, standing_parent: Place, standing: Place) -> Place:
    """Return where a joint is when its parent moves from where it stands to another place."""
    turn = quat.multiply(parent.rotation, quat.conjugate(standing_parent.rotation))
    position = parent.position + quat.rotate(turn, standing.position - standing_parent.position)
    return Place(position, quat.multiply(turn, standing.rotation), standing.stretch, standing.own)


def _world(
    turn: Turn, joints: list[Node], found: Mapping[Node, Place], frames: int
) -> tuple[FloatArray, FloatArray]:
    """Return positions (T, J, 3) in metres and rotations (T, J, 4) in our world."""
    positions, rotations = np.empty((frames, len(joints), 3)), np.empty((frames, len(joints), 4))
    for j, joint in enumerate(joints):
        positions[:, j], rotations[:, j] = turn(found[joint].position, found[joint].rotation)
    return positions, rotations


def _local(parents: list[int], positions: FloatArray, rotations: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return offsets (T, J, 3) and rotations (T, J, 4) in the parents' frames; the root's as they are."""
    above = parents[1:]
    back = quat.conjugate(rotations[:, above])
    offsets, local = positions.copy(), rotations.copy()
    offsets[:, 1:] = quat.rotate(back, positions[:, 1:] - positions[:, above])
    local[:, 1:] = quat.multiply(back, rotations[:, 1:])
    return offsets, quat.normalise(local)


def _parted(rest: FloatArray, offsets: FloatArray) -> tuple[FloatArray, dict[int, FloatArray]]:
    """Return offsets that hold throughout (J, 3), and those of joints that move in their parents or off rest.

    Where a joint keeps still next to where it rests, as near as files hold their numbers, its offset in
    motion is taken for both: it is the one that is seen.
    """
    still, translations = rest.copy(), {}
    for j in range(1, len(rest)):
        moves, far = np.ptp(offsets[:, j], axis=0).max(), np.abs(offsets[:, j] - rest[j]).max()
        length = float(np.linalg.norm(rest[j]))
        if moves > max(_STILL[0], _STILL[1] * length) or far > max(_SAME[0], _SAME[1] * length):
            translations[j] = offsets[:, j]
        else:
            still[j] = offsets[0, j]
    return still, translations


def _tips(joints: list[Node], names: list[str], unit: float) -> dict[str, FloatArray]:
    leaves = set(joints) - {joint.parent for joint in joints}
    return {
        name: unit * joint.vector(TIP)
        for joint, name in zip(joints, names, strict=True)
        if joint in leaves and TIP in joint.properties
    }
