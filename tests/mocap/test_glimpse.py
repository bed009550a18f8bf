"""Landmarks that one view alone sees, and people whom the image's edge cuts, against made-up truth."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from calibration.camera import Camera, Cameras
from calibration.triangulate import triangulate
from mocap.glimpse import (
    DOUBT,
    EDGE,
    _with_their_like,
    guessed_depths,
    with_doubt_at_edges,
    with_single_sights,
    without_squeezed,
)
from mocap.keypoints import load_layout
from mocap.observations import Observations
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, STATURE, guess, marching, observed

FRAMES = 12
CAMERAS = ring(3)
SIZES = [camera.size for camera in CAMERAS]
WRIST = LAYOUT.index("left_wrist")


def level(camera: Camera) -> Camera:
    """The same camera turned level: of a tilt, a detector takes out half."""
    forward = camera.camera_from_world[2, :3] * (1, 0, 1)
    forward /= np.linalg.norm(forward)
    right = np.array([-forward[2], 0.0, forward[0]])
    rotation = np.stack([right, np.cross(forward, right), forward])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ camera.centre
    return replace(camera, camera_from_world=pose)


def scene() -> tuple[Observations, np.ndarray, Cameras]:
    """A person, the left wrist seen by the first view alone; the truth; level cameras at hip height."""
    person = marching(FRAMES)
    low = [level(replace(c, camera_from_world=_at_hips(c))) for c in CAMERAS]
    cameras = Cameras(tuple(low))
    seen = observed(cameras, [person] * 3)
    pixels, confidence = seen.pixels.copy(), seen.confidence.copy()
    pixels[1:, :, WRIST], confidence[1:, :, WRIST] = np.nan, 0.0
    pixels[~np.isfinite(pixels).all(axis=-1)] = np.nan
    confidence = np.where(np.isfinite(pixels).all(axis=-1), confidence, 0.0)
    world = np.stack([guess(camera, person.landmarks) for camera in cameras])
    return replace(seen, pixels=pixels, confidence=confidence, world=world), person.landmarks, cameras


def _at_hips(camera: Camera) -> np.ndarray:
    pose = camera.camera_from_world.copy()
    centre = camera.centre * (1, 0, 1) + np.array([0.0, 0.95, 0.0])
    pose[:3, 3] = -pose[:3, :3] @ centre
    return pose


def test_the_guess_gives_the_depth_of_what_one_view_sees() -> None:
    seen, truth, cameras = scene()
    landmarks, _ = triangulate(cameras, seen.pixels, seen.confidence**2)
    assert np.isnan(landmarks[:, WRIST]).all()
    placed = with_single_sights(seen, cameras, landmarks, STATURE)
    # The guess is exact but for the angles at which the person is off the axis, a few degrees of an arm.
    assert np.linalg.norm(placed[:, WRIST] - truth[:, WRIST], axis=-1).max() < 0.06
    np.testing.assert_allclose(cameras[0].project(placed[:, WRIST]), seen.pixels[0, :, WRIST], atol=1e-3)


def test_what_two_views_see_stays_as_it_is() -> None:
    seen, _, cameras = scene()
    landmarks, _ = triangulate(cameras, seen.pixels, seen.confidence**2)
    placed = with_single_sights(seen, cameras, landmarks, STATURE)
    others = [j for j in range(len(LAYOUT)) if j != WRIST]
    np.testing.assert_array_equal(placed[:, others], landmarks[:, others])


def test_without_a_guess_nothing_changes() -> None:
    seen, _, cameras = scene()
    landmarks, _ = triangulate(cameras, seen.pixels, seen.confidence**2)
    blind = replace(seen, world=None)
    np.testing.assert_array_equal(with_single_sights(blind, cameras, landmarks, STATURE), landmarks)


def test_what_is_hardly_seen_of_somebody_at_the_edge_is_left_out() -> None:
    seen = observed(CAMERAS, [marching(FRAMES)] * 3)
    faint = seen.confidence.copy()
    faint[:, :, WRIST] = 0.2
    seen = replace(seen, confidence=np.where(np.isfinite(seen.pixels[..., 0]), faint, 0.0))
    kept = without_squeezed(seen, SIZES)
    inside = np.nan_to_num(np.nanmin(seen.pixels, axis=(2, 3))).min() > EDGE * np.nanmax(seen.heights())
    assert inside  # the person is well within the images: nothing is left out
    np.testing.assert_array_equal(kept.pixels, seen.pixels)
    moved = seen.pixels.copy()
    moved[0] -= np.nanmin(moved[0, ..., 0]) * np.array([1.0, 0.0])  # to the left edge of the first view
    cut = without_squeezed(replace(seen, pixels=moved), SIZES)
    assert np.isnan(cut.pixels[0, :, WRIST]).any() and not np.isnan(cut.pixels[1, :, WRIST]).any()
    assert ((cut.confidence == 0) == np.isnan(cut.pixels[..., 0])).all()
    np.testing.assert_array_equal(cut.confidence[0, :, 0], seen.confidence[0, :, 0])  # surely seen: kept


def test_hidden_centres_of_legs_stay_in_the_image_and_near_it_and_those_of_arms_go() -> None:
    """Of somebody who is cut by the image's edge."""
    layout = load_layout("blazepose33_centres")
    names = ("left_centre_calf", "right_centre_foot", "left_centre_foot", "left_centre_hand", "left_knee")
    calf, foot, near, hand, knee = (layout.index(name) for name in names)
    pixels = np.full((1, FRAMES, len(layout), 2), (300.0, 200.0))
    pixels[:, :, layout.index("nose")] = (300.0, 2.0)  # at the upper edge
    pixels[:, :, layout.index("left_heel")] = (300.0, 400.0)
    pixels[:, :, foot], pixels[:, :, near] = (300.0, -60.0), (300.0, -5.0)
    confidence = np.full(pixels.shape[:3], 0.9)
    confidence[..., [calf, foot, near, hand, knee]] = 0.2
    kept = without_squeezed(Observations(("a",), layout, pixels, confidence, Fraction(30)), [(720, 540)])
    gone = (kept.confidence == 0).all(axis=(0, 1))
    assert set(np.flatnonzero(gone)) == {foot, hand, knee}


def test_landmarks_beyond_the_edge_are_doubted_and_others_are_not() -> None:
    seen = observed(CAMERAS, [marching(FRAMES)] * 3)
    spread = np.where(np.isfinite(seen.pixels[..., 0]), 1.0, np.nan)
    seen = replace(seen, spread=spread)
    kept = with_doubt_at_edges(seen, SIZES)
    np.testing.assert_array_equal(kept.spread, spread)  # the person is well within the images
    pixels = seen.pixels.copy()
    out = np.nanmax(pixels[0, ..., 1], axis=1) - 0.2 * seen.heights()[0] - (SIZES[0][1] - 1)
    pixels[0, ..., 1] -= out[:, None]  # so that a fifth of the person is below the image
    doubted = with_doubt_at_edges(replace(seen, pixels=pixels), SIZES)
    assert doubted.spread is not None
    beyond = pixels[0, ..., 1] - (SIZES[0][1] - 1) > 0.08 * seen.heights()[0][:, None]
    least = max(DOUBT[1]) * np.broadcast_to(seen.heights()[0][:, None], beyond.shape)
    np.testing.assert_allclose(doubted.spread[0][beyond], least[beyond])
    np.testing.assert_array_equal(doubted.spread[1:], spread[1:])
    np.testing.assert_array_equal(np.isnan(doubted.spread), np.isnan(spread))
    sure = replace(doubted, spread=spread * 1000)
    np.testing.assert_array_equal(with_doubt_at_edges(sure, SIZES).spread, spread * 1000)  # never surer


def test_depths_are_guessed_where_images_do_not_tell_them() -> None:
    seen, truth, cameras = scene()
    landmarks, _ = triangulate(cameras, seen.pixels, seen.confidence**2)
    rows = np.array([LAYOUT.index(f"left_{joint}") for joint in ("wrist", "elbow", "knee")])
    sd = np.where(seen.confidence[:, :, rows] > 0, 0.003, np.inf)
    found = guessed_depths(seen, cameras, landmarks, STATURE, sd, rows)
    assert found is not None
    depth, scatter = found
    assert np.isfinite(depth[0, :, 0]).all() and np.isnan(depth[1:, :, 0]).all()  # the first view's wrist
    assert np.isnan(depth[:, :, 1:]).all()  # three views see elbow and knee to a centimetre
    assert (np.isfinite(scatter) == np.isfinite(depth)).all()
    axis = cameras[0].camera_from_world[2]
    true = truth[:, rows[0]] @ axis[:3] + axis[3]
    assert np.abs(depth[0, :, 0] - true).max() < 0.06  # as in the first test
    assert guessed_depths(replace(seen, world=None), cameras, landmarks, STATURE, sd, rows) is None


def test_views_that_face_each_other_tell_no_depth() -> None:
    """What both see of the person, the images tell across their line and not along it."""
    person, ahead = marching(FRAMES), np.array([0.0, 0.0, 4.0])
    pair = Cameras(tuple(level(_looking_at_hips(CAMERAS[k], s * ahead)) for k, s in enumerate((1, -1))))
    seen = observed(pair, [person] * 2)
    world = np.stack([guess(camera, person.landmarks) for camera in pair])
    rows = np.array([LAYOUT.index("left_wrist")])
    sd = np.full((2, FRAMES, 1), 0.006)
    found = guessed_depths(replace(seen, world=world), pair, person.landmarks, STATURE, sd, rows)
    assert found is not None and np.isfinite(found[0]).all()


def _looking_at_hips(camera: Camera, centre: np.ndarray) -> Camera:
    forward = -centre / np.linalg.norm(centre)
    right = np.cross(forward, (0.0, 1.0, 0.0))
    rotation = np.stack([right, np.cross(forward, right), forward])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, -rotation @ (centre + np.array([0.0, 0.95, 0.0]))
    return replace(camera, camera_from_world=pose)


def test_two_networks_tell_more_of_one_place_than_each() -> None:
    """What both say of a place is joined, for the detector's landmark: its depth alone may be guessed."""
    whole = load_layout("blazepose33_centres")
    names = ["left_wrist", "left_elbow", "left_centre_hand", "right_wrist", "centre_pelvis", "left_hip"]
    rows = np.array([whole.index(name) for name in names])
    sd = np.random.default_rng(0).uniform(0.01, 0.1, (3, 5, len(rows)))
    sd[1, 2, 0], sd[2, 3, 2] = 1e6, 1e6  # one of both sees nothing
    told = _with_their_like(sd.copy(), rows, whole)
    np.testing.assert_allclose(told[..., 1:], sd[..., 1:])  # none that is alone, and not the centre
    both = told[..., 0]
    assert (both <= np.minimum(sd[..., 0], sd[..., 2])).all()
    np.testing.assert_allclose(both[1, 2], sd[1, 2, 2])
    np.testing.assert_allclose(both[2, 3], sd[2, 3, 0])
    alike = _with_their_like(np.full((1, 1, len(rows)), 0.02), rows, whole)
    np.testing.assert_allclose(alike[0, 0, 0], 0.02 / np.sqrt(2))
    np.testing.assert_allclose(_with_their_like(sd[..., :2], rows[:2], LAYOUT), sd[..., :2])


def test_centres_that_tell_a_depth_leave_nothing_to_guess() -> None:
    """Of a landmark that one view sees, but whose centre several do, the detector is not asked."""
    seen, _, cameras = scene()
    assert seen.world is not None
    whole = load_layout("blazepose33_centres")
    rows = np.array([whole.index("left_wrist"), whole.index("left_centre_hand")])
    more = np.full((*seen.pixels.shape[:2], len(whole) - len(LAYOUT)), np.nan)
    truth = np.stack([camera.project(marching(FRAMES).landmarks[:, WRIST]) for camera in cameras])
    more_pixels = np.repeat(more[..., None], 2, axis=-1)
    more_pixels[:, :, rows[1] - len(LAYOUT)] = truth
    pixels = np.concatenate([seen.pixels, more_pixels], axis=2)
    confidence = np.where(np.isfinite(pixels).all(axis=-1), 0.9, 0.0)
    world = np.concatenate([seen.world, np.repeat(more[..., None], 3, axis=-1)], axis=2)
    both = replace(seen, layout=whole, pixels=pixels, confidence=confidence, world=world)
    landmarks, _ = triangulate(cameras, pixels, confidence**2)
    sd = np.where(confidence[:, :, rows] > 0, 0.003, np.inf)
    unseen = sd.copy()
    unseen[..., 1] = np.inf
    asked, told = (guessed_depths(both, cameras, landmarks, STATURE, s, rows) for s in (unseen, sd))
    assert asked is not None and told is not None
    assert np.isfinite(asked[0][0, :, 0]).all() and np.isnan(told[0]).all()
