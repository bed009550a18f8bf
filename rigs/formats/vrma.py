"""VRM animation, .vrma: a humanoid's motion for all VRM characters, a GLB that says which node is what."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from rigs.clip import Clip
from rigs.errors import FormatError, RigError
from rigs.formats.gltf.document import GltfBuilder
from rigs.formats.gltf.reading import read_gltf
from rigs.formats.gltf.writing import GltfAnimation, add_skeleton, check_clip
from rigs.formats.vrm_bones import REQUIRED, bones_of
from rigs.formats.vrm_pose import normalised

_EXTENSION = "VRMC_vrm_animation"


def write(path: str | PathLike[str], clips: Sequence[Clip]) -> None:
    """Write one character's motion, normalised: joints that VRM has no bone for are left out.

    Raises:
        FormatError: a bone that VRM needs is missing, a number is not finite, or the file cannot be written.
    """
    (clip,) = clips
    check_clip(path, clip)
    bones = bones_of(clip.roles or {name: name for name in clip.motion.skeleton.names})
    missing = [bone for bone in REQUIRED if bone not in bones]
    if missing:
        raise FormatError(
            f"cannot write {path}: {clip.name!r} has no joint for VRM's {', '.join(missing)}; map them"
        )
    try:
        figure = normalised(clip, bones)
    except RigError as error:
        raise FormatError(f"cannot write {path}: {error}") from error
    builder = GltfBuilder()
    joints = add_skeleton(builder, figure)
    builder.roots.append(joints[0])
    animation = GltfAnimation(builder, clip.name)
    animation.add(figure, joints)
    builder.animations.append(animation.document)
    nodes = {bone: {"node": node} for bone, node in zip(figure.motion.skeleton.names, joints, strict=True)}
    builder.extensions[_EXTENSION] = {"specVersion": "1.0", "humanoid": {"humanBones": nodes}}
    builder.write(path)


def read(path: str | PathLike[str]) -> list[Clip]:
    """Read the humanoid; see `read_gltf`."""
    return read_gltf(path)
