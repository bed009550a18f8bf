"""Which way is up and how long the lens is: rooms of straight edges whose camera is known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from calibration.camera import Camera
from calibration.surroundings.edges import END, SLANT, Edges, edges_before, find_segments, slants
from calibration.surroundings.manhattan import find_surroundings

SIZE = (1280, 720)
ASSUMED = 1000.0  # pixels
UP_SD, LENGTH_SD = np.deg2rad(4.0), 0.2


def camera(focal: float = ASSUMED, bend: float = 0.0) -> Camera:
    """A camera in the middle of a room, level."""
    centre = (np.array(SIZE) - 1) / 2
    matrix = np.array([[focal, 0, centre[0]], [0, focal, centre[1]], [0, 0, 1.0]])
    return Camera("cam", SIZE, matrix, np.array([bend, 0, 0, 0]), np.eye(4))


def held(down: float, roll: float, yaw: float) -> np.ndarray:
    """Camera from world (3, 3), world y up; degrees."""
    x, z, y = np.deg2rad([down, roll, yaw])
    turns = [cv2.Rodrigues(np.array(v))[0] for v in ([x, 0, 0], [0, 0, z], [0, y, 0])]
    return np.asarray(turns[1] @ turns[0] @ np.diag([1.0, -1.0, -1.0]) @ turns[2])


def room(
    true: Camera, turn: np.ndarray, count: int = 60, stray: int = 60, noise: float = 0.3, seed: int = 0
) -> Edges:
    """Edges (count along the axes of the world, others along none) before the assumed lens."""
    rng = np.random.default_rng(seed)
    ends = list[np.ndarray]()
    kinds = [*np.repeat(np.eye(3), -(-count // 3), axis=0)[:count], *rng.normal(size=(stray, 3))]
    for direction in kinds:
        while True:
            middle = turn.T @ np.append(rng.uniform(-0.8, 0.8, 2) * (0.9, 0.5), 1.0) * rng.uniform(2, 6)
            along = direction / np.linalg.norm(direction) * rng.uniform(0.2, 0.8)
            seen = true.project(np.stack([middle - along, middle + along]) @ turn.T)
            inside = np.isfinite(seen).all() and (seen > 0).all() and (seen < SIZE).all()
            if inside and np.linalg.norm(seen[1] - seen[0]) > 40:
                break
        ends.append(seen + rng.normal(scale=noise, size=(2, 2)))
    pixels = np.array(ends)
    length = np.linalg.norm(pixels[:, 1] - pixels[:, 0], axis=1)
    counts = 0.3 * np.clip(length / 128, 0.2, 2.0)
    still = np.broadcast_to(np.eye(3), (len(pixels), 3, 3))
    return Edges(camera().undistort(pixels), np.hypot(END / length, SLANT), counts, still)


def expected(turn: np.ndarray, degrees: float) -> np.ndarray:
    """The true up, off by so many degrees."""
    up = turn[:, 1]
    aside = np.cross(up, [0.3, 0.5, 0.8])
    return np.asarray(
        np.cos(np.deg2rad(degrees)) * up + np.sin(np.deg2rad(degrees)) * aside / np.linalg.norm(aside)
    )


def degrees_between(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.rad2deg(np.arccos(np.clip(a @ b, -1.0, 1.0))))


@pytest.mark.parametrize(
    ("focal", "down", "roll", "yaw"),
    [(1000, 10, 0, 30), (820, 25, -8, 50), (1300, 5, 15, 20), (1100, -12, 3, 65)],
)
def test_up_and_the_focal_length_of_a_room_are_found(
    focal: float, down: float, roll: float, yaw: float
) -> None:
    turn = held(down, roll, yaw)
    told = find_surroundings(room(camera(focal), turn), expected(turn, 9.0), UP_SD, LENGTH_SD)
    assert told is not None
    assert degrees_between(told.up, turn[:, 1]) < 0.5
    assert told.zoom * ASSUMED == pytest.approx(focal, rel=0.03)
    assert told.zoom_sd < 0.05
    assert told.bend == 0.0


def test_a_lens_that_bends_is_found() -> None:
    turn = held(12, 2, 35)
    told = find_surroundings(
        room(camera(900, bend=-0.2), turn, count=150, stray=30), expected(turn, 5.0), UP_SD, LENGTH_SD
    )
    assert told is not None
    assert told.bend == pytest.approx(-0.2, abs=0.06)
    assert told.zoom * ASSUMED == pytest.approx(900, rel=0.05)
    assert degrees_between(told.up, turn[:, 1]) < 1.0


def test_one_direction_tells_up_but_not_the_lens() -> None:
    """Posts seen by a level camera are parallel in the image, through any lens."""
    turn = held(0, 4, 30)
    posts = room(camera(1200), turn, count=90, stray=0)
    upright = slants(*posts.sight(1.2), turn[:, 1]) < 2 * posts.error
    posts = Edges(*(getattr(posts, n)[upright] for n in ("ends", "error", "counts", "turns")))
    told = find_surroundings(posts, expected(turn, 3.0), UP_SD, LENGTH_SD)
    assert told is not None
    assert np.rad2deg(np.arcsin(abs(told.up[0]))) == pytest.approx(4.0, abs=0.5)
    assert told.zoom_sd > 0.1


def test_a_known_lens_is_left_alone() -> None:
    turn = held(15, -5, 40)
    told = find_surroundings(room(camera(), turn), expected(turn, 8.0), UP_SD, 0.0)
    assert told is not None
    assert (told.zoom, told.zoom_sd, told.bend) == (1.0, 0.0, 0.0)
    assert degrees_between(told.up, turn[:, 1]) < 0.5


@pytest.mark.parametrize("seed", range(6))
def test_edges_without_a_direction_tell_nothing(seed: int) -> None:
    turn = held(10, 0, 30)
    edges = room(camera(), turn, count=0, stray=150, seed=seed)
    assert find_surroundings(edges, turn[:, 1], UP_SD, LENGTH_SD) is None


def test_few_edges_tell_nothing() -> None:
    turn = held(10, 0, 30)
    assert find_surroundings(room(camera(), turn, 12, 0), turn[:, 1], UP_SD, LENGTH_SD) is None


def test_an_up_far_from_what_is_expected_is_not_believed() -> None:
    turn = held(10, 0, 30)
    told = find_surroundings(room(camera(), turn, noise=0.0), expected(turn, 60.0), UP_SD, 0.0)
    assert told is None or degrees_between(told.up, expected(turn, 60.0)) < 45.0


def test_the_same_edges_tell_the_same() -> None:
    turn = held(10, 0, 30)
    edges = room(camera(1100), turn)
    one, other = (find_surroundings(edges, turn[:, 1], UP_SD, LENGTH_SD) for _ in range(2))
    assert one is not None
    assert other is not None
    assert (one.up == other.up).all()
    assert one.zoom == other.zoom


def test_edges_of_a_camera_that_turned_are_told_in_axes_of_a_still_one() -> None:
    first, later = held(10, 0, 30), held(14, -3, 42)
    turn = first @ later.T
    edges = room(camera(), first).counting(0.5) + room(camera(), later, seed=1).turned(turn).counting(0.5)
    told = find_surroundings(edges, expected(first, 6.0), UP_SD, LENGTH_SD)
    assert told is not None
    assert degrees_between(told.up, first[:, 1]) < 0.5


def test_slants_are_angles_in_the_image() -> None:
    """At the middle of the image, directions across the line of sight look as they are."""
    ends = np.array([[[-0.1, 0.0], [0.1, 0.0]]])
    edge = Edges(ends, np.array([0.01]), np.ones(1), np.eye(3)[None])
    for degrees in (0.0, 20.0, 90.0):
        direction = np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees)), 0.0])
        assert np.rad2deg(slants(*edge.sight(), direction))[0] == pytest.approx(degrees, abs=1e-6)


def test_edges_are_found_where_they_are_drawn() -> None:
    grey = np.full((SIZE[1], SIZE[0]), 60, np.uint8)
    cv2.rectangle(grey, (200, 150), (500, 600), 200, -1)
    found = edges_before(camera(), find_segments(grey))
    assert len(found) == 4
    pixels = found.ends * ASSUMED + camera().K[:2, 2]
    corners = {(200, 150), (500, 150), (200, 600), (500, 600)}
    for end in pixels.reshape(-1, 2):
        assert min(np.hypot(*(end - corner)) for corner in corners) < 12.0
    half = find_segments(cv2.resize(grey, (640, 360), interpolation=cv2.INTER_AREA))
    small = edges_before(camera(), (half + 0.5) * 2 - 0.5, 2.0)
    assert len(small) == 4
    assert np.abs(np.sort(small.ends, axis=None) - np.sort(found.ends, axis=None)).max() < 0.02
    assert (small.error > found.error).all()


def test_an_image_without_edges_has_none() -> None:
    assert len(edges_before(camera(), find_segments(np.full((SIZE[1], SIZE[0]), 90, np.uint8)))) == 0


def test_a_bend_is_undone_as_the_camera_does_it() -> None:
    bent = camera(1000, bend=-0.15)
    pixels = np.array([[[100.0, 80.0], [400.0, 700.0]], [[640.0, 360.0], [1200.0, 650.0]]])
    edges = Edges(camera().undistort(pixels), np.ones(2), np.ones(2), np.broadcast_to(np.eye(3), (2, 3, 3)))
    normals, _ = edges.sight(1.0, -0.15)
    rays = np.concatenate([bent.undistort(pixels), np.ones((2, 2, 1))], axis=2)
    true = np.cross(rays[:, 0], rays[:, 1])
    np.testing.assert_allclose(normals, true / np.linalg.norm(true, axis=1, keepdims=True), atol=2e-4)
    flat, _ = replace(edges, ends=edges.ends * 1.3).sight(1.3)
    np.testing.assert_allclose(flat, edges.sight()[0], atol=1e-12)
