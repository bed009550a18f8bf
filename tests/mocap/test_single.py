"""One view while it is solved: proportions, slow feet, and what straight edges tell of the camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.surroundings.edges import END, SLANT, Edges
from mocap.footing import Footing
from mocap.lens import camera_with_field_of_view, degrees_across, lens_told, zoomed
from mocap.monocular import animate_single
from mocap.progress import Quiet
from mocap.scene import Settings
from mocap.single import Single, SingleSettings
from rigs import quat
from rigs.solving.kinematics import Pose
from tests.mocap.test_monocular import FPS, FRAMES, SIZE, STATURE, TILT, Scene, scene

LONG_LEGGED = {"thigh": 1.08, "shin": 1.08, "trunk": 0.93, "upper_arm": 0.94}


@pytest.fixture(scope="module")
def made() -> Scene:
    return scene()


def single(made: Scene) -> Single:
    return Single(made.seen, made.camera, STATURE, SingleSettings(), Quiet(), "auto", posed=True)


def gliding(made: Single, speed: float) -> Pose:
    """Everybody as at rest, moved sideways at `speed` m/s."""
    root = np.zeros((FRAMES, 3))
    root[:, 0], root[:, 1] = speed * np.arange(FRAMES) / FPS, 0.9
    return Pose(root, quat.identity(FRAMES, len(made.body.names)))


def slowness(one: Single, before: Pose) -> np.ndarray:
    return Footing(one.body, STATURE, one.sizes, before, FPS, 1.0).slowness(Settings())


@pytest.mark.parametrize(("speed", "least", "most"), [(0.0, 0.999, 1.0), (0.1, 0.3, 0.8), (1.0, 0.0, 0.01)])
def test_slow_soles_are_drawn_by_a_speed_that_lasts(
    made: Scene, speed: float, least: float, most: float
) -> None:
    one = single(made)
    slow = slowness(one, gliding(one, speed))
    inside = slow[10:-10]
    assert slow.shape == (FRAMES - 1, 4)
    assert np.ptp(inside) < 1e-3
    assert least <= inside.mean() <= most


def test_one_leap_in_a_glide_does_not_part_it(made: Scene) -> None:
    """Soles that stand for two frames and leap in the third are drawn as those that glide."""
    one = single(made)
    glide = gliding(one, 0.1)
    stairs = Pose(glide.root[np.arange(FRAMES) // 3 * 3], glide.rotations)
    even, uneven = slowness(one, glide)[10:-10], slowness(one, stairs)[10:-10]
    assert uneven.mean() == pytest.approx(even.mean(), abs=0.05)
    assert np.ptp(uneven) < 0.35  # by their own steps they would be drawn by 1 and by 0.1


def test_proportions_are_found() -> None:
    made = scene(sizes=LONG_LEGGED)
    animated, _, _ = animate_single(made.seen, SIZE, STATURE, made.camera, posed=True)
    for name, true in LONG_LEGGED.items():
        found = animated.sizes[name] / STATURE
        assert abs(found - true) < 0.75 * abs(1 - true), name
    usual = [size / STATURE for name, size in animated.sizes.items() if name not in LONG_LEGGED]
    assert np.abs(np.array(usual) - 1).max() < 0.06


def test_whoever_is_as_usual_stays_so(made: Scene) -> None:
    animated, _, _ = animate_single(made.seen, SIZE, STATURE, made.camera, posed=True)
    assert np.abs(np.array(list(animated.sizes.values())) / STATURE - 1).max() < 0.05


def around(made: Scene, zoom: float = 1.0) -> Edges:
    """Straight edges of a room along the axes of the scene's world, before the lens that is assumed."""
    rng = np.random.default_rng(3)
    lens, ends = zoomed(made.camera, zoom, 0.0), list[np.ndarray]()
    yaw = quat.to_matrix(quat.from_rotvec(np.array([0.0, 0.6, 0.0])))
    while len(ends) < 90:
        x, y = rng.uniform((20, 20), (SIZE[0] - 20, SIZE[1] - 20))
        ray = lens.rays(np.array([x, y]))
        middle = lens.centre + ray * rng.uniform(2, 6)
        along = yaw[:, len(ends) % 3] * 0.5
        seen = lens.project(np.stack([middle - along, middle + along]))
        if np.isfinite(seen).all() and (seen > 0).all() and (seen < SIZE).all():
            ends.append(seen + rng.normal(scale=0.3, size=(2, 2)))
    pixels = np.array(ends)
    length = np.linalg.norm(pixels[:, 1] - pixels[:, 0], axis=1)
    flat = camera_with_field_of_view("cam", SIZE, None).undistort(pixels)
    still = np.broadcast_to(np.eye(3), (len(flat), 3, 3))
    return Edges(flat, np.hypot(END / length, SLANT), np.full(len(flat), 0.3), still)


def test_straight_edges_tell_up_better_than_the_person(made: Scene) -> None:
    true, off = np.array([0.0, -np.cos(TILT), -np.sin(TILT)]), list[float]()
    for edges in (None, around(made)):
        _, camera, _ = animate_single(made.seen, SIZE, STATURE, edges=edges)
        off.append(float(np.rad2deg(np.arccos(camera.camera_from_world[:3, 1] @ true))))
    assert off[1] < 0.5 < off[0]


def test_a_lens_nobody_gave_is_read_from_edges_and_said(made: Scene) -> None:
    _, camera, notes = animate_single(made.seen, SIZE, STATURE, edges=around(made, 1.25))
    assumed = camera_with_field_of_view("cam", SIZE, None)
    assert camera.K[0, 0] == pytest.approx(1.25 * assumed.K[0, 0], rel=0.03)
    wide = f"view cam: a horizontal field of view of {degrees_across(camera):.0f} degrees"
    assert notes[0].startswith(wide) and "was read from straight edges" in notes[0]
    assert not any("was assumed" in note for note in notes if "field of view" in note)


def test_a_lens_that_was_given_stays(made: Scene) -> None:
    lens = replace(made.camera, camera_from_world=np.eye(4))
    _, camera, notes = animate_single(made.seen, SIZE, STATURE, lens, edges=around(made, 1.25))
    np.testing.assert_array_equal(camera.K, lens.K)
    assert notes == []


def test_a_camera_with_a_pose_is_not_asked_for_edges(made: Scene) -> None:
    one, other = (
        animate_single(made.seen, SIZE, STATURE, made.camera, posed=True, edges=edges)[0]
        for edges in (None, around(made, 1.25))
    )
    np.testing.assert_array_equal(one.motion.root, other.motion.root)


def test_a_read_lens_is_told_with_what_it_may_be() -> None:
    told = lens_told(camera_with_field_of_view("phone", (1920, 1080), None), 1.0, 0.1)
    assert told.startswith("view phone: a horizontal field of view of 64 degrees (59 to 69) was read")
