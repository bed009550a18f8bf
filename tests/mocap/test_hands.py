"""Fingers from made-up detections: solved where seen, relaxed where not; and where they are looked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from calibration.camera import Cameras
from mocap.attach import load_attachment
from mocap.bodyguess import load_guess
from mocap.config import View
from mocap.detect.hands import LANDMARKS, Hands
from mocap.detect.run import detect_placed
from mocap.handplace import PALM, SQUARE, hand_regions, hand_regions_seen, worth_looking
from mocap.handsight import Sight, Wrist, sight_of
from mocap.handsolve import HandScene, hand_points, solve_hand
from mocap.keypoints import load_layout
from mocap.observations import Observations
from mocap.take import Take
from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import MIRROR, load_body
from rigs.solving.kinematics import Chain, Pose, locate
from tests.calibration.synthetic import ring
from tests.synth import sized, walking

STATURE, FRAMES, FPS = 1.75, 45, 30
CAMERAS = ring(4)
LAYOUT = load_layout("hands42")
SCORE = 0.98
EXAMPLE = Path(__file__).parents[2] / "examples" / "walk"


def wrist(left: bool = True) -> Wrist:
    """A hand at chest height that turns half round in the clip."""
    t = np.linspace(0.0, 1.0, FRAMES)
    at = np.stack([0.2 * np.sin(3 * t), 1.2 + 0.1 * t, 0.1 * np.cos(3 * t)], axis=1)
    turned = quat.from_rotvec(np.stack([1.5 * t, 0.3 + t, -1.0 + 0.5 * t], axis=1))
    return Wrist(left, at, turned, turned, STATURE, True, float(FPS))


def closing(left: bool, where: Wrist) -> Pose:
    """A hand whose fingers close from relaxed to half a fist and open again."""
    body = load_body("hand", mirrored=not left)
    relaxed = np.einsum("jik,jk->ji", Chain(body).axes, np.nan_to_num(body.relaxed))
    turns = np.repeat(relaxed[None], FRAMES, axis=0)
    curl = 0.7 * np.sin(np.linspace(0.0, np.pi, FRAMES))
    for j, name in enumerate(body.names):
        if "Thumb" not in name and j:
            turns[:, j, 2] += -curl * (1.0 if left else -1.0)
    rotations = quat.from_rotvec(turns)
    rotations[:, 0] = where.turned
    return Pose(where.at, rotations)


def seen(left: bool, pose: Pose, cameras: Cameras, noise: float = 0.0, score: float = SCORE) -> Observations:
    """What a network would see, the other hand unseen; landmarks scatter by `noise` pixels."""
    body = load_body("hand", mirrored=not left)
    points = locate(Chain(body).place(pose, sized(body)), hand_points(body, STATURE))
    rng = np.random.default_rng(4)
    pixels = np.full((len(cameras), FRAMES, 2 * LANDMARKS, 2), np.nan)
    world = np.full((len(cameras), FRAMES, 2 * LANDMARKS, 3), np.nan)
    rows = slice(0, LANDMARKS) if left else slice(LANDMARKS, None)
    for v, camera in enumerate(cameras):
        image = camera.project(points)
        pixels[v, :, rows] = image + rng.normal(0.0, noise, image.shape)
        ahead = np.append(camera.undistort(image).mean(axis=(0, 1)), 1.0)
        turn = quat.conjugate(quat.between(np.array([0.0, 0.0, 1.0]), ahead))
        local = (points - points[:, :1]) @ camera.camera_from_world[:3, :3].T
        world[v, :, rows] = 1.2 * quat.rotate(turn, local)  # the network knows no size
    confidence = np.where(np.isfinite(pixels).all(axis=-1), score, 0.0)
    return Observations(cameras.names, LAYOUT, pixels, confidence, Fraction(FPS), world)


def angles_off(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Angles (T, J) in degrees between rotations."""
    return np.rad2deg(2 * np.arccos(np.clip(np.abs((found * truth).sum(axis=-1)), 0, 1)))


@pytest.mark.parametrize("left", [True, False])
def test_fingers_that_four_views_see_are_found(left: bool) -> None:
    where = wrist(left)
    truth = closing(left, where)
    found = solve_hand(where, sight_of(seen(left, truth, CAMERAS, noise=1.0), CAMERAS, where))
    assert found.seen.all()
    # The prior is 25 degrees a joint and frame, what a score of 0.98 tells of it about 8: a tenth of the curl
    # of 40 degrees is the prior's.
    assert angles_off(found.rotations, truth.rotations)[:, 1:].mean() < 5.0
    assert angles_off(found.rotations, truth.rotations)[:, 0].mean() < 3.0


def test_one_view_finds_fingers_with_the_networks_own_guess() -> None:
    where, lone = wrist(), Cameras(CAMERAS.cameras[:1])
    truth = closing(True, where)
    found = solve_hand(where, sight_of(seen(True, truth, lone), lone, where))
    relaxed = solve_hand(where, Sight.nothing(FRAMES))
    off, before = (angles_off(f.rotations, truth.rotations)[:, 1:].mean() for f in (found, relaxed))
    assert off < before / 2


def test_a_lone_view_whose_floor_is_wrong_still_shows_the_fingers() -> None:
    """The wrist is where the solve has it, in the wrong place; fingers are held against their own wrist."""
    where, lone = wrist(), Cameras(CAMERAS.cameras[:1])
    truth = closing(True, where)
    high = Pose(truth.root + np.array([0.0, 0.3, 0.0]), truth.rotations)
    found, same = (solve_hand(where, sight_of(seen(True, pose, lone), lone, where)) for pose in (high, truth))
    assert (
        angles_off(found.rotations, same.rotations).mean() < 6.0
    )  # of another place in the image, by perspective


@pytest.mark.parametrize("left", [True, False])
def test_an_unseen_hand_is_relaxed_and_turned_as_the_body_has_it(left: bool) -> None:
    where = wrist(left)
    found = solve_hand(where, Sight.nothing(FRAMES))
    expected = HandScene(where, Sight.nothing(FRAMES)).relaxed()
    assert not found.seen.any()
    assert angles_off(found.rotations, expected.rotations).max() < 1.0


def test_detections_that_are_hardly_believed_change_nothing() -> None:
    where = wrist()
    doubtful = sight_of(seen(True, closing(True, where), CAMERAS, score=0.6), CAMERAS, where)
    assert not doubtful.known.any()


def test_a_hand_that_is_seen_for_a_while_is_relaxed_again_afterwards() -> None:
    where = wrist()
    views = seen(True, closing(True, where), CAMERAS)
    late = np.arange(FRAMES) >= 22
    part = views.each(lambda a: np.where(late.reshape(1, -1, *(1,) * (a.ndim - 2)), np.nan, a))
    part.confidence[~np.isfinite(part.confidence)] = 0.0
    found = solve_hand(where, sight_of(part, CAMERAS, where, rate=30.0))
    assert found.seen[:22].all() and not found.seen[22:].any()
    relaxed = HandScene(where, Sight.nothing(FRAMES)).relaxed()
    assert angles_off(found.rotations, relaxed.rotations)[-1, 1:].max() < 8.0


def test_between_two_looks_a_hand_counts_as_seen() -> None:
    where = Wrist(True, wrist().at, wrist().turned, wrist().turned, STATURE, True, 60.0)
    views = seen(True, closing(True, where), CAMERAS)
    odd = np.arange(FRAMES) % 4 != 0
    views.confidence[:, odd] = 0.0
    assert sight_of(views, CAMERAS, where).known.all()
    assert not sight_of(views, CAMERAS, where, rate=30.0).known.all()


def a_motion() -> Motion:
    body = load_body()
    pose = walking(body, FRAMES)
    return Motion(body.skeleton(sized(body)), pose.rotations, pose.root, Fraction(FPS))


def test_squares_lie_about_the_hands_with_the_fingers_up() -> None:
    motion, camera = a_motion(), CAMERAS[0]
    regions = hand_regions(motion, STATURE, camera, camera.size, np.arange(FRAMES, dtype=float), least=0.0)
    at, turned = motion.world()
    for side, (name, mirror) in enumerate((("Left", 1.0), ("Right", MIRROR))):
        hand = motion.skeleton.index(f"{name}Hand")
        tip = at[:, hand] + quat.rotate(turned[:, hand], np.array([0.1, 0.0, 0.0]) * mirror * STATURE)
        x, y, size, turn = regions[:, side].T
        away = camera.project(tip) + 0.5 - np.stack([x, y], axis=1)
        up = np.stack([np.sin(turn), -np.cos(turn)], axis=1)
        seen = np.isfinite(x)
        assert seen.any()
        # fingertips are 0.045 of stature beyond the middle, seen at most in full length
        along = (away * up).sum(axis=1)[seen]
        assert (along > 0).all() and (along < size[seen] * 0.045 / SQUARE * 1.05).all()
        across = np.abs(away @ np.array([[1.0], [0.0]]) * up[:, 1:] - away[:, 1:] * up[:, :1])
        assert np.nanmax(across) < 2.0


def test_hands_outside_the_image_or_too_small_are_not_looked_at() -> None:
    motion, camera = a_motion(), CAMERAS[0]
    frames = np.arange(FRAMES, dtype=float)
    assert np.isnan(hand_regions(motion, STATURE, camera, (40, 40), frames, least=0.0)).all()
    assert np.isnan(hand_regions(motion, STATURE, camera, camera.size, frames, least=1000.0)).all()
    assert np.isnan(hand_regions(motion, STATURE, camera, camera.size, frames + 2 * FRAMES, least=0.0)).all()


@pytest.mark.parametrize("layout", ["blazepose33", "blazepose33_centres"])
def test_a_lone_views_own_landmarks_say_where_to_look(layout: str) -> None:
    """As large and turned as a solved hand of that place, but for what a body is less than a metre deep."""
    body, camera = load_body(), CAMERAS[0]
    motion, frames = a_motion(), np.arange(FRAMES, dtype=float)
    attachment = load_attachment(load_layout(layout), body)
    points = locate(Chain(body).place(walking(body, FRAMES), sized(body)), attachment.points(STATURE))
    pixels = np.full((1, FRAMES, len(load_layout(layout)), 2), np.nan)
    world = np.full((*pixels.shape[:3], 3), np.nan)
    pixels[0][:, attachment.rows] = camera.project(points)
    world[0][:, attachment.rows] = points @ camera.camera_from_world[:3, :3].T
    world /= load_guess(load_layout(layout)).scale * STATURE
    if "centres" in layout:  # nothing is solved from it
        hands = [motion.skeleton.index(f"{s}Hand") for s in ("Left", "Right")]
        for side, hand, mirror in zip(("left", "right"), hands, (1.0, MIRROR), strict=True):
            at, turned = (a[:, hand] for a in motion.world())
            knuckle = at + quat.rotate(turned, PALM * mirror * STATURE)
            pixels[0][:, load_layout(layout).index(f"{side}_centre_middle_01")] = camera.project(knuckle)
    confidence = np.where(np.isfinite(pixels).all(axis=-1), 0.9, 0.0)
    lone = Observations(("cam1",), load_layout(layout), pixels, confidence, Fraction(FPS), world)
    found = hand_regions_seen(lone, camera.size, frames, least=0.0)
    solved = hand_regions(motion, STATURE, camera, camera.size, frames, least=0.0)
    size = solved[..., 2]
    assert np.isfinite(found[..., 0]).mean() > 0.8
    assert np.nanmedian(np.abs(found[..., 2] / size - 1)) < 0.15
    assert np.nanmedian(np.linalg.norm((found - solved)[..., :2], axis=-1) / size) < 0.15
    off = np.angle(np.exp(1j * (found - solved)[..., 3]))
    assert np.nanmedian(np.abs(off)) < 0.35


def test_squares_of_a_lone_view_are_the_same_but_for_last_digits() -> None:
    """What was looked at is found again, though a sum came out otherwise in its last digits."""
    layout, rng = load_layout("blazepose33"), np.random.default_rng(1)
    world = rng.normal(size=(1, FRAMES, len(layout), 3))
    pixels = 300 + 100 * world[..., :2]
    confidence = np.full(pixels.shape[:3], 0.9)
    first, again = (
        hand_regions_seen(
            Observations(("a",), layout, pixels + noise, confidence, Fraction(FPS), world),
            (720, 540), np.arange(FRAMES, dtype=float),
        )
        for noise in (0.0, 1e-9)
    )  # fmt: skip
    assert np.isfinite(first).any()
    np.testing.assert_array_equal(first, again)


def test_hands_looked_at_seldom_are_solved_where_they_were_and_go_with_the_arm_between() -> None:
    where = wrist()
    truth = closing(True, where)
    views = seen(True, truth, CAMERAS)
    views.confidence[:, np.arange(FRAMES) % 2 == 0] = 0.0
    sight = sight_of(views, CAMERAS, where)
    assert (sight.phase, sight.every) == (1, 2)
    found = solve_hand(where, sight)
    every, _ = HandScene(where, sight).clip()  # in all frames
    assert found.seen.all() and found.rotations.shape == every.rotations.shape
    # fingers turn by 2 to 3 degrees a frame: what is between two looks is off by a fraction of that
    assert angles_off(found.rotations, every.rotations).mean() < 0.5
    assert np.linalg.norm(found.wrist - every.root, axis=-1).max() < 0.005


def test_views_that_look_in_other_frames_than_each_other_are_solved_in_all() -> None:
    where = wrist()
    views = seen(True, closing(True, where), CAMERAS)
    for view in range(len(CAMERAS)):
        views.confidence[view, np.arange(FRAMES) % 2 == view % 2] = 0.0
    assert sight_of(views, CAMERAS, where).phase is None


@pytest.mark.parametrize(("fps", "share"), [(25, 0.5), (30, 0.5), (60, 0.25), (15, 1.0)])
def test_hands_are_looked_at_fifteen_times_a_second(fps: int, share: float) -> None:
    times = np.arange(240) / fps
    assert worth_looking(times).mean() == share
    assert worth_looking(times, 30.0).mean() == min(2 * share, 1.0)


def test_the_layout_is_two_hands_in_the_order_of_the_network() -> None:
    assert len(LAYOUT) == 2 * LANDMARKS
    np.testing.assert_array_equal(LAYOUT.mirror, np.roll(np.arange(2 * LANDMARKS), LANDMARKS))
    names = [n.removeprefix("left_") for n in LAYOUT.landmarks[:LANDMARKS]]
    assert names[0] == "wrist" and names[4] == "thumb_tip" and names[9] == "middle_mcp"


@pytest.mark.slow
def test_hands_are_found_in_the_example_and_kept(tmp_path: Path) -> None:
    """Squares as large as a hand about places where there is one, and none: kept, resumed, not done twice."""
    take = Take.create(tmp_path / "take", {}, [])
    view = View("cam1", EXAMPLE / "cam1.mp4")
    regions = np.full((6, 1, 2, 4), np.nan)
    with take.lock():
        nothing = detect_placed("hands", [view], {"cam1": regions}, take=take)
        assert nothing == {}
        regions[2:4, 0, 0] = (360.0, 20.0, 60.0, 0.0)  # a wall
        found = detect_placed("hands", [view], {"cam1": regions}, take=take)["cam1"]
        again = detect_placed("hands", [view], {"cam1": regions}, take=take)["cam1"]
    assert (found.layout.name, found.people) == ("hands42", 1)
    np.testing.assert_array_equal(found.points, again.points)
    assert (found.confidence[4:] == 0).all() and (found.confidence[2:4] < 0.9).all()


@pytest.mark.slow
def test_several_who_share_a_clip_see_what_one_sees(tmp_path: Path) -> None:
    view, regions = View("cam1", EXAMPLE / "cam1.mp4"), np.full((6, 1, 2, 4), np.nan)
    regions[1:5, 0, :] = (360.0, 250.0, 160.0, 0.0)
    found = []
    for workers in (1, 2, 3):
        take = Take.create(tmp_path / f"take{workers}", {}, [])
        with take.lock():
            found.append(
                detect_placed("hands", [view], {"cam1": regions}, take=take, workers=workers)["cam1"]
            )
    for other in found[1:]:
        for name in ("points", "confidence", "times", "world"):
            np.testing.assert_array_equal(getattr(found[0], name), getattr(other, name))


def test_a_frame_beyond_the_regions_is_not_looked_at() -> None:
    detector = Hands(np.full((2, 1, 2, 4), np.nan))
    assert np.isnan(detector._at(5)).all()
