"""Write characters as glTF: metres, y up, each a skeleton with a stick figure as its skin.

Blender makes an armature, and engines a skeleton, only of what a skin names. All characters move in one
animation, whose keys are at their times on the common clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.finite import check_finite
from rigs.formats.gltf.document import INDICES, VERTICES, GltfBuilder
from rigs.quat import FloatArray
from rigs.stick import stick_figure

_XYZW = [1, 2, 3, 0]


def write_gltf(path: str | PathLike[str], clips: Sequence[Clip]) -> None:
    """Write characters into one file, which appears whole or not at all.

    Args:
        path: .glb, or .gltf for text with the numbers inside in base64.
        clips: at least one; where a clip has sparse keys, so has the file.

    Raises:
        FormatError: a number that is not finite (naming joint and frame), a clip that begins before the
            clock, or a file that cannot be written.
    """
    builder = GltfBuilder()
    animation = GltfAnimation(builder, clips[0].name if len(clips) == 1 else "mocap")
    for clip in clips:
        check_clip(path, clip)
        joints = add_skeleton(builder, clip)
        armature = builder.node(clip.name, children=[joints[0]])
        builder.roots.append(armature)
        _add_skin(builder, clip, joints, armature)
        animation.add(clip, joints)
    builder.animations.append(animation.document)
    builder.write(path)


def check_clip(path: object, clip: Clip) -> None:
    """Raise what a clip cannot be written for.

    Raises:
        FormatError: it is not finite, or begins before the clock.
    """
    if clip.first < 0:
        what = f"{clip.name!r} begins at frame {clip.first}"
        raise FormatError(f"cannot write {path}: {what}; cut it to begin at 0")
    check_finite(path, clip.motion)
    resting = np.isfinite(clip.resting.rotations[0]).all(axis=1)
    if not resting.all():
        name = clip.motion.skeleton.names[int(np.argmin(resting))]
        raise FormatError(
            f"cannot write {path}: joint {name!r} of {clip.name!r} has no finite rest pose; give it one"
        )


def add_skeleton(builder: GltfBuilder, clip: Clip) -> list[int]:
    """Add a node for each joint at rest, and return their indices (J,); the root is in no scene yet."""
    skeleton, rest = clip.motion.skeleton, clip.resting.rotations[0]
    start = len(builder.nodes)
    for j, name in enumerate(skeleton.names):
        children = [start + child for child in skeleton.children(j)]
        builder.node(
            name,
            **({"children": children} if children else {}),
            translation=_floats(skeleton.offsets[j]),
            rotation=_floats(quat.normalise(rest[j])[_XYZW]),
        )
    return list(range(start, start + len(skeleton)))


class GltfAnimation:
    """An animation that grows, character by character."""

    def __init__(self, builder: GltfBuilder, name: str) -> None:
        self._builder = builder
        self.document: dict[str, Any] = {"name": name, "channels": [], "samplers": []}

    def add(self, clip: Clip, joints: list[int]) -> None:
        """Add a character's motion: rotations of all joints, places of those that have any."""
        motion = clip.motion
        rotations = quat.continuous(quat.normalise(motion.rotations))[..., _XYZW]
        places = {0: motion.root, **motion.translations}
        times: dict[bytes, int] = {}
        for j, node in enumerate(joints):
            frames = clip.key_frames(j)
            if frames.tobytes() not in times:
                seconds = np.array([float(clip.key_time(int(frame))) for frame in frames])
                times[frames.tobytes()] = self._builder.numbers(seconds, bounds=True)
            at = times[frames.tobytes()]
            if j in places:
                self._channel(node, "translation", at, places[j][frames])
            self._channel(node, "rotation", at, quat.continuous(rotations[frames, j]))

    def _channel(self, node: int, path: str, times: int, values: FloatArray) -> None:
        sampler = {"input": times, "output": self._builder.numbers(values), "interpolation": "LINEAR"}
        self.document["samplers"].append(sampler)
        number = len(self.document["samplers"]) - 1
        self.document["channels"].append({"sampler": number, "target": {"node": node, "path": path}})


def _add_skin(builder: GltfBuilder, clip: Clip, joints: list[int], armature: int) -> None:
    """Add the stick figure, bound to the joints at rest; its node stands at the top, as glTF asks."""
    stick = stick_figure(clip)
    carried = np.zeros((len(stick.joint), 4), "<u1" if len(joints) <= 256 else "<u2")
    carried[:, 0] = stick.joint
    weights = np.zeros((len(stick.joint), 4))
    weights[:, 0] = 1.0
    attributes = {
        "POSITION": builder.numbers(stick.vertices, VERTICES, bounds=True),
        "NORMAL": builder.numbers(stick.normals, VERTICES),
        "JOINTS_0": builder.numbers(carried, VERTICES),
        "WEIGHTS_0": builder.numbers(weights, VERTICES),
    }
    faces = builder.numbers(stick.faces.reshape(-1).astype("<u4"), INDICES)
    builder.meshes.append({"name": clip.name, "primitives": [{"attributes": attributes, "indices": faces}]})
    builder.skins.append(
        {
            "name": clip.name,
            "joints": joints,
            "skeleton": armature,
            "inverseBindMatrices": builder.numbers(_inverse_bind(clip)),
            "extras": {"frameRate": str(clip.motion.fps)},
        }
    )
    mesh = builder.node(f"{clip.name} mesh", mesh=len(builder.meshes) - 1, skin=len(builder.skins) - 1)
    builder.roots.append(mesh)


def _inverse_bind(clip: Clip) -> FloatArray:
    """Return matrices (J, 4, 4) from the world to each joint at rest."""
    positions, rotations = (values[0] for values in clip.resting.world())
    back = quat.conjugate(quat.normalise(rotations))
    matrices = np.tile(np.eye(4), (len(positions), 1, 1))
    matrices[:, :3, :3] = quat.to_matrix(back)
    matrices[:, :3, 3] = -quat.rotate(back, positions)
    return matrices


def _floats(values: FloatArray) -> list[float]:
    """Return numbers as JSON has them, in the single precision that readers hold."""
    numbers: list[float] = values.astype(np.float32).astype(float).tolist()
    return numbers
