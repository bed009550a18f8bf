from __future__ import annotations

import numpy as np
import pytest

from calibration import CalibrationError, Camera
from calibration.footage import match_footage
from tests.calibration.synthetic import BARREL, camera, look_at, people


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def portrait(size=(1088, 1920), distortion=BARREL) -> Camera:
    matrix = np.array([[1681.0, 0.0, 533.0], [0.0, 1681.0, 948.0], [0.0, 0.0, 1.0]])
    return Camera("cam", size, matrix, np.array(distortion), look_at((0.0, 1.6, 3.5)))


def scene(rng, size, frames=4, darkest=60) -> list[np.ndarray]:
    """Frames without a black line: a bright noisy scene."""
    return [rng.integers(darkest, 200, (size[1], size[0], 3), dtype=np.uint8) for _ in range(frames)]


def boxed(rng, size, before, after, axis=1) -> list[np.ndarray]:
    """A scene between black bars with the noise of a codec, and one ringing line on the inside of each."""
    images = scene(rng, size)
    for image in images:
        lines = image if axis == 1 else image.swapaxes(0, 1)
        count = len(lines)
        for bar in (slice(0, before), slice(count - after, count)):
            lines[bar] = rng.integers(0, 16, lines[bar].shape)
        lines[before] //= 2
    return images


def assert_moved(found: Camera, original: Camera, move) -> None:
    """Every point is now seen at `move` of the pixel where it was seen."""
    points = people(np.random.default_rng(0), 50)
    np.testing.assert_allclose(found.project(points), move(original.project(points)), atol=1e-6)


def test_equal_frames_are_left_alone_even_with_bars(rng):
    view = portrait((108, 192))
    footage = match_footage(view, (108, 192), boxed(rng, (108, 192), 20, 20))
    assert footage.camera is view
    assert footage.note is None
    assert match_footage(view, (108, 192), []).camera is view


@pytest.mark.parametrize("size", [(544, 960), (2176, 3840), (362, 640)])
def test_scaled_about_the_corner_of_the_first_pixel(size):
    view = portrait()
    footage = match_footage(view, size, [])
    scale = np.array(size) / view.size
    assert footage.camera.size == size
    assert_moved(footage.camera, view, lambda uv: (uv + 0.5) * scale - 0.5)
    assert "scaled by" in footage.note
    assert f"video {size[0]}x{size[1]}, calibrated at 1088x1920" in footage.note


def test_letterboxed_as_in_a_real_case(rng):
    view = portrait()
    footage = match_footage(view, (1080, 1920), boxed(rng, (1080, 1920), 7, 6))
    scale = 1080 / 1088
    down = (1920 - 1920 * scale) / 2
    assert_moved(footage.camera, view, lambda uv: (uv + 0.5) * scale - 0.5 + [0, down])
    assert "between black bars of 7 and 6 px above and below" in footage.note


def test_pillarboxed(rng):
    view = camera(size=(720, 540))
    footage = match_footage(view, (1280, 720), boxed(rng, (1280, 720), 160, 160, axis=0))
    assert_moved(footage.camera, view, lambda uv: (uv + 0.5) * (720 / 540) - 0.5 + [160, 0])
    assert "left and right" in footage.note


def test_bars_on_one_side_only(rng):
    view = camera(size=(720, 540))
    footage = match_footage(view, (720, 640), boxed(rng, (720, 640), 100, 0))
    assert_moved(footage.camera, view, lambda uv: uv + np.array([0, 100]))


def test_a_dark_floor_next_to_a_bar_does_not_matter(rng):
    view = camera(size=(720, 540))
    footage = match_footage(view, (720, 640), boxed(rng, (720, 640), 50, 120))
    assert_moved(footage.camera, view, lambda uv: uv + np.array([0, 50]))


def test_too_dark_to_tell(rng):
    view = camera(size=(720, 540))
    with pytest.raises(
        CalibrationError, match=r"black bars are 90 and 120 px, the calibration leaves 100\.0"
    ):
        match_footage(view, (720, 640), boxed(rng, (720, 640), 90, 120))
    black = [np.zeros((640, 720, 3), np.uint8)]
    with pytest.raises(CalibrationError, match="black bars are"):
        match_footage(view, (720, 640), black)


def test_a_bar_is_black_in_every_frame(rng):
    view = camera(size=(720, 540))
    images = boxed(rng, (720, 640), 50, 50)
    images[2] = scene(rng, (720, 640), 1)[0]
    with pytest.raises(CalibrationError, match="no crop of one side"):
        match_footage(view, (720, 640), images)


def test_centre_crop(rng):
    view = portrait()
    footage = match_footage(view, (1080, 1920), scene(rng, (1080, 1920), 2))
    assert_moved(footage.camera, view, lambda uv: uv - [4, 0])
    assert "middle of the picture, 4 px cut from either side" in footage.note


def test_scaled_centre_crop(rng):
    view = camera(size=(1920, 1440))
    footage = match_footage(view, (1280, 720), scene(rng, (1280, 720), 2))
    assert_moved(footage.camera, view, lambda uv: (uv + 0.5) * (2 / 3) - 0.5 - [0, 120])
    assert (
        "scaled by 0.6667 and taken as the middle of the picture, 120 px cut from either end" in footage.note
    )


def test_no_frames_to_look_at():
    with pytest.raises(CalibrationError, match="no frame was given"):
        match_footage(portrait(), (1080, 1920), [])


def test_what_cannot_be_reconciled_names_both_sizes(rng):
    with pytest.raises(CalibrationError, match="the video is 1000x900, the calibration 1088x1920") as caught:
        match_footage(portrait(), (1000, 900), scene(rng, (1000, 900), 1))
    assert "camera 'cam'" in str(caught.value)
    assert "\n" not in str(caught.value)


TURNS = {  # where pixel (u, v) of a width x height picture goes when it is turned clockwise
    0: lambda uv, w, h: uv,
    90: lambda uv, w, h: np.stack([h - 1 - uv[..., 1], uv[..., 0]], axis=-1),
    180: lambda uv, w, h: np.stack([w - 1 - uv[..., 0], h - 1 - uv[..., 1]], axis=-1),
    270: lambda uv, w, h: np.stack([uv[..., 1], w - 1 - uv[..., 0]], axis=-1),
}


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("lens", ["pinhole", "fisheye"])
def test_turned_as_told(degrees, lens):
    distortion = BARREL if lens == "pinhole" else (0.05, -0.01, 0.004, -0.001)
    view = camera(distortion=distortion, model=lens)
    size = view.size if degrees == 180 else view.size[::-1]
    footage = match_footage(view, size, [], rotation=degrees)
    assert footage.camera.size == size
    assert_moved(footage.camera, view, lambda uv: TURNS[degrees](uv, *view.size))
    np.testing.assert_allclose(footage.camera.centre, view.centre, atol=1e-12)
    assert f"turned by {degrees} degrees clockwise" in footage.note


def test_turned_and_scaled():
    view = camera()
    footage = match_footage(view, (270, 360), [], rotation=90)
    assert_moved(footage.camera, view, lambda uv: (TURNS[90](uv, *view.size) + 0.5) / 2 - 0.5)


@pytest.mark.parametrize("degrees", [90, 270])
def test_a_camera_on_its_side_is_set_upright(degrees):
    upright = camera()
    lying = match_footage(upright, upright.size[::-1], [], rotation=degrees).camera
    footage = match_footage(lying, upright.size, [])
    assert_moved(footage.camera, upright, lambda uv: uv)
    assert f"turned by {360 - degrees} degrees" in footage.note


def test_an_upright_camera_could_be_turned_either_way():
    with pytest.raises(CalibrationError, match="give rotation 90 or 270"):
        match_footage(camera(), (540, 720), [])


def test_told_no_turn(rng):
    with pytest.raises(CalibrationError, match="rotation: must be 0, 90, 180 or 270, got 45"):
        match_footage(camera(), (540, 720), [], rotation=45)
    with pytest.raises(CalibrationError, match="the video is 540x720, the calibration 720x540"):
        match_footage(camera(), (540, 720), scene(rng, (540, 720), 1), rotation=0)
