from __future__ import annotations

import numpy as np
import pytest

from calibration import CalibrationError
from calibration.files import read_calibration
from calibration.files.quaternion import from_matrix, to_matrix
from calibration.rotation import from_rotvec
from tests.calibration.same import write

# As COLMAP exports it. A quarter turn about x takes z-up axes to x right, y down, z forward along +y; the
# first camera stands at (0, -2, 1.5), so -R C = (0, 1.5, 2).
CAMERAS = """
# Camera list with one line of data per camera:
#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]
# Number of cameras: 2
1 {model}
7 PINHOLE 640 480 500 510 320 240
"""
IMAGES = """
# Image list with two lines of data per image:
#   IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME
#   POINTS2D[] as (X, Y, POINT3D_ID)
# Number of images: 2, mean observations per image: 2
3 0.7071067811865476 0.7071067811865476 0 0 0 1.5 2 1 {first}
2362.39 248.498 58396 1784.7 268.254 59027
1 1 0 0 0 0.5 0 3 7 {second}

"""
SIMPLE = "SIMPLE_RADIAL 3072 2304 2559.81 1536 1152 -0.0218531"


@pytest.fixture
def model(tmp_path):
    def made(lens=SIMPLE, first="left.JPG", second="right cam.png"):
        write(tmp_path / "cameras.txt", CAMERAS.format(model=lens))
        write(tmp_path / "images.txt", IMAGES.format(first=first, second=second))
        return tmp_path

    return made


def test_by_hand(model):
    found = read_calibration(model(), units="m", up="z")
    assert found.names == ("left", "right cam")
    left = found["left"]
    assert left.size == (3072, 2304)
    # The centre of COLMAP's first pixel is at (0.5, 0.5).
    np.testing.assert_allclose(left.K, [[2559.81, 0, 1535.5], [0, 2559.81, 1151.5], [0, 0, 1]])
    np.testing.assert_allclose(left.distortion, [-0.0218531, 0, 0, 0])
    np.testing.assert_allclose(left.centre, (0.0, 1.5, 2.0), atol=1e-12)
    np.testing.assert_allclose(left.project([0.0, 1.5, 0.0]), (1535.5, 1151.5))
    np.testing.assert_allclose(found["right cam"].camera_from_world[:3, 3], (0.5, 0, 3))


@pytest.mark.parametrize("given", ["cameras.txt", "images.txt"])
def test_either_file_and_a_unit(model, given):
    found = read_calibration(model() / given, units="in", up="z")
    np.testing.assert_allclose(found["left"].centre, (0.0, 0.0381, 0.0508), atol=1e-12)


@pytest.mark.parametrize(
    ("lens", "focal", "coefficients"),
    [
        ("SIMPLE_PINHOLE 64 48 50 32 24", (50, 50), ()),
        ("PINHOLE 64 48 50 51 32 24", (50, 51), ()),
        ("SIMPLE_RADIAL 64 48 50 32 24 0.1", (50, 50), (0.1, 0, 0, 0)),
        ("RADIAL 64 48 50 32 24 0.1 0.2", (50, 50), (0.1, 0.2, 0, 0)),
        ("OPENCV 64 48 50 51 32 24 0.1 0.2 0.3 0.4", (50, 51), (0.1, 0.2, 0.3, 0.4)),
        ("FULL_OPENCV 64 48 50 51 32 24 1 2 3 4 5 0 0 0", (50, 51), (1, 2, 3, 4, 5)),
        ("FULL_OPENCV 64 48 50 51 32 24 1 2 3 4 5 6 7 8", (50, 51), (1, 2, 3, 4, 5, 6, 7, 8)),
        ("OPENCV_FISHEYE 64 48 50 51 32 24 0.1 0.2 0.3 0.4", (50, 51), (0.1, 0.2, 0.3, 0.4)),
    ],
)
def test_every_model(model, lens, focal, coefficients):
    left = read_calibration(model(lens), units="m", up="z")["left"]
    np.testing.assert_array_equal(left.K, [[focal[0], 0, 31.5], [0, focal[1], 23.5], [0, 0, 1]])
    np.testing.assert_array_equal(left.distortion, coefficients)
    assert left.model == ("fisheye" if "FISHEYE" in lens else "pinhole")


@pytest.mark.parametrize(
    ("first", "second", "names"),
    [
        ("cam1/0001.png", "cam2/0001.png", ("cam1", "cam2")),
        ("rig/a.png", "rig/b.png", ("a", "b")),
        ("a\\0.png", "b\\0.png", ("a", "b")),
        ("a.b.png", "c/b.png", ("a.b", "b")),
    ],
)
def test_names(model, first, second, names):
    assert read_calibration(model(first=first, second=second), units="m", up="z").names == names


def test_unit_and_up_are_the_users(model):
    with pytest.raises(CalibrationError, match="units: its program has none, so you have to say; give units"):
        read_calibration(model(), up="z")
    with pytest.raises(CalibrationError, match="up: its program has none, so you have to say; give up"):
        read_calibration(model(), units="m")
    assert read_calibration(model(), poses=False)["left"].size == (3072, 2304)


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("cameras.txt", "SIMPLE_RADIAL", "FOV", r"cameras.txt: line \d: model: must be one of .* got 'FOV'"),
        (
            "cameras.txt",
            " -0.0218531",
            "",
            r"cameras.txt: line \d: must have 4 numbers here, got '2559.81 1536 1152'",
        ),
        ("cameras.txt", " -0.0218531", " k", r"cameras.txt: line \d: must have 4 numbers"),
        (
            "cameras.txt",
            "1 SIMPLE_RADIAL",
            "2 SIMPLE_RADIAL",
            "images.txt: camera 'left': there is no camera 1",
        ),
        ("cameras.txt", "3072 2304", "wide 2304", "camera 'left': size: must be numbers"),
        (
            "images.txt",
            " 1.5 2 1 left",
            " 1.5 left",
            r"images.txt: line \d: an image must have 10 values, got 8",
        ),
        ("images.txt", "0 0 0 1.5 2 1", "0 0 x 1.5 2 1", r"images.txt: line \d: must have 7 numbers"),
        (
            "images.txt",
            "2362.39 248.498",
            "2362.39",
            r"images.txt: line \d: must be the points of the image before",
        ),
        (
            "images.txt",
            "2362.39 248.498 58396 1784.7 268.254 59027\n",
            "",
            "must be the points of the image before",
        ),
        ("images.txt", "0.7071067811865476 0.7071067811865476", "0 0", "camera 'left': .*must be finite"),
        ("images.txt", "right cam.png", "left.png", "names must differ, got 'left'"),
    ],
)
def test_faults_are_named(model, file, old, new, message):
    path = model() / file
    assert old in path.read_text()
    write(path, path.read_text().replace(old, new, 1))
    with pytest.raises(CalibrationError, match=message) as caught:
        read_calibration(path.parent, units="m", up="z")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("missing", ["cameras.txt", "images.txt"])
def test_one_file_alone(model, missing):
    folder = model()
    (folder / missing).unlink()
    with pytest.raises(CalibrationError, match=f"{missing}: is missing; COLMAP writes"):
        read_calibration(folder)


def test_binary_says_what_to_do(tmp_path):
    (tmp_path / "cameras.bin").write_bytes(b"\x04\x00\x00\x00\x00\x00\x00\x00\x01\xff\xfe\x80")
    with pytest.raises(CalibrationError, match=r"cameras.bin: not a text file; .*--output_type TXT"):
        read_calibration(tmp_path / "cameras.bin")


@pytest.mark.parametrize(
    "rotvec", [(0, 0, 0), (1e-9, 0, 0), (0.3, -1.2, 2.0), (np.pi, 0, 0), (0, -3.1415, 0.001)]
)
def test_quaternions_there_and_back(rotvec):
    matrix = from_rotvec(rotvec)
    wxyz = from_matrix(matrix)
    assert np.linalg.norm(wxyz) == pytest.approx(1.0)
    np.testing.assert_allclose(to_matrix(wxyz), matrix, atol=1e-14)
    np.testing.assert_allclose(to_matrix(-3.0 * wxyz), matrix, atol=1e-14)  # the same turn


def test_a_quaternion_by_hand():
    np.testing.assert_allclose(to_matrix([1, 1, 0, 0]), [[1, 0, 0], [0, 0, -1], [0, 1, 0]], atol=1e-15)
    assert np.all(np.isnan(to_matrix([0, 0, 0, 0])))
