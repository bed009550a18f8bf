"""The mirror in the world, on characters whose joints have any axes."""

import numpy as np
import pytest

from rigs import quat
from rigs.cleanup import mirror_clip, mirror_contacts
from rigs.clip import Clip
from rigs.contact import Contacts
from rigs.motion import Motion
from rigs.skeleton import Skeleton


def apart(a, b) -> float:
    return float(np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), b)), axis=-1).max())


def in_axes(motion: Motion, axes, names: tuple[str, ...]) -> Clip:
    """Return the same character with every joint's axes (J, 4) turned at rest, and other names."""
    skeleton = motion.skeleton
    parents = skeleton.parents[1:]
    back = quat.conjugate(axes)
    offsets = skeleton.offsets.copy()
    offsets[1:] = quat.rotate(back[parents], offsets[1:])
    tips = {
        names[skeleton.index(k)]: quat.rotate(back[skeleton.index(k)], v) for k, v in skeleton.tips.items()
    }
    rest = axes.copy()
    rest[1:] = quat.multiply(back[parents], axes[1:])
    rotations = quat.multiply(motion.rotations, axes)
    rotations[:, 1:] = quat.multiply(back[parents], rotations[:, 1:])
    moved = {j: quat.rotate(back[skeleton.parents[j]], v) for j, v in motion.translations.items()}
    turned = Motion(
        Skeleton(names, skeleton.parents, offsets, tips), rotations, motion.root, motion.fps, moved
    )
    roles = {} if names == skeleton.names else dict(zip(skeleton.names, names, strict=True))
    return Clip("a", turned, rest, roles)


@pytest.fixture
def moving(wild) -> Motion:
    motion = wild(frames=20)
    skeleton = motion.skeleton
    moved = {skeleton.index(n): 0.3 * motion.root + k for k, n in enumerate(("Neck", "LeftArm", "RightLeg"))}
    return Motion(skeleton, motion.rotations, motion.root, motion.fps, moved)


@pytest.mark.parametrize("named", [True, False], ids=["by names", "by roles"])
def test_whatever_the_axes_the_image_is_the_same(moving: Motion, named: bool) -> None:
    axes = quat.normalise(np.random.default_rng(4).normal(size=(17, 4)))
    names = moving.skeleton.names if named else tuple(f"bone {j}" for j in range(17))
    image, plain = mirror_clip(in_axes(moving, axes, names)), moving.mirror()
    (places, turns), (expected, turned) = image.motion.world(), plain.world()
    np.testing.assert_allclose(places, expected, atol=1e-12)
    assert apart(turns, quat.multiply(turned, axes)) < 1e-7
    assert image.motion.skeleton is not plain.skeleton
    np.testing.assert_allclose(
        image.motion.skeleton.offsets, in_axes(moving, axes, names).motion.skeleton.offsets
    )


def test_mirrored_twice_it_is_the_clip(moving: Motion) -> None:
    keys = np.random.default_rng(0).random((20, 17)) < 0.5
    axes = quat.normalise(np.random.default_rng(4).normal(size=(17, 4)))
    clip = in_axes(moving, axes, moving.skeleton.names)
    clip = Clip("a", clip.motion, clip.rest, keys=keys, first=3)
    once, twice = mirror_clip(clip), mirror_clip(mirror_clip(clip))
    assert apart(twice.motion.rotations, clip.motion.rotations) < 1e-7
    np.testing.assert_array_equal(twice.motion.root, clip.motion.root)
    for joint, values in clip.motion.translations.items():
        np.testing.assert_allclose(twice.motion.translations[joint], values, atol=1e-12)
    left, right = clip.motion.skeleton.index("LeftHand"), clip.motion.skeleton.index("RightHand")
    np.testing.assert_array_equal(once.keys[:, right], keys[:, left])
    np.testing.assert_array_equal(twice.keys, keys)
    assert twice.first == 3


def test_the_rest_pose_is_its_own_image(humanoid: Skeleton) -> None:
    axes = quat.normalise(np.random.default_rng(9).normal(size=(17, 4)))
    clip = in_axes(Motion(humanoid, quat.identity(1, 17), np.zeros((1, 3)), 30), axes, humanoid.names)
    image = mirror_clip(Clip("a", clip.resting, clip.rest))
    assert apart(image.motion.rotations, clip.rest) < 1e-7


def test_roles_decide_before_names(humanoid: Skeleton, wild) -> None:
    """Somebody named the arms for the sides of the picture: what matters is what they play."""
    swap = {"Left": "Right", "Right": "Left"}
    names = tuple(
        next((swap[s] + n.removeprefix(s) for s in swap if n.startswith(s)), n) for n in humanoid.names
    )
    motion = wild(frames=5)
    odd = Motion(Skeleton(names, humanoid.parents, humanoid.offsets), motion.rotations, motion.root, 30)
    roles = dict(zip(humanoid.names, names, strict=True))
    image = mirror_clip(Clip("a", odd, roles=roles))
    np.testing.assert_allclose(image.motion.world()[0], motion.mirror().world()[0], atol=1e-12)


def test_feet_change_sides() -> None:
    level = np.array([[0.0, np.nan, 0.2, np.nan]])
    np.testing.assert_array_equal(mirror_contacts(Contacts(level)).level, [[np.nan, 0.0, np.nan, 0.2]])
