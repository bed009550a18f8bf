"""What is written is read again, and what cannot be written is refused."""

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import read_clips, write_clips
from rigs.formats.fbx.keys import rotation_keys
from rigs.formats.fbx.records import Packed, Record, decode
from rigs.motion import Motion
from rigs.skeleton import Skeleton
from tests.rigs.wild_clip import wild_clip

# Keys are in single precision, half of whose last digit is 2^-24 of a number: of three angles within two
# turns and, of a place, of the angles of all joints above it at an arm's length, and of the root's in 4 m.
SAME_TURN = 3 * 4 * np.pi * 2.0**-24
SAME_PLACE = 2e-6
EXACT = 1e-12


def written(path: Path, clips: list[Clip], **options: object) -> list[Clip]:
    write_clips(path, clips, **options)
    return read_clips(path)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Largest angle, radians, between rotations."""
    return float(np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), b)), axis=-1).max())


def assert_same(found: Clip, clip: Clip) -> None:
    motion, skeleton = clip.motion, clip.motion.skeleton
    assert (found.name, found.first, found.motion.fps) == (clip.name, clip.first, motion.fps)
    assert found.motion.skeleton.names == skeleton.names
    np.testing.assert_array_equal(found.motion.skeleton.parents, skeleton.parents)
    np.testing.assert_allclose(found.motion.skeleton.offsets, skeleton.offsets, atol=EXACT)
    assert apart(found.resting.rotations, clip.resting.rotations) < EXACT
    assert found.motion.skeleton.tips.keys() == skeleton.tips.keys()
    for name, tip in skeleton.tips.items():
        np.testing.assert_allclose(found.motion.skeleton.tips[name], tip, atol=EXACT)
    assert apart(found.motion.rotations, motion.rotations) < SAME_TURN
    np.testing.assert_allclose(found.motion.world()[0], motion.world()[0], atol=SAME_PLACE)
    assert found.motion.translations.keys() == motion.translations.keys()


@pytest.mark.parametrize("options", [{}, {"unit": "m"}, {"up": "z"}, {"unit": "m", "up": "z"}])
def test_what_is_written_is_read(tmp_path: Path, options: dict) -> None:
    clip = wild_clip(first=7)
    (found,) = written(tmp_path / "a.fbx", [clip], **options)
    assert_same(found, clip)


@pytest.mark.parametrize("fps", [24, 25, 30, 60, 120, "30000/1001", "24000/1001", "1000/7", "25/2", "7/3"])
def test_frames_and_rates_are_exact(tmp_path: Path, fps: str) -> None:
    clip = wild_clip(joints=3, frames=300, fps=Fraction(fps), first=3)
    (found,) = written(tmp_path / "a.fbx", [clip])
    assert_same(found, clip)


def test_several_characters_share_a_file_and_a_clock(tmp_path: Path) -> None:
    anna, bob = wild_clip("anna", seed=1), wild_clip("bob", seed=2, frames=30, first=6)
    for found, clip in zip(written(tmp_path / "a.fbx", [anna, bob]), [anna, bob], strict=True):
        assert_same(found, clip)


def test_several_characters_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a.fbx", [wild_clip("anna"), wild_clip("anna", seed=1)])
    assert (first.name, second.name) == ("anna", "anna_2")
    assert first.motion.skeleton.names == second.motion.skeleton.names


def test_names_are_safe(tmp_path: Path) -> None:
    names = ("mixamorig:Hips", "a::b", 'über "x" {;}', "zero\x00\x01Model", "zero__Model", "\ud800")
    skeleton = Skeleton(names, np.arange(-1, 5), np.ones((6, 3)))
    motion = Motion(skeleton, quat.identity(2, 6), np.zeros((2, 3)), Fraction(30))
    (found,) = written(tmp_path / "a.fbx", [Clip("mixamorig", motion)])
    expected = ("mixamorig:Hips", "a::b", 'über "x" {;}', "zero__Model", "zero__Model_2", "_")
    assert found.motion.skeleton.names == expected


def test_the_smallest_clip(tmp_path: Path) -> None:
    motion = Motion(
        Skeleton(("only",), [-1], np.zeros((1, 3))), quat.identity(1, 1), np.ones((1, 3)), Fraction(24)
    )
    (found,) = written(tmp_path / "a.fbx", [Clip("dot", motion)])
    assert_same(found, Clip("dot", motion))


def sparse(clip: Clip, every: int) -> Clip:
    keys = np.zeros((len(clip.motion), len(clip.motion.skeleton)), bool)
    keys[::every] = keys[-1] = True
    return replace(clip, keys=keys)


def test_sparse_keys_stay_sparse_where_turns_are_small(tmp_path: Path) -> None:
    """Two joints that turn steadily about x alone: angles between keys are those meant."""
    angles = np.linspace(0.0, 1.2, 61)[:, None, None] * np.array([1.0, 0.0, 0.0])
    rotations = quat.from_rotvec(np.repeat(angles, 2, axis=1))
    skeleton = Skeleton(("a", "b"), [-1, 0], [[0, 1, 0], [0, 0.5, 0]])
    clip = sparse(Clip("a", Motion(skeleton, rotations, np.zeros((61, 3)), Fraction(30))), 20)
    assert [frames.tolist() for frames, _ in rotation_keys(clip)] == [[0, 20, 40, 60]] * 2
    (found,) = written(tmp_path / "a.fbx", [clip])
    assert apart(found.motion.rotations, rotations) < SAME_TURN


def test_sparse_keys_become_denser_where_angles_would_stray(tmp_path: Path) -> None:
    clip = sparse(wild_clip(frames=61), 10)
    (found,) = written(tmp_path / "a.fbx", [clip])
    steady = clip.motion.rotations[::10]
    part = (np.arange(61) % 10 / 10.0)[:, None]
    before = np.arange(61) // 10
    meant = quat.slerp(steady[before], steady[np.minimum(before + 1, 6)], part)
    assert 1e-5 < apart(found.motion.rotations, meant) < 1e-3 + SAME_TURN
    assert all(set(range(0, 61, 10)) <= set(frames.tolist()) for frames, _ in rotation_keys(clip))


def test_every_frame_has_a_key_and_only_what_moves_has_curves(tmp_path: Path) -> None:
    clip = wild_clip(joints=8, frames=20)
    write_clips(tmp_path / "a.fbx", [clip])
    objects = decode((tmp_path / "a.fbx").read_bytes()).first("Objects")
    assert isinstance(objects, Record)
    curves = list(objects.all("AnimationCurve"))
    assert len(curves) == 3 * (8 + 1 + 2)  # rotations, the root, two joints that move
    for curve in curves:
        (times,) = curve.first("KeyTime").values
        assert isinstance(times, Packed)
        np.testing.assert_array_equal(times.numbers(), np.arange(20) * (46186158000 // 30))


def test_angles_do_not_jump(tmp_path: Path) -> None:
    for _, degrees in rotation_keys(wild_clip(frames=400, seed=3)):
        steps = np.abs(np.diff(degrees, axis=0))
        assert np.median(steps) < 10.0
        assert steps.max() <= 180.0 + 1e-9


def broken(clip: Clip, **changes: np.ndarray) -> Clip:
    motion = clip.motion
    fields = {"rotations": motion.rotations, "root": motion.root, **changes}
    return replace(clip, motion=Motion(motion.skeleton, fields["rotations"], fields["root"], motion.fps))


def nan_rotation(clip: Clip) -> Clip:
    rotations = clip.motion.rotations.copy()
    rotations[4, 2, 1] = np.nan
    return broken(clip, rotations=rotations)


def infinite_root(clip: Clip) -> Clip:
    root = clip.motion.root.copy()
    root[5] = np.inf
    return broken(clip, root=root)


def nan_rest(clip: Clip) -> Clip:
    rest = clip.resting.rotations[0].copy()
    rest[3] = np.nan
    return replace(clip, rest=rest)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (nan_rotation, "joint 'joint2' has no finite pose at frame 4"),
        (infinite_root, "joint 'joint0' has no finite pose at frame 5"),
        (nan_rest, "joint 'joint3' of 'wild' has no finite rest pose; give it one"),
    ],
)
def test_what_is_not_finite_is_refused(tmp_path: Path, change: Callable[[Clip], Clip], what: str) -> None:
    with pytest.raises(FormatError, match=what):
        write_clips(tmp_path / "a.fbx", [change(wild_clip(joints=5))])
    assert not list(tmp_path.iterdir())


def test_what_a_file_cannot_hold_is_refused(tmp_path: Path) -> None:
    clip = wild_clip(joints=3)
    with pytest.raises(FormatError, match="in the unit 'inch'; choose one of cm, m"):
        write_clips(tmp_path / "a.fbx", [clip], unit="inch")
    with pytest.raises(FormatError, match="with up='x'; up is 'y' or 'z'"):
        write_clips(tmp_path / "a.fbx", [clip], up="x")
    with pytest.raises(FormatError, match="no clips are given; give one or more"):
        write_clips(tmp_path / "a.fbx", [])
    with pytest.raises(FormatError, match="have 30 and 60 frames per second; resample them to one rate"):
        write_clips(tmp_path / "a.fbx", [clip, wild_clip(joints=3, fps=Fraction(60))])
    with pytest.raises(FormatError, match="No such file or directory"):
        write_clips(tmp_path / "none" / "a.fbx", [clip])
    assert not list(tmp_path.iterdir())
