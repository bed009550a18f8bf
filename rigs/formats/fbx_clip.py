"""From joints of an FBX scene to a clip."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.formats.fbx_axes import Turn, turn_of
from rigs.formats.fbx_graph import integer, number
from rigs.formats.fbx_joints import character_name, joint_names
from rigs.formats.fbx_records import Damage
from rigs.formats.fbx_scene import Node, Scene
from rigs.formats.fbx_time import TICKS, rate_of
from rigs.formats.fbx_transform import Place, places
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

TIP = "TipOffset"  # our own property of a leaf, in its axes: where its bone ends

_STILL = 1e-6, 1e-5  # metres, or of its length: a joint that moves less than this in its parent does not move
_SAME = 1e-5, 1e-3  # metres, or of its length: how far an offset in motion is still the one at rest
_MOST_POSES = 4_000_000  # frames times joints, and as many more as there are keys


def clip_of(scene: Scene, joints: list[Node], otherwise: str) -> Clip:
    """Return the clip of a skeleton's joints, which stand depth first; the name is for one that has none.

    Raises:
        Damage: it is not finite, or too long for what moves it.
    """
    above = [*joints[0].ancestors()][::-1]
    rate = rate_of(integer(scene.settings, "TimeMode"), number(scene.settings, "CustomFrameRate", 0.0))
    first, ticks = _frames([*above, *joints], len(joints), scene.take, rate)
    turn = turn_of(scene.settings)
    standing = places([*above, *joints], None)
    moving = places([*above, *joints], ticks)
    place = {node: j for j, node in enumerate(joints)}
    parents = [-1, *(place[node.parent] for node in joints[1:] if node.parent)]
    rest_offsets, rest = _local(parents, *_world(turn, joints, _bound(scene, joints) or standing, 1))
    offsets, rotations = _local(parents, *_world(turn, joints, moving, len(ticks)))
    name = character_name(scene, joints, otherwise)
    names = joint_names(joints, name)
    still, translations = _parted(rest_offsets[0], offsets)
    if not (np.isfinite(still).all() and np.isfinite(rotations).all() and np.isfinite(offsets).all()):
        raise Damage(f"skeleton {name!r} is not finite")
    skeleton = Skeleton(tuple(names), np.array(parents), still, _tips(joints, names, turn.unit))
    motion = Motion(skeleton, quat.continuous(rotations), offsets[:, 0], rate, translations)
    return Clip(name, motion, rest[0], first=first)


def _frames(
    nodes: list[Node], joints: int, take: tuple[int, int] | None, rate: Fraction
) -> tuple[int, NDArray[np.int64]]:
    """Return the first frame with a key, counted from where the animation begins, and the ticks (T,) of all."""
    times = [c.times for node in nodes for three in node.curves.values() for c in three if c]
    if not times:
        return 0, np.zeros(1, np.int64)
    start, stop, begin = min(int(t[0]) for t in times), max(int(t[-1]) for t in times), 0
    if take and take[0] < take[1] and take[0] <= stop and start <= take[1]:
        begin, stop = take[0], min(stop, take[1])
        start = _start(times, start, begin, int(TICKS / rate))
    count = round((stop - start) * rate / TICKS) + 1
    if count * joints > _MOST_POSES + sum(map(len, times)):
        raise Damage(f"its animation has {count} frames and few keys")
    first = round((start - begin) * rate / TICKS)
    origin = (
        start if abs(start - begin - first * TICKS / rate) > 1 else begin
    )  # off the grid, keys make their own
    whole, part = divmod(Fraction(TICKS) / rate, 1)
    frames = np.arange(count) + (first if origin == begin else 0)
    return first, origin + frames * int(whole) + np.rint(frames * float(part)).astype(np.int64)


def _start(times: list[NDArray[np.int64]], first: int, begin: int, frame: int) -> int:
    """Return the tick of the first key, or, where it lies before the animation begins, of the first frame."""
    if first >= begin:
        return first
    inside = [int(t[k]) for t in times for k in [np.searchsorted(t, begin)] if k < len(t)]
    return min([key for key in inside if key - begin < frame], default=begin)


def _bound(scene: Scene, joints: list[Node]) -> dict[Node, Place] | None:
    """Return where joints stand in the bind pose, None where it leaves one out."""
    if not all(joint in scene.bind for joint in joints):
        return None
    found = {}
    for joint in joints:
        matrix = scene.bind[joint]
        left, _, right = np.linalg.svd(matrix[:3, :3])  # the nearest rotation, whatever the scale
        left[:, 2] *= np.sign(np.linalg.det(left @ right))
        found[joint] = Place(
            matrix[None, :3, 3], quat.from_matrix(left @ right)[None], np.eye(3)[None], np.ones((1, 3))
        )
    return found


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
