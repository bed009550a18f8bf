"""The world of a board: its floor where it lay, an honest word where it did not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration import Cameras
from calibration.boards.board import Board
from calibration.places.world import put_in_world
from calibration.rotation import from_rotvec
from tests.calibration.boardscene import CHARUCO, waved
from tests.calibration.synthetic import ring

FPS = 10.0


def lying(corner=(0.3, 0.0, -0.2), turn: float = 0.4, up: bool = True) -> np.ndarray:
    """World_from_board of a board on the floor, face up or down, turned about the vertical."""
    pose = np.eye(4)
    pose[:3, :3] = from_rotvec([0, turn, 0]) @ from_rotvec([np.pi / 2 if up else -np.pi / 2, 0, 0])
    pose[:3, 3] = corner
    return pose


def anyhow(cameras: Cameras, boards: np.ndarray) -> tuple[Cameras, np.ndarray]:
    """The same things in another world, which lies on its side."""
    old_from_new = np.eye(4)
    old_from_new[:3, :3], old_from_new[:3, 3] = from_rotvec([1.0, -0.7, 0.4]), (2.0, 1.0, -3.0)
    moved = tuple(replace(c, camera_from_world=c.camera_from_world @ old_from_new) for c in cameras)
    return Cameras(moved), np.linalg.inv(old_from_new) @ boards


def put(boards: np.ndarray, board: Board = CHARUCO, cameras: Cameras | None = None):
    cameras = cameras or ring(3)
    return put_in_world(*anyhow(cameras, boards), np.arange(len(boards)) / FPS, board)


@pytest.mark.parametrize("at_end", [True, False])
def test_the_floor_is_where_the_board_lies(at_end: bool) -> None:
    rest, moving = np.repeat(lying()[None], 6, axis=0), waved(ring(3), 20)
    placed = put(np.concatenate([moving, rest] if at_end else [rest, moving]))
    assert placed.floor and ("end" if at_end else "beginning") in placed.note
    still = placed.boards[-1 if at_end else 0]
    np.testing.assert_allclose(still[:3, 3], 0.0, atol=1e-9)
    np.testing.assert_allclose(still[:3, :3], [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-9)
    for camera, true in zip(placed.cameras, ring(3), strict=True):
        assert camera.centre[1] == pytest.approx(true.centre[1])


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        (lying(up=False), "face down"),
        (lying((0.0, 1.3, 0.0)), "a table, under which it was held before"),
        (waved(ring(3), 20)[5], "held still, upright"),
    ],
)
def test_a_board_at_rest_elsewhere_is_no_floor(rest: np.ndarray, why: str) -> None:
    low = waved(ring(3), 20)
    placed = put(np.concatenate([low, np.repeat(rest[None], 6, axis=0)]))
    assert not placed.floor and "the floor is unknown" in placed.note, why


def test_without_a_floor_up_is_that_of_the_cameras() -> None:
    placed = put(waved(ring(3), 20))
    assert not placed.floor and "which are level" in placed.note
    sides = np.stack([camera.camera_from_world[0, :3] for camera in placed.cameras])
    np.testing.assert_allclose(sides[:, 1], 0.0, atol=1e-9)
    heights = (
        np.einsum("tab,cb->tca", placed.boards[:, :3, :3], CHARUCO.corners) + placed.boards[:, None, :3, 3]
    )
    assert heights[..., 1].min() == pytest.approx(0.0, abs=1e-9)
    assert all(camera.centre[1] > 0 for camera in placed.cameras)


def test_cameras_that_are_not_level_are_said_to_be_a_guess() -> None:
    rolled = []
    for camera, roll in zip(ring(3), (0.5, -0.4, 0.6), strict=True):
        turn = np.eye(4)
        turn[:3, :3] = from_rotvec([0, 0, roll])
        rolled.append(replace(camera, camera_from_world=turn @ camera.camera_from_world))
    assert "a guess" in put(waved(ring(3), 20), cameras=Cameras(tuple(rolled))).note


def test_a_single_camera_has_a_world_too() -> None:
    placed = put(waved(ring(3), 20), cameras=Cameras((ring(3)[0],)))
    assert np.isfinite(placed.cameras[0].camera_from_world).all() and not placed.floor
