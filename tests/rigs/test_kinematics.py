"""The solve's kinematics: those of Motion, with derivatives as finite differences give them."""

from fractions import Fraction

import numpy as np
import pytest

from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import load_body
from rigs.solving.kinematics import (
    Chain,
    Points,
    Pose,
    derivative,
    limb_derivative,
    locate,
    right_jacobian_inverse,
    size_derivative,
)
from tests.synth import landmarks, sized, walking

FRAMES = 3
STEP = 1e-5  # of the central differences
# Their error: STEP^2 / 6 of third derivatives, at most an arm of 2 m, and rounding, 2 m * 2e-16 / STEP.
NEAR = 2 * STEP**2 / 6 + 4e-16 / STEP


@pytest.fixture(scope="module")
def chain() -> Chain:
    return Chain(load_body())


@pytest.fixture(scope="module")
def pose(chain: Chain) -> Pose:
    """Every freedom turned by half a radian or so."""
    rng = np.random.default_rng(2)
    still = Pose(rng.normal(size=(FRAMES, 3)), quat.identity(FRAMES, len(chain.body.names)))
    return chain.move(still, rng.normal(0.0, 0.5, (FRAMES, chain.freedoms)))


@pytest.fixture(scope="module")
def points(chain: Chain) -> Points:
    """Points carried by none, one, two and three bones, wherever in the body."""
    rng = np.random.default_rng(3)
    joints = len(chain.body.names)
    offsets = np.zeros((12, joints, 3))
    for n in range(12):
        offsets[n, rng.permutation(joints)[: n % 4]] = rng.normal(0.0, 0.1, (n % 4, 3))
    return Points(rng.integers(joints, size=12), offsets)


def test_a_placed_body_is_the_motion_in_the_world(chain: Chain, pose: Pose) -> None:
    sizes = sized(chain.body) * np.linspace(0.9, 1.1, len(chain.body.size_names))
    motion = Motion(chain.body.skeleton(sizes), pose.rotations, pose.root, Fraction(30))
    positions, rotations = motion.world()
    posed = chain.place(pose, sizes)
    np.testing.assert_allclose(posed.positions, positions, atol=1e-12)
    np.testing.assert_allclose(posed.rotations, quat.to_matrix(rotations), atol=1e-12)


def test_points_are_carried_by_their_bones(chain: Chain, pose: Pose, points: Points) -> None:
    posed = chain.place(pose, sized(chain.body))
    carried = np.einsum("tbij,nbj->tni", posed.rotations, points.offsets)
    np.testing.assert_allclose(locate(posed, points), posed.positions[:, points.joint] + carried, atol=1e-12)


def test_the_derivative_is_that_of_central_differences(chain: Chain, pose: Pose, points: Points) -> None:
    sizes = sized(chain.body)
    exact = derivative(chain.place(pose, sizes), points)
    for d in range(chain.freedoms):
        step = np.zeros((FRAMES, chain.freedoms))
        step[:, d] = STEP
        ahead, behind = (locate(chain.place(chain.move(pose, s), sizes), points) for s in (step, -step))
        np.testing.assert_allclose(exact[..., d], (ahead - behind) / (2 * STEP), atol=NEAR)


def test_points_are_linear_in_the_sizes(chain: Chain, pose: Pose, points: Points) -> None:
    sizes, change = sized(chain.body), np.linspace(-0.2, 0.3, len(chain.body.size_names))
    before, after = chain.place(pose, sizes), chain.place(pose, sizes + change)
    moved = locate(after, points) - locate(before, points)
    np.testing.assert_allclose(size_derivative(before, points) @ change, moved, atol=1e-12)


def test_every_point_is_in_one_limb_and_nothing_else_moves_it(
    chain: Chain, pose: Pose, points: Points
) -> None:
    limbs = chain.limbs(points)
    assert sorted(n for limb in limbs for n in limb.rows) == list(range(len(points)))
    posed = chain.place(pose, sized(chain.body))
    whole = derivative(posed, points)
    for limb in limbs:
        np.testing.assert_array_equal(
            limb_derivative(posed, points, limb), whole[:, limb.rows][..., limb.columns]
        )
        outside = np.setdiff1d(np.arange(chain.freedoms), limb.columns)
        assert not whole[:, limb.rows][..., outside].any()


def test_limbs_are_much_smaller_than_the_body(chain: Chain) -> None:
    """What makes the solve fast: a leg's points feel 13 of 55 freedoms, an arm's 25."""
    widths = sorted(len(limb.columns) for limb in chain.limbs(landmarks(chain.body)))
    assert widths == [13, 13, 21, 25, 25]


def test_no_step_moves_nothing_and_rotations_stay_unit(chain: Chain) -> None:
    pose = walking(chain.body, 5)
    still = chain.move(pose, np.zeros((5, chain.freedoms)))
    np.testing.assert_allclose(still.rotations, pose.rotations, atol=1e-15)
    far = chain.move(pose, np.ones((5, chain.freedoms)))
    np.testing.assert_allclose(np.linalg.norm(far.rotations, axis=-1), 1.0, atol=1e-15)


@pytest.mark.parametrize("angle", [0.0, 1e-6, 1e-3, 1.0, 3.0, 3.14])
def test_a_small_turn_changes_the_rotation_vector_as_said(angle: float) -> None:
    axis = np.array([2.0, -1.0, 2.0]) / 3
    q = quat.from_rotvec(angle * axis)
    change = right_jacobian_inverse(angle * axis) * 1e-6
    for e, expected in zip(1e-6 * np.eye(3), change.T, strict=True):
        new = quat.to_rotvec(quat.multiply(q, quat.from_rotvec(e)))
        # second derivatives of the logarithm are below 1 up to a half turn
        np.testing.assert_allclose(new - angle * axis, expected, atol=2e-12)


def test_angles_are_those_of_the_freedoms(chain: Chain) -> None:
    """A hinge of 0.3 rad reads 0.3 in its first place; what has no freedom reads zero."""
    body = chain.body
    step = np.zeros((1, chain.freedoms))
    knee = 3 + int(np.flatnonzero(body.freedom_joint == body.index("LeftLeg"))[0])
    step[0, knee] = 0.3
    posed = chain.place(
        chain.move(Pose(np.zeros((1, 3)), quat.identity(1, len(body.names))), step), sized(body)
    )
    expected = np.zeros((len(body.names), 3))
    expected[body.index("LeftLeg"), 0] = 0.3
    np.testing.assert_allclose(posed.angles[0], expected, atol=1e-15)


def test_poses_between_frames_are_on_the_way(pose: Pose) -> None:
    between = pose.at(np.array([0.0, 0.5, 1.0, 1.75, 2.0, 5.0]))
    for k, frame in ((0, 0), (2, 1), (4, 2), (5, 2)):  # the last is held
        np.testing.assert_allclose(between.root[k], pose.root[frame], atol=1e-15)
        apart = np.abs((between.rotations[k] * pose.rotations[frame]).sum(axis=-1))
        np.testing.assert_allclose(apart, 1.0, atol=1e-14)
    np.testing.assert_allclose(between.root[3], 0.25 * pose.root[1] + 0.75 * pose.root[2])
    to, whole = (
        quat.to_rotvec(quat.multiply(quat.conjugate(pose.rotations[1]), q))
        for q in (between.rotations[3], pose.rotations[2])
    )
    np.testing.assert_allclose(to, 0.75 * whole, atol=1e-12)
