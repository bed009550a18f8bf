from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.rig import Rig, Twist
from rigs.stick import stick_figure


def test_rest_is_no_turn_unless_given(wild) -> None:
    motion = wild(frames=3)
    clip = Clip("anna", motion, first=6)
    positions, rotations = clip.resting.world()
    np.testing.assert_allclose(rotations[0], quat.identity(len(motion.skeleton)))
    np.testing.assert_allclose(positions[0, 0], motion.skeleton.offsets[0])
    assert clip.key_time(3) == Fraction(9) / motion.fps
    assert clip.key_frames(1).tolist() == [0, 1, 2]


def test_shapes_that_do_not_agree_are_refused(wild) -> None:
    motion = wild(frames=3)
    with pytest.raises(RigError, match=r"rest pose of shape \(1, 4\)"):
        Clip("a", motion, quat.identity(1))
    with pytest.raises(RigError, match=r"keys of shape"):
        Clip("a", motion, keys=np.ones((2, len(motion.skeleton)), bool))


def test_a_rig_speaks_of_its_own_joints(wild) -> None:
    skeleton = wild(frames=1).skeleton
    rest = quat.identity(len(skeleton))
    root = skeleton.names[0]
    assert Rig("r", skeleton, rest, {"Hips": root}).root is None
    with pytest.raises(RigError, match="says of no joint that it is the Hips"):
        Rig("r", skeleton, rest, {"Head": root})
    with pytest.raises(RigError, match="joint 'nowhere', which it has not"):
        Rig("r", skeleton, rest, {"Hips": root}, twists={"nowhere": Twist("LeftArm", 0.5)})


def test_the_stick_figure_is_a_closed_skin_about_the_bones(wild) -> None:
    rng = np.random.default_rng(1)
    motion = wild(frames=1)
    rest = quat.normalise(rng.normal(size=(len(motion.skeleton), 4)))
    clip = Clip("a", motion, rest)
    stick = stick_figure(clip)
    corners = stick.vertices[stick.faces].reshape(-1, 8, 3, 3)  # one octahedron after another
    inside = corners.mean(axis=(1, 2), keepdims=True)
    outward = np.einsum("bfi,bfi->bf", stick.normals[::3].reshape(-1, 8, 3), (corners - inside).mean(axis=2))
    assert (outward > 0).all()
    np.testing.assert_allclose(np.linalg.norm(stick.normals, axis=1), 1.0)
    positions = clip.resting.world()[0][0]
    np.testing.assert_allclose(corners[:, 0, 0], positions[stick.joint.reshape(-1, 24)[:, 0]], atol=1e-12)


def test_what_hangs_beside_the_hips_is_not_drawn(wild) -> None:
    motion = wild(frames=1)
    every = stick_figure(Clip("a", motion))
    leg = motion.skeleton.index("LeftUpLeg")
    only = stick_figure(Clip("a", motion, roles={"Hips": "LeftUpLeg"}))
    assert set(only.joint) < set(every.joint) and min(only.joint) == leg
    assert motion.skeleton.index("RightUpLeg") not in only.joint
