"""Boards: their corners against OpenCV's, found in rendered images to a tenth of a pixel, and recognised."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from calibration.boards.board import Board
from calibration.boards.find import charuco, find, sharpness
from calibration.boards.guess import recognise
from calibration.boards.markers import edge_shift, without_shift
from calibration.errors import BoardError
from tests.calibration.boardscene import CHARUCO, CHESS, corners_in, held, render, sightings, varied
from tests.calibration.synthetic import camera

MATRIX = np.array([[340.0, 0, 203.5], [0, 341, 146.5], [0, 0, 1]])
CAMERA = replace(camera(size=(400, 300), distortion=(-0.2, 0.05, 0.001, -0.001, 0.0)), K=MATRIX)
ODD = Board((7, 7), 0.06, type="chessboard")
LIGHT, OLD = replace(CHARUCO, inverted=True), replace(CHARUCO, legacy=True)
TILT = (0.3, -0.25, 0.2)


def photograph(board: Board, distance: float = 1.9, tilt=TILT, blur: float = 0.6) -> np.ndarray:
    image = render(CAMERA, held(CAMERA, distance, tilt=tilt, board=board), board)
    noise = np.random.default_rng(0).normal(0, 2, image.shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), blur) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("squares", [(5, 4), (4, 5), (6, 4), (3, 7)])
@pytest.mark.parametrize("legacy", [False, True])
def test_corners_are_those_of_opencv(squares: tuple[int, int], legacy: bool) -> None:
    board = Board(squares, 0.25, 0.19, "DICT_4X4_50", legacy=legacy)
    theirs = charuco(board)
    np.testing.assert_allclose(board.corners[: board.inner], theirs.getChessboardCorners(), atol=1e-6)
    markers = np.concatenate(theirs.getObjPoints())
    np.testing.assert_allclose(board.corners[board.inner :], markers, atol=1e-6)


@pytest.mark.parametrize("squares", [(4, 4), (5, 5), (5, 7), (5, 8)])
def test_turns_put_corners_onto_their_orders(squares: tuple[int, int]) -> None:
    board = Board(squares, 0.06, type="chessboard")
    for turn, order in zip(board.turns, board.orders, strict=True):
        assert np.linalg.det(turn) == pytest.approx(1)
        turned = board.corners @ turn[:3, :3].T + turn[:3, 3]
        np.testing.assert_allclose(turned, board.corners[order], atol=1e-12)


@pytest.mark.parametrize("board", [CHARUCO, LIGHT, OLD, CHESS, replace(CHESS, inverted=True), ODD])
def test_corners_are_found_where_they_are(board: Board) -> None:
    pose = held(CAMERA, 1.4 * max(board.squares) * board.square, (0.05, -0.04), TILT, board)
    image = cv2.GaussianBlur(render(CAMERA, pose, board), (0, 0), 0.6)
    found, true = find(board, image), corners_in(CAMERA, pose, board)
    miss = min((found[order] - true for order in board.orders), key=lambda e: np.nansum(e * e))
    inner, outer = miss[: board.inner], miss[board.inner :]
    # OpenCV's half a pixel would show in the mean; a tenth is what the refinement reaches in one image.
    assert np.abs(inner.mean(axis=0)).max() < 0.03 and np.abs(inner).max() < 0.15
    assert np.isfinite(outer).sum() >= 0.8 * outer.size
    assert np.abs(outer[np.isfinite(outer)]).max(initial=0.0) < 0.35


def test_a_chessboard_that_tells_its_ends_apart_is_always_found_the_same_way_round() -> None:
    for roll in (0.2, 0.2 + np.pi):
        pose = held(CAMERA, 1.0, tilt=(0.2, 0.1, 0.0), board=CHESS)
        turn = np.eye(4)
        turn[:2, :2] = [[np.cos(roll), -np.sin(roll)], [np.sin(roll), np.cos(roll)]]
        turn[:3, 3] = CHESS.middle - turn[:3, :3] @ CHESS.middle
        found = find(CHESS, render(CAMERA, pose @ turn, CHESS))
        np.testing.assert_allclose(found, corners_in(CAMERA, pose @ turn, CHESS), atol=0.2)


def test_nothing_is_found_where_nothing_is() -> None:
    noise = np.random.default_rng(3).integers(0, 255, (300, 400)).astype(np.uint8)
    assert np.isnan(find(CHARUCO, noise)).all() and np.isnan(find(CHESS, noise, thorough=False)).all()


def test_sharpness_falls_with_blur() -> None:
    sharp, blurred = (photograph(CHARUCO, blur=blur) for blur in (0.5, 3.0))
    corners = find(CHARUCO, sharp)
    assert sharpness(CHARUCO, sharp, corners) > 1.8 * sharpness(CHARUCO, blurred, corners)
    assert np.isnan(sharpness(CHARUCO, sharp, corners * np.nan))


def test_edges_of_markers_that_creep_are_measured_and_put_back() -> None:
    seen = sightings(CAMERA, varied(CAMERA, 12), CHARUCO, noise=0.02)
    crept = without_shift(seen.corners, CHARUCO, -0.3)
    assert edge_shift(CAMERA, crept, CHARUCO) == pytest.approx(0.3, abs=0.02)
    back = without_shift(crept, CHARUCO, 0.3)
    whole = np.isfinite(back)
    assert whole.sum() > 0.8 * np.isfinite(seen.corners).sum()
    np.testing.assert_allclose(back[whole], seen.corners[whole], atol=0.02)


@pytest.mark.parametrize(
    ("board", "note"),
    [(CHARUCO, None), (LIGHT, "light on dark"), (OLD, "before 4.6"), (CHESS, None)],
)
def test_the_board_is_recognised(board: Board, note: str | None) -> None:
    said = replace(board, inverted=False, legacy=False)
    told = recognise(said, [photograph(board, 1.1 * max(board.squares) * board.square + 0.4)] * 3)
    assert told.board == board
    assert [n for n in told.notes if note and note in n] == ([told.notes[0]] if note else [])


SAID = {
    (4, 5): r"seems to have 5x4 squares .* not 4x5: write squares: \[5, 4\]",
    (5, 5): r"seems to have 5x4 squares .* not 5x5: write squares: \[5, 4\]",
    (5, 3): r"seems to have 5x4 squares .* not 5x3",
    (6, 4): r"seems to have 5x4 squares .* not 6x4",
    (6, 5): r"seems to have 5x4 squares .* not 6x5",
}


@pytest.mark.parametrize(("squares", "message"), SAID.items())
def test_another_size_of_board_is_said(squares: tuple[int, int], message: str) -> None:
    with pytest.raises(BoardError, match=message):
        recognise(replace(CHARUCO, squares=squares), [photograph(CHARUCO)] * 4)


def test_another_dictionary_is_said() -> None:
    with pytest.raises(
        BoardError, match="are of DICT_5X5_50, not DICT_4X4_50: write dictionary: DICT_5X5_50"
    ):
        recognise(CHARUCO, [photograph(replace(CHARUCO, dictionary="DICT_5X5_50"))] * 3)


def test_inner_corners_given_for_squares_are_said() -> None:
    image = photograph(CHESS, 1.0)
    with pytest.raises(
        BoardError, match=r"seems to have 6x5 squares .* not 5x4: .*one more than inner corners"
    ):
        recognise(replace(CHESS, squares=(5, 4)), [image])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("board", "message"), [(CHARUCO, "no board with markers of"), (CHESS, "no chessboard")]
)
def test_no_board_at_all_is_said(board: Board, message: str) -> None:
    with pytest.raises(BoardError, match=message):
        recognise(board, [np.full((120, 160), 90, np.uint8)])
