from __future__ import annotations

import numpy as np
import pytest

from calibration.files import read_calibration
from tests.calibration.same import write

# The same camera as four programs write it. A quarter turn about x takes z-up axes to x right, y down, z
# forward along the z-up +y; it stands at (0, -2, 1.5) m, so the translation is (0, 1.5, 2).
POSE2SIM = """
    [cam_1]
    name = "int_cam1_img"
    size = [ 1088.0, 1920.0]
    matrix = [ [ 1681.244873046875, 0.0, 532.97369384375], [ 0.0, 1681.07, 948.137], [ 0.0, 0.0, 1.0]]
    distortions = [ -0.046, 0.1399, 0.0006, 0.00069]
    rotation = [ 1.5707963267948966, 0.0, 0.0]
    translation = [ 0.0, 1.5, 2.0]
    fisheye = false

    [metadata]
    adjusted = false
    error = 0.0
"""
FREEMOCAP = """
    [cam_0]
    name = "int_cam1_img"
    size = [ 1088, 1920,]
    matrix = [ [ 1681.244873046875, 0.0, 532.97369384375,], [ 0.0, 1681.07, 948.137,], [ 0.0, 0.0, 1.0,],]
    distortions = [ -0.046, 0.1399, 0.0006, 0.00069, 0.0,]
    rotation = [ 1.5707963267948966, 0.0, 0.0,]
    translation = [ 0.0, 1500.0, 2000.0,]
    world_orientation = [ [ 1.0, 0.0, 0.0,], [ 0.0, 0.0, 1.0,], [ 0.0, -1.0, 0.0,],]
    world_position = [ 0.0, -2000.0, 1500.0,]

    [metadata]
    charuco_square_size = 58.0
    charuco_board_object = "CharucoBoardDefinition(number_of_squares_width=7, number_of_squares_height=5)"
    groundplane_calibration = true
    path_to_recorded_videos = "C:\\\\Users\\\\me\\\\synchronized_videos"
    date_time_calibrated = "2025-03-11T14:19:33"
"""
MATRICES = """
    {0}: !!opencv-matrix
       rows: 3
       cols: 3
       dt: d
       data: [ 1.6812448730468750e+03, 0., 5.3297369384375e+02, 0.,
           1681.07, 948.137, 0., 0., 1. ]
    {1}: !!opencv-matrix
       rows: 1
       cols: 5
       dt: d
       data: [ -0.046, 0.1399, 0.0006, 0.00069, 0. ]
"""
POSES = """
    {0}: !!opencv-matrix
       rows: 3
       cols: 1
       dt: d
       data: [ 1.5707963267948966e+00, 0., 0. ]
    {1}: !!opencv-matrix
       rows: 3
       cols: 1
       dt: d
       data: [ 0., 1.5, 2. ]
"""
OPENCV = (
    """%YAML:1.0
    ---
    calibration_time: "Mon 02 Mar 2026 10:12:13"
    nframes: 20
    image_width: 1088
    image_height: 1920
    board_width: 9
    flags: 0
    fisheye_model: 0"""
    + MATRICES.format("camera_matrix", "distortion_coefficients")
    + POSES.format("rvec", "tvec")
)
NAMES = """%YAML:1.0
    ---
    names:
      - "int_cam1_img"
    """
INTRI = (
    NAMES
    + "H_int_cam1_img: 1920\n    W_int_cam1_img: 1088"
    + MATRICES.format("K_int_cam1_img", "dist_int_cam1_img")
)
EXTRI = NAMES + POSES.format("R_int_cam1_img", "T_int_cam1_img")


@pytest.mark.parametrize(
    "files",
    [
        {"Calib.toml": POSE2SIM},
        {"me_camera_calibration.toml": FREEMOCAP},
        {"int_cam1_img.yml": OPENCV},
        {"intri.yml": INTRI, "extri.yml": EXTRI},
    ],
    ids=["Pose2Sim", "FreeMoCap", "OpenCV", "EasyMocap"],
)
def test_as_its_program_writes_it(tmp_path, files):
    for name, text in files.items():
        write(tmp_path / name, text.replace("%YAML", "    %YAML"))
    (view,) = read_calibration(tmp_path / next(iter(files)))
    assert (view.name, view.size, view.model) == ("int_cam1_img", (1088, 1920), "pinhole")
    np.testing.assert_allclose(
        view.K, [[1681.244873046875, 0, 532.97369384375], [0, 1681.07, 948.137], [0, 0, 1]]
    )
    np.testing.assert_array_equal(view.distortion[:4], [-0.046, 0.1399, 0.0006, 0.00069])
    assert not np.any(view.distortion[4:])
    np.testing.assert_allclose(view.centre, (0.0, 1.5, 2.0), atol=1e-12)
    np.testing.assert_allclose(view.project([0.0, 1.5, 0.0]), view.K[:2, 2])
    assert np.all((view.project([0.2, 1.7, 0.0]) - view.K[:2, 2]) * (1, -1) > 100)  # right and up
