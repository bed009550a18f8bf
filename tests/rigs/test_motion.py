"""Laws of motions: forward kinematics, cutting, mirroring."""

from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.skeleton import Skeleton

NEAR = 1e-12  # metres: a chain of seven joints in double precision


@pytest.fixture
def motion(wild) -> Motion:
    return wild()


def test_a_bent_arm_is_where_a_person_says() -> None:
    arm = Skeleton(("Shoulder", "Elbow", "Wrist"), [-1, 0, 1], [[9, 9, 9], [0.3, 0, 0], [0.2, 0, 0]])
    turn = quat.from_rotvec([0, 0, np.pi / 2])
    bent = Motion(arm, [[turn, turn, quat.identity()]], [[1.0, 2.0, 3.0]], Fraction(30))
    positions, rotations = bent.world()
    np.testing.assert_allclose(positions[0], [[1, 2, 3], [1, 2.3, 3], [0.8, 2.3, 3]], atol=NEAR)
    np.testing.assert_allclose(rotations[0, 2], quat.from_rotvec([0, 0, np.pi]), atol=NEAR)


def test_bones_keep_their_lengths(motion: Motion) -> None:
    positions, _ = motion.world()
    bones = positions[:, 1:] - positions[:, motion.skeleton.parents[1:]]
    lengths = np.linalg.norm(motion.skeleton.offsets[1:], axis=1)
    np.testing.assert_allclose(np.linalg.norm(bones, axis=2) - lengths, 0.0, atol=NEAR)


def test_translations_replace_offsets(motion: Motion) -> None:
    j = motion.skeleton.index("Neck")
    still = np.tile(motion.skeleton.offsets[j], (len(motion), 1))
    moved = Motion(motion.skeleton, motion.rotations, motion.root, motion.fps, {j: still})
    np.testing.assert_array_equal(moved.world()[0], motion.world()[0])


def test_slice_counts_as_python_does(motion: Motion) -> None:
    np.testing.assert_array_equal(motion.slice(3, -2).root, motion.root[3:-2])
    np.testing.assert_array_equal(motion.slice(3).rotations, motion.rotations[3:])
    with pytest.raises(RigError, match="no frames"):
        motion.slice(4, 4)


def test_mirror_of_the_mirror_is_the_motion(motion: Motion) -> None:
    moved = Motion(
        motion.skeleton, motion.rotations, motion.root, motion.fps, {4: motion.root, 7: motion.root}
    )
    twice = moved.mirror().mirror()
    np.testing.assert_array_equal(twice.rotations, motion.rotations)
    np.testing.assert_array_equal(twice.world()[0], moved.world()[0])
    assert {k: v.tolist() for k, v in twice.skeleton.tips.items()} == {
        k: v.tolist() for k, v in motion.skeleton.tips.items()
    }


def test_mirror_reflects_positions_and_exchanges_sides(motion: Motion) -> None:
    seen, _ = motion.mirror().world()
    positions, _ = motion.world()
    np.testing.assert_allclose(seen, positions[:, motion.skeleton.mirror] * (-1, 1, 1), atol=NEAR)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"root": np.zeros((0, 3)), "rotations": np.zeros((0, 17, 4))}, "no frames"),
        ({"root": np.zeros((50, 2))}, r"root has shape \(50, 2\); give \(50, 3\)"),
        ({"rotations": np.zeros((50, 16, 4))}, r"rotations has shape"),
        ({"fps": Fraction(0)}, "0 frames per second"),
        ({"translations": {0: np.zeros((50, 3))}}, "translations of joint 0; give joints 1 to 16"),
        ({"translations": {1: np.zeros((49, 3))}}, "translations of joint 1 has shape"),
    ],
)
def test_refusals(motion: Motion, change: dict, message: str) -> None:
    given = {name: getattr(motion, name) for name in ("skeleton", "rotations", "root", "fps")}
    with pytest.raises(RigError, match=message):
        Motion(**{**given, **change})
