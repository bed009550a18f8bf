from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from calibration import Cameras
from calibration.triangulate import reproject_error, triangulate
from tests.calibration.synthetic import camera, people, ring

NOISE = 3.0  # pixels


def bound(cameras: Cameras, points: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Cramér-Rao: the least standard deviation (N), metres, that NOISE in the views seen (V, N) allows."""
    step = 1e-5
    moves = np.stack(
        [cameras.project(points + step * e) - cameras.project(points - step * e) for e in np.eye(3)]
    )
    jacobian = moves / (2 * step)
    information = np.einsum("avnx,bvnx,vn->nab", jacobian, jacobian, seen.astype(float)) / NOISE**2
    return np.sqrt(np.trace(np.linalg.inv(information), axis1=1, axis2=2))


def rms_over_bound(cameras, points, found, seen) -> float:
    """Root mean square error in units of the bound: 1 is as good as can be."""
    return float(
        np.sqrt(np.mean((np.linalg.norm(found - points, axis=-1) / bound(cameras, points, seen)) ** 2))
    )


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("views", [2, 3, 4, 7])
def test_exact_pixels_give_exact_points(rng, views):
    cameras, points = ring(views), people(rng, 4, 5)
    found, error = triangulate(cameras, cameras.project(points))
    assert found.shape == (4, 5, 3)
    assert error.shape == (4, 5)
    np.testing.assert_allclose(found, points, atol=1e-6)
    np.testing.assert_allclose(error, 0.0, atol=1e-3)


def test_noise_costs_little_more_than_it_must(rng):
    cameras, points = ring(4), people(rng, 3000)
    pixels = cameras.project(points)
    pixels = pixels + rng.normal(0, NOISE, pixels.shape)
    found, error = triangulate(cameras, pixels)
    # Geman-McClure at 10 px keeps more than 90 % of the information of 3 px noise: 5 % more error.
    assert rms_over_bound(cameras, points, found, np.ones((4, 3000))) < 1.08
    # 8 measurements less 3 unknowns, 2 a view: sqrt(5 / 4) of the noise.
    assert np.sqrt(np.mean(error**2)) == pytest.approx(NOISE * np.sqrt(5 / 4), rel=0.03)


def test_dropped_views_cost_only_their_information(rng):
    cameras, points = ring(5), people(rng, 2000)
    pixels = cameras.project(points)
    pixels = pixels + rng.normal(0, NOISE, pixels.shape)
    seen = np.argsort(rng.random((5, 2000)), axis=0) < 3
    with_nan = np.where(seen[..., None], pixels, np.nan)
    nonsense = np.where(seen[..., None], pixels, 1e5)
    found, error = triangulate(cameras, with_nan)
    weighted, weighted_error = triangulate(cameras, nonsense, seen.astype(float))
    np.testing.assert_allclose(found, weighted, atol=1e-12)
    np.testing.assert_allclose(error, weighted_error, atol=1e-9)
    assert rms_over_bound(cameras, points, found, seen) < 1.15  # 3 of 5 around: some pairs nearly opposite


@pytest.mark.parametrize(("views", "wrong"), [(3, 1), (4, 1), (5, 2), (6, 2)])
def test_gross_outliers_do_not_move_the_point(rng, views, wrong):
    cameras, points = ring(views), people(rng, 1000)
    pixels = cameras.project(points)
    pixels = pixels + rng.normal(0, NOISE, pixels.shape)
    bad = np.argsort(rng.random((views, 1000)), axis=0) < wrong
    angle = rng.uniform(0, 2 * np.pi, (views, 1000))
    swapped = pixels + 300.0 * bad[..., None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    found, error = triangulate(cameras, swapped)
    without, _ = triangulate(cameras, np.where(bad[..., None], np.nan, pixels))
    moved = np.linalg.norm(found - without, axis=-1)
    # An outlier along an epipolar line agrees with another view by chance: 300 px in a circle of directions
    # comes within 2 x 10 px of the line of one of the other views with probability about 0.04 a view.
    undecidable = 0.0 if views - wrong > 2 else 0.04 * (views - wrong)
    assert np.mean(moved > 0.005) <= undecidable
    # Every outlier is in the error: 300 px in `wrong` of the views.
    assert np.median(error) == pytest.approx(300 * np.sqrt(wrong / views), rel=0.05)


def test_low_confidence_has_little_say(rng):
    cameras, points = ring(2), people(rng, 500)
    two = Cameras((*cameras, camera("extra", (0.5, 1.5, 3.4))))
    pixels = two.project(points)
    pixels[2] += (6.0, 0.0)
    weak, _ = triangulate(two, pixels, np.stack([np.ones(500), np.ones(500), np.full(500, 1e-6)]))
    np.testing.assert_allclose(weak, points, atol=1e-4)


def test_too_little_to_know(rng):
    cameras, points = ring(3), people(rng, 4)
    pixels = cameras.project(points)
    pixels[:2, 0] = np.nan
    pixels[:, 1] = np.nan
    weights = np.ones((3, 4))
    weights[1:, 2] = 0.0
    found, error = triangulate(cameras, pixels, weights)
    assert np.isnan(found).all(axis=-1).tolist() == [True, True, True, False]
    assert np.isnan(error).tolist() == [True, True, True, False]


def test_rays_that_never_meet_in_front_of_two_cameras_are_no_point():
    cameras = Cameras((camera("a", (-1.0, 1.6, 3.5)), camera("b", (1.0, 1.6, 3.5))))
    crossed = np.array([[[0.0, 266.0]], [[719.0, 266.0]]])  # both look away: the lines meet behind
    found, error = triangulate(cameras, crossed)
    assert np.isnan(found).all()
    assert np.isnan(error).all()


def test_parallel_rays_are_no_point():
    cameras = Cameras((camera("a", (0.0, 1.6, 3.5)), camera("b", (0.001, 1.6, 3.5))))
    found, _ = triangulate(cameras, cameras.project(np.array([[0.0, 1.0, 0.0]])))
    assert np.isnan(found).all()


def test_no_frames():
    found, error = triangulate(ring(3), np.empty((3, 0, 33, 2)))
    assert found.shape == (0, 33, 3)
    assert error.shape == (0, 33)


def test_reproject_error_is_the_distance_in_pixels(rng):
    cameras, points = ring(3), people(rng, 2, 6)
    pixels = cameras.project(points) + np.array([3.0, 4.0])
    pixels[1, 0, 0] = np.nan
    error = reproject_error(cameras, points, pixels)
    assert np.isnan(error[1, 0, 0])
    np.testing.assert_allclose(error[0], 5.0)


@pytest.mark.parametrize(
    ("pixels", "weights", "scale", "message"),
    [
        (np.zeros((2, 5, 2)), None, 10.0, r"pixels: must be \(3 views"),
        (np.zeros((3, 5, 3)), None, 10.0, "pixels: must be"),
        (np.zeros((3, 5, 2)), np.zeros((3, 4)), 10.0, "weights: must have shape"),
        (np.zeros((3, 5, 2)), None, 0.0, "scale_px: must be above 0"),
    ],
)
def test_shapes_that_do_not_fit(pixels, weights, scale, message):
    with pytest.raises(ValueError, match=message):
        triangulate(ring(3), pixels, weights, scale)


def test_chunks_change_nothing_and_bound_the_memory(rng, monkeypatch):
    cameras, points = ring(4), people(rng, 3000)
    pixels = cameras.project(points) + rng.normal(0, NOISE, (4, 3000, 2))
    whole, _ = triangulate(cameras, pixels)
    monkeypatch.setattr("calibration.triangulate._CHUNK", 1000)
    tracemalloc.start()
    parts, _ = triangulate(cameras, pixels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_allclose(parts, whole, atol=1e-12)
    assert peak < 3e6 + 1000 * 1500  # results and weights, and at most 1500 bytes for an observation in work


@pytest.mark.slow
def test_ten_seconds_of_video_take_less_than_a_second(rng):
    cameras, points = ring(4), people(rng, 300, 33)
    pixels = cameras.project(points) + rng.normal(0, NOISE, (4, 300, 33, 2))
    start = time.perf_counter()
    triangulate(cameras, pixels)
    assert time.perf_counter() - start < 1.0  # 0.07 s alone on two cores; a busy machine may take its time
