"""USD, Pixar's Universal Scene Description: .usda as text, .usdc in binary, .usd in binary too.

Each character is a UsdSkel skeleton with its animation and, as its skin, a stick figure.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.gltf.writing import check_clip
from rigs.formats.replacing import replacing
from rigs.quat import FloatArray
from rigs.skeleton import Skeleton
from rigs.stick import stick_figure

_METRES = {"m": 1.0, "cm": 0.01}
_ROOT = "/mocap"
_XYZW = [1, 2, 3, 0]


def write(path: str | PathLike[str], clips: Sequence[Clip], unit: str = "m") -> None:
    """Write characters into one stage, y up, its time codes frames of the clips from 0.

    Every joint has a value in every frame, as USD holds those of all joints together. Characters that no name
    in USD has become ``_``.

    Args:
        path: .usda, .usdc or .usd; one that is there is replaced when the new one is whole.
        clips: at least one, all of the same rate.
        unit: "m", or "cm" for programs that pass over the stage's own word on it.

    Raises:
        FormatError: an unknown unit, clips of several rates, a number that is not finite, or a file that
            cannot be written.
    """
    if unit not in _METRES:
        raise FormatError(f"cannot write {path} in the unit {unit!r}; choose one of {', '.join(_METRES)}")
    rates = sorted({clip.motion.fps for clip in clips})
    if len(rates) > 1:
        raise FormatError(
            f"cannot write {path}: clips of {rates[0]} and {rates[-1]} frames a second; resample one"
        )
    for clip in clips:
        check_clip(path, clip)
    stage = _stage(clips, unit)  # which has to live as long as its layer is used
    with TemporaryDirectory() as folder, replacing(path, "wb") as file:
        made = Path(folder) / f"stage{Path(path).suffix.lower()}"  # by which USD chooses the encoding
        if not stage.GetRootLayer().Export(str(made)):
            raise FormatError(f"cannot write {path}: no room for it in {folder}; make some")
        with open(made, "rb") as whole:
            shutil.copyfileobj(whole, file)


def _stage(clips: Sequence[Clip], unit: str) -> Any:
    from pxr import Usd, UsdGeom, UsdSkel

    stage = Usd.Stage.CreateInMemory()
    stage.SetMetadata("comment", "mocap")
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, _METRES[unit])
    stage.SetTimeCodesPerSecond(float(clips[0].motion.fps))
    stage.SetFramesPerSecond(float(clips[0].motion.fps))
    stage.SetStartTimeCode(0)
    stage.SetEndTimeCode(max(clip.first + len(clip.motion) for clip in clips) - 1)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, _ROOT).GetPrim())
    for clip, name in zip(clips, _safe([clip.name for clip in clips]), strict=True):
        root = UsdSkel.Root.Define(stage, f"{_ROOT}/{name}")
        skeleton = _add_skeleton(stage, str(root.GetPath()), clip, unit)
        _add_mesh(stage, str(root.GetPath()), clip, unit, skeleton)
        places = clip.motion.world()[0] / _METRES[unit]
        root.CreateExtentAttr(_vectors([places.min(axis=(0, 1)), places.max(axis=(0, 1))]))
    return stage


def _add_skeleton(stage: Any, root: str, clip: Clip, unit: str) -> Any:
    """Add the skeleton in its rest pose, and its animation; return the skeleton."""
    from pxr import UsdSkel, Vt

    motion, resting = clip.motion, clip.resting
    paths = _joint_paths(motion.skeleton)
    skeleton = UsdSkel.Skeleton.Define(stage, f"{root}/{root.rpartition('/')[2]}")
    skeleton.CreateJointsAttr(paths)
    skeleton.CreateJointNamesAttr(list(motion.skeleton.names))
    (places,), (turns,) = resting.world()
    skeleton.CreateBindTransformsAttr(_matrices(places / _METRES[unit], turns))
    skeleton.CreateRestTransformsAttr(
        _matrices(motion.skeleton.offsets / _METRES[unit], resting.rotations[0])
    )
    animation = UsdSkel.Animation.Define(stage, f"{root}/Animation")
    animation.CreateJointsAttr(paths)
    animation.CreateScalesAttr(Vt.Vec3hArray.FromNumpy(np.ones((len(paths), 3), np.float16)))
    offsets = np.array(motion.skeleton.offsets) / _METRES[unit]
    moved = {0: motion.root, **motion.translations}
    rotations = quat.continuous(quat.normalise(motion.rotations))[..., _XYZW].astype(np.float32)
    placed, turned = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    for frame in range(len(motion)):
        for joint, values in moved.items():
            offsets[joint] = values[frame] / _METRES[unit]
        placed.Set(_vectors(offsets), clip.first + frame)
        turned.Set(Vt.QuatfArray.FromNumpy(rotations[frame]), clip.first + frame)
    binding = UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    return skeleton


def _add_mesh(stage: Any, root: str, clip: Clip, unit: str, skeleton: Any) -> None:
    """Add the stick figure, bound to the skeleton in its rest pose."""
    from pxr import Gf, UsdGeom, UsdSkel, Vt

    stick = stick_figure(clip)
    vertices = stick.vertices / _METRES[unit]
    mesh = UsdGeom.Mesh.Define(stage, f"{root}/Mesh")
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreatePointsAttr(_vectors(vertices))
    mesh.CreateExtentAttr(_vectors([vertices.min(axis=0), vertices.max(axis=0)]))
    mesh.CreateFaceVertexCountsAttr(Vt.IntArray([3] * len(stick.faces)))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(stick.faces.reshape(-1).astype(np.int32)))
    mesh.CreateNormalsAttr(_vectors(stick.normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    binding = UsdSkel.BindingAPI.Apply(mesh.GetPrim())
    binding.CreateSkeletonRel().SetTargets([skeleton.GetPath()])
    binding.CreateGeomBindTransformAttr(Gf.Matrix4d(1.0))
    binding.CreateJointIndicesPrimvar(False, 1).Set(Vt.IntArray.FromNumpy(stick.joint.astype(np.int32)))
    binding.CreateJointWeightsPrimvar(False, 1).Set(Vt.FloatArray([1.0] * len(stick.joint)))


def _vectors(values: Sequence[FloatArray] | FloatArray) -> Any:
    from pxr import Vt

    return Vt.Vec3fArray.FromNumpy(np.ascontiguousarray(values, np.float32))


def _matrices(places: FloatArray, turns: FloatArray) -> Any:
    """Return transforms (J, 4, 4) as USD has them: of row vectors, with the place in the last row."""
    from pxr import Vt

    matrices = np.tile(np.eye(4), (len(places), 1, 1))
    matrices[:, :3, :3] = np.swapaxes(quat.to_matrix(quat.normalise(turns)), 1, 2)
    matrices[:, 3, :3] = places
    return Vt.Matrix4dArray.FromNumpy(matrices)


def _joint_paths(skeleton: Skeleton) -> list[str]:
    """Return each joint's path through the skeleton, as "Hips/Spine"."""
    names = _safe(skeleton.names)
    paths: list[str] = []
    for name, parent in zip(names, skeleton.parents.tolist(), strict=True):
        paths.append(name if parent < 0 else f"{paths[parent]}/{name}")
    return paths


def _safe(names: Sequence[str]) -> list[str]:
    """Return names as USD takes them: letters, digits and ``_``, no digit first, all different."""
    safe: list[str] = []
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_]", "_", name) or "_"
        plain = base = f"_{plain}" if plain[0].isdigit() else plain
        copy = 2
        while plain in safe or (plain != name and plain in names):
            plain, copy = f"{base}_{copy}", copy + 1
        safe.append(plain)
    return safe
