"""Feet in the solve: they stay where they stand, and do not where they leap or slide."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest

from mocap.animate import Animated, animate
from mocap.attach import load_attachment
from mocap.feet import (
    FEET,
    Feet,
    Stance,
    bend_toes,
    find_stance,
    rolling,
    soles_of,
    with_own_heels,
)
from mocap.keypoints import load_layout
from mocap.observations import Observations
from mocap.scene import Wrists
from rigs import quat
from rigs.contact import Contacts
from rigs.motion import Motion
from rigs.solving.body import load_body
from rigs.solving.ground import soles
from rigs.solving.kinematics import Chain, Pose, locate
from tests.calibration.synthetic import ring

STATURE, FRAMES, FPS = 1.75, 50, 30
BODY, LAYOUT = load_body(), load_layout("blazepose33")
SIZES = np.full(len(BODY.size_names), STATURE)
NOISE = 3.0  # pixels, over a tenth of a second alike: centimetres, as of a detector
CAMERAS = ring(4)


def standing(path: np.ndarray) -> Pose:
    """Somebody who stands, arms hanging, and is carried along a path (T, 3) m above the floor."""
    turn = np.zeros((len(path), len(BODY.names), 3))
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        turn[:, BODY.index(f"{side}Arm"), 2] = -1.2 * sign
        turn[:, BODY.index(f"{side}UpLeg"), 0] = -0.2
        turn[:, BODY.index(f"{side}Leg"), 0] = 0.35
        turn[:, BODY.index(f"{side}Foot"), 0] = -0.15
    pose = Pose(path, quat.from_rotvec(turn))
    points, heights = soles(BODY, STATURE)
    low = (locate(Chain(BODY).place(pose, SIZES), points)[0, :2, 1] - heights[:2]).mean() - path[0, 1]
    return Pose(path - (0.0, low, 0.0), pose.rotations)


def path(y: np.ndarray | float = 0.0, z: np.ndarray | float = 0.0) -> np.ndarray:
    return np.stack(np.broadcast_arrays(0.0, y, z, np.zeros(FRAMES))[:3], axis=1)


def leap() -> np.ndarray:
    """A leap of 0.4 s, 0.2 m high, between frames 20 and 32."""
    t = np.clip((np.arange(FRAMES) - 20) / FPS, 0.0, 0.4)
    return path(y=0.5 * 9.81 * t * (0.4 - t))


def wandering(shape: tuple[int, ...]) -> np.ndarray:
    """Noise that is alike over three frames, as a detector's is."""
    white = np.random.default_rng(1).normal(0.0, NOISE, (shape[0], shape[1] + 2, *shape[2:]))
    return (white[:, 2:] + white[:, 1:-1] + white[:, :-2]) / np.sqrt(3)


def solved(pose: Pose, feet: Feet) -> Animated:
    attachment = load_attachment(LAYOUT, BODY)
    points = np.full((len(pose), len(LAYOUT), 3), np.nan)
    points[:, attachment.rows] = locate(Chain(BODY).place(pose, SIZES), attachment.points(STATURE))
    pixels = np.stack([c.project(points) for c in CAMERAS])
    pixels = pixels + wandering(pixels.shape)
    confidence = np.where(np.isfinite(pixels[..., 0]), 0.99, 0.0)
    seen = Observations(CAMERAS.names, LAYOUT, pixels, confidence, Fraction(FPS))
    return animate(seen, CAMERAS, points, STATURE, feet=feet)


@cache
def still(feet: Feet) -> Animated:
    return solved(standing(path()), feet)


def soles_in(animated: Animated) -> np.ndarray:
    return soles_of(animated.motion, animated.stature)


def speed(positions: np.ndarray) -> float:
    """Mean speed, mm/s."""
    return float(np.linalg.norm(np.diff(positions, axis=0), axis=-1).mean() * FPS * 1000)


def test_feet_that_stand_hold_still() -> None:
    assert still("auto").contacts.down.all()
    assert speed(soles_in(still("auto"))) < 1.0
    assert speed(soles_in(still("never"))) > 20.0


@pytest.mark.parametrize("feet", ["auto", "never"])
def test_wrists_that_are_found_later_lead_the_arms_and_leave_the_feet(feet: Feet) -> None:
    before = still(feet)
    rows = [before.motion.skeleton.index(f"{side}Hand") for side in ("Left", "Right")]
    there = before.motion.world()[0][:, rows] + np.array([0.0, 0.0, 0.03])
    sd = np.where(np.arange(FRAMES)[:, None] < FRAMES // 2, 0.002, np.inf) + np.zeros((1, 2))
    assert before.again is not None
    after = before.again(Wrists(there, sd))
    moved = after.motion.world()[0][:, rows] - before.motion.world()[0][:, rows]
    assert (moved[: FRAMES // 4, :, 2] > 0.02).all() and np.abs(moved[-5:]).max() < 0.01
    assert np.abs(soles_in(after) - soles_in(before)).max() < 0.005


def test_all_plants_of_a_person_are_at_one_height() -> None:
    height = soles_in(still("auto"))[:, :2, 1]
    assert np.ptp(height) < 0.003


def test_feet_that_stand_are_on_the_floor() -> None:
    _, heights = soles(BODY, STATURE)
    off = soles_in(still("auto"))[:, :2, 1] - heights[:2]
    assert np.abs(off).max() < 0.01


@pytest.mark.parametrize("feet", ["auto", "always"])
def test_a_leap_stays_a_leap(feet: Feet) -> None:
    pose = standing(leap())
    rise = soles_in(solved(pose, feet))[..., 1]
    assert rise[24:29].min(axis=1).max() > 0.15
    high = rise.mean(axis=1) - rise[:15].mean()
    assert np.abs(high - leap()[:, 1]).max() < 0.04  # the motion prior rounds the landing off


def test_a_slide_is_not_held() -> None:
    pose = standing(path(z=0.5 * np.arange(FRAMES) / FPS))
    animated = solved(pose, "auto")
    assert not animated.contacts.down.any()
    speeds = np.diff(soles_in(animated)[..., 2].mean(axis=1)) * FPS
    assert speeds.mean() == pytest.approx(0.5, abs=0.05)
    assert speeds.min() > 0.15  # nowhere held: what is left is the detector's noise


def test_a_heel_that_rolls_is_let_go_while_the_ball_is_held() -> None:
    pose = standing(path())
    bend = np.interp(np.arange(FRAMES), [20, 24], [0.0, 0.3])  # onto the toes in 0.13 s
    turn = np.zeros((FRAMES, 3))
    turn[:, 0] = bend
    rotations = pose.rotations.copy()
    for name in ("LeftFoot", "RightFoot"):
        foot = BODY.index(name)
        rotations[:, foot] = quat.multiply(rotations[:, foot], quat.from_rotvec(turn))
    points, _ = soles(BODY, STATURE)
    raised = Pose(pose.root, rotations)
    low = locate(Chain(BODY).place(raised, SIZES), points)[:, :2].mean(axis=1)
    raised = Pose(pose.root + low[:1] - low, rotations)
    assert np.ptp(locate(Chain(BODY).place(raised, SIZES), points)[:, 2, 1]) > 0.04  # the heel rises
    doubt = np.full((FRAMES, len(BODY.names)), 0.02)
    down = find_stance(BODY, STATURE, SIZES, raised, FPS, "auto", doubt).contacts.down
    assert down[:, :2].all() and down[:18, 2:].all() and not down[20:25, 2:].any() and down[27:, 2:].all()


def test_only_heels_roll_and_only_while_they_move() -> None:
    paths = np.zeros((FRAMES, 4, 3))
    paths[25:, :, 1] = 0.05
    found = rolling(paths, FPS)
    assert not found[:, :2].any() and found[24:26, 2:].all()
    assert not found[:22].any() and not found[28:].any()


def test_heels_are_as_high_as_they_are_when_the_foot_is_flat() -> None:
    standing = np.array([0.02, 0.02, 0.04, 0.04])
    paths = np.zeros((FRAMES, 4, 3)) + np.where(np.arange(4)[:, None] < 2, standing[:, None], 0) * (0, 1, 0)
    paths[:, 2, 1], paths[:, 3, 1] = 0.055, 0.05
    level = np.full((FRAMES, 4), np.nan)
    level[:20, [0, 2]] = 0.0  # the left foot stands flat
    level[30:, 3] = 0.0  # the right heel without its ball
    paths[30:, 3, 1] = 0.1
    np.testing.assert_allclose(
        with_own_heels(standing, paths, Contacts(level), FPS), [0.02, 0.02, 0.055, 0.055]
    )
    level[25:40, [1, 3]] = 0.0
    paths[25:40, 3, 1] = 0.047
    np.testing.assert_allclose(
        with_own_heels(standing, paths, Contacts(level), FPS), [0.02, 0.02, 0.055, 0.047]
    )
    level[:] = np.nan
    np.testing.assert_array_equal(with_own_heels(standing, paths, Contacts(level), FPS), standing)


def test_on_the_ground_a_leap_becomes_none() -> None:
    animated = solved(standing(leap()), "ground")
    lowest = soles_in(animated)[..., 1] - soles(BODY, STATURE)[1]
    assert np.abs(lowest.min(axis=1)).max() < 1e-9


@pytest.mark.parametrize("feet", FEET)
def test_every_mode_but_never_has_a_record_of_every_frame(feet: Feet) -> None:
    contacts = still(feet).contacts
    assert contacts is None if feet == "never" else contacts.level.shape == (FRAMES, 4)


def tiptoe(lift: float) -> Motion:
    """Heels rise to 60 degrees over the clip about balls that stay where they are, `lift` metres up."""
    pose = standing(path(y=lift))
    rotations = pose.rotations.copy()
    for side in ("Left", "Right"):
        pitch = np.outer(np.linspace(0.0, np.pi / 3, FRAMES), (1.0, 0.0, 0.0))
        foot = BODY.index(f"{side}Foot")
        rotations[:, foot] = quat.multiply(rotations[:, foot], quat.from_rotvec(pitch))
    motion = Motion(BODY.skeleton(SIZES), rotations, pose.root, Fraction(FPS))
    low = soles_of(motion, STATURE)[:, :2, 1].min(axis=1) - soles(BODY, STATURE)[1][0] - lift
    return Motion(motion.skeleton, rotations, pose.root - low[:, None] * (0.0, 1.0, 0.0), motion.fps)


def tips(motion: Motion) -> np.ndarray:
    positions, rotations = motion.world()
    toe = motion.skeleton.index("LeftToeBase")
    return positions[:, toe] + quat.rotate(rotations[:, toe], motion.skeleton.tips["LeftToeBase"])


def test_toes_bend_on_the_floor_and_nothing_else_moves() -> None:
    straight = tiptoe(0.0)
    bent = bend_toes(straight, STATURE)
    assert tips(straight)[:, 1].min() < -0.03
    assert tips(bent)[:, 1].min() > 0.4 * soles(BODY, STATURE)[1][0]
    np.testing.assert_allclose(soles_of(bent, STATURE), soles_of(straight, STATURE), atol=1e-12)
    np.testing.assert_allclose(tips(bend_toes(bent, STATURE)), tips(bent), atol=1e-9)


def test_toes_in_the_air_stay_straight() -> None:
    high = tiptoe(0.3)
    np.testing.assert_array_equal(tips(bend_toes(high, STATURE)), tips(high))


def test_toes_bend_without_a_jerk() -> None:
    turn = bend_toes(tiptoe(0.0), STATURE).rotations[:, BODY.index("LeftToeBase")]
    step = np.rad2deg(np.linalg.norm(np.diff(quat.to_rotvec(turn), axis=0), axis=-1))
    assert 0 < step.max() < 2.5  # the foot pitches by 1.2 degrees a frame


def test_a_plant_holds_to_its_ends_unless_these_are_not_sure() -> None:
    level = np.full((20, 4), np.nan)
    level[4:15, 0] = 0.0
    level[12:, 3] = 0.0  # the clip ends within it
    points, standing = soles(load_body(), 1.75)
    held, softer = (
        Stance(Contacts(level), standing, edge).terms(points, 0, 20, 30.0, 1.0)[0].hold for edge in (0.0, 0.1)
    )
    steps = np.isfinite(level[1:] + level[:-1])
    np.testing.assert_array_equal(held, steps.astype(float))
    assert (softer[steps] > 0).all() and (softer[7:11, 0] == 1).all() and softer[18, 3] == 1
    assert (np.diff(softer[4:7, 0]) > 0).all() and softer[4, 0] < 0.01 and softer[12, 3] < 0.01
