"""Cameras placed by a board that is moved before them, and views whose clocks are apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Cameras
from calibration.boards.board import Board
from calibration.errors import LensError, PlacesError
from calibration.lens.intrinsics import Lens, calibrate_lens, given_lens
from calibration.places.check import left_out_error
from calibration.places.clock import find_lags, on_one_clock
from calibration.places.extrinsics import Rig, calibrate_places
from tests.calibration.boardscene import CHARUCO, sightings, waved
from tests.calibration.synthetic import ring

CHESS = Board((6, 5), 0.25, type="chessboard")
TWO_ENDED = Board((7, 5), 0.2, type="chessboard")  # looks the same after half a turn
FPS = 10.0


def filmed(cameras: Cameras, board: Board = CHARUCO, count: int = 40, noise: float = 0.1, late: float = 0.0):
    """Sightings of each view; the second view's clock is `late` seconds behind."""
    found = []
    for v, camera in enumerate(cameras):
        shift = round(late * FPS) if v == 1 else 0
        poses = waved(cameras, count, board)[max(shift, 0) :]
        found.append(sightings(camera, poses, board, noise, seed=v, fps=FPS))
    return found


def known(cameras: Cameras, seen, board: Board) -> list[Lens]:
    return [given_lens(camera, s, board) for camera, s in zip(cameras, seen, strict=True)]


def placed(cameras: Cameras, board: Board = CHARUCO, **how) -> Rig:
    seen = filmed(cameras, board, **how)
    times, corners = on_one_clock(seen, [0.0] * len(seen))
    return calibrate_places(known(cameras, seen, board), corners, times, board)


def off(found: Cameras, true: Cameras) -> tuple[float, float]:
    """Largest error of a camera's place, metres, and turn, radians, in the first camera's axes."""
    places, turns = [], []
    for mine, theirs in zip(found, true, strict=True):
        pairs = (mine, found), (theirs, true)
        ours = [c.camera_from_world @ np.linalg.inv(a[0].camera_from_world) for c, a in pairs]
        apart = ours[0] @ np.linalg.inv(ours[1])
        places.append(np.linalg.norm(np.linalg.inv(ours[0])[:3, 3] - np.linalg.inv(ours[1])[:3, 3]))
        turns.append(np.arccos(np.clip((np.trace(apart[:3, :3]) - 1) / 2, -1, 1)))
    return max(places), max(turns)


@pytest.mark.slow
@pytest.mark.parametrize("board", [CHARUCO, CHESS, TWO_ENDED])
def test_cameras_are_placed_by_any_board(board: Board) -> None:
    true = ring(3)
    rig = placed(true, board)
    place, turn = off(rig.cameras, true)
    assert place < 4 * max(rig.centre_sd.max(), 0.002) and turn < 0.002
    assert rig.rms.max() < 0.25 and rig.left_out.sum() == 0


@pytest.mark.slow
def test_lenses_are_estimated_together_with_places() -> None:
    true = ring(3, distortion=(-0.1, 0.03, 0.0, 0.0, 0.0))
    seen = filmed(true, count=60)
    lenses = [calibrate_lens(s, CHARUCO, strict=False) for s in seen]
    times, corners = on_one_clock(seen, [0.0] * 3)
    rig = calibrate_places(lenses, corners, times, CHARUCO)
    assert rig.joint
    for found, theirs in zip(rig.cameras, true, strict=True):
        np.testing.assert_allclose(np.diag(found.K)[:2], np.diag(theirs.K)[:2], rtol=0.004)
    assert off(rig.cameras, true)[0] < 0.02


@pytest.mark.slow
def test_boards_found_wrongly_are_left_out() -> None:
    true = ring(3)
    seen = filmed(true)
    corners = seen[0].corners.copy()
    wrong = np.flatnonzero(seen[0].seen >= 12)[2]
    corners[wrong] += (9.0, -7.0)
    seen[0] = replace(seen[0], corners=corners)
    times, on_clock = on_one_clock(seen, [0.0] * 3)
    rig = calibrate_places(known(true, seen, CHARUCO), on_clock, times, CHARUCO)
    assert off(rig.cameras, true)[0] < 0.02


def test_views_that_no_board_connects_are_refused_with_what_to_do() -> None:
    true = ring(4)
    seen = filmed(true, count=30)
    late = [s if v < 2 else replace(s, times=s.times + 100.0) for v, s in enumerate(seen)]
    times, corners = on_one_clock(late, [0.0] * 4)
    with pytest.raises(PlacesError, match=r"cam1, cam2 and cam3, cam4 stand alone: walk with the board"):
        calibrate_places(known(true, late, CHARUCO), corners, times, CHARUCO)


def test_a_place_that_stays_uncertain_is_refused() -> None:
    true = Cameras(tuple(ring(6, radius=12.0))[:2])
    seen = filmed(true, count=60, noise=5.0)
    times, corners = on_one_clock(seen, [0.0] * 2)
    few = np.flatnonzero((np.isfinite(corners[..., 0]).sum(axis=2) >= 6).all(axis=0))[:4]
    with pytest.raises(PlacesError, match=r"uncertain by \d+ cm at .* m from the next camera: show"):
        calibrate_places(known(true, seen, CHARUCO), corners[:, few], times[few], CHARUCO)


def test_a_lens_that_stays_uncertain_is_refused() -> None:
    true = Cameras(tuple(ring(6))[:2])
    seen = filmed(true, noise=0.5)
    lenses = known(true, seen, CHARUCO)
    # Said to be far more exact alone than views are together: lenses stay as they were, and one is uncertain.
    unsure = {"rms": 0.005, "sd": np.array([60.0, 60.0, 20.0, 20.0])}
    times, corners = on_one_clock(seen, [0.0] * 2)
    with pytest.raises(LensError, match=r"view cam2: .* leave the focal length uncertain by"):
        calibrate_places([lenses[0], replace(lenses[1], **unsure)], corners, times, CHARUCO)


@pytest.mark.parametrize("late", [0.0, 0.8])
def test_the_lag_of_a_view_is_found_from_the_boards_motion(late: float) -> None:
    true = ring(3)
    seen = filmed(true, late=late)
    lags = find_lags(list(true), seen, CHARUCO)
    assert [lag.seconds for lag in lags] == pytest.approx([0.0, late, 0.0], abs=0.5 / FPS)
    assert lags[1].found == bool(late)


def test_no_lag_is_made_up_for_a_board_that_lies_still() -> None:
    true = Cameras(tuple(ring(4))[:2])
    both = [np.isfinite(s.corners[:, 0, 0]) for s in filmed(true)]
    poses = np.repeat(waved(true, 40)[both[0] & both[1]][:1], 30, axis=0)
    seen = [sightings(camera, poses, CHARUCO, seed=v) for v, camera in enumerate(true)]
    assert [(lag.seconds, lag.found) for lag in find_lags(list(true), seen, CHARUCO)] == [(0.0, False)] * 2


@pytest.mark.slow
def test_parts_of_a_frame_are_found_with_the_cameras() -> None:
    true = ring(3)
    fine = waved(true, 4 * 200)[: 4 * 90]
    seen = []
    for v, camera in enumerate(true):
        poses = fine[1::4] if v == 1 else fine[::4]  # a quarter of a frame later than its times say
        seen.append(sightings(camera, poses, CHARUCO, 0.1, seed=v, fps=FPS))
    times, corners = on_one_clock(seen, [0.0] * 3)
    rig = calibrate_places(known(true, seen, CHARUCO), corners, times, CHARUCO)
    assert rig.times[1] - rig.times[0] == pytest.approx(0.25 / FPS, abs=0.05 / FPS)


def test_views_in_phase_are_not_interpolated_and_others_are() -> None:
    true = Cameras(tuple(ring(4))[:2])
    seen = filmed(true, count=60)
    times, corners = on_one_clock(seen, [0.0, 0.0])
    for v in range(2):
        mine = np.isin(times, seen[v].times[seen[v].seen >= 4])
        assert np.array_equal(np.isfinite(corners[v]).any(axis=(1, 2)), mine)
    times, corners = on_one_clock(seen, [0.0, 0.04])
    between = ~np.isin(times, seen[0].times)
    assert np.isfinite(corners[0, between]).any()


@pytest.mark.slow
def test_a_camera_that_is_off_is_the_one_that_the_others_miss() -> None:
    true = ring(3)
    seen = filmed(true)
    _, corners = on_one_clock(seen, [0.0] * 3)
    fine = left_out_error(true, corners, CHARUCO)
    assert np.all(fine < 2.0)
    pose = true[2].camera_from_world.copy()
    pose[0, 3] += 0.1
    moved = Cameras((true[0], true[1], replace(true[2], camera_from_world=pose)))
    assert left_out_error(moved, corners, CHARUCO)[2] > 8.0
