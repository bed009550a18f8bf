"""A character in VRM's normalised form: only its humanoid's bones, at rest in the T-pose with no bone turned.

Source: "About pose data compatibility" of the VRM animation specification, and its page on the T-pose.
"""

from __future__ import annotations

from collections.abc import Container, Mapping

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.formats.vrm_bones import ROLES
from rigs.motion import Motion
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton

_SIDES = {"Left": 1.0, "Right": -1.0}
_STRETCHED = {"Arm": "ForeArm", "ForeArm": "Hand", "Hand": "HandMiddle1"}  # along the arm, to the side
_HANGING = {"UpLeg": "Leg", "Leg": "Foot"}  # down
_FINGERS = ("Index", "Middle", "Ring", "Pinky")
_SHORTEST = 1e-6  # metres


def normalised(clip: Clip, bones: Mapping[str, str]) -> Clip:
    """Return a clip of the humanoid's bones alone, named as VRM names them.

    At rest the arms, hands and fingers but for the thumb point to the sides, the thighs and shins down, each
    turned there by the shortest arc, and nothing else is moved; every bone faces as the world does. In the
    motion every bone is turned in the world as its joint is.

    Args:
        clip: T frames.
        bones: VRM's bones to the clip's joints, with the hips.

    Raises:
        RigError: a bone does not hang from the hips.
    """
    skeleton, motion = clip.motion.skeleton, clip.motion
    joints = {bone: skeleton.index(joint) for bone, joint in bones.items()}
    names = sorted(joints, key=lambda bone: joints[bone])
    if names[0] != "hips":
        hips, first = bones["hips"], bones[names[0]]
        raise RigError(f"joint {hips!r}, VRM's hips, comes after {first!r}; map other joints")
    positions, turned = _t_pose(clip, {ROLES.get(bone, bone): joint for bone, joint in joints.items()})
    parents = _parents(skeleton, [joints[name] for name in names])
    offsets = np.array(
        [
            positions[joints[name]] - (positions[joints[names[parent]]] if parent >= 0 else 0.0)
            for name, parent in zip(names, parents, strict=True)
        ]
    )
    places, whole = motion.world()
    world = quat.multiply(whole, quat.conjugate(turned))[:, [joints[name] for name in names]]
    local = world.copy()
    for j, parent in enumerate(parents):
        if parent >= 0:
            local[:, j] = quat.multiply(quat.conjugate(world[:, parent]), world[:, j])
    offsets[0, 1] += _above_ground(positions, offsets[0, 1])
    keys = _keys(clip, [joints[name] for name in names])
    figure = Skeleton(tuple(names), np.array(parents), offsets)
    moved = Motion(figure, quat.continuous(quat.normalise(local)), places[:, joints["hips"]], motion.fps)
    return Clip(clip.name, moved, roles=dict(zip(names, names, strict=True)), first=clip.first, keys=keys)


def _parents(skeleton: Skeleton, joints: list[int]) -> list[int]:
    """Return the nearest of some joints above each of them, by place in the list; -1 for the first.

    Raises:
        RigError: another hangs from none of them.
    """
    where = {joint: k for k, joint in enumerate(joints)}
    found: list[int] = []
    for joint in joints:
        parent = _between(skeleton, joint, where)[1]
        if parent < 0 and found:
            names = skeleton.names[joint], skeleton.names[joints[0]]
            raise RigError(
                f"joint {names[0]!r} does not hang from {names[1]!r}, as VRM's bones do; map other joints"
            )
        found.append(where.get(parent, -1))
    return found


def _between(skeleton: Skeleton, joint: int, kept: Container[int]) -> tuple[list[int], int]:
    """Return the joints between one and the next above that is kept, and that one, -1 where there is none."""
    passed, parent = [], int(skeleton.parents[joint])
    while parent >= 0 and parent not in kept:
        passed.append(parent)
        parent = int(skeleton.parents[parent])
    return passed, parent


def _keys(clip: Clip, joints: list[int]) -> NDArray[np.bool_] | None:
    """Return the keys (T, B) of bones: their joints' own, and of joints that are left out above them."""
    if clip.keys is None:
        return None
    passed = [_between(clip.motion.skeleton, joint, joints)[0] for joint in joints]
    both = [clip.keys[:, [joint, *above]].any(axis=1) for joint, above in zip(joints, passed, strict=True)]
    return np.stack(both, axis=1)


def _t_pose(clip: Clip, roles: Mapping[str, int]) -> tuple[FloatArray, FloatArray]:
    """Return all joints (J, 3) and how they are turned (J, 4) in the world, in the T-pose."""
    resting = clip.resting
    (was,), (turned,) = resting.world()
    wanted = {joint: (end, way) for joint, end, way in _ways(roles)}
    positions, arcs = was.copy(), quat.identity(len(was))
    for j, parent in enumerate(clip.motion.skeleton.parents.tolist()):
        if parent >= 0:
            arcs[j] = arcs[parent]
            positions[j] = positions[parent] + quat.rotate(arcs[parent], was[j] - was[parent])
        end, way = wanted.get(j, (j, None))
        bone = quat.rotate(arcs[j], was[end] - was[j])
        if way is not None and np.linalg.norm(bone) > _SHORTEST:
            arcs[j] = quat.multiply(quat.between(bone, way), arcs[j])
    return positions, quat.multiply(arcs, turned)


def _ways(roles: Mapping[str, int]) -> list[tuple[int, int, FloatArray]]:
    """Return joint, end of its bone and the bone's direction in the T-pose."""
    found = []
    for side, sign in _SIDES.items():
        bones = dict.fromkeys(_STRETCHED.items(), (sign, 0.0, 0.0)) | dict.fromkeys(
            _HANGING.items(), (0.0, -1.0, 0.0)
        )
        for finger in _FINGERS:
            for k in (1, 2):
                bones[f"Hand{finger}{k}", f"Hand{finger}{k + 1}"] = (sign, 0.0, 0.0)
        for (start, end), way in bones.items():
            if f"{side}{start}" in roles and f"{side}{end}" in roles:
                found.append((roles[f"{side}{start}"], roles[f"{side}{end}"], np.array(way)))
    return found


def _above_ground(positions: FloatArray, hips: float) -> float:
    """Return by how much a character (J, 3) is to be lifted to stand, where its rest has no height."""
    return 0.0 if hips > 0.0 else -float(positions[:, 1].min())
