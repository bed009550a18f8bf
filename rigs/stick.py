"""A stick figure: a mesh for characters that have none, as some programs take a skeleton only with a skin.

Every bone is an octahedron from its joint to its child's or to its tip, carried by its joint alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rigs import quat
from rigs.clip import Clip
from rigs.quat import FloatArray

THICKNESS = 0.08  # of the bone's length
SHORTEST = 1e-3  # metres: shorter bones are not drawn
WAIST = 0.2  # of the bone's length, where it is thickest
_FACES = np.array([[0, 2, 1], [0, 3, 2], [0, 4, 3], [0, 1, 4], [5, 1, 2], [5, 2, 3], [5, 3, 4], [5, 4, 1]])


@dataclass(frozen=True, eq=False)
class Stick:
    """A mesh in the rest pose.

    vertices: (N, 3) metres, world; normals: (N, 3); faces: (F, 3) counter-clockwise from outside; joint: (N,)
    which joint carries each vertex, alone.
    """

    vertices: FloatArray
    normals: FloatArray
    faces: NDArray[np.int64]
    joint: NDArray[np.int64]


def stick_figure(clip: Clip) -> Stick:
    """Return the stick figure of a clip's skeleton in its rest pose, flat shaded: no vertex is shared."""
    positions, rotations = (values[0] for values in clip.resting.world())
    corners, joints = [], []
    for joint, end in _bones(clip, positions, rotations):
        bone = end - positions[joint]
        if np.linalg.norm(bone) >= SHORTEST:
            corners.append(_octahedron(positions[joint], bone)[_FACES].reshape(-1, 3))
            joints.append(joint)
    if not corners:  # a skeleton of one joint
        corners, joints = [_octahedron(positions[0], np.array([0.0, 0.1, 0.0]))[_FACES].reshape(-1, 3)], [0]
    vertices = np.concatenate(corners)
    triangles = vertices.reshape(-1, 3, 3)
    normals = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Stick(
        vertices,
        np.repeat(normals, 3, axis=0),
        np.arange(len(vertices)).reshape(-1, 3),
        np.repeat(joints, len(_FACES) * 3),
    )


def _bones(clip: Clip, positions: FloatArray, rotations: FloatArray) -> list[tuple[int, FloatArray]]:
    """Joint and end of every bone: to each child, or to the tip of a leaf; of who has hips, from these on."""
    skeleton = clip.motion.skeleton
    bones = [(int(skeleton.parents[j]), positions[j]) for j in range(1, len(skeleton))]
    for name, tip in skeleton.tips.items():
        j = skeleton.index(name)
        bones.append((j, positions[j] + quat.rotate(rotations[j], tip)))
    hips = clip.roles.get("Hips")
    if hips is None:
        return bones
    body = {skeleton.index(hips)}  # what hangs beside them, as goals of hands and feet do, is no part of it
    for j in range(1, len(skeleton)):
        if int(skeleton.parents[j]) in body:
            body.add(j)
    return [(joint, end) for joint, end in bones if joint in body]


def _octahedron(start: FloatArray, bone: FloatArray) -> FloatArray:
    """Return six corners (6, 3): start, four about the waist, counter-clockwise seen from the end, end."""
    length = float(np.linalg.norm(bone))
    turn = quat.between(np.array([0.0, 1.0, 0.0]), bone / length)
    waist = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]) * THICKNESS
    waist[:, 1] = WAIST
    corners = np.concatenate([np.zeros((1, 3)), waist, [[0.0, 1.0, 0.0]]])
    return start + quat.rotate(turn, corners * length)
