from __future__ import annotations

import numpy as np
import pytest

from calibration import CalibrationError
from calibration.files import read_calibration
from tests.calibration.same import write

# As Motive 3.2 documents it. The first looks along its world's -z from two metres behind the middle; the
# second has the numbers of a real ceiling camera.
MCAL = """
<?xml version="1.0" encoding="UTF-16LE"?>
<calibrationProfile version="1">
  <MotiveBuildInfo AppVersion="3.4.0.2"/>
  <Calibration>
    <Cameras Count="3">
      <Camera Serial="C11679">
        <Properties CameraID="6" ImagerIndex="30" VideoType="6" FrameRate="120" Enabled="1"/>
        <Attributes Revision="50" ImagerPixelWidth="1920" ImagerPixelHeight="1080"/>
        <Intrinsic LensCenterX="958" LensCenterY="541" HorizontalFocalLength="1201" VerticalFocalLength="1202"
                   k1="0.3" k2="-0.2" k3="0" TangentialX="0" TangentialY="0"/>
        <IntrinsicStandardCameraModel LensCenterX="960" LensCenterY="540" HorizontalFocalLength="1000"
          VerticalFocalLength="1010" k1="-0.05" k2="0.14" k3="0.01" TangentialX="0.001" TangentialY="-0.002"/>
        <Extrinsic X="0" Y="1.5" Z="2" OrientMatrix0="1" OrientMatrix1="0" OrientMatrix2="0" OrientMatrix3="0"
            OrientMatrix4="1" OrientMatrix5="0" OrientMatrix6="0" OrientMatrix7="0" OrientMatrix8="1"/>
      </Camera>
      <Camera Serial="C11764">
        <Attributes ImagerPixelWidth="1920" ImagerPixelHeight="1080"/>
        <IntrinsicStandardCameraModel LensCenterX="960.596" LensCenterY="538.614"
            HorizontalFocalLength="1247.841" VerticalFocalLength="1247.755" k1="0.136385" k2="-0.125546"
            k3="0.000035" TangentialX="0.000259"
            TangentialY="-0.000259"/>
        <Extrinsic X="-0.268640" Y="2.655145" Z="-3.509723" OrientMatrix0="-0.995356"
            OrientMatrix1="-0.046982" OrientMatrix2="0.084021" OrientMatrix3="0.000355"
            OrientMatrix4="0.871016" OrientMatrix5="0.491255" OrientMatrix6="-0.096264"
            OrientMatrix7="0.489003" OrientMatrix8="-0.866954"/>
      </Camera>
      <Camera Serial="ES123"><Properties CameraID="9"/></Camera>
    </Cameras>
  </Calibration>
  <property_warehouse/>
</calibrationProfile>
""".lstrip()


def mcal(tmp_path, text=MCAL, encoding="utf-16"):
    path = tmp_path / "System.mcal"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8"])
def test_by_hand(tmp_path, encoding):
    view = read_calibration(mcal(tmp_path, encoding=encoding))["C11679"]
    assert view.size == (1920, 1080)
    np.testing.assert_allclose(view.K, [[1000, 0, 960], [0, 1010, 540], [0, 0, 1]])
    np.testing.assert_allclose(view.distortion, [-0.05, 0.14, 0.001, -0.002, 0.01])
    np.testing.assert_allclose(view.centre, (0, 1.5, 2))
    np.testing.assert_allclose(view.project([0.0, 1.5, 0.0]), (960, 540))
    x, y = view.project([0.2, 1.7, 0.0])
    assert x > 1040 and y < 460  # right and up in the picture


def test_a_real_camera_is_level_and_looks_down_into_the_room(tmp_path):
    view = read_calibration(mcal(tmp_path))["C11764"]
    np.testing.assert_allclose(view.centre, (-0.268640, 2.655145, -3.509723), atol=1e-4)
    right, down, ahead = view.camera_from_world[:3, :3]
    assert abs(right[1]) < 1e-3  # a camera on a rail does not roll
    assert down[1] < -0.85 and ahead[1] == pytest.approx(-0.491, abs=1e-3) and ahead[2] > 0.8


def test_motives_own_lens_serves_where_it_bends_nothing(tmp_path):
    text = MCAL.replace("IntrinsicStandardCameraModel", "Other").replace(
        'k1="0.3" k2="-0.2"', 'k1="0" k2="0"'
    )
    view = read_calibration(mcal(tmp_path, text))
    assert view.names == ("C11679",)
    assert view[0].K[0, 0] == 1201


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "IntrinsicStandardCameraModel",
            "Other",
            "camera 'C11679': IntrinsicStandardCameraModel: is missing",
        ),
        ('OrientMatrix8="1"', "", "camera 'C11679': OrientMatrix8: is missing"),
        ('X="0" Y="1.5"', 'X="here" Y="1.5"', "camera 'C11679': X: must be a number, got 'here'"),
        ('OrientMatrix8="1"', 'OrientMatrix8="-1"', "camera 'C11679': rotation: is mirrored"),
        ("<Attributes Revision", "<Attribute Revision", "camera 'C11679': ImagerPixelWidth: is missing"),
    ],
)
def test_faults_are_named(tmp_path, old, new, message):
    assert old in MCAL
    with pytest.raises(CalibrationError, match=message) as caught:
        read_calibration(mcal(tmp_path, MCAL.replace(old, new)))
    assert "\n" not in str(caught.value)


def test_the_older_binary_says_what_to_do(tmp_path):
    (tmp_path / "System.cal").write_bytes(b"\x07\x93\xff\x00\x80")
    with pytest.raises(CalibrationError, match=r"System.cal: not a text file; .*save it as .mcal"):
        read_calibration(tmp_path / "System.cal")


def test_a_doctype_is_refused_in_utf16_too(tmp_path):
    path = mcal(tmp_path, '<!DOCTYPE a [<!ENTITY b "bbbb">]><calibrationProfile>&b;</calibrationProfile>')
    with pytest.raises(CalibrationError, match="DOCTYPE, which is not read for safety"):
        read_calibration(write(path, path.read_text("utf-16")))
    with pytest.raises(CalibrationError, match="DOCTYPE, which is not read for safety"):
        read_calibration(mcal(tmp_path, '<!DOCTYPE a [<!ENTITY b "b">]><a>&b;</a>'))
