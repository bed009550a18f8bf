"""Offsets of made-up views are found to a fraction of a frame, and refused where they cannot be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.camera import Cameras
from calibration.sync.offsets import Offsets, find_offsets
from calibration.sync.pairs import essential_matrix, fundamental, sampson
from calibration.sync.tracks import Smooth, Track
from tests.calibration.moving import POINTS, SD, repeating, restless, still, tracks
from tests.calibration.synthetic import look_at, people, ring

FRAME = 1 / 30
OFFSETS = np.array([0.4, 0.0, 0.7333, 0.25])  # the third is no whole number of frames


def off(found: Offsets, truth: np.ndarray) -> float:
    """Largest error in frames, whichever view counts as first."""
    miss = found.best - truth
    return float(np.abs(miss - np.median(miss)).max()) / FRAME


def test_a_smoothed_track_keeps_a_straight_line_at_any_time() -> None:
    times = np.arange(30) * FRAME
    image = np.stack([0.1 + 2 * times, -3 * times], axis=-1)[:, None]
    asked = np.random.default_rng(0).uniform(0.1, 0.8, 50)
    value, weight = Smooth.of(Track(times, image, np.ones((30, 1)), SD)).at(asked)
    np.testing.assert_allclose(value[:, 0], np.stack([0.1 + 2 * asked, -3 * asked], axis=-1), atol=1e-9)
    np.testing.assert_allclose(weight, 1.0)


def test_smoothing_leaves_as_much_noise_between_frames_as_at_them() -> None:
    """Else the least noise, and so the least cost, would lie at half a frame."""
    rng, times = np.random.default_rng(0), np.arange(4000) * FRAME
    smooth = Smooth.of(Track(times, rng.normal(size=(4000, 4, 2)), np.ones((4000, 4)), 1.0))
    noise = [smooth.at(times[5:-5] + part * FRAME)[0].std() for part in (0.0, 0.25, 0.5, 0.75)]
    assert np.ptp(noise) < 0.04 * np.mean(noise)  # a line between two frames: 0.29


def test_gaps_and_what_lies_outside_are_unknown() -> None:
    times = np.arange(40) * FRAME
    image = np.zeros((40, 1, 2))
    image[15:20] = np.nan
    smooth = Smooth.of(Track(times, image, np.ones((40, 1)), SD))
    _, weight = smooth.at(np.array([-FRAME, 10 * FRAME, 17 * FRAME, 25 * FRAME, 40 * FRAME]))
    assert (weight[:, 0] > 0).tolist() == [False, True, False, True, False]


def test_points_of_one_instant_lie_on_each_others_epipolar_lines() -> None:
    cameras, points = ring(2), people(np.random.default_rng(2), 50)
    a, b = (c.undistort(c.project(points)) for c in cameras)
    essential = essential_matrix(*(c.camera_from_world for c in cameras))
    np.testing.assert_allclose(sampson(essential, a, b, SD, SD), 0, atol=1e-9)
    fitted = fundamental(a, b, np.ones(50), SD, SD)
    np.testing.assert_allclose(sampson(fitted, a, b, SD, SD), 0, atol=1e-6)


def test_a_fitted_matrix_does_not_follow_outliers() -> None:
    rng, cameras = np.random.default_rng(2), ring(2)
    points = people(rng, 400)
    a, b = (c.undistort(c.project(points)) for c in cameras)
    b[:80] += rng.uniform(-0.3, 0.3, (80, 2))
    fitted = fundamental(a, b, np.ones(400), SD, SD)
    assert np.sqrt(np.mean(sampson(fitted, a[80:], b[80:], SD, SD) ** 2)) < 0.2  # deviations; outliers: 10


@pytest.mark.parametrize("known", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_offsets_are_found_to_a_fraction_of_a_frame(known: bool) -> None:
    cameras = ring()
    found = find_offsets(tracks(cameras, [restless()] * 4, OFFSETS), cameras if known else None)
    assert found.accepted.all()
    assert off(found, OFFSETS) < 0.1
    assert np.nanmin(found.seconds) == 0.0
    assert (found.sd < 0.2 * FRAME).all()


def test_several_people_tell_without_anybody_saying_who_is_who() -> None:
    cameras = ring()
    one, other = (tracks(cameras, [restless(seed)] * 4, OFFSETS) for seed in (1, 2))
    first = [one[0], one[1], other[2], other[3]]
    mixed = [replace(first[v], others=((other if v < 2 else one)[v],)) for v in range(4)]
    found = find_offsets(mixed, cameras)
    assert found.accepted.all()
    assert off(found, OFFSETS) < 0.1
    assert not find_offsets(first, cameras).accepted.all()  # those in front are two different people


def test_views_of_different_rates_are_found() -> None:
    cameras = ring(3)
    truth = np.array([0.21, 0.0, 0.507])
    seen = tracks(cameras, [restless()] * 3, truth, rates=[25.0, 60.0, 29.97])
    found = find_offsets(seen, cameras)
    assert found.accepted.all()
    assert off(found, truth) < 0.15


@pytest.mark.parametrize("part", [0.25, 0.5])
def test_parts_of_a_frame_are_told(part: float) -> None:
    cameras = ring(2)
    truth = np.array([part * FRAME, 0.0])
    found = find_offsets(tracks(cameras, [restless(4)] * 2, truth, noise=0.5 * SD), cameras)
    assert off(found, truth) < 0.1


@pytest.mark.slow
def test_errors_are_as_large_as_the_deviation_says() -> None:
    cameras = ring(3)
    ratios = []
    for seed in range(12):
        found = find_offsets(
            tracks(cameras, [restless(seed)] * 3, OFFSETS[:3], seconds=4, seed=seed), cameras
        )
        miss = found.best - OFFSETS[:3]
        ratios += ((miss - miss.mean()) / found.sd).tolist()
    rms = np.sqrt(np.mean(np.square(ratios)))
    assert 0.3 < rms < 1.5  # deviations are stretched for what real detectors do besides


@pytest.mark.slow
def test_gaps_outliers_and_exchanged_points_do_not_decide() -> None:
    cameras, rng = ring(), np.random.default_rng(3)
    seen = tracks(cameras, [restless()] * 4, OFFSETS)
    for track in seen:
        wild = rng.random(track.weight.shape) < 0.1
        track.image[wild] += rng.uniform(-0.2, 0.2, (int(wild.sum()), 2))
        track.image[60:80, : POINTS // 2], track.weight[60:80, : POINTS // 2] = np.nan, 0.0
    seen[2].image[100:130] = seen[2].image[100:130, ::-1]
    found = find_offsets(seen, cameras)
    assert found.accepted.all()
    assert off(found, OFFSETS) < 0.3


def test_offsets_that_are_given_stay_and_hold_the_others() -> None:
    cameras = ring()
    known = np.array([np.nan, 10.0, np.nan, 10.25])
    found = find_offsets(tracks(cameras, [restless()] * 4, OFFSETS), cameras, known=known)
    np.testing.assert_array_equal(found.seconds[[1, 3]], known[[1, 3]])
    np.testing.assert_array_equal(found.sd[[1, 3]], 0.0)
    np.testing.assert_allclose(found.seconds[[0, 2]], 10 + OFFSETS[[0, 2]], atol=0.1 * FRAME)


@pytest.mark.slow
def test_people_that_some_views_confuse_do_not_decide() -> None:
    """Two people; one view follows the other one for half of the time."""
    cameras = ring()
    seen = tracks(cameras, [restless()] * 4, OFFSETS, seconds=8)
    other = tracks(cameras, [restless(9)] * 4, OFFSETS, seconds=8)
    seen[1].image[:120] = other[1].image[:120]
    seen[3].image[150:] = other[3].image[150:]
    found = find_offsets(seen, cameras)
    assert found.accepted.all()
    assert off(found, OFFSETS) < 0.3


@pytest.mark.parametrize("known", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_somebody_who_stands_still_is_refused(known: bool) -> None:
    cameras = ring(3)
    found = find_offsets(tracks(cameras, [still] * 3, OFFSETS[:3]), cameras if known else None)
    assert not found.accepted.any()
    assert np.isnan(found.seconds).all()


def test_stillness_without_noise_is_refused() -> None:
    cameras = ring(2)
    found = find_offsets(tracks(cameras, [still] * 2, OFFSETS[:2], noise=0.0), cameras)
    assert not found.accepted.any()


@pytest.mark.parametrize("known", [True, pytest.param(False, marks=pytest.mark.slow)])
def test_a_movement_that_repeats_is_refused_and_the_other_answer_named(known: bool) -> None:
    """Two lags fit alike: 0.4 s, and a period more or less."""
    cameras = ring(2)
    seen = tracks(cameras, [repeating(1.0)] * 2, OFFSETS[:2], seconds=8)
    found = find_offsets(seen, cameras if known else None)
    assert not found.accepted.any()
    assert abs(found.rivals[0].shift) % 1.0 == pytest.approx(0.0, abs=0.07) or abs(
        found.rivals[0].shift
    ) % 1.0 == pytest.approx(1.0, abs=0.07)


def test_near_what_is_known_otherwise_a_repeating_movement_tells() -> None:
    cameras = ring(2)
    seen = tracks(cameras, [repeating(1.0)] * 2, OFFSETS[:2], seconds=8)
    found = find_offsets(seen, cameras, near=OFFSETS[:2] + np.array([0.03, 0.0]), within=0.15)
    assert found.accepted.all()
    assert off(found, OFFSETS[:2]) < 0.2


def test_stillness_is_refused_near_what_is_known_too() -> None:
    """Noise has a lowest place somewhere: it is no answer."""
    cameras = ring(3)
    for seed in range(4):
        seen = tracks(cameras, [still] * 3, OFFSETS[:3], seed=seed)
        found = find_offsets(seen, cameras, near=OFFSETS[:3], within=0.15)
        assert not found.accepted.any()
        assert (found.contrast < 0.05).all()


def test_a_view_of_something_else_is_refused_and_the_others_are_kept() -> None:
    cameras = ring()
    bodies = [restless(), restless(), restless(17), restless()]
    found = find_offsets(tracks(cameras, bodies, OFFSETS), cameras)
    assert found.accepted.tolist() == [True, True, False, True]
    assert off(replace(found, best=found.best[[0, 1, 3]]), OFFSETS[[0, 1, 3]]) < 0.2


def test_a_view_in_which_nobody_is_seen_is_refused() -> None:
    cameras = ring(3)
    seen = tracks(cameras, [restless()] * 3, OFFSETS[:3])
    nobody = np.full_like(seen[2].image, np.nan)
    seen[2] = replace(seen[2], image=nobody, weight=np.zeros_like(seen[2].weight), sd=np.nan)
    found = find_offsets(seen, cameras)
    assert found.accepted.tolist() == [True, True, False]
    assert np.isnan(found.cost[2])


def test_views_that_share_no_time_are_refused() -> None:
    cameras = ring(2)
    early, late = (tracks(cameras, [restless()] * 2, [start] * 2, seconds=3) for start in (0.0, 20.0))
    found = find_offsets([early[0], late[1]], cameras)
    assert not found.accepted.any()


def test_cameras_that_are_off_widen_the_deviation() -> None:
    """A turned camera looks like a late one as long as somebody walks on: the rest tells."""
    cameras = ring(3)
    seen = tracks(cameras, [restless()] * 3, OFFSETS[:3], seconds=4)
    angle = 0.03
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    tilt = look_at((0.0, 1.0, 1.0), (0.0, 1.0 - angle, 0.0)) @ np.linalg.inv(
        look_at((0.0, 1.0, 1.0), (0.0, 1.0, 0.0))
    )
    wrong = replace(cameras[2], camera_from_world=tilt @ turn @ cameras[2].camera_from_world)
    right = find_offsets(seen, cameras)
    bad = find_offsets(seen, Cameras((cameras[0], cameras[1], wrong)))
    assert bad.sd[2] > 2 * right.sd[2]


@pytest.mark.slow
def test_a_clock_that_runs_fast_is_told_from_a_long_clip() -> None:
    cameras, rate = ring(2), 2e-4
    seen = tracks(cameras, [restless()] * 2, OFFSETS[:2], seconds=90, rates=20)
    fast = tracks(cameras, [lambda t: restless()(t + rate * t)] * 2, OFFSETS[:2], seconds=90, rates=20)
    found = find_offsets([seen[0], fast[1]], cameras)
    assert found.drift[1] - found.drift[0] == pytest.approx(rate, rel=0.3)
    steady = find_offsets(seen, cameras)
    np.testing.assert_array_equal(steady.drift, 0.0)


def test_a_short_clip_tells_no_drift() -> None:
    cameras = ring(2)
    found = find_offsets(tracks(cameras, [restless()] * 2, OFFSETS[:2]), cameras)
    np.testing.assert_array_equal(found.drift, 0.0)
    assert np.isnan(found.drift_sd).all()
