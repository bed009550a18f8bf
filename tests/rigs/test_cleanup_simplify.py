"""Sparse keys keep their bound, however readers fill the frames between."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from rigs import quat
from rigs.cleanup import filled, simplify
from rigs.cleanup.marks import places
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.skeleton import Skeleton

NEAR = 1e-9


def by_angles(clip: Clip, base=None) -> Motion:
    """Fill the frames as FBX readers do: lines between angles, unwrapped frame by frame beforehand."""
    motion, frames = clip.motion, np.arange(len(clip.motion))
    rotations = np.empty_like(motion.rotations)
    for j in range(len(motion.skeleton)):
        keys = clip.key_frames(j)
        before = Rotation.identity() if base is None else Rotation.from_quat(np.roll(base[j], -1))
        angles = [np.zeros(3)]
        for q in (before.inv() * Rotation.from_quat(np.roll(motion.rotations[:, j], -1, axis=1))).as_matrix():
            angles.append(nearest_angles(q, angles[-1]))
        curves = np.stack([np.interp(frames, keys, np.array(angles[1:])[keys, a]) for a in range(3)], axis=1)
        rotations[:, j] = np.roll((before * Rotation.from_euler("xyz", curves)).as_quat(), 1, axis=1)
    root = lines(motion.root, clip.key_frames(0))
    moved = {j: lines(v, clip.key_frames(j)) for j, v in motion.translations.items()}
    return Motion(motion.skeleton, rotations, root, motion.fps, moved)


def by_numbers(clip: Clip) -> Motion:
    """Fill the frames as Blender does of a glTF: the four numbers on lines, then made unit again."""
    motion, frames = clip.motion, np.arange(len(clip.motion))
    rotations = np.empty_like(motion.rotations)
    for j in range(len(motion.skeleton)):
        keys = clip.key_frames(j)
        picked = quat.continuous(motion.rotations[keys, j])
        rotations[:, j] = quat.normalise(np.stack([np.interp(frames, keys, n) for n in picked.T], axis=1))
    root = lines(motion.root, clip.key_frames(0))
    moved = {j: lines(v, clip.key_frames(j)) for j, v in motion.translations.items()}
    return Motion(motion.skeleton, rotations, root, motion.fps, moved)


def nearest_angles(matrix, to):
    """Angles about x, y, z, x first, of a rotation, in the form nearest to others."""
    y = np.arcsin(np.clip(-matrix[2, 0], -1.0, 1.0))
    x, z = np.arctan2(matrix[2, 1], matrix[2, 2]), np.arctan2(matrix[1, 0], matrix[0, 0])
    forms = [np.array([x, y, z]), np.array([x + np.pi, np.pi - y, z + np.pi])]
    forms = [form + 2.0 * np.pi * np.round((to - form) / (2.0 * np.pi)) for form in forms]
    return min(forms, key=lambda form: np.abs(form - to).sum())


def lines(values, keys):
    return np.stack([np.interp(np.arange(len(values)), keys, values[keys, a]) for a in range(3)], axis=1)


def worst(motion: Motion, other: Motion) -> float:
    return float(np.linalg.norm(places(motion) - places(other), axis=2).max())


@pytest.fixture
def moving(walker) -> Motion:
    motion = walker(frames=140, fps=60)
    return Motion(
        motion.skeleton,
        motion.rotations,
        motion.root,
        60,
        {4: motion.skeleton.offsets[4] + 0.05 * motion.root},
    )


@pytest.mark.parametrize("bound", [0.001, 0.002, 0.005, 0.02])
def test_everything_stays_within_the_bound(moving: Motion, bound: float) -> None:
    clip = simplify(Clip("a", moving), bound)
    assert bound / 3 < worst(filled(clip), moving) <= bound + NEAR
    assert worst(by_angles(clip), moving) <= bound + NEAR
    assert worst(by_numbers(clip), moving) <= bound + NEAR
    assert clip.keys[[0, -1]].all()
    assert clip.motion is moving


def test_a_larger_bound_needs_fewer_keys(moving: Motion) -> None:
    shares = [simplify(Clip("a", moving), bound).keys.mean() for bound in (0.0005, 0.002, 0.008, 0.03)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] < 0.75
    assert shares[-1] < 0.15


def test_characters_with_axes_of_their_own(moving: Motion) -> None:
    rest = quat.normalise(np.random.default_rng(2).normal(size=(17, 4)))
    clip = simplify(Clip("a", moving, rest), 0.003)
    for reading in (filled(clip), by_angles(clip), by_angles(clip, rest)):
        assert worst(reading, moving) <= 0.003 + NEAR


def test_joints_that_tumble_through_gimbal_lock(wild) -> None:
    motion = wild(frames=120)
    clip = simplify(Clip("a", motion), 0.03)
    assert worst(filled(clip), motion) <= 0.03 + NEAR
    assert clip.keys.mean() < 1.0


def test_every_joint_keeps_its_twist(humanoid: Skeleton) -> None:
    """A forearm that only turns about itself moves nothing but its skin."""
    twist = np.sin(np.arange(60) / 9.0)[:, None] * np.array([1.2, 0.0, 0.0])
    rotations = quat.identity(60, 17)
    joint = humanoid.index("LeftHand")
    rotations[:, joint] = quat.from_rotvec(twist)
    motion = Motion(humanoid, rotations, np.zeros((60, 3)), 30)
    clip = simplify(Clip("a", motion), 0.002)
    away = quat.multiply(quat.conjugate(filled(clip).rotations[:, joint]), rotations[:, joint])
    assert np.linalg.norm(quat.to_rotvec(away), axis=1).max() < 0.002 / 0.025 + 1e-3  # a tip of 0.1 m
    assert 4 < clip.keys[:, joint].sum() < 30
    assert (clip.keys.sum(axis=0) == 2)[np.arange(17) != joint].all()


def test_what_goes_steadily_needs_only_its_ends(humanoid: Skeleton) -> None:
    frames = np.arange(100)[:, None]
    rotations = quat.identity(100, 17)
    rotations[:, 3] = quat.from_rotvec(2e-4 * frames * np.array([0.0, 0.0, 1.0]))
    motion = Motion(humanoid, rotations, 0.01 * frames * np.array([1.0, 0.0, 2.0]), 30)
    clip = simplify(Clip("a", motion), 1e-6)
    assert clip.keys.sum() == 2 * 17
    assert worst(filled(clip), motion) < 1e-12


def test_a_jump_of_one_frame_keeps_its_edges(humanoid: Skeleton) -> None:
    root = np.zeros((80, 3))
    root[40:] = [0.5, 0.0, 0.0]
    clip = simplify(Clip("a", Motion(humanoid, quat.identity(80, 17), root, 30)), 0.002)
    assert clip.key_frames(0).tolist() == [0, 39, 40, 79]


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_clips_are_taken(wild, frames: int) -> None:
    clip = simplify(Clip("a", wild(frames=frames)), 0.001)
    assert clip.keys[[0, -1]].all()
    assert worst(filled(clip), wild(frames=frames)) <= 0.001


def test_filled_is_exact_at_keys_and_all_of_it_without(wild) -> None:
    motion = wild()
    assert filled(Clip("a", motion)) is motion
    keys = np.random.default_rng(0).random((50, 17)) < 0.3
    keys[[0, -1]] = True
    dense = filled(Clip("a", motion, keys=keys))
    assert np.abs(np.sum(dense.rotations * motion.rotations, axis=2))[keys].min() == pytest.approx(
        1.0, abs=1e-15
    )
    np.testing.assert_array_equal(dense.root[keys[:, 0]], motion.root[keys[:, 0]])
    again = filled(Clip("a", dense, keys=keys))
    assert worst(again, dense) < 1e-12


@pytest.mark.parametrize("bound", [0.0, -0.001, float("nan")])
def test_no_bound_is_refused(wild, bound: float) -> None:
    with pytest.raises(RigError, match=r"cannot simplify 'a' within .* mm; give a bound above zero"):
        simplify(Clip("a", wild()), bound)


def test_a_gap_is_refused(wild) -> None:
    motion = wild()
    rotations = motion.rotations.copy()
    rotations[7, 3] = np.nan
    with pytest.raises(RigError, match="joint 'Neck' has no finite pose at frame 7"):
        simplify(Clip("a", Motion(motion.skeleton, rotations, motion.root, 30)), 0.002)
