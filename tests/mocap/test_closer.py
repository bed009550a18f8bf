"""Solved people looked at closer: where squares lie, what looks say together, and what is made of that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mocap.animate import Animated
from mocap.attach import load_attachment
from mocap.centred import ALIKE
from mocap.closer import FIRST, can_look_closer, looked_at_closer, solve_roughly, with_closer_looks
from mocap.config import CaptureConfig, View
from mocap.detect.centres import CENTRES, CentreNetworks, Crop, squares_about
from mocap.detect.closer import SHOWN, SQUARES, CloserLooks, averaged
from mocap.detect.cover import Cover
from mocap.detect.follow import GREY
from mocap.keypoints import Keypoints2D, load_layout
from mocap.observations import Observations
from mocap.placing import Placed
from mocap.progress import Quiet
from mocap.solving import Solved
from mocap.squares import CLOSE, ELSEWHERE, RATE, closer_covers, closer_regions, crowded_regions
from mocap.swaps import Swaps
from mocap.video import Frame, VideoInfo
from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose, locate
from tests.calibration.synthetic import ring
from tests.mocap.somebody import HEIGHT, LANDMARKS, SAME, picture
from tests.synth import STATURE, sized, walking

FRAMES, FPS = 12, Fraction(30)
CAMERAS, BODY = ring(), load_body()
LAYOUT = load_layout("blazepose33_centres")
OWN = len(LAYOUT.detector)
ATTACHED = load_attachment(LAYOUT, BODY)
USED = np.isin(np.arange(OWN, len(LAYOUT)), ATTACHED.rows)  # centres that sit on the body
SIZES = [camera.size for camera in CAMERAS]
SEEN_SD, LOOK_SD = 4.0, 2.0


def walker(*shift: float, frames: int = FRAMES) -> tuple[Motion, np.ndarray]:
    """Somebody who walks, moved by metres along x and z: motion, and landmarks (T, J, 3)."""
    pose = walking(BODY, frames)
    pose = Pose(pose.root + np.array([shift[0], 0.0, shift[1]]), pose.rotations)
    points = np.full((frames, len(LAYOUT), 3), np.nan)
    points[:, ATTACHED.rows] = locate(Chain(BODY).place(pose, sized(BODY)), ATTACHED.points(STATURE))
    return Motion(BODY.skeleton(sized(BODY)), pose.rotations, pose.root, FPS), points


def solved_of(motion: Motion, person: int = 0, first: int = 0) -> Solved:
    seen = Observations(CAMERAS.names, LAYOUT, np.zeros((0, 0, 0, 2)), np.zeros((0, 0, 0)), FPS)
    animated = Animated(motion, STATURE, {})
    return Solved(animated, CAMERAS, seen, None, Swaps((), {}), None, [], first, person=person)


def seen_at(points: np.ndarray) -> Observations:
    pixels = CAMERAS.project(points)
    known = np.isfinite(pixels).all(axis=-1)
    spread, none = np.where(known, SEEN_SD * ALIKE, np.nan), np.where(known[..., None], pixels * 0, np.nan)
    confidence = np.where(known, 0.9, 0.0)
    return Observations(
        CAMERAS.names, LAYOUT, pixels, confidence, FPS, spread=spread, detected=pixels, slant=none
    )


def placed_of(*people: Observations) -> Placed:
    spans = ((0, FRAMES),) * len(people)
    return Placed(CAMERAS, None, people, spans, np.zeros(len(CAMERAS)), {})


def views_of(frames: int = FRAMES) -> dict[str, Keypoints2D]:
    """Views in which nobody is seen: only times and sizes are asked."""
    points = np.full((frames, 1, OWN, 2), np.nan)
    times = np.arange(frames) / float(FPS)
    return {
        camera.name: Keypoints2D(LAYOUT.detector, points, np.zeros(points.shape[:3]), times, camera.size)
        for camera in CAMERAS
    }


def looks_at(*people: np.ndarray, off: float = 0.0) -> dict[str, Keypoints2D]:
    """What closer looks say who see centres right but for `off` pixels to the right."""
    out = {}
    for name, view in views_of().items():
        at = np.stack([CAMERAS[CAMERAS.names.index(name)].project(points) for points in people], axis=1)
        places = at[:, :, OWN:] + (off, 0.0)
        some = np.where(np.isfinite(places), places, 1.0)
        said = np.zeros((*some.shape[:3], 3))
        said[..., 0] = LOOK_SD
        points = np.full((FRAMES, len(people), len(LAYOUT), 2), np.nan)
        points[:, :, OWN:] = some
        confidence = np.isfinite(points).all(axis=-1).astype(float)
        centres = np.concatenate([some, said], axis=-1)
        out[name] = Keypoints2D(LAYOUT, points, confidence, view.times, view.size, centres=centres)
    return out


def test_looks_that_agree_are_as_sure_as_one() -> None:
    one = np.random.default_rng(1).uniform(1.0, 5.0, (7, 5))
    np.testing.assert_allclose(averaged(np.stack([one, one, one]), np.ones((3, 7))), one)


def test_the_surer_look_counts_more_and_disagreement_is_doubt() -> None:
    looks = np.array([[[0.0, 0.0, 1.0, 0.0, 0.0]], [[10.0, 0.0, 3.0, 0.5, 0.0]]])
    found = averaged(looks, np.ones((2, 1)))[0]
    assert found[0] == pytest.approx(1.0) and found[3] == pytest.approx(0.05)  # weights 9 to 1
    variance = 0.9 * (1 + 1 / 2) + 0.1 * (9 + 81 / 2)
    assert found[2] == pytest.approx(np.sqrt(variance))


def test_looks_that_see_nothing_or_do_not_count_change_nothing() -> None:
    looks = np.random.default_rng(1).uniform(1.0, 5.0, (3, 4, 5))
    looks[1, :2] = np.nan
    counts = np.array([[1.0] * 4, [1.0] * 4, [0.0] * 4])
    found = averaged(looks, counts)
    np.testing.assert_allclose(found[:2], looks[0, :2])
    assert np.isnan(averaged(looks, np.zeros((3, 4)))).all()


def test_each_centre_is_in_a_square_that_shows_it() -> None:
    shown = dict(zip(SQUARES, SHOWN, strict=True))
    assert shown["whole"].all() and (shown["upper"] | shown["lower"]).all()
    both = [name for name, u, low in zip(CENTRES, shown["upper"], shown["lower"], strict=True) if u and low]
    assert both == ["pelvis", "thigh_l", "thigh_r"]
    assert not shown["lower"][CENTRES.index("hand_l")] and not shown["upper"][CENTRES.index("calf_r")]


def test_a_crop_brings_points_there_and_back() -> None:
    crop = Crop.of(np.array([310.0, 205.5, 180.0, 0.3]))
    points = np.random.default_rng(0).uniform(0, 700, (9, 2))
    np.testing.assert_allclose(crop.back(crop.of_image(points)), points, atol=1e-9)
    np.testing.assert_allclose(crop.of_image(np.array([310.0, 205.5])), 127.5, atol=1e-9)


def test_who_finds_centres_where_they_were_expected_is_surer() -> None:
    image, networks = picture(), CentreNetworks()
    square = squares_about(LANDMARKS, LANDMARKS[23:25].mean(axis=0), LANDMARKS[11:13].mean(axis=0), CLOSE)
    free = networks.look_in(image, square)
    anywhere = np.full((len(CENTRES), 3), np.nan)
    np.testing.assert_array_equal(networks.look_in(image, square, anywhere), free)
    there = np.column_stack([free[:, :2], np.full(len(CENTRES), ELSEWHERE * HEIGHT)])
    sure = networks.look_in(image, square, there)
    assert np.median(np.linalg.norm(sure[:, :2] - free[:, :2], axis=-1)) < 0.004 * HEIGHT
    assert sure[:, 2].mean() < free[:, 2].mean()


def test_squares_hold_the_solved_body_upright() -> None:
    motion, points = walker(0.0, 0.0)
    placed = placed_of(seen_at(points))
    regions = closer_regions([solved_of(motion)], placed, views_of())
    names = LAYOUT.detector.landmarks
    low = np.array([name.endswith(("ankle", "heel", "foot_index")) for name in names])
    for camera in CAMERAS:
        seen = camera.project(points[:, :OWN])
        squares, expected = np.split(regions[camera.name][:, 0], [len(SQUARES)], axis=1)
        assert np.isfinite(squares).all()
        centres = camera.project(points[:, OWN:])
        np.testing.assert_allclose(expected[:, USED, :2], centres[:, USED], atol=0.13)
        assert np.isnan(expected[:, ~USED, 0]).all()
        extent = squares[:, 0, 2] / CLOSE
        np.testing.assert_allclose(expected[:, USED, 2] - ELSEWHERE * extent[:, None], 0, atol=0.14)
        for t in range(FRAMES):
            whole, upper, lower = (Crop.of(square).of_image(seen[t]) for square in squares[t])
            assert 8 < whole.min() < 40 and 215 < whole.max() < 248  # of 256 pixels
            assert (np.delete(upper, np.flatnonzero(low), axis=0) > 8).all() and upper[low].max() > 248
            assert (lower[low] < 248).all() and lower[names.index("nose"), 1] < whole[names.index("nose"), 1]
            assert whole[names.index("left_hip"), 1] > whole[names.index("left_shoulder"), 1] + 40


def test_who_is_not_there_or_not_in_the_image_is_not_looked_at() -> None:
    motion, points = walker(0.0, 0.0)
    placed = placed_of(seen_at(points))
    second = Motion(motion.skeleton, motion.rotations[6:], motion.root[6:], FPS)
    late = solved_of(second, first=6)
    found = closer_regions([late], placed, views_of())["cam1"]
    assert np.isnan(found[:5]).all() and np.isfinite(found[6:, :, : len(SQUARES)]).all()
    corners = {name: replace(view, size=(30, 30)) for name, view in views_of().items()}
    out = closer_regions([solved_of(motion)], placed, corners)
    assert all(np.isnan(squares).all() for squares in out.values())


def test_what_is_beyond_the_edge_draws_the_square_less() -> None:
    motion, points = walker(0.0, 0.0)
    placed, camera = placed_of(seen_at(points)), CAMERAS[0]
    middle = int(np.nanmedian(camera.project(points)[..., 1]))
    short = {n: replace(v, size=(v.size[0], middle)) for n, v in views_of().items()}
    whole, cut = (closer_regions([solved_of(motion)], placed, v)["cam1"] for v in (views_of(), short))
    assert (cut[:, 0, 0, 2] < 0.8 * whole[:, 0, 0, 2]).all()
    assert (cut[:, 0, 0, 1] < whole[:, 0, 0, 1]).all()


def test_fast_films_are_looked_at_thirty_times_a_second() -> None:
    motion, points = walker(0.0, 0.0)
    views = {n: replace(v, times=v.times / 2) for n, v in views_of().items()}
    regions = closer_regions([solved_of(motion)], placed_of(seen_at(points)), views)["cam1"]
    squares = regions[:, :, : len(SQUARES)]
    assert RATE == 30.0 and np.isfinite(squares[::2]).all() and np.isnan(regions[1::2]).all()


def test_closer_looks_and_the_first_are_averaged() -> None:
    motion, points = walker(0.0, 0.0)
    placed = placed_of(seen_at(points))
    after = with_closer_looks(placed, [solved_of(motion)], looks_at(points, off=3.0), SIZES).people[0]
    before = placed.people[0]
    np.testing.assert_array_equal(after.pixels[:, :, :OWN], before.pixels[:, :, :OWN])  # landmarks stay
    moved = (after.pixels - before.pixels)[:, :, OWN:][:, :, USED]
    looks = SHOWN.sum(axis=0)[USED] / LOOK_SD**2
    np.testing.assert_allclose(
        moved[..., 0], np.broadcast_to(3 * looks / (looks + (FIRST * SEEN_SD) ** -2), moved.shape[:3])
    )
    assert after.spread is not None and (after.spread[:, :, OWN:][:, :, USED] < 3.2 * ALIKE).all()
    assert ((after.confidence == 0) == np.isnan(after.pixels[..., 0])).all()


def test_whom_a_view_lost_it_sees_again() -> None:
    motion, points = walker(0.0, 0.0)
    seen = seen_at(points)
    gone = (np.arange(len(CAMERAS)) == 1)[:, None, None]
    lost = seen.each(lambda a: np.where(gone[..., None] if a.ndim == 4 else gone, np.nan, a))
    lost = replace(lost, confidence=np.nan_to_num(lost.confidence))
    after = with_closer_looks(placed_of(lost), [solved_of(motion)], looks_at(points), SIZES).people[0]
    place = seen.pixels[1, :, OWN:][:, USED]
    np.testing.assert_allclose(after.pixels[1, :, OWN:][:, USED], place, atol=1e-9)
    assert np.isnan(after.pixels[1, :, :OWN]).all() and (after.confidence[1, :, OWN:][:, USED] > 0.5).all()


def test_joints_far_beyond_the_edge_are_left_out_and_near_ones_doubted() -> None:
    motion, points = walker(0.0, 0.0)
    places = CAMERAS.project(points)[:, :, OWN:][:, :, USED]
    extent = np.ptp(places, axis=2).max(axis=-1)[..., None]
    edge = float(np.median(places[0, ..., 1]))
    sizes = [(720, int(edge)) if v == 0 else size for v, size in enumerate(SIZES)]
    after = with_closer_looks(
        placed_of(seen_at(points)), [solved_of(motion)], looks_at(points), sizes
    ).people[0]
    beyond = ((places[..., 1] - (int(edge) - 1)) / extent)[0]
    known = after.confidence[0, :, OWN:][:, USED] > 0
    inside = (places[0] >= 0).all(axis=-1) & (places[0, ..., 0] <= 719)
    assert known[inside & (beyond < 0.045)].all() and not known[beyond > 0.055].any()
    assert after.spread is not None
    spread = after.spread[0, :, OWN:][:, USED]
    near = known & (beyond > 0.02)
    assert near.any() and np.nanmin(spread[near]) > 1.05 * np.nanmin(spread[known & (beyond < 0)])


def test_of_two_in_line_only_the_nearer_is_believed() -> None:
    line = CAMERAS[0].centre * (1, 0, 1) / np.linalg.norm(CAMERAS[0].centre[[0, 2]])
    (far, behind), (near, before) = walker(0.0, 0.0), walker(*(0.8 * line[[0, 2]]))
    placed = placed_of(seen_at(before), seen_at(behind))
    solved = [solved_of(near, person=0), solved_of(far, person=1)]
    after = with_closer_looks(placed, solved, looks_at(before, behind, off=3.0), SIZES)
    np.testing.assert_array_equal(after.people[1].pixels[0], placed.people[1].pixels[0])  # left as it was
    assert (after.people[0].pixels[0] != placed.people[0].pixels[0]).any()
    # who could not be solved stays as he was, and the other is not taken for him
    alone = with_closer_looks(placed, [solved_of(far, person=1)], looks_at(behind, off=3.0), SIZES)
    assert alone.people[0] is placed.people[0] and alone.people[1] is not placed.people[1]


def test_somebody_elses_joints_are_not_taken_for_his() -> None:
    motion, points = walker(0.0, 0.0)
    placed = placed_of(seen_at(points))
    extent = float(np.nanmedian(placed.people[0].heights()))
    for off, same in ((0.15 * extent, True), (0.03 * extent, False)):
        after = with_closer_looks(placed, [solved_of(motion)], looks_at(points, off=off), SIZES).people[0]
        assert np.array_equal(after.pixels, placed.people[0].pixels, equal_nan=True) == same


def films() -> tuple[CaptureConfig, list[VideoInfo]]:
    videos = [VideoInfo(Path(c.name), c.size, FPS, None, None, 0, False, False) for c in CAMERAS]
    views = tuple(View(camera.name, video.path) for camera, video in zip(CAMERAS, videos, strict=True))
    return CaptureConfig(views), videos


def test_people_are_solved_roughly_where_they_are_in_every_frame_of_theirs() -> None:
    motion, points = walker(0.0, 0.0, frames=41)
    placed = replace(placed_of(seen_at(points)), spans=((4, 40),))
    thin = placed.thinned(3)
    assert thin.spans == ((2, 14),) and thin.seen.frames == 14 and thin.seen.fps == FPS / 3
    np.testing.assert_array_equal(thin.seen.times, placed.seen.times[::3])
    (found,) = solve_roughly(placed, *films(), lambda stage: Quiet())
    at, truth = found.animated.motion.world()[0], motion.world()[0]
    assert (found.first, len(at), found.animated.motion.fps) == (4, 36, FPS)
    assert np.linalg.norm(at - truth[4:40], axis=-1).mean() < 0.03


def test_whoever_cannot_be_solved_roughly_is_nobody() -> None:
    """The real solve refuses views that contradict one another, and says so."""
    seen = seen_at(walker(0.0, 0.0)[1])
    off = np.array([300.0, -200.0, 0.0, 0.0])[: len(CAMERAS), None, None, None]
    apart = replace(seen, pixels=seen.pixels + off)
    assert solve_roughly(placed_of(apart), *films(), lambda stage: Quiet()) == []


def test_only_several_views_with_centres_are_looked_at_closer() -> None:
    _, points = walker(0.0, 0.0)
    seen = seen_at(points)
    assert can_look_closer(placed_of(seen))
    assert not can_look_closer(placed_of(seen.select([0])))
    assert not can_look_closer(placed_of(seen.as_detected()))


def test_the_networks_see_in_squares_what_they_see_about_landmarks() -> None:
    image = picture()
    hips, shoulders = LANDMARKS[23:25].mean(axis=0), LANDMARKS[11:13].mean(axis=0)
    low = [
        j for j, name in enumerate(LAYOUT.landmarks[:OWN]) if name.endswith(("ankle", "heel", "foot_index"))
    ]
    high = [j for j in range(OWN) if j not in low]
    legs = [j for j in range(OWN) if j >= 23] + [11, 12]
    regions = np.full((3, 2, len(SQUARES) + len(CENTRES), 4), np.nan)
    regions[1, 1, : len(SQUARES)] = [
        squares_about(LANDMARKS[rows], hips, shoulders, CLOSE) for rows in (range(OWN), high, legs)
    ]
    frames = [Frame(0, 0.0, image), Frame(1, 0.1, image), Frame(2, 0.2, None), Frame(3, 0.3, image)]
    found = list(CloserLooks(regions).detect(frames))
    assert [f.index for f in found] == [0, 1, 2, 3]
    seen = np.stack([f.centres for f in found if f.centres is not None])
    assert seen.shape == (4, 2, len(CENTRES), 5)
    assert np.isfinite(seen[1, 1]).all() and np.isnan(np.delete(seen.reshape(8, -1), 3, axis=0)).all()
    first = CentreNetworks().look(image, LANDMARKS)
    off = np.linalg.norm(seen[1, 1, :, :2] - first[:, :2], axis=-1) / HEIGHT
    assert np.median(off) < 0.015 and off.max() < 0.08
    right = np.linalg.norm(seen[1, 1, SAME[1], :2] - LANDMARKS[SAME[0]], axis=-1) / HEIGHT
    assert np.median(right) < 0.03


def test_who_is_near_is_painted_over_but_not_who_is_looked_at() -> None:
    """Of two who stand together the farther one's limbs never hide the nearer; the nearer one's hide his."""
    walkers = [walker(0.0, 0.0), walker(0.3, 0.4)]
    placed = placed_of(*(seen_at(points) for _, points in walkers))
    solved = [solved_of(motion, person) for person, (motion, _) in enumerate(walkers)]
    regions = closer_regions(solved, placed, views_of())
    covers = closer_covers(solved, placed, views_of(), regions)
    limbs = [LAYOUT.index(f"{side}_{joint}") for side in ("left", "right") for joint in ("elbow", "knee")]
    for camera in CAMERAS:
        image = np.full((*camera.size[::-1], 3), 200, np.uint8)
        frame = 5
        at = [camera.project(points[frame, limbs]).round().astype(int) for _, points in walkers]
        depth = [points[frame, limbs].mean(axis=0) @ camera.camera_from_world[2, :3] for _, points in walkers]
        near, far = np.argsort(depth)
        shown = {k: covers[camera.name].over(image, frame * 2 + k)[..., 0] for k in (near, far)}
        assert (shown[near][at[near][:, 1], at[near][:, 0]] == 200).all()
        assert (shown[far][at[near][:, 1], at[near][:, 0]] == GREY).all()
        assert (shown[near] == GREY).any()


def test_nobody_is_painted_over_where_nobody_is_near() -> None:
    walkers = [walker(0.0, 0.0), walker(0.3, 0.4)]
    seen = [seen_at(points) for _, points in walkers]
    one = closer_regions([solved_of(walkers[0][0])], placed_of(seen[0]), views_of())
    covers = closer_covers([solved_of(walkers[0][0])], placed_of(seen[0]), views_of(), one)
    assert all(not len(cover.strokes) for cover in covers.values())
    later = Motion(walkers[1][0].skeleton, walkers[1][0].rotations[6:], walkers[1][0].root[6:], FPS)
    solved = [solved_of(walkers[0][0]), solved_of(later, 1, first=6)]
    regions = closer_regions(solved, placed_of(*seen), views_of())
    for cover in closer_covers(solved, placed_of(*seen), views_of(), regions).values():
        assert set((cover.owners // 2).tolist()) == set(range(6, FRAMES))


def first_and_then(walkers: list[tuple[Motion, np.ndarray]]) -> list[list[Solved]]:
    """Two people whose second has a shin an eighth of a turn off from frame 7 on, and as they are."""
    right = walkers[1][0]
    rotations = right.rotations.copy()
    shin = right.skeleton.index("LeftLeg")
    rotations[7:, shin] = quat.multiply(rotations[7:, shin], quat.from_rotvec([np.pi / 4, 0.0, 0.0]))
    wrong = Motion(right.skeleton, rotations, right.root, FPS)
    return [[solved_of(walkers[0][0]), solved_of(motion, 1)] for motion in (wrong, right)]


def test_who_is_elsewhere_than_he_was_looked_for_is_looked_at_again_if_others_hide_him() -> None:
    """A shin that a first solve had an eighth of a turn off lies elsewhere in most images."""
    walkers = [walker(0.0, 0.0), walker(0.3, 0.4)]
    placed = placed_of(*(seen_at(points) for _, points in walkers))
    first, then = first_and_then(walkers)
    before, after = (closer_regions(solved, placed, views_of()) for solved in (first, then))
    covers = closer_covers(first, placed, views_of(), before)
    found = crowded_regions(before, after, covers)
    moved = 0
    for name, where in found.items():
        again = np.isfinite(where[:, :, 0]).all(axis=-1)
        assert not again[:, 0].any() and not again[:7].any()
        np.testing.assert_array_equal(where[again], after[name][again])
        moved += again[7:, 1].sum()
    assert moved > 0.5 * len(CAMERAS) * (FRAMES - 7)
    nobody = {name: Cover.nothing() for name in covers}
    assert all(np.isnan(where).all() for where in crowded_regions(before, after, nobody).values())
    assert all(np.isnan(where).all() for where in crowded_regions(after, after, covers).values())


def test_what_is_seen_again_counts_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    """First looks are 6 px off, those at whom they moved are right, and nobody else is looked at again."""
    walkers = [walker(0.0, 0.0), walker(0.3, 0.4)]
    points = [points for _, points in walkers]
    placed = placed_of(*(seen_at(p) for p in points))
    asked: list[str] = []

    def find(
        what: str, regions: Mapping[str, np.ndarray], covers: Mapping[str, Cover]
    ) -> dict[str, Keypoints2D]:
        asked.append(what)
        out = {}
        for name, view in looks_at(*points, off=6.0 if what == "closer" else 0.0).items():
            seen = np.isfinite(regions[name][:, :, 0]).all(axis=-1)[..., None, None]
            assert view.centres is not None
            centres, at = (np.where(seen, a, np.nan) for a in (view.centres, view.points))
            known = np.isfinite(at).all(axis=-1).astype(float)
            out[name] = replace(view, centres=centres, points=at, confidence=known)
        return out

    def off(*solves: list[Solved]) -> list[np.ndarray]:
        """(V, T) px by which centres of both people are off."""
        solved = iter(solves)
        monkeypatch.setattr("mocap.closer.solve_roughly", lambda *_: next(solved))
        taken = looked_at_closer(placed, *films(), views_of(), find, lambda stage: Quiet())
        both = zip(taken.people, placed.people, strict=True)
        rows = np.flatnonzero(USED) + OWN
        return [np.nanmedian(np.abs(a.pixels - b.pixels)[:, :, rows, 0], axis=-1) for a, b in both]

    first, then = first_and_then(walkers)
    assert not any(each.any() for each in off([])) and asked == []
    (alone, _), told = off(then[:1]), asked.copy()
    assert told == ["closer"] and np.nanmin(alone) > 4
    other, again = off(first, then)
    assert asked == ["closer", "closer", "crowd"]
    other_once, once = off(first, then[:1])  # a second solve that has lost somebody counts for nothing
    np.testing.assert_allclose(other, other_once, atol=1e-6)
    moved = (once > 4) & (again < 1)
    assert not moved[:, :7].any() and moved[:, 7:].mean() > 0.5
