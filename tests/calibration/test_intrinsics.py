"""Lenses from made-up sightings of a board: as exact as they say they are, or refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Camera
from calibration.boards.board import Board, Sightings
from calibration.errors import CameraError, LensError
from calibration.lens.choice import choose, coverage
from calibration.lens.intrinsics import Lens, calibrate_lens, given_lens
from tests.calibration.boardscene import CHARUCO, CHESS, held, sightings, varied
from tests.calibration.synthetic import BARREL, camera

MILD = (-0.15, 0.04, 0.001, -0.0005, 0.0)


def seen_by(
    lens: Camera, count: int = 14, board: Board = CHARUCO, noise: float = 0.1, seed: int = 1
) -> Sightings:
    return sightings(lens, varied(lens, count, board, seed), board, noise)


def focal_deviations(found: Lens, true: Camera) -> np.ndarray:
    return np.abs(np.diag(found.camera.K)[:2] - np.diag(true.K)[:2]) / found.sd[:2]


@pytest.mark.parametrize("board", [CHARUCO, CHESS])
@pytest.mark.parametrize("distortion", [(), MILD])
def test_a_lens_comes_back_within_its_deviations(distortion: tuple[float, ...], board: Board) -> None:
    true = camera(distortion=distortion)
    found = calibrate_lens(seen_by(true, board=board), board)
    assert focal_deviations(found, true).max() < 4
    assert found.sd[:2].max() < 5 and found.rms == pytest.approx(0.1 * np.sqrt(2), rel=0.3)
    assert not found.problem and not found.dropped and found.used == 14


def test_the_same_sightings_give_the_same_lens() -> None:
    seen = seen_by(camera(distortion=MILD), 8)
    first, second = calibrate_lens(seen, CHARUCO), calibrate_lens(seen, CHARUCO)
    assert np.array_equal(first.camera.K, second.camera.K)
    assert np.array_equal(first.camera.distortion, second.camera.distortion)


def test_a_bad_image_is_named_and_left_out() -> None:
    seen = seen_by(camera(distortion=MILD), 10)
    corners = seen.corners.copy()
    corners[4] += np.random.default_rng(5).normal(0, 3.0, corners[4].shape)
    found = calibrate_lens(replace(seen, corners=corners), CHARUCO)
    assert [label for label, _ in found.dropped] == ["frame 4"] and np.isnan(found.image_rms[4])
    assert found.rms < 0.2


def test_single_wrong_corners_cost_no_image() -> None:
    seen = seen_by(camera(), 10)
    corners = seen.corners.copy()
    corners[3, 5] += 6.0
    found = calibrate_lens(replace(seen, corners=corners), CHARUCO)
    assert not found.dropped and found.rms < 0.2


def test_k3_is_not_made_up_where_the_board_never_was() -> None:
    true = camera(distortion=MILD)
    seen = seen_by(true, 16)
    middle = (np.array(true.size) - 1) / 2
    far = np.linalg.norm(seen.corners - middle, axis=-1) > 0.6 * np.linalg.norm(middle)
    found = calibrate_lens(replace(seen, corners=np.where(far[..., None], np.nan, seen.corners)), CHARUCO)
    assert not found.free[4] and found.camera.distortion[4] == 0


def test_k3_is_found_where_it_shows() -> None:
    true = camera(distortion=(-0.2, 0.02, 0.0, 0.0, 0.15))
    found = calibrate_lens(seen_by(true, 30, noise=0.03), CHARUCO)
    assert found.free[4]
    assert found.camera.distortion[4] == pytest.approx(0.15, abs=0.05)


def test_a_fisheye_is_taken_where_a_pinhole_fails() -> None:
    matrix = np.array([[260.0, 0, 361.0], [0, 260.5, 268.0], [0, 0, 1]])
    true = Camera("wide", (720, 540), matrix, np.array([0.05, -0.02, 0.004, -0.001]), np.eye(4), "fisheye")
    found = calibrate_lens(seen_by(true, 20, noise=0.05), CHARUCO, "fisheye")
    assert found.camera.model == "fisheye" and focal_deviations(found, true).max() < 4


def test_too_few_images_are_refused() -> None:
    with pytest.raises(LensError, match="view cam: 2 of 2 images show enough of the board, and 3 are needed"):
        calibrate_lens(seen_by(camera(), 2), CHARUCO)


def test_boards_all_at_one_tilt_are_refused() -> None:
    true = camera()
    places = np.random.default_rng(0).uniform(-0.25, 0.25, (12, 2))
    poses = [held(true, 3.0 + 0.1 * i, place, (0.02, 0.01, 0.0)) for i, place in enumerate(places)]
    seen = sightings(true, np.stack(poses), CHARUCO)
    with pytest.raises(LensError, match=r"always held at the same tilt .* turn it by 30 to 45 degrees"):
        calibrate_lens(seen, CHARUCO)
    assert "same tilt" in calibrate_lens(seen, CHARUCO, strict=False).problem


def test_a_focal_length_that_stays_uncertain_is_refused() -> None:
    true = camera()
    rng = np.random.default_rng(4)
    tilts = rng.uniform(-0.25, 0.25, (5, 3))
    poses = np.stack([held(true, 9.0, (0.02 * i, 0.0), tilt) for i, tilt in enumerate(tilts)])
    with pytest.raises(LensError, match=r"leave the focal length uncertain by \d.* %: show it larger"):
        calibrate_lens(sightings(true, poses, CHARUCO, noise=0.3), CHARUCO)


def test_a_given_lens_is_taken_as_it_is_and_only_for_its_size() -> None:
    true = camera("mine", distortion=BARREL)
    seen = seen_by(true, 3)
    found = given_lens(true, seen, CHARUCO)
    assert np.array_equal(found.camera.K, true.K) and not found.free.any() and np.isnan(found.rms)
    with pytest.raises(CameraError, match=r"is for .* px, the images are"):
        given_lens(true, replace(seen, size=(1280, 720)), CHARUCO)


def test_images_are_chosen_sharp_and_different() -> None:
    seen = seen_by(camera(), 30)
    sharp = np.where(np.arange(30) % 3 == 0, 0.1, 0.5)
    twice = replace(seen, sharpness=sharp)
    chosen = choose(twice, CHARUCO, 12)
    assert len(chosen) == 12 and np.all(np.diff(chosen) > 0) and np.all(sharp[chosen] == 0.5)
    few = coverage(seen.corners[chosen], seen.size)
    assert few > 0.8 * coverage(seen.corners, seen.size)
