"""Joint centres beside landmarks: sides put right, landmarks that give way, and the way back."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest

from calibration.triangulate import triangulate
from mocap.animate import animate
from mocap.attach import load_attachment
from mocap.centred import ALIKE, ELBOWS, with_centres, with_their_sides
from mocap.keypoints import Keypoints2D
from mocap.observations import Observations
from mocap.refiner import load_refiner, refine_keypoints
from rigs.solving.body import load_body
from tests.calibration.synthetic import ring
from tests.mocap.somebody import HEIGHT, LANDMARKS, LAYOUT, SAME, SIZE, WHOLE, centres_of
from tests.synth_take import STATURE, beside, body_joints, marching, observed

FRAMES, PEOPLE, COUNT = 6, 2, len(LAYOUT)
ALONE = [j for j in range(COUNT) if j not in SAME[0]]  # landmarks that no centre means
EXTENT = max(np.ptp(LANDMARKS, axis=0))
ARMS, LEGS = (np.isin(np.arange(COUNT), LAYOUT.groups[limb]) for limb in ("arms", "legs"))


def a_view() -> Keypoints2D:
    """Two who drift through the image, centres right on their landmarks; the last frame is empty."""
    rng = np.random.default_rng(3)
    drift = np.arange(FRAMES)[:, None, None, None] * np.array([3.0, 0.4])
    points = LANDMARKS + drift + np.array([[[0.0, 0.0]], [[150.0, 20.0]]])
    confidence = rng.uniform(0.3, 1.0, points.shape[:-1])
    world = rng.normal(size=(*points.shape[:-1], 3))
    centres = centres_of(points)
    points[-1], confidence[-1], world[-1], centres[-1] = np.nan, 0.0, np.nan, np.nan
    return Keypoints2D(LAYOUT, points, confidence, np.arange(FRAMES) / 30, SIZE, world, centres=centres)


def refined(spread: float = 3.0) -> Keypoints2D:
    """The same as the refiner gives it: moved a little."""
    view = a_view()
    moved = view.points + np.random.default_rng(4).normal(size=view.points.shape)
    scatter = np.where(view.confidence > 0, spread, np.nan)
    return replace(view, points=moved, spread=scatter, detected=view.points)


def exchanged(view: Keypoints2D, where: np.ndarray) -> Keypoints2D:
    """The detector mistook left for right where (T, P, J) says so; the centres are as they were."""

    def change(values: np.ndarray) -> np.ndarray:
        here = where.reshape(*where.shape, *(1,) * (values.ndim - 3))
        return np.where(here, values[:, :, LAYOUT.mirror], values)

    assert view.world is not None
    points, confidence, world = change(view.points), change(view.confidence), change(view.world)
    return replace(view, points=points, confidence=confidence, world=world)


def with_(view: Keypoints2D, **at: tuple[object, object]) -> Keypoints2D:
    """The same with other values in places of its arrays."""
    arrays = {}
    for field, (where, value) in at.items():
        arrays[field] = getattr(view, field).copy()
        arrays[field][where] = value
    return replace(view, **arrays)


def assert_alike(one: Keypoints2D, other: Keypoints2D) -> None:
    assert one.layout == other.layout and one.size == other.size
    for field in ("points", "confidence", "times", "world", "spread", "detected", "centres"):
        a, b = getattr(one, field), getattr(other, field)
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a, b, err_msg=field)


def test_sides_are_put_right_where_they_were_exchanged_and_nowhere_else() -> None:
    view, where = a_view(), np.zeros((FRAMES, PEOPLE, COUNT), bool)
    where[1, 0] = where[3, 1] = LEGS
    where[2, 0] = where[4, 1] = ARMS
    where[4, 0] = where[1, 1] = ARMS | LEGS
    wrong = exchanged(view, where)
    assert np.nanmax(np.abs(wrong.points - view.points)) > 0.1 * HEIGHT
    assert_alike(with_their_sides(wrong), view)
    assert_alike(with_their_sides(view), view)


def test_heads_stay_as_they_are() -> None:
    head = np.isin(np.arange(COUNT), LAYOUT.groups["head"])
    wrong = exchanged(a_view(), np.broadcast_to(head, (FRAMES, PEOPLE, COUNT)))
    assert_alike(with_their_sides(wrong), wrong)


def test_a_scattered_landmark_exchanges_no_sides() -> None:
    knee = LAYOUT.index("left_knee")
    view = with_(a_view(), points=((slice(0, 3), 0, knee), LANDMARKS[LAYOUT.mirror[knee]]))
    assert_alike(with_their_sides(view), view)


def test_unsure_centres_exchange_nothing() -> None:
    wrong = exchanged(a_view(), np.broadcast_to(ARMS | LEGS, (FRAMES, PEOPLE, COUNT)))
    unsure = with_(wrong, centres=((slice(0, 5), slice(None), slice(None), 2), 2 * EXTENT))
    assert_alike(with_their_sides(unsure), unsure)
    nobody_looked = with_(wrong, centres=(..., np.nan))
    assert_alike(with_their_sides(nobody_looked), nobody_looked)


@pytest.mark.parametrize("missing", ["centres", "spread", "detected"])
def test_without_centres_nothing_changes(missing: str) -> None:
    view = replace(refined(), **{missing: None})
    assert with_centres(view) is view
    none = replace(a_view(), centres=None)
    assert with_their_sides(none) is none


def test_centres_stand_beside_landmarks_in_a_layout_of_their_own() -> None:
    view = refined()
    whole = with_centres(view)
    assert whole.layout == WHOLE and whole.points.shape == (FRAMES, PEOPLE, len(WHOLE), 2)
    assert view.centres is not None and whole.spread is not None and whole.world is not None
    np.testing.assert_array_equal(whole.points[:, :, COUNT:], view.centres[..., :2])
    np.testing.assert_allclose(whole.spread[:, :, COUNT:], ALIKE * view.centres[..., 2])
    assert np.isnan(whole.world[:, :, COUNT:]).all()  # a guess in 3D is the detector's alone
    np.testing.assert_array_equal(whole.confidence[:, :, :COUNT], view.confidence)
    np.testing.assert_array_equal(whole.times, view.times)


def test_landmarks_near_their_centres_stay_and_are_less_sure_than_they_say() -> None:
    view = refined()
    whole = with_centres(view)
    assert view.spread is not None and whole.spread is not None
    np.testing.assert_array_equal(whole.points[:, :, :COUNT], view.points)
    assert (whole.spread[:-1, :, :COUNT] > view.spread[:-1]).all()
    sole = [LAYOUT.index(f"{side}_{part}") for side in ("left", "right") for part in ("heel", "foot_index")]
    others = np.setdiff1d(np.arange(COUNT), sole)
    assert whole.spread[:-1, :, sole].min() > 2 * whole.spread[:-1, :, others].max()
    elbow, wrist = (
        [LAYOUT.index(f"{side}_{part}") for side in ("left", "right")] for part in ("elbow", "wrist")
    )
    np.testing.assert_allclose(whole.spread[:-1, :, elbow], ELBOWS * whole.spread[:-1, :, wrist])


@pytest.mark.parametrize("name", ["left_wrist", "right_hip", "nose", "left_heel"])
def test_an_astray_landmark_gives_way_to_its_centre(name: str) -> None:
    row = LAYOUT.index(name)
    view = refined(spread=1.0)
    astray = with_(view, points=((2, 1, row), view.points[2, 1, row] + (0.3 * EXTENT, 0.4 * EXTENT)))
    whole, before = with_centres(astray), with_centres(view)
    assert view.centres is not None and whole.spread is not None and before.spread is not None
    centre = view.centres[2, 1, SAME[1][list(SAME[0]).index(row)], :2]
    np.testing.assert_array_equal(whole.points[2, 1, row], centre)
    miss = np.linalg.norm(astray.points[2, 1, row] - centre)
    np.testing.assert_allclose(whole.spread[2, 1, row], miss)
    differs = (whole.points != before.points) & np.isfinite(before.points)
    assert set(zip(*np.nonzero(differs.any(axis=-1)), strict=True)) == {(2, 1, row)}  # nobody else's


def test_an_unsure_centre_moves_no_landmark() -> None:
    row = LAYOUT.index("left_wrist")
    view = refined(spread=1.0)
    astray = with_(view, points=((2, 1, row), view.points[2, 1, row] + 0.2 * EXTENT))
    unsure = with_(astray, centres=((2, 1, slice(None), 2), 0.3 * EXTENT))
    assert (with_centres(astray).points[2, 1, row] != astray.points[2, 1, row]).all()
    np.testing.assert_array_equal(with_centres(unsure).points[2, 1, row], astray.points[2, 1, row])


def test_the_surer_a_centre_the_more_it_and_its_landmark_count() -> None:
    each = [
        with_centres(with_(refined(), centres=((slice(0, 5), ..., 2), spread))) for spread in (1.0, 4.0, 16.0)
    ]
    spreads = np.stack([view.spread for view in each if view.spread is not None])[:, :-1]
    sights = np.stack([view.confidence for view in each])[:, :-1]
    assert (np.diff(spreads[..., SAME[0]], axis=0) > 0).all()
    assert (np.diff(sights[..., COUNT:], axis=0) < 0).all() and (sights[..., COUNT:] > 0).all()
    assert sights[0, ..., COUNT:].min() > 0.9 and sights[2, ..., COUNT:].max() < 0.2
    for values in (spreads[..., ALONE], sights[..., :COUNT]):
        np.testing.assert_array_equal(values, np.broadcast_to(values[:1], values.shape))


def test_a_landmark_is_rather_off_as_its_centre_is_as_far_as_it_is_the_centre_that_is_unsure() -> None:
    slant = np.array([0.5, -0.6])
    view = with_(refined(), centres=((slice(0, 5), ..., slice(3, 5)), slant))
    sure, unsure = (
        with_centres(with_(view, centres=((slice(0, 5), ..., 2), times * 3.0))) for times in (0.01, 10.0)
    )
    for whole in (sure, unsure):
        assert whole.slant is not None
        np.testing.assert_array_equal(whole.slant[:5, :, COUNT:], np.broadcast_to(slant, (5, PEOPLE, 40, 2)))
        assert (whole.slant[:5][:, :, ALONE] == 0).all()  # nobody knows
    assert sure.slant is not None and unsure.slant is not None
    rows = [row for row in SAME[0] if not LAYOUT.landmarks[row].endswith(("heel", "foot_index"))]
    np.testing.assert_allclose(sure.slant[:5][:, :, rows], 0.0, atol=1e-3)
    np.testing.assert_allclose(
        unsure.slant[:5][:, :, rows], np.broadcast_to(slant, (5, PEOPLE, len(rows), 2)), rtol=0.02
    )


def test_where_nobody_was_detected_nobody_is() -> None:
    view = with_(refined(), points=((1, 0), np.nan), confidence=((1, 0), 0.0))  # a centre is left of him
    whole = with_centres(view)
    for t, p in ((1, 0), (-1, 0), (-1, 1)):
        assert (whole.confidence[t, p] == 0).all() and np.isnan(whole.points[t, p]).all()
    assert (whole.confidence[1, 1] > 0).all()


def test_where_nobody_looked_landmarks_stay_alone() -> None:
    view = with_(refined(), centres=((1, 0), np.nan))
    whole = with_centres(view)
    np.testing.assert_array_equal(whole.points[1, 0, :COUNT], view.points[1, 0])
    assert whole.spread is not None and np.isfinite(whole.spread[1, 0, :COUNT]).all()
    assert (whole.confidence[1, 0, COUNT:] == 0).all() and np.isnan(whole.points[1, 0, COUNT:]).all()


def test_a_landmark_that_is_missing_leaves_the_others_their_centres() -> None:
    row = LAYOUT.index("left_wrist")
    view, full = refined(), with_centres(refined())
    whole = with_centres(with_(view, points=((1, 0, row), np.nan), confidence=((1, 0, row), 0.0)))
    assert np.isnan(whole.points[1, 0, row]).all() and whole.confidence[1, 0, row] == 0
    others = np.arange(len(WHOLE)) != row
    np.testing.assert_array_equal(whole.points[1, 0, others], full.points[1, 0, others])
    np.testing.assert_array_equal(whole.confidence[1, 0, others], full.confidence[1, 0, others])


def test_keypoints_go_back_to_what_was_detected() -> None:
    assert_alike(with_centres(refined()).as_detected(), a_view())
    assert_alike(a_view().as_detected(), a_view())


def test_observations_go_back_to_what_was_detected() -> None:
    before, whole = a_view(), with_centres(refined())
    arrays = {
        field: None if values is None else values[None, :, 0]
        for field in ("world", "spread", "detected")
        for values in (getattr(whole, field),)
    }
    seen = Observations(
        ("cam1",), WHOLE, whole.points[None, :, 0], whole.confidence[None, :, 0], Fraction(30), **arrays
    )
    back = seen.as_detected()
    assert back.layout == LAYOUT and back.spread is None and back.detected is None
    assert back.world is not None and before.world is not None
    np.testing.assert_array_equal(back.pixels[0], before.points[:, 0])
    np.testing.assert_array_equal(back.confidence[0], before.confidence[:, 0])
    np.testing.assert_array_equal(back.world[0], before.world[:, 0])
    assert back.as_detected() is back


def test_the_refiner_puts_sides_right_and_centres_beside() -> None:
    network = load_refiner("blazepose")
    assert network is not None
    straight = refine_keypoints(a_view(), network)
    wrong = exchanged(a_view(), np.broadcast_to(ARMS | LEGS, (FRAMES, PEOPLE, COUNT)))
    assert straight.layout == WHOLE
    assert_alike(refine_keypoints(wrong, network), straight)
    bare = refine_keypoints(replace(a_view(), centres=None), network)
    assert bare.layout == LAYOUT and bare.spread is not None


def test_bones_that_are_solved_short_are_made_as_long_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras, person = ring(4), marching(20)
    seen, body = observed(cameras, [person] * 4), load_body()
    attachment, foot = load_attachment(seen.layout, body), body.size_names.index("foot")
    sizes = []
    for share in (1.0, 0.9):
        short = np.where(np.arange(len(body.size_names)) == foot, share, 1.0)
        monkeypatch.setattr("mocap.animate.load_attachment", lambda *_, s=short: replace(attachment, short=s))
        sizes.append(animate(seen, cameras, person.landmarks, STATURE, feet="never").sizes)
    assert sizes[0].keys() == sizes[1].keys()
    for name, size in sizes[0].items():
        np.testing.assert_allclose(sizes[1][name], size / 0.9 if name == "foot" else size)


def test_the_solve_hears_both_networks() -> None:
    """Centres pull joints back that landmarks which are off alike in all views draw away."""
    cameras, person = ring(4), marching(20)
    seen = observed(cameras, [person] * 4)
    seen = replace(seen, confidence=np.where(np.isfinite(seen.pixels[..., 0]), seen.confidence, 0.0))
    off = person.landmarks.copy()
    off[:, [LAYOUT.index("left_wrist"), LAYOUT.index("right_knee")]] += 0.05
    wrong = replace(seen, pixels=np.stack([camera.project(off) for camera in cameras]))

    def errors(views: Observations) -> dict[str, float]:
        landmarks, _ = triangulate(cameras, views.pixels, views.confidence**2)
        motion = animate(views, cameras, landmarks, STATURE, feet="never").motion
        miss = np.linalg.norm(body_joints(motion) - person.joints, axis=-1).mean(axis=0)
        return dict(zip(load_body().names, miss, strict=True))

    alone, both = errors(wrong), errors(beside(wrong, cameras, person))
    for joint in ("LeftHand", "RightLeg"):
        assert both[joint] < 0.6 * alone[joint]
    exact = errors(beside(seen, cameras, person))
    assert max(exact.values()) < 0.02
