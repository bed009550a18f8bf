"""What we write as glTF, as Khronos' validator, three.js, Blender and we ourselves read it."""

import json
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import read_clips, write_clips
from rigs.motion import Motion
from rigs.skeleton import Skeleton
from tests.rigs.gltf_files import taken_apart
from tests.rigs.scenes import blender_scene, sparse, turned, worst_in_blender

SAME_PLACE = 1e-5  # metres
VALIDATE = Path(__file__).with_name("gltf_validate.mjs")
NTSC = Fraction(30000, 1001)


def two(wild: Callable[..., Motion], fps: Fraction = Fraction(30)) -> list[Clip]:
    return [Clip("anna", wild(frames=60, fps=fps)), turned("bob", wild(frames=50, fps=fps, seed=2), first=6)]


def chain(joints: int) -> Clip:
    """One joint after another, in more joints than a byte counts."""
    names = tuple(f"joint {j}" for j in range(joints))
    skeleton = Skeleton(names, np.arange(joints) - 1, np.tile([0.0, 0.01, 0.0], (joints, 1)))
    return Clip("chain", Motion(skeleton, quat.identity(2, joints), np.zeros((2, 3)), Fraction(30)))


@pytest.mark.parametrize("suffix", ["glb", "gltf"])
def test_what_is_written_is_read_back(wild, tmp_path: Path, suffix: str) -> None:
    clips = two(wild, NTSC)
    write_clips(tmp_path / f"both.{suffix}", clips)
    for clip, found in zip(clips, read_clips(tmp_path / f"both.{suffix}"), strict=True):
        assert (found.name, found.first, found.motion.fps) == (clip.name, clip.first, NTSC)
        assert found.motion.skeleton.names == clip.motion.skeleton.names
        assert list(found.motion.translations) == list(clip.motion.translations)
        for ours, theirs in ((clip.motion, found.motion), (clip.resting, found.resting)):
            np.testing.assert_allclose(theirs.world()[0], ours.world()[0], atol=1e-6)
            dots = np.abs(np.sum(theirs.rotations * ours.rotations, axis=-1))
            np.testing.assert_allclose(dots, 1.0, atol=1e-6)


def test_sparse_keys_are_written_alone_and_say_the_same(wild, tmp_path: Path) -> None:
    clip = sparse(Clip("anna", wild(frames=60)))
    write_clips(tmp_path / "sparse.glb", [clip])
    document, _ = taken_apart((tmp_path / "sparse.glb").read_bytes())
    samplers = document["animations"][0]["samplers"]
    assert {document["accessors"][sampler["input"]]["count"] for sampler in samplers} == {10}
    (found,) = read_clips(tmp_path / "sparse.glb")
    assert (len(found.motion), found.motion.fps) == (60, 30)
    np.testing.assert_allclose(found.motion.world()[0], clip.motion.world()[0], atol=2e-6)


def test_times_are_on_the_common_clock_and_rotations_do_not_flip(wild, tmp_path: Path) -> None:
    motion = wild(frames=20)
    flipped = motion.rotations * np.where(np.arange(20) % 2, -1.0, 1.0)[:, None, None]
    clip = Clip("anna", Motion(motion.skeleton, flipped, motion.root, motion.fps), first=3)
    write_clips(tmp_path / "anna.glb", [clip])
    document, binary = taken_apart((tmp_path / "anna.glb").read_bytes())
    assert document["asset"] == {"version": "2.0", "generator": "mocap"}
    for sampler in document["animations"][0]["samplers"]:
        times, values = (document["accessors"][sampler[end]] for end in ("input", "output"))
        assert times["min"] == pytest.approx([3 / 30])
        assert times["max"] == pytest.approx([22 / 30])
        if values["type"] == "VEC4":
            start = document["bufferViews"][values["bufferView"]]["byteOffset"]
            quaternions = np.frombuffer(binary, "<f4", 80, start).reshape(20, 4)
            assert (np.sum(quaternions[1:] * quaternions[:-1], axis=1) > 0).all()


def test_what_cannot_be_written_is_said_in_a_line(wild, tmp_path: Path) -> None:
    motion = wild(frames=5)
    rotations = motion.rotations.copy()
    rotations[3, 2] = np.nan
    holed = Clip("anna", Motion(motion.skeleton, rotations, motion.root, motion.fps))
    with pytest.raises(FormatError, match=r"joint 'Spine1' has no finite pose at frame 3"):
        write_clips(tmp_path / "anna.glb", [holed])
    with pytest.raises(FormatError, match=r"'anna' begins at frame -2"):
        write_clips(tmp_path / "anna.glb", [Clip("anna", motion, first=-2)])
    rest = np.full((len(motion.skeleton), 4), np.nan)
    with pytest.raises(FormatError, match=r"joint 'Hips' of 'anna' has no finite rest pose"):
        write_clips(tmp_path / "anna.glb", [Clip("anna", motion, rest)])
    with pytest.raises(FormatError, match=r"cannot write .*vrm"):
        write_clips(tmp_path / "anna.vrm", [Clip("anna", motion)])
    assert not list(tmp_path.iterdir())


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize("case", ["both.glb", "both.gltf", "sparse.glb", "chain.glb", "one frame.glb"])
def test_the_validator_finds_nothing(wild, tmp_path: Path, node_modules: Path, case: str) -> None:
    clips = {
        "both": two(wild),
        "sparse": [sparse(turned("anna", wild(frames=60)))],
        "chain": [chain(300)],
        "one frame": [Clip("anna", wild(frames=1))],
    }[case.split(".")[0]]
    write_clips(tmp_path / case, clips)
    report = validated(node_modules, tmp_path / case)
    assert report["issues"]["messages"] == []
    assert report["info"]["animationCount"] == 1


def validated(node_modules: Path, path: Path) -> dict[str, Any]:
    run = subprocess.run(["node", VALIDATE, node_modules, path], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-2000:]
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.mark.node
@pytest.mark.slow
def test_three_js_sees_what_we_wrote(wild, tmp_path: Path, in_three: Callable[..., dict[str, Any]]) -> None:
    clips = two(wild, NTSC)
    write_clips(tmp_path / "both.glb", clips)
    times = [np.float32(clips[0].key_time(frame)) for frame in range(60)]
    seen = in_three(tmp_path / "both.glb", times)
    (played,) = seen["clips"]
    assert played["duration"] == pytest.approx(59 / NTSC)
    joints = len(clips[0].motion.skeleton)
    positions = np.array(seen["positions"]).reshape(60, 2, joints, 3)  # of both, each depth first as ours
    for k, clip in enumerate(clips):
        there = positions[clip.first : clip.first + len(clip.motion), k]
        assert np.abs(there - clip.motion.world()[0][: len(there)]).max() <= SAME_PLACE


@pytest.mark.blender
@pytest.mark.slow
@pytest.mark.parametrize("fps", [Fraction(30), NTSC])
def test_blender_sees_what_we_wrote(wild, tmp_path: Path, blender_python: Path, fps: Fraction) -> None:
    clips = two(wild, fps)
    write_clips(tmp_path / "both.glb", clips)
    seen = blender_scene(blender_python, tmp_path / "both.glb", clips, 30)
    assert seen["names"].tolist() == ["anna", "bob"]
    assert seen["anna:keyed"] == pytest.approx([0, 59], abs=1e-3)
    for clip in clips:
        assert worst_in_blender(seen, clip) <= SAME_PLACE
