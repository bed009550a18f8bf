"""What we write as USD, as USD's own library, its validators and Blender read it."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import write_clips
from rigs.motion import Motion
from rigs.skeleton import Skeleton
from tests.rigs.scenes import blender_scene, turned, worst_in_blender

SAME_PLACE = 1e-5  # metres
NTSC = Fraction(30000, 1001)


def two(wild: Callable[..., Motion], fps: Fraction = Fraction(30)) -> list[Clip]:
    return [Clip("anna", wild(frames=60, fps=fps)), turned("bob", wild(frames=50, fps=fps, seed=2), first=6)]


def skeletons(path: Path) -> tuple[Any, dict[str, Any]]:
    """Return the stage, and what answers for each skeleton by the name of its character."""
    from pxr import Usd, UsdSkel

    stage = Usd.Stage.Open(str(path))
    cache, found = UsdSkel.Cache(), {}
    for prim in stage.Traverse():
        if prim.IsA(UsdSkel.Root):
            cache.Populate(UsdSkel.Root(prim), Usd.PrimDefaultPredicate)
        if prim.IsA(UsdSkel.Skeleton):
            found[prim.GetParent().GetName()] = cache.GetSkelQuery(UsdSkel.Skeleton(prim))
    return stage, found


def places(transforms: Any) -> np.ndarray:
    return np.array(transforms)[:, 3, :3]


@pytest.mark.parametrize("suffix", ["usda", "usdc", "usd"])
@pytest.mark.parametrize("unit", ["m", "cm"])
def test_usd_itself_sees_what_we_wrote(wild, tmp_path: Path, suffix: str, unit: str) -> None:
    from pxr import UsdGeom

    clips = two(wild, NTSC)
    path = tmp_path / f"both.{suffix}"
    write_clips(path, clips, unit=unit)
    stage, found = skeletons(path)
    metres = UsdGeom.GetStageMetersPerUnit(stage)
    assert (metres, UsdGeom.GetStageUpAxis(stage)) == ({"m": 1.0, "cm": 0.01}[unit], "Y")
    assert stage.GetTimeCodesPerSecond() == stage.GetFramesPerSecond() == 30000 / 1001
    assert (stage.GetStartTimeCode(), stage.GetEndTimeCode()) == (0, 59)
    assert stage.GetDefaultPrim().GetName() == "mocap"
    for clip in clips:
        query = found[clip.name]
        assert query.GetAnimQuery().GetJointTransformTimeSamples() == list(
            range(clip.first, clip.first + len(clip.motion))
        )
        world = clip.motion.world()[0]
        for frame in range(len(clip.motion)):
            there = metres * places(query.ComputeJointSkelTransforms(clip.first + frame))
            assert np.abs(there - world[frame]).max() <= SAME_PLACE
        resting = clip.resting.world()[0][0]
        np.testing.assert_allclose(metres * places(query.GetJointWorldBindTransforms()), resting, atol=1e-9)
        rest = query.ComputeJointSkelTransforms(0.0, True)
        np.testing.assert_allclose(metres * places(rest), resting, atol=1e-9)


@pytest.mark.parametrize("suffix", ["usda", "usdc"])
def test_its_validators_find_nothing(wild, tmp_path: Path, suffix: str) -> None:
    from pxr import Usd, UsdValidation

    path = tmp_path / f"both.{suffix}"
    write_clips(path, two(wild))
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) >= 20
    errors = UsdValidation.ValidationContext(validators).Validate(Usd.Stage.Open(str(path)))
    assert [error.GetMessage() for error in errors] == []


def test_the_stick_figure_follows_its_bones(wild, tmp_path: Path) -> None:
    from pxr import Usd, UsdGeom, UsdSkel

    clip = turned("bob", wild(frames=5))
    write_clips(tmp_path / "bob.usda", [clip])
    stage, found = skeletons(tmp_path / "bob.usda")
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/mocap/bob/Mesh"))
    binding = UsdSkel.BindingAPI(mesh.GetPrim())
    joints = np.array(binding.GetJointIndicesPrimvar().Get())
    assert binding.GetJointWeightsPrimvar().Get() == [1.0] * len(joints)
    cache = UsdSkel.Cache()
    root = UsdSkel.Root(stage.GetPrimAtPath("/mocap/bob"))
    cache.Populate(root, Usd.PrimDefaultPredicate)
    query = cache.GetSkinningQuery(mesh.GetPrim())
    points = mesh.GetPointsAttr().Get()
    assert query.ComputeSkinnedPoints(found["bob"].ComputeSkinningTransforms(3.0), points, 3.0)
    starts = np.array(points).reshape(-1, 24, 3)[:, 0]  # of each bone, at its joint
    wanted = clip.motion.world()[0][3][joints.reshape(-1, 24)[:, 0]]
    np.testing.assert_allclose(starts, wanted, atol=SAME_PLACE)


def test_names_become_what_usd_takes_and_stay_apart(tmp_path: Path) -> None:
    names = ("mixamorig:Hips", "mixamorig.Hips", "1st", "Bein ä")
    skeleton = Skeleton(names, [-1, 0, 1, 1], np.ones((4, 3)))
    motion = Motion(skeleton, quat.identity(2, 4), np.zeros((2, 3)), Fraction(24))
    write_clips(tmp_path / "odd.usda", [Clip("2 people", motion), Clip("2:people", motion)])
    _, found = skeletons(tmp_path / "odd.usda")
    assert list(found) == ["_2_people", "_2_people_2"]
    hips = "mixamorig_Hips"
    wanted = [hips, f"{hips}/{hips}_2", f"{hips}/{hips}_2/_1st", f"{hips}/{hips}_2/Bein__"]
    assert list(found["_2_people"].GetJointOrder()) == wanted
    assert list(found["_2_people"].GetSkeleton().GetJointNamesAttr().Get()) == list(names)


def test_what_cannot_be_written_is_said_in_a_line(wild, tmp_path: Path) -> None:
    clip = Clip("anna", wild(frames=3))
    with pytest.raises(FormatError, match=r"in the unit 'inch'; choose one of m, cm"):
        write_clips(tmp_path / "anna.usda", [clip], unit="inch")
    with pytest.raises(FormatError, match=r"clips of 24 and 30 frames a second; resample one"):
        write_clips(tmp_path / "anna.usda", [clip, Clip("bob", wild(frames=3, fps=Fraction(24)))])
    with pytest.raises(FormatError, match="cannot write"):
        write_clips(tmp_path / "nowhere" / "anna.usdc", [clip])
    assert not list(tmp_path.iterdir())


@pytest.mark.blender
@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "unit", "fps"), [("usdc", "m", NTSC), ("usda", "cm", Fraction(30))])
def test_blender_sees_what_we_wrote(
    wild, tmp_path: Path, blender_python: Path, suffix: str, unit: str, fps: Fraction
) -> None:
    clips = two(wild, fps)
    path = tmp_path / f"both.{suffix}"
    write_clips(path, clips, unit=unit)
    seen = blender_scene(blender_python, path, clips, 30)
    assert seen["names"].tolist() == ["anna", "bob"]
    for clip in clips:
        assert seen[f"{clip.name}:keyed"].tolist() == [clip.first, clip.first + len(clip.motion) - 1]
        assert worst_in_blender(seen, clip) <= SAME_PLACE
