"""Laws of smoothing, and feet that stand through it."""

import numpy as np
import pytest

from rigs import quat
from rigs.cleanup import smooth, smooth_clip
from rigs.cleanup.legs import find_legs, reach
from rigs.clip import Clip
from rigs.contact import Contacts
from rigs.errors import RigError
from rigs.motion import Motion
from rigs.skeleton import Skeleton


def apart(a, b):
    return np.linalg.norm(quat.to_rotvec(quat.multiply(quat.conjugate(a), b)), axis=-1)


@pytest.fixture
def trembling(humanoid: Skeleton) -> Motion:
    """A body that stands with bent knees and trembles."""
    random = np.random.default_rng(5)
    turns = random.normal(scale=0.02, size=(80, len(humanoid), 3))
    for side in ("Left", "Right"):
        for part, bend in (("UpLeg", -0.4), ("Leg", 0.8), ("Foot", -0.4)):
            turns[:, humanoid.index(side + part), 0] += bend
    root = np.array([0.0, 0.9, 0.0]) + random.normal(scale=0.005, size=(80, 3))
    return Motion(humanoid, quat.from_rotvec(turns), root, 30, {3: humanoid.offsets[3] + 0.1 * root})


@pytest.mark.parametrize("hertz", [1.0, 3.0, 6.0, 9.0])
def test_what_is_left_of_a_swing(humanoid: Skeleton, hertz: float) -> None:
    frames = 241
    swing = (
        0.05
        * np.cos(2.0 * np.pi * hertz * (np.arange(frames) - 120) / 60)[:, None]
        * np.array([0.6, 0.8, 0.0])
    )
    turn = quat.from_rotvec(swing[:, None] * np.ones((1, 17, 1)))
    smoothed = smooth(Motion(humanoid, turn, swing, 60, {2: swing}), 6.0)
    left = 1.0 / (1.0 + (np.sin(np.pi * hertz / 60) / np.sin(np.pi * 6.0 / 60)) ** 6)
    middle = slice(60, -60)
    np.testing.assert_allclose(smoothed.root[middle], left * swing[middle], atol=1e-6)
    np.testing.assert_allclose(smoothed.translations[2][middle], left * swing[middle], atol=1e-6)
    np.testing.assert_allclose(quat.to_rotvec(smoothed.rotations[middle, 4]), left * swing[middle], atol=2e-5)


def test_steady_acceleration_and_steady_turns_are_kept(humanoid: Skeleton) -> None:
    frames = np.arange(60)[:, None]
    root = frames * np.array([0.1, 0.0, 0.2]) + 0.01 * frames**2 * np.array([0.0, -1.0, 0.0])
    turn = quat.from_rotvec(
        frames[:, None] * np.radians(4.0) * np.array([0.6, 0.0, 0.8]) * np.ones((1, 17, 1))
    )
    smoothed = smooth(Motion(humanoid, turn, root, 30), 5.0)
    np.testing.assert_allclose(smoothed.root, root, atol=1e-9)
    assert apart(smoothed.rotations, turn).max() < np.radians(0.01)


def test_it_has_no_delay_and_no_axes(wild) -> None:
    motion = wild()
    left, right = quat.from_rotvec([0.3, 1.0, -2.0]), quat.from_rotvec([-1.0, 0.4, 0.5])
    turned = quat.multiply(quat.multiply(left, motion.rotations), right)
    backwards = smooth(Motion(motion.skeleton, turned[::-1], motion.root[::-1], motion.fps), 4.0)
    smoothed = smooth(motion, 4.0)
    np.testing.assert_allclose(backwards.root[::-1], smoothed.root, atol=1e-9)
    expected = quat.multiply(quat.multiply(left, smoothed.rotations), right)
    assert apart(backwards.rotations[::-1], expected).max() < 1e-7


def test_both_ends_stay_and_the_middle_calms_down(trembling: Motion) -> None:
    smoothed = smooth(trembling, 3.0)
    for values, were in ((smoothed.root, trembling.root), (smoothed.rotations, trembling.rotations)):
        np.testing.assert_array_equal(values[[0, -1]], were[[0, -1]])
    bends = [np.diff(m.world()[0], n=2, axis=0).std() for m in (smoothed, trembling)]
    assert bends[0] < 0.1 * bends[1]


def test_feet_stand_while_the_body_is_smoothed(trembling: Motion) -> None:
    level = np.full((80, 4), np.nan)
    level[10:40, 0] = level[30:50, 2] = level[45:75, 1] = 0.0  # left ball, left heel, right ball
    smoothed = smooth_clip(Clip("a", trembling), 3.0, Contacts(level)).motion
    skeleton, (places, turns), (were, turned) = trembling.skeleton, smoothed.world(), trembling.world()
    for name, stands in (("LeftFoot", np.arange(10, 50)), ("RightFoot", np.arange(45, 75))):
        j = skeleton.index(name)
        np.testing.assert_allclose(places[stands, j], were[stands, j], atol=1e-9)
        assert apart(turns[stands, j], turned[stands, j]).max() < 1e-7
    np.testing.assert_allclose(smoothed.root, smooth(trembling, 3.0).root)
    knee = skeleton.index("LeftLeg")
    assert np.diff(places[:, knee], n=3, axis=0).std() < 0.5 * np.diff(were[:, knee], n=3, axis=0).std()


def test_without_contacts_a_clip_is_smoothed_like_its_motion(trembling: Motion) -> None:
    smoothed = smooth_clip(Clip("a", trembling, keys=np.ones((80, 17), bool)), 3.0)
    np.testing.assert_array_equal(smoothed.motion.rotations, smooth(trembling, 3.0).rotations)
    assert smoothed.keys is None


def test_legs_reach_where_they_can_and_keep_their_lengths(trembling: Motion) -> None:
    leg = find_legs(trembling.skeleton, {})["Right"]
    places, turns = trembling.world()
    near = places[:, leg.foot] + np.array([0.03, 0.02, -0.05])
    moved, turned = reach(trembling, leg, near, turns[:, leg.foot]).world()
    np.testing.assert_allclose(moved[:, leg.foot], near, atol=1e-9)
    assert apart(turned[:, leg.foot], turns[:, leg.foot]).max() < 1e-7
    for a, b in ((leg.thigh, leg.shin), (leg.shin, leg.foot)):
        lengths = [np.linalg.norm(p[:, a] - p[:, b], axis=1) for p in (moved, places)]
        np.testing.assert_allclose(*lengths, atol=1e-12)
    assert (moved[:, leg.shin, 2] > moved[:, leg.thigh, 2]).all()  # knees bend to the front
    far = places[:, leg.thigh] + np.array([0.0, -2.0, 0.0])
    stretched, _ = reach(trembling, leg, far, turns[:, leg.foot]).world()
    np.testing.assert_allclose(stretched[:, leg.foot], places[:, leg.thigh] - [0.0, 0.82, 0.0], atol=1e-6)


def test_legs_that_need_not_move_stay(trembling: Motion) -> None:
    leg = find_legs(trembling.skeleton, {})["Left"]
    places, turns = trembling.world()
    same = reach(trembling, leg, places[:, leg.foot], turns[:, leg.foot])
    np.testing.assert_allclose(same.world()[0], places, atol=1e-9)


def test_legs_are_found_by_roles(humanoid: Skeleton) -> None:
    names = tuple(f"bone_{j}" for j in range(len(humanoid)))
    other = Skeleton(names, humanoid.parents, humanoid.offsets)
    roles = {name: f"bone_{j}" for j, name in enumerate(humanoid.names)}
    assert find_legs(other, roles) == find_legs(humanoid, {})
    assert not find_legs(other, {})


@pytest.mark.parametrize("cutoff", [0.0, 0.1, 15.1, float("nan")])
def test_a_cut_off_that_cannot_be_is_refused(trembling: Motion, cutoff: float) -> None:
    with pytest.raises(RigError, match=r"cut-off of .* Hz; give 0.15 to 15 Hz"):
        smooth(trembling, cutoff)


def test_contacts_of_another_clip_are_refused(trembling: Motion) -> None:
    with pytest.raises(RigError, match=r"shape \(79, 4\); give \(80, 4\)"):
        smooth_clip(Clip("a", trembling), 3.0, Contacts(np.zeros((79, 4))))


@pytest.mark.parametrize("frames", [1, 2, 3, 4])
def test_short_motions_are_taken(wild, frames: int) -> None:
    motion = wild(frames=frames)
    np.testing.assert_array_equal(smooth(motion, 3.0).root[[0, -1]], motion.root[[0, -1]])
