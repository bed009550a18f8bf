from __future__ import annotations

import numpy as np
import pytest

from calibration import CalibrationError
from calibration.files import read_calibration
from calibration.files.correction import distortion_of
from tests.calibration.same import write

# As Nexus writes it. A quarter turn about x takes z-up axes to x right, y down, z forward along the z-up +y.
XCP = """
    <?xml version="1.0" encoding="UTF-8" standalone="no" ?>
    <Cameras SOURCE="Nexus 2.16" VERSION="2.0">
      <Camera ACTIVE_THRESHOLD="1" DEVICEID="2107343" DISPLAY_TYPE="Vantage 5" ISDV="0" NAME=""
              PIXEL_ASPECT_RATIO="1" SENSOR="SENSOR_CMV4000" SENSOR_SIZE="2432 2048" SKEW="0"
              SYSTEM="" TYPE="VantageV5" USERID="1">
        <ThresholdGrid BIT_DEPTH="1" DATA=" r 36000 0" GRID_SIZE="240 150" TILE_SIZE="8 8"/>
        <KeyFrames>
          <KeyFrame FOCAL_LENGTH="1800" FRAME="0" ORIENTATION="0 0 0 1" POSITION="0 0 0"
                    PRINCIPAL_POINT="1216 1024" VICON_RADIAL2="Vicon3Parameter 1216 1024 0 0 0"/>
        </KeyFrames>
      </Camera>
      <Camera DEVICEID="51433950" DISPLAY_TYPE="VideoInputDevice:Blackfly S BFS-U3-23S3C" ISDV="1" NAME=""
              PIXEL_ASPECT_RATIO="1" SENSOR="" SENSOR_SIZE="1920 1200" SYSTEM="DV"
              TYPE="VideoInputDevice:Blackfly S BFS-U3-23S3C" USERID="2">
        <ControlFrames/>
        <KeyFrames>
          <KeyFrame FOCAL_LENGTH="1000" FRAME="0" IMAGE_ERROR="0.18" WORLD_ERROR="0.4"
                    ORIENTATION="0.7071067811865476 0 0 0.7071067811865476" POSITION="0 -2000 1500"
                    PIXEL_ASPECT_RATIO_CORRECTION="1" PRINCIPAL_POINT="960 600" {radial}/>
        </KeyFrames>
      </Camera>
      <Camera DEVICEID="51433951" DISPLAY_TYPE="Vue" SENSOR_SIZE="1920 1200" TYPE="VueVideo">
        <KeyFrames/>
      </Camera>
    </Cameras>
"""
NO_LENS = 'VICON_RADIAL2="Vicon3Parameter 960 600 0 0 0"'


def xcp(tmp_path, radial=NO_LENS, old="", new=""):
    text = XCP.format(radial=radial)
    assert old in text
    return write(tmp_path / "walk.xcp", text.replace(old, new, 1) if old else text)


def corrected(pixels, centre, k):
    """Where the file says that pixels belong."""
    off = pixels - np.asarray(centre)
    s = np.sum(off * off, axis=-1, keepdims=True)
    return np.asarray(centre) + off * (1 + k[0] * s + k[1] * s**2 + k[2] * s**3)


@pytest.fixture
def pixels() -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, 1919, 13), np.linspace(0, 1199, 9))
    return np.stack([x, y], axis=-1).reshape(-1, 2)


def test_by_hand(tmp_path):
    (view,) = read_calibration(xcp(tmp_path))
    assert (view.name, view.size, view.model) == ("51433950", (1920, 1200), "pinhole")
    np.testing.assert_allclose(view.K, [[1000, 0, 960], [0, 1000, 600], [0, 0, 1]])
    np.testing.assert_array_equal(view.distortion, 0.0)
    # It stands at (0, -2, 1.5) in metres and z up, so at (0, 1.5, 2), and looks along the z-up +y.
    np.testing.assert_allclose(view.centre, (0.0, 1.5, 2.0), atol=1e-12)
    np.testing.assert_allclose(view.project([0.0, 1.5, 0.0]), (960, 600))
    np.testing.assert_allclose(view.project([0.2, 1.7, 0.0]), (1060, 500))  # right and up in the picture


def test_a_camera_of_a_real_session_stands_upright_and_looks_down_into_the_room(tmp_path):
    """Six and a half metres from the middle, 1.8 m up: so it says beside its quaternion."""
    old = 'ORIENTATION="0.7071067811865476 0 0 0.7071067811865476" POSITION="0 -2000 1500"'
    pose = "0.0212356595799633 0.774555124454236 -0.632128503215528 0.00519243357047355"
    place = "-28.8969712138325 6497.81893431526 1828.97203757617"
    (view,) = read_calibration(xcp(tmp_path, old=old, new=f'ORIENTATION="{pose}" POSITION="{place}"'))
    np.testing.assert_allclose(view.centre, (-0.0289, 1.829, -6.498), atol=1e-3)
    right, down, ahead = view.camera_from_world[:3, :3]
    assert ahead[2] > 0.97 and -0.3 < ahead[1] < 0.0
    assert down[1] < -0.95
    assert abs(right[1]) < 0.05


def test_without_a_camera_that_films_all_are_read(tmp_path):
    path = xcp(tmp_path)
    write(
        path, path.read_text().replace("VideoInputDevice", "Device").replace("Vue", "V").replace("Video", "")
    )
    assert read_calibration(path).names == ("2107343", "51433950")


def test_oblong_pixels(tmp_path):
    text = (
        xcp(tmp_path)
        .read_text()
        .replace('PIXEL_ASPECT_RATIO="1" SENSOR=""', 'PIXEL_ASPECT_RATIO="1.25" SENSOR=""')
    )
    assert read_calibration(write(tmp_path / "a.xcp", text))[0].K[1, 1] == 800.0


@pytest.mark.parametrize(
    ("radial", "centre", "k"),
    [
        (
            'VICON_RADIAL2="Vicon3Parameter 960 600 3.1e-08 1.5e-15 -2e-22"',
            (960, 600),
            (3.1e-8, 1.5e-15, -2e-22),
        ),
        ('VICON_RADIAL2="Vicon3Parameter 962.5 598 3.1e-08 1.5e-15 0"', (962.5, 598), (3.1e-8, 1.5e-15, 0)),
        ('VICON_RADIAL2="Vicon3Parameter 960 600 1.6e-07 2e-14 0"', (960, 600), (1.6e-7, 2e-14, 0)),
        ('VICON_RADIAL="-2.5e-08 1e-15"', (960, 600), (-2.5e-8, 1e-15, 0)),
        ("", (960, 600), (0, 0, 0)),
    ],
)
def test_the_lens_corrects_as_the_file_says(tmp_path, pixels, radial, centre, k):
    (view,) = read_calibration(xcp(tmp_path, radial))
    expected = (corrected(pixels, centre, k) - [960, 600]) / 1000
    # 0.1 px of the picture, where the fit stops looking; correcting a barrel widens it by less than half.
    np.testing.assert_allclose(view.undistort(pixels), expected, atol=0.15 / 1000)


def test_a_lens_that_opencv_has_not_is_refused(tmp_path):
    with pytest.raises(CalibrationError, match=r"camera '51433950': VICON_RADIAL2: OpenCV's lens misses"):
        read_calibration(xcp(tmp_path, 'VICON_RADIAL2="Vicon3Parameter 960 600 -1e-06 0 0"'))


def test_five_coefficients_where_they_do():
    matrix = np.array([[1000.0, 0, 960], [0, 1000.0, 600], [0, 0, 1]])
    weak = distortion_of(lambda p: corrected(p, (960, 600), (3e-8, 0, 0)), matrix, (1920, 1200))
    strong = distortion_of(lambda p: corrected(p, (960, 600), (2e-7, 0, 0)), matrix, (1920, 1200))
    assert (len(weak[0]), len(strong[0])) == (5, 8)
    assert max(weak[1], strong[1]) < 0.1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('FOCAL_LENGTH="1000"', "", "camera '51433950': FOCAL_LENGTH: is missing"),
        ('FOCAL_LENGTH="1000"', 'FOCAL_LENGTH="long"', "FOCAL_LENGTH: must be 1 numbers, got 'long'"),
        ('FOCAL_LENGTH="1000"', 'FOCAL_LENGTH="-5"', "focal lengths must be above 0"),
        ('"960 600" ', '"960" ', "PRINCIPAL_POINT: must be 2 numbers, got '960'"),
        (
            'ORIENTATION="0.7071067811865476 0 0 0.7071067811865476"',
            'ORIENTATION="0 0 0 0"',
            "must be finite",
        ),
        ('SENSOR_SIZE="1920 1200" SYSTEM="DV"', 'SYSTEM="DV"', "SENSOR_SIZE: is missing"),
        ('CORRECTION="1"', 'CORRECTION="1.1"', "CORRECTION: only 1 is understood, got '1.1'"),
        (NO_LENS, 'VICON_RADIAL2="Vicon5Parameter 1 2 3"', "only Vicon3Parameter is understood"),
        (NO_LENS, 'VICON_RADIAL2="Vicon3Parameter 1 2"', "VICON_RADIAL2: must be 5 numbers, got '1 2'"),
        (NO_LENS, 'VICON_RADIAL="x y"', "VICON_RADIAL: must be 2 numbers"),
        ('"960 600" ' + NO_LENS + "/>", '"960 600"/><KeyFrame FRAME="9"/>', "KeyFrames: has 2, so it moves"),
    ],
)
def test_faults_are_named(tmp_path, old, new, message):
    with pytest.raises(CalibrationError, match=message) as caught:
        read_calibration(xcp(tmp_path, old=old, new=new))
    assert "\n" not in str(caught.value)
    assert "camera '51433950'" in str(caught.value)


def test_nothing_calibrated(tmp_path):
    text = '<Cameras><Camera DEVICEID="1"><KeyFrames/></Camera></Cameras>'
    with pytest.raises(CalibrationError, match="no camera has a KeyFrame"):
        read_calibration(write(tmp_path / "a.xcp", text))
