"""Meaningless results are refused with the reason; meaningful ones pass, however odd."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.camera import Camera, Cameras
from calibration.triangulate import triangulate
from mocap.gates import (
    LyingError,
    RefusedError,
    agreement,
    require_agreement,
    require_cameras_above,
    require_known_geometry,
    require_person,
    require_trunk,
    require_upright,
    weak_geometry,
)
from mocap.observations import Observations
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, marching, observed

FRAMES = 20
WALKER = marching(FRAMES)
CAMERAS = ring()
HIPS, ANKLES = ([LAYOUT.index(f"{s}_{n}") for s in ("left", "right")] for n in ("hip", "ankle"))


@pytest.fixture
def seen() -> Observations:
    return observed(CAMERAS, [WALKER] * 4)


def unseen(seen: Observations, mask: np.ndarray) -> Observations:
    """The same with nobody in the frames where `mask` (V, T)."""
    pixels = np.where(mask[..., None, None], np.nan, seen.pixels)
    return replace(seen, pixels=pixels, confidence=np.where(mask[..., None], 0.0, seen.confidence))


def agreed(seen: Observations, cameras: Cameras = CAMERAS) -> list[str]:
    landmarks, _ = triangulate(cameras, seen.pixels, seen.confidence**2, scale_px=8.0)
    return require_agreement(seen, agreement(seen, cameras, landmarks))


def test_a_person_whom_two_views_see_passes(seen: Observations) -> None:
    mask = np.zeros((4, FRAMES), bool)
    mask[2:] = True
    mask[0, 5:] = True
    assert require_person(seen) == 1.0
    assert require_person(unseen(seen, mask)) == 0.25


def test_nobody_is_refused(seen: Observations) -> None:
    mask = np.ones((4, FRAMES), bool)
    with pytest.raises(
        RefusedError, match=r"no person: .* two of the 4 views at once in 0 % of the 20 frames"
    ):
        require_person(unseen(seen, mask))
    mask[0] = False  # one view is not enough to place anybody
    with pytest.raises(RefusedError, match="no person"):
        require_person(unseen(seen, mask))
    alone = observed(Cameras(CAMERAS.cameras[:1]), [WALKER])
    with pytest.raises(RefusedError, match="seen by view cam1 in 0 %"):
        require_person(unseen(alone, np.ones((1, FRAMES), bool)))


def test_a_body_without_a_trunk_is_refused() -> None:
    landmarks = WALKER.landmarks.copy()
    require_trunk(landmarks, HIPS)
    landmarks[2:, HIPS[0]] = np.nan
    with pytest.raises(RefusedError, match=r"no body: .* in 10 % of the 20 frames"):
        require_trunk(landmarks, HIPS)


def test_views_of_one_person_agree_to_rounding(seen: Observations) -> None:
    found = agreement(seen, CAMERAS, WALKER.landmarks)
    assert np.nanmax(found.error) < 1e-9 and not found.apart.any()
    assert agreed(seen) == []


def test_a_view_where_nobody_is_seen_has_no_say(seen: Observations) -> None:
    mask = np.zeros((4, FRAMES), bool)
    mask[3] = True
    assert agreed(unseen(seen, mask)) == []


def test_another_person_in_one_view_is_named() -> None:
    other = marching(FRAMES).moved(1.0, 0.4)
    with pytest.raises(RefusedError, match="view cam3 contradicts the others in 100 %"):
        agreed(observed(CAMERAS, [WALKER, WALKER, other, WALKER]))


def test_another_person_now_and_then_is_a_warning(seen: Observations) -> None:
    other = observed(CAMERAS, [marching(FRAMES).moved(1.0, 0.4)] * 4)
    pixels = seen.pixels.copy()
    pixels[1, 4:7] = other.pixels[1, 4:7]
    (line,) = agreed(replace(seen, pixels=pixels))
    assert line.startswith("view cam2 contradicts the others in 15 %")


def test_people_all_over_are_refused() -> None:
    others = [WALKER.moved(x, z) for x, z in ((0, 0), (1.2, 0), (0, 1.2), (-1.2, -0.6))]
    with pytest.raises(RefusedError, match=r"do not see the same person .*cam1 \d+ %.*offset"):
        agreed(observed(CAMERAS, others))


def turned(cameras: Cameras, turn: np.ndarray) -> Cameras:
    """The cameras in a world whose points are `turn` times ours."""
    full = np.eye(4)
    full[:3, :3] = turn.T
    return Cameras(
        tuple(Camera(c.name, c.size, c.K, c.distortion, c.camera_from_world @ full, c.model) for c in cameras)
    )


TURNS = {  # our y comes to lie along that axis
    (2, 1.0): np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
    (2, -1.0): np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
    (0, 1.0): np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]),
    (1, -1.0): np.diag([1.0, -1, -1]),
}


@pytest.mark.parametrize(("where", "turn"), TURNS.items())
def test_a_world_that_lies_is_refused(where: tuple[int, float], turn: np.ndarray) -> None:
    with pytest.raises(LyingError) as caught:
        require_upright(turned(CAMERAS, turn), WALKER.landmarks @ turn.T, LAYOUT.index("nose"), HIPS, ANKLES)
    assert (caught.value.axis, caught.value.sign) == where


def test_a_person_who_lies_before_standing_cameras_is_fine() -> None:
    lying = WALKER.landmarks @ TURNS[2, 1.0].T
    require_upright(CAMERAS, lying, LAYOUT.index("nose"), HIPS, ANKLES)
    require_upright(CAMERAS, WALKER.landmarks, LAYOUT.index("nose"), HIPS, ANKLES)
    require_upright(CAMERAS, np.full_like(lying, np.nan), LAYOUT.index("nose"), HIPS, ANKLES)


def test_views_that_look_along_one_line_are_named() -> None:
    landmarks = np.tile([0.0, 1.0, 0.0], (1, 33, 1))
    across, around = [0.0, 0.5 * np.pi], [0.0, 0.95 * np.pi]
    for angles, warned in ((across, False), (around, True)):
        cameras = Cameras(tuple(looking_in(f"cam{k}", angle) for k, angle in enumerate(angles)))
        assert bool(weak_geometry(observed(cameras, [WALKER] * 2), cameras, landmarks)) is warned


def looking_in(name: str, angle: float) -> Camera:
    """A camera 4 m from the middle, at the height of a metre."""
    forward = -np.array([np.cos(angle), 0.0, np.sin(angle)])
    right = np.cross(forward, [0.0, 1.0, 0.0])
    pose = np.eye(4)
    pose[:3, :3] = np.stack([right, [0.0, -1.0, 0.0], forward])
    pose[:3, 3] = -pose[:3, :3] @ (np.array([0.0, 1.0, 0.0]) - 4 * forward)
    return Camera(name, (640, 480), np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]]), np.zeros(5), pose)


def test_cameras_that_the_motion_does_not_determine_are_refused_or_flagged() -> None:
    none = np.zeros(4)
    assert require_known_geometry(CAMERAS, none, none) == []
    with pytest.raises(RefusedError, match=r"view cam3: its camera is placed to 6\.0 degrees only"):
        require_known_geometry(CAMERAS, np.deg2rad([0.0, 1.0, 6.0, 1.0]), none)
    (turn,) = require_known_geometry(CAMERAS, np.deg2rad([0.0, 2.5, 1.0, 1.0]), none)
    assert turn.startswith("view cam2: its camera was placed to 2.5 degrees only")
    (focal,) = require_known_geometry(CAMERAS, none, np.array([0.01, 0.08, 0.0, 0.2]))
    assert focal.startswith("the focal length of cam2 (8 %), cam4 (20 %) was estimated")


def test_found_cameras_under_the_floor_are_refused() -> None:
    require_cameras_above(CAMERAS)
    pose = CAMERAS[1].camera_from_world.copy()
    pose[:3, 3] += pose[:3, 1] * 3.0  # the world 3 m up is the camera 3 m down
    sunk = Cameras((CAMERAS[0], replace(CAMERAS[1], camera_from_world=pose)))
    with pytest.raises(
        RefusedError, match=r"view cam2 \(-1\.\d+ m\): its camera would stand under the floor"
    ):
        require_cameras_above(sunk)
