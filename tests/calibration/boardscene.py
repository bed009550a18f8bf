"""Boards rendered through known cameras: every corner's place in the image is known exactly."""

from __future__ import annotations

import cv2
import numpy as np

from calibration import Camera, Cameras
from calibration.boards.board import Board, Sightings
from calibration.boards.find import charuco
from calibration.rotation import from_rotvec

CHARUCO = Board((5, 4), 0.25, 0.19, "DICT_4X4_50")
CHESS = Board((6, 5), 0.1, type="chessboard")
_FINE = 3  # rays across a pixel
_TEXTURE = 100  # px a square: markers of 0.76 of it have whole pixels


def texture(board: Board, rim: float = 0.5) -> np.ndarray:
    """The board as printed, with a light rim of so many squares (dark if it is inverted)."""
    wide, high = (n * _TEXTURE for n in board.squares)
    if board.type == "charuco":
        image = charuco(board).generateImage((wide, high))
    else:
        y, x = np.mgrid[:high, :wide] // _TEXTURE
        image = np.where((x + y) % 2, 255, 0).astype(np.uint8)
    image = cv2.copyMakeBorder(image, *4 * [round(rim * _TEXTURE)], cv2.BORDER_CONSTANT, value=255)
    return 255 - image if board.inverted else image


def render(
    camera: Camera, world_from_board: np.ndarray, board: Board, rim: float = 0.5, grey: int = 110
) -> np.ndarray:
    """(H, W) what the camera sees of the board before a grey wall."""
    wide, high = camera.size
    steps = (np.arange(_FINE) + 0.5) / _FINE - 0.5
    x = (np.arange(wide)[:, None] + steps).reshape(-1)
    y = (np.arange(high)[:, None] + steps).reshape(-1)
    pixels = np.stack(np.meshgrid(x, y), axis=-1)
    rays = np.nan_to_num(camera.rays(pixels)) @ world_from_board[:3, :3]
    centre = (camera.centre - world_from_board[:3, 3]) @ world_from_board[:3, :3]
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = -centre[2] / rays[..., 2]
        hit = centre[:2] + rays[..., :2] * reach[..., None]
    hit[~(reach > 0)] = 1e6
    at = np.clip((hit / board.square + rim) * _TEXTURE - 0.5, -1e4, 1e4).astype(np.float32)
    seen = cv2.remap(
        texture(board, rim), at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=grey
    )
    return cv2.resize(seen, (wide, high), interpolation=cv2.INTER_AREA)


def held(
    camera: Camera, distance: float, place=(0.0, 0.0), tilt=(0.0, 0.0, 0.0), board: Board = CHARUCO
) -> np.ndarray:
    """World_from_board of a board, its middle at (x/z, y/z), turned by a rotation vector."""
    pose = np.eye(4)
    pose[:3, :3] = from_rotvec(tilt)
    middle = distance * np.array([*place, 1.0])
    pose[:3, 3] = middle - pose[:3, :3] @ board.middle
    return np.linalg.inv(camera.camera_from_world) @ pose


def corners_in(camera: Camera, world_from_board: np.ndarray, board: Board) -> np.ndarray:
    """(C, 2) where the camera sees the corners; NaN outside the image, and from behind the board."""
    points = board.corners @ world_from_board[:3, :3].T + world_from_board[:3, 3]
    pixels = camera.project(points)
    inside = ((pixels > 2) & (pixels < np.array(camera.size) - 3)).all(axis=-1)
    from_behind = (world_from_board[:3, 3] - camera.centre) @ world_from_board[:3, 2] < 0
    return np.where(inside[:, None] & ~from_behind, pixels, np.nan)


def sightings(
    camera: Camera, poses: np.ndarray, board: Board, noise: float = 0.1, seed: int = 0, fps: float = 10.0
) -> Sightings:
    """What a view would see of a board at each time, without rendering."""
    rng = np.random.default_rng(seed)
    corners = np.stack([corners_in(camera, pose, board) for pose in poses])
    corners += rng.normal(0.0, noise, corners.shape)
    few = np.isfinite(corners[..., 0]).sum(axis=1) < 4
    corners[few] = np.nan
    sharp = np.where(few, np.nan, 0.5)
    labels = tuple(f"frame {i}" for i in range(len(poses)))
    return Sightings(camera.name, camera.size, np.arange(len(poses)) / fps, corners, sharp, labels)


def varied(
    camera: Camera, count: int, board: Board = CHARUCO, seed: int = 1, most: float = 0.6
) -> np.ndarray:
    """(count, 4, 4) boards all over the image of a camera, tilted by up to `most` radians."""
    rng = np.random.default_rng(seed)
    reach = np.array(camera.size) / 2 / np.diag(camera.K)[:2]
    poses = []
    for _ in range(count):
        near = 1.3 * board.square * max(board.squares) / (2 * reach[0])
        place = rng.uniform(-0.8, 0.8, 2) * reach
        tilt = [*rng.uniform(-most, most, 2), rng.uniform(-0.5, 0.5)]
        poses.append(held(camera, near * rng.uniform(1.0, 2.2), place, tilt, board))
    return np.stack(poses)


def waved(cameras: Cameras, count: int, board: Board = CHARUCO) -> np.ndarray:
    """(count, 4, 4) a board walked about in the middle of a ring of cameras, shown to one after the other."""
    poses = []
    for i in range(count):
        turn = 2 * np.pi * 2 * i / count
        facing = from_rotvec([0, turn, 0]) @ from_rotvec([np.pi, 0, 0])  # its front looks to +z, turned
        wobble = from_rotvec([0.5 * np.sin(7 * turn), 0.4 * np.cos(5 * turn), 0.3 * np.sin(3 * turn)])
        pose = np.eye(4)
        pose[:3, :3] = facing @ wobble
        middle = np.array([0.5 * np.sin(3 * turn), 1.1 + 0.3 * np.cos(2 * turn), 0.5 * np.cos(4 * turn)])
        pose[:3, 3] = middle - pose[:3, :3] @ board.middle
        poses.append(pose)
    return np.stack(poses)
