"""The closed-form start: exact where points say everything, steady where they do not."""

import numpy as np
import pytest

from rigs import quat
from rigs.solving.body import Body, load_body
from rigs.solving.initial import fill_gaps, initial_pose
from rigs.solving.kinematics import Chain, Points, Pose, locate
from tests.synth import apart, sized, turned, walking

FPS = 30.0
LIMBS = ("Arm", "ForeArm", "Hand", "UpLeg", "Leg", "Foot")


@pytest.fixture(scope="module")
def body() -> Body:
    return load_body()


def marks(body: Body, pose: Pose) -> dict[str, np.ndarray]:
    """Positions of the limbs' joints and the tips of the feet."""
    posed = Chain(body).place(pose, sized(body))
    named = {s + n: posed.positions[:, body.index(s + n)] for s in ("Left", "Right") for n in LIMBS}
    for side in ("Left", "Right"):
        ball = body.index(f"{side}ToeBase")
        offsets = np.zeros((1, len(body.names), 3))
        offsets[0, ball] = body.tips[f"{side}ToeBase"] * sized(body)[0]
        named[f"{side}Toe"] = locate(posed, Points(np.array([ball]), offsets))[:, 0]
    return named


def stiff(body: Body, frames: int) -> Pose:
    """Walking with hips, trunk, neck and feet at rest and limbs that bend in their planes."""
    pose = walking(body, frames, FPS)
    rotations = pose.rotations.copy()
    for name in ("Hips", "Spine", "Spine1", "Spine2", "Neck"):
        rotations[:, body.index(name)] = quat.identity()
    return Pose(pose.root, rotations)


def test_limbs_in_their_planes_are_recovered(body: Body) -> None:
    pose = stiff(body, 40)
    found = initial_pose(body, marks(body, pose), FPS)
    # what remains: "no roll" counts 0.02 against sin^2 of bends of at least 0.15 rad, and rounding
    error = apart(found, pose, Chain(body), sized(body))
    assert error.max() < 1e-9


def test_a_turning_trunk_is_recovered_to_its_bend(body: Body) -> None:
    pose = walking(body, 40, FPS)
    error = apart(found := initial_pose(body, marks(body, pose), FPS), pose, Chain(body), sized(body))
    # three joints bend 0.04 rad each forward, which directions of hips and shoulders tell only in part:
    # 0.12 rad over the 0.47 m from the hips to the shoulders, a sixth of the chord at most
    bow = 0.12 * 0.47 / 4
    limbs = [body.index(s + n) for s in ("Left", "Right") for n in LIMBS]
    assert error[:, limbs].max() < bow
    np.testing.assert_allclose(np.linalg.norm(found.rotations, axis=-1), 1.0, atol=1e-12)


def test_gaps_are_bridged(body: Body) -> None:
    still = stiff(body, 40)[10:11]
    pose = Pose(
        still.root + np.linspace(0, 1, 40)[:, None] * [0.3, 0.0, 1.0], np.repeat(still.rotations, 40, axis=0)
    )
    whole = marks(body, pose)
    holed = {name: value.copy() for name, value in whole.items()}
    rng = np.random.default_rng(0)
    for value in holed.values():
        value[rng.permutation(np.arange(1, 39))[:15]] = np.nan
    a, b = initial_pose(body, whole, FPS), initial_pose(body, holed, FPS)
    np.testing.assert_allclose(a.root, b.root, atol=1e-12)
    np.testing.assert_allclose(a.rotations, b.rotations, atol=1e-9)


@pytest.mark.parametrize("missing", ["LeftHand", "LeftForeArm", "RightFoot", "RightLeg", "LeftToe"])
def test_what_is_never_seen_stays_at_rest(body: Body, missing: str) -> None:
    pose = stiff(body, 20)
    points = marks(body, pose)
    points[missing] = np.full_like(points[missing], np.nan)
    found = initial_pose(body, points, FPS)
    assert np.isfinite(found.rotations).all()
    child = {"LeftHand": "LeftForeArm", "RightFoot": "RightLeg", "LeftToe": "LeftFoot"}.get(missing, missing)
    np.testing.assert_allclose(found.rotations[:, body.index(child)], np.tile(quat.identity(), (20, 1)))
    del points[missing]
    np.testing.assert_array_equal(initial_pose(body, points, FPS).rotations, found.rotations)


def test_the_roll_of_a_straight_leg_does_not_flip(body: Body) -> None:
    """Two seconds of a knee that straightens for one; its points scatter by 5 mm."""
    frames = 60
    bend = np.clip(np.abs(np.linspace(-1.0, 1.0, frames)) - 0.5, 0.0, None) * 2
    turn = np.stack([bend, np.zeros(frames), np.zeros(frames)], axis=-1)
    root = np.tile([0.0, 0.95, 0.0], (frames, 1))
    pose = Pose(root, turned(body, {"LeftLeg": turn, "LeftUpLeg": -turn / 2}, frames))
    rng = np.random.default_rng(4)
    points = {n: p + rng.normal(0, 0.005, p.shape) for n, p in marks(body, pose).items()}
    found = initial_pose(body, points, FPS).rotations[:, body.index("LeftUpLeg")]
    off = quat.to_rotvec(quat.multiply(quat.conjugate(pose.rotations[:, body.index("LeftUpLeg")]), found))
    # a straight leg's hinge plane is any plane; a flip would show as a turn of up to pi about the bone
    assert np.abs(off).max() < np.deg2rad(25)
    assert np.abs(np.diff(off[:, 1])).max() < np.deg2rad(6)


def test_gaps_in_numbers() -> None:
    nan = np.nan
    values = np.array([[nan, 1.0, nan], [2.0, nan, nan], [nan, 3.0, nan], [4.0, nan, nan]])
    expected = np.array([[2.0, 1.0, nan], [2.0, 2.0, nan], [3.0, 3.0, nan], [4.0, 3.0, nan]])
    np.testing.assert_array_equal(fill_gaps(values), expected)
    assert np.isnan(values[0, 0])  # the input is left alone


def test_an_elbow_that_is_folded_up_does_not_spring_open(body: Body) -> None:
    """Wrists that are seen a little too near the shoulder, past what an elbow bends, in some frames."""
    pose = stiff(body, 40)
    elbow = body.index("LeftForeArm")
    pose.rotations[:, elbow] = quat.from_rotvec(np.array([0.0, -2.55, 0.0]))
    seen = marks(body, pose)
    shoulder, joint = seen["LeftArm"], seen["LeftForeArm"]
    along = (shoulder - joint) / np.linalg.norm(shoulder - joint, axis=-1, keepdims=True)
    length = np.linalg.norm(seen["LeftHand"] - joint, axis=-1, keepdims=True)
    folded = joint + length * along
    past = 2 * folded - seen["LeftHand"]  # on the other side of the upper arm
    seen["LeftHand"][20:23] = past[20:23]
    found = initial_pose(body, seen, FPS)
    bend = 2 * np.arccos(np.abs(found.rotations[:, elbow, 0]))
    np.testing.assert_allclose(bend[18:25], 2.6, atol=0.06)
