from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calibration import CalibrationError, Camera, Cameras
from calibration.rotation import from_rotvec, to_rotvec
from tests.calibration.synthetic import BARREL, camera, look_at, people, ring

LENSES = {
    "none": ("pinhole", ()),
    "four": ("pinhole", (-0.18, 0.05, 0.0012, -0.0008)),
    "barrel": ("pinhole", BARREL),
    "pincushion": ("pinhole", (0.21, 0.05, -0.002, 0.001, 0.02)),
    "tangential": ("pinhole", (0.0, 0.0, 0.02, -0.03)),
    "rational": ("pinhole", (0.6, -0.2, 0.001, -0.001, 0.05, 0.9, 0.1, -0.02)),
    "strong": ("pinhole", (-0.33, 0.046, -0.0043, 0.0041, 0.0666)),
    "fisheye": ("fisheye", (0.05, -0.01, 0.004, -0.001)),
    "no fisheye": ("fisheye", (0.0, 0.0, 0.0, 0.0)),
}


@pytest.fixture(params=LENSES.values(), ids=LENSES.keys())
def lensed(request) -> Camera:
    model, coefficients = request.param
    return camera(distortion=coefficients, model=model)


def frame_pixels(view: Camera, count=40) -> np.ndarray:
    """Pixels all over the frame and its corners, (count^2, 2)."""
    grid = np.meshgrid(*(np.linspace(0, side - 1, count) for side in view.size))
    return np.stack(grid, axis=-1).reshape(-1, 2)


def test_undistort_is_undone_by_project_all_over_the_frame(lensed):
    pixels = frame_pixels(lensed)
    points = lensed.centre + 3.0 * lensed.rays(pixels)
    np.testing.assert_allclose(lensed.project(points), pixels, atol=1e-6)


def test_project_agrees_with_opencv(lensed):
    cv2 = pytest.importorskip("cv2")
    points = people(np.random.default_rng(0), 200)
    pose = lensed.camera_from_world
    rvec = cv2.Rodrigues(pose[:3, :3])[0]
    module = cv2.fisheye if lensed.model == "fisheye" else cv2
    arguments = rvec, pose[:3, 3], lensed.K, lensed.distortion if len(lensed.distortion) else None
    expected = module.projectPoints(points[:, None], *arguments)[0]
    np.testing.assert_allclose(lensed.project(points), expected[:, 0], atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(
    arrays(float, 2, elements=st.floats(-0.7, 0.7)),
    st.floats(-0.3, 0.3),
    st.floats(-0.1, 0.1),
    arrays(float, 2, elements=st.floats(-0.01, 0.01)),
)
def test_undistort_inverts_whatever_project_can_do(xy, k1, k2, tangential):
    view = camera(distortion=(k1, k2, *tangential))
    world = np.linalg.inv(view.camera_from_world) @ np.array([*(2.0 * xy), 2.0, 1.0])
    pixel = view.project(world[:3])
    back = view.undistort(pixel)
    fold = 1 + 3 * k1 * (s := xy @ xy) + 5 * k2 * s * s
    if np.all(np.isfinite(pixel)) and fold > 0.05:  # at the fold itself nothing can be undone
        np.testing.assert_allclose(back, xy, atol=1e-9)


@pytest.mark.parametrize("tiny", [5e-324, 5e-323, 1e-308, 1e-200, 1e-30])
@pytest.mark.parametrize("place", [0, 1, 4])
def test_a_coefficient_next_to_nothing_is_nothing(tiny, place):
    coefficients = np.array([-0.3, 0.0, 0.0, 0.0, 0.0])
    without = camera(distortion=coefficients)
    coefficients[place] += tiny
    pixels = frame_pixels(without, 10)
    np.testing.assert_allclose(
        camera(distortion=coefficients).undistort(pixels), without.undistort(pixels), atol=1e-12
    )


def test_beyond_the_fold_nothing_is_seen():
    view = camera(distortion=(-0.3, 0.0, 0.0, 0.0))
    fold = np.sqrt(1 / 0.9)  # 1 - 3 * 0.3 r^2 = 0
    axes = np.linalg.inv(view.camera_from_world)[:3]
    points = np.array([[0.99 * fold, 0.0, 1.0, 1.0], [1.01 * fold, 0.0, 1.0, 1.0]]) @ axes.T
    seen = np.isfinite(view.project(points)).all(axis=-1)
    assert seen.tolist() == [True, False]
    widest = view.K[0, 0] * fold * (1 - 0.3 * fold**2)
    pixels = view.K[:2, 2] + np.array([[0.99 * widest, 0.0], [1.01 * widest, 0.0]])
    assert np.isfinite(view.undistort(pixels)).all(axis=-1).tolist() == [True, False]


def test_behind_and_unknown_are_unknown(lensed):
    forward = lensed.camera_from_world[2, :3]
    points = np.stack([lensed.centre - forward, lensed.centre + forward, [np.nan] * 3])
    assert np.isnan(lensed.project(points)).all(axis=-1).tolist() == [True, False, True]
    assert np.isnan(lensed.undistort([[np.nan, 3.0]])).all()
    assert np.isnan(lensed.rays([np.nan, np.nan])).all()


def test_any_leading_axes_and_none():
    view, points = camera(), people(np.random.default_rng(1), 2, 3, 4)
    pixels = view.project(points)
    assert pixels.shape == (2, 3, 4, 2)
    assert view.undistort(pixels).shape == (2, 3, 4, 2)
    np.testing.assert_array_equal(view.project(points[1, 2, 3]), pixels[1, 2, 3])
    assert view.project(np.empty((0, 3))).shape == (0, 2)
    assert view.undistort(np.empty((0, 2))).shape == (0, 2)


def test_rays_start_at_the_centre_and_pass_the_point():
    view, points = camera(), people(np.random.default_rng(2), 50)
    rays = view.rays(view.project(points))
    np.testing.assert_allclose(view.centre, (0.0, 1.6, 3.5), atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(rays, axis=-1), 1.0)
    np.testing.assert_allclose(np.cross(rays, points - view.centre), 0.0, atol=1e-9)


@given(arrays(float, 3, elements=st.floats(-1.8, 1.8)))
def test_rotation_vectors_round_trip(rotvec):
    np.testing.assert_allclose(to_rotvec(from_rotvec(rotvec)), rotvec, atol=1e-9)


@pytest.mark.parametrize("axis", [*np.eye(3).tolist(), [0.6, 0.0, -0.8], [0.48, 0.6, 0.64]])
@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-5, 1.0, np.pi - 1e-7, np.pi])
def test_rotation_vectors_at_the_hard_angles(axis, angle):
    matrix = from_rotvec(angle * np.array(axis))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(from_rotvec(to_rotvec(matrix)), matrix, atol=1e-12)


def changed(entry, value, array) -> np.ndarray:
    array = np.array(array)
    array[entry] = value
    return array


GOOD = {"K": camera().K, "camera_from_world": look_at((0, 1, 3)), "distortion": np.zeros(5), "size": (7, 5)}
BAD = {
    "NaN in K": ({"K": changed((0, 0), np.nan, GOOD["K"])}, "K: must be finite"),
    "no focal length": ({"K": changed((1, 1), 0.0, GOOD["K"])}, "K: focal lengths must be above 0"),
    "K upside down": ({"K": GOOD["K"].T}, "K: must be upper triangular"),
    "K of 4": ({"K": np.eye(4)}, "K: must have shape"),
    "words": ({"K": "wide"}, "K: must be numbers"),
    "three coefficients": ({"distortion": np.zeros(3)}, "distortion: a pinhole lens has 0 or 4 or 5 or 8"),
    "fisheye of 5": ({"model": "fisheye"}, "distortion: a fisheye lens has 4 coefficients, got 5"),
    "model": ({"model": "spherical"}, "model: must be one of pinhole, fisheye"),
    "no width": ({"size": (0, 5)}, "size: must be two whole numbers above 0"),
    "half a pixel": ({"size": (7.5, 5)}, "size: must be two whole numbers"),
    "NaN in pose": (
        {"camera_from_world": changed((0, 3), np.nan, np.eye(4))},
        "camera_from_world: must be finite",
    ),
    "pose of 3": ({"camera_from_world": np.eye(3)}, "camera_from_world: must have shape"),
    "perspective": ({"camera_from_world": changed((3, 0), 1.0, np.eye(4))}, "last row must be 0 0 0 1"),
    "mirrored": (
        {"camera_from_world": np.diag([1.0, 1.0, -1.0, 1.0])},
        "rotation: is mirrored (determinant -1)",
    ),
    "scaled": ({"camera_from_world": np.diag([1.01, 1.01, 1.01, 1.0])}, "rotation: must be orthonormal"),
}


@pytest.mark.parametrize(("fault", "message"), BAD.values(), ids=BAD.keys())
def test_what_cannot_be_a_camera_is_refused_by_name(fault, message):
    with pytest.raises(CalibrationError, match=re.escape(message)) as caught:
        Camera("left", **{**GOOD, **fault})
    assert str(caught.value).startswith("camera 'left': ")
    assert "\n" not in str(caught.value)


def test_a_rounded_rotation_is_made_exact():
    view = Camera("left", (7, 5), GOOD["K"], np.zeros(0), np.round(look_at((1, 2, 3)), 3))
    rotation = view.camera_from_world[:3, :3]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)


def test_a_camera_is_frozen():
    view = camera()
    with pytest.raises(ValueError, match="read-only"):
        view.K[0, 0] = 1.0
    with pytest.raises(AttributeError):
        view.name = "other"  # type: ignore[misc]


def test_cameras_by_name_and_place():
    cameras = ring(3)
    assert len(cameras) == 3
    assert cameras.names == ("cam1", "cam2", "cam3")
    assert cameras["cam2"] is cameras[1] is list(cameras)[1]
    assert cameras.select(["cam3", "cam1"]).names == ("cam3", "cam1")
    points = people(np.random.default_rng(3), 5)
    assert cameras.project(points).shape == (3, 5, 2)
    with pytest.raises(CalibrationError, match="no camera 'cam9': there are cam1, cam2, cam3"):
        cameras.select(["cam1", "cam9"])


def test_cameras_differ_in_name_and_are_some():
    with pytest.raises(CalibrationError, match="names must differ, got 'cam' more than once"):
        Cameras((camera(), camera()))
    with pytest.raises(CalibrationError, match="at least one"):
        Cameras(())
