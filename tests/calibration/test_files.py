from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import CalibrationError, Camera, Cameras
from calibration.files import read_calibration, write_aniposelib
from calibration.rotation import to_rotvec
from tests.calibration.same import assert_same, write
from tests.calibration.synthetic import camera, ring

# Ours is y up: (x, y, z). The same place in a world with another axis up, by hand.
IN_AXES = {
    "z": lambda x, y, z: (x, -z, y),
    "y": lambda x, y, z: (x, y, z),
    "x": lambda x, y, z: (y, -x, z),
    "-y": lambda x, y, z: (x, -y, -z),
    "-z": lambda x, y, z: (x, z, -y),
    "-x": lambda x, y, z: (-y, x, z),
}


def in_file(view: Camera, up: str, per_metre: float) -> tuple[np.ndarray, np.ndarray]:
    """Rotation and translation of a camera as a file in another unit and other axes has them."""
    basis = np.stack([IN_AXES[up](*e) for e in np.eye(3)], axis=1)  # columns: our axes in the file's
    pose = view.camera_from_world
    return pose[:3, :3] @ basis.T, per_metre * pose[:3, 3]


def anipose_text(cameras: Cameras, up="z", per_metre=1.0, matrix=False, tail="") -> str:
    lines = []
    for i, view in enumerate(cameras):
        rotation, translation = in_file(view, up, per_metre)
        lines += [
            f"[cam_{i}]",
            f'name = "{view.name}"',
            f"size = [{view.size[0]}.0, {view.size[1]}.0]",
            f"matrix = {view.K.tolist()}",
            f"distortions = {view.distortion.tolist()}",
            f"rotation = {(rotation if matrix else to_rotvec(rotation)).tolist()}",
            f"translation = {translation.tolist()}",
            f"fisheye = {str(view.model == 'fisheye').lower()}",
        ]
    return "\n".join(lines) + "\n" + tail


@pytest.fixture
def cameras() -> Cameras:
    return ring(3)


class TestAniposelib:
    def test_pose2sim_is_metres_and_z_up(self, tmp_path, cameras):
        text = anipose_text(cameras, tail="[metadata]\nadjusted = false\nerror = 0.0\n")
        assert_same(read_calibration(write(tmp_path / "calib.toml", text)), cameras)

    def test_freemocap_is_millimetres_by_its_board(self, tmp_path, cameras):
        text = anipose_text(cameras, per_metre=1000, tail="[metadata]\ncharuco_square_size = 58\n")
        assert_same(read_calibration(write(tmp_path / "calib.toml", text)), cameras)

    def test_freemocap_without_its_board_on_the_floor_is_the_first_cameras_world(self, tmp_path, cameras):
        tail = "[metadata]\ncharuco_square_size = 58.0\ngroundplane_calibration = false\n"
        path = write(tmp_path / "calib.toml", anipose_text(cameras, "-y", 1000, tail=tail))
        assert_same(read_calibration(path), cameras)

    def test_a_square_below_one_is_no_millimetre(self, tmp_path, cameras):
        text = anipose_text(cameras, tail="[metadata]\ncharuco_square_size = 0.058\n")
        assert_same(read_calibration(write(tmp_path / "calib.toml", text)), cameras)

    @pytest.mark.parametrize("up", IN_AXES)
    @pytest.mark.parametrize(
        ("units", "per_metre"), [("m", 1), ("cm", 100), ("mm", 1000), ("in", 1 / 0.0254)]
    )
    def test_every_unit_and_axis(self, tmp_path, cameras, up, units, per_metre):
        path = write(tmp_path / "calib.toml", anipose_text(cameras, up, per_metre, matrix=True))
        assert_same(read_calibration(path, units=units, up=up), cameras)
        assert_same(read_calibration(path, units=units.upper(), up=up if up[0] == "-" else f"+{up}"), cameras)

    def test_metadata_is_heeded_and_the_caller_overrides_it(self, tmp_path, cameras):
        tail = '[metadata]\nunits = "cm"\nup = "-y"\n'
        path = write(tmp_path / "calib.toml", anipose_text(cameras, "-y", 100, tail=tail))
        assert_same(read_calibration(path), cameras)
        twice = read_calibration(path, units="in")
        np.testing.assert_allclose(twice[0].centre, 2.54 * cameras[0].centre)

    def test_what_is_written_is_read_back(self, tmp_path):
        odd = 'left "cam"\\ é\n'
        cameras = Cameras(
            (
                camera(odd),
                camera("none", (1, 1.5, 3), ()),
                camera("rational", (3, 1, 0), (0.6, -0.2, 0.001, -0.001, 0.05, 0.9, 0.1, -0.02)),
                camera("fisheye", (-3, 1, 0.1), (0.05, -0.01, 0.004, -0.001), "fisheye"),
            )
        )
        write_aniposelib(tmp_path / "calib.toml", cameras)
        found = read_calibration(tmp_path / "calib.toml")
        assert_same(found, cameras)
        for a, b in zip(found, cameras, strict=True):
            np.testing.assert_array_equal(a.K, b.K)
            np.testing.assert_array_equal(a.distortion, b.distortion)
        assert os.listdir(tmp_path) == ["calib.toml"]

    def test_a_failed_write_keeps_the_old_file(self, tmp_path, cameras, monkeypatch):
        write_aniposelib(tmp_path / "calib.toml", cameras)
        before = (tmp_path / "calib.toml").read_bytes()

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(CalibrationError, match=r"calib.toml: cannot be written: No space left"):
            write_aniposelib(tmp_path / "calib.toml", ring(2))
        assert (tmp_path / "calib.toml").read_bytes() == before
        assert os.listdir(tmp_path) == ["calib.toml"]

    def test_nowhere_to_write(self, tmp_path, cameras):
        with pytest.raises(CalibrationError, match="cannot be written"):
            write_aniposelib(tmp_path / "missing" / "calib.toml", cameras)


CALISCOPE = """
    CreationDate = 2023-03-31T09:56:43.193358

    [{0}0]
    cam_id = 0
    rotation_count = 1
    error = 0.541
    ignore = false
    size = [1280, 720]
    matrix = [[900.0, 0.0, 618.0], [0.0, 905.0, 394.0], [0.0, 0.0, 1.0]]
    distortions = [-0.33, 0.046, -0.0043, 0.0041, 0.0666]
    translation = [0.1, -0.2, 1.0]
    rotation = {1}

    [{0}1]
    cam_id = 1
    rotation_count = 0
    ignore = true
    size = [1280, 720]

    [{0}2]
    cam_id = 2
    rotation_count = 0
    ignore = false
    size = [1280, 720]
    matrix = [[900.0, 0.0, 618.0], [0.0, 905.0, 394.0], [0.0, 0.0, 1.0]]
    distortions = [0.0, 0.0, 0.0, 0.0]
    fisheye = true
    translation = [0.5, 0.0, 1.0]
    rotation = [0.0, 0.0, 0.0]
"""
HALF_TURN_ABOUT_X = "[[1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0]]"


class TestCaliscope:
    @pytest.mark.parametrize("section", ["cameras.", "cam_"])
    @pytest.mark.parametrize("rotation", [HALF_TURN_ABOUT_X, "[3.141592653589793, 0.0, 0.0]"])
    def test_both_layouts_and_both_rotations(self, tmp_path, section, rotation):
        found = read_calibration(write(tmp_path / "array.toml", CALISCOPE.format(section, rotation)))
        assert found.names == ("cam_0", "cam_2")
        assert [c.model for c in found] == ["pinhole", "fisheye"]
        # Looks down from above its z-up world: centre -R^T t = (-0.1, -0.2, 1.0), ours (x, z, -y).
        np.testing.assert_allclose(found["cam_0"].centre, (-0.1, 1.0, 0.2), atol=1e-9)
        np.testing.assert_allclose(found["cam_0"].project(found["cam_0"].centre - (0, 1, 0)), (618, 394))

    def test_a_camera_without_a_pose_says_so(self, tmp_path):
        text = CALISCOPE.format("cameras.", "[0.0, 0.0, 0.0]").replace("translation = [0.5, 0.0, 1.0]", "")
        path = write(tmp_path / "array.toml", text)
        with pytest.raises(CalibrationError, match="camera 'cam_2': translation: is missing"):
            read_calibration(path)
        assert read_calibration(path, poses=False).names == ("cam_0", "cam_2")


QUALISYS = """
    <?xml version='1.0' encoding='ASCII'?>
    <calibration created="today" source="x" type="regular">
      <results std-dev="0.5"/>
      <cameras>
        <camera active="1" model="Miqus Video" serial="21001" viewrotation="90" {1}>
          <fov_video left="10" top="20" right="1097" bottom="1939"/>
          <transform r11="-1" r12="0" r13="0" r21="0" r22="0" r23="1" r31="0" r32="1" r33="0"
                     x="100" y="2000" z="1500"/>
          <intrinsic focallength="9.3" focalLengthU="64000" focalLengthV="64640" centerPointU="35456"
                     centerPointV="62720" skew="0" radialDistortion1="-0.05" radialDistortion2="0.14"
                     radialDistortion3="0.01" tangentalDistortion1="0.001" tangentalDistortion2="-0.002"/>
        </camera>
        <camera active="1" model="Oqus 300" serial="markers only" viewrotation="0"/>
        <camera active="1" model="Miqus Video" serial="21002" viewrotation="0">
          <fov_video left="0" top="0" right="1087" bottom="1919"/>
          <transform r11="1" r12="0" r13="0" r21="0" r22="0" r23="1" r31="0" r32="-1" r33="0"
                     x="0" y="-2000" z="1500"/>
          <intrinsic focalLengthU="64000" focalLengthV="64000" centerPointU="34816" centerPointV="{0}"/>
        </camera>
      </cameras>
    </calibration>
"""


class TestQualisys:
    def test_by_hand(self, tmp_path):
        left, right = read_calibration(write(tmp_path / "Calib.qca.txt", QUALISYS.format("61440", "")))
        assert (left.name, right.name) == ("21001", "21002")
        assert left.size == right.size == (1088, 1920)
        # 64000 / 64; 35456 / 64 - 10 and 62720 / 64 - 20: the frame starts at (10, 20) of the sensor.
        np.testing.assert_allclose(left.K, [[1000, 0, 544], [0, 1010, 960], [0, 0, 1]])
        np.testing.assert_allclose(left.distortion, [-0.05, 0.14, 0.001, -0.002, 0.01])
        np.testing.assert_allclose(right.distortion, 0.0)
        # It stands at (0, -2, 1.5) in metres and z up, so at (0, 1.5, 2), and looks along the z-up +y.
        np.testing.assert_allclose(right.centre, (0.0, 1.5, 2.0), atol=1e-12)
        np.testing.assert_allclose(right.project([0.0, 1.5, 0.0]), (544, 960))
        np.testing.assert_allclose(right.project([0.2, 1.7, 0.0]), (644, 860))  # right and up in the picture
        np.testing.assert_allclose(left.centre, (0.1, 1.5, -2.0), atol=1e-12)

    def test_filmed_at_half_resolution(self, tmp_path):
        text = QUALISYS.format("61440", 'video_resolution="540p"')
        left = read_calibration(write(tmp_path / "a.txt", text))["21001"]
        assert left.size == (544, 960)
        # Pixel 544 of the full picture has its centre at (544 + 0.5) / 2 - 0.5 of the half one.
        np.testing.assert_allclose(left.K, [[500, 0, 271.75], [0, 505, 479.75], [0, 0, 1]])

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ('focalLengthU="64000" focalLengthV="64640"', "", "focal lengths must be above 0"),
            ('r23="1" r31="0" r32="1"', 'r31="0" r32="1"', "camera '21001': transform: r23 is missing"),
            ('x="100"', 'x="far"', "camera '21001': transform: x must be a number, got 'far'"),
            ('r11="-1"', 'r11="1"', "camera '21001': rotation: is mirrored"),
            ('y="2000"', 'y="nan"', "camera_from_world: must be finite"),
        ],
    )
    def test_faults_are_named(self, tmp_path, old, new, message):
        text = QUALISYS.format("61440", "")
        assert old in text
        with pytest.raises(CalibrationError, match=message):
            read_calibration(write(tmp_path / "a.txt", text.replace(old, new, 1)))

    def test_entities_are_refused_before_they_are_expanded(self, tmp_path):
        bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">]><calibration>&c;</calibration>'
        with pytest.raises(CalibrationError, match="DOCTYPE, which is not read for safety"):
            read_calibration(write(tmp_path / "a.xml", bomb))


def opencv_matrix(name: str, array, kind="yaml") -> str:
    array = np.atleast_2d(np.asarray(array, dtype=float))
    rows, cols = array.shape
    numbers = [repr(float(x)) for x in array.ravel()]
    if kind == "xml":
        body = f"<rows>{rows}</rows><cols>{cols}</cols><dt>d</dt><data>{' '.join(numbers)}</data>"
        return f'<{name} type_id="opencv-matrix">{body}</{name}>\n'
    data = ", ".join(numbers)
    return f"{name}: !!opencv-matrix\n   rows: {rows}\n   cols: {cols}\n   dt: d\n   data: [ {data} ]\n"


def opencv_text(
    view: Camera, names="camera_matrix distortion_coefficients rvec tvec", kind="yaml", size=True
):
    rotation, translation = in_file(view, "z", 1.0)
    values = view.K, view.distortion[:, None], to_rotvec(rotation)[:, None], translation[:, None]
    body = "".join(opencv_matrix(n, v, kind) for n, v in zip(names.split(), values, strict=True))
    if size and kind == "xml":
        body += f"<image_width>{view.size[0]}</image_width><image_height>{view.size[1]}</image_height>"
    elif size:
        body += f"image_width: {view.size[0]}\nimage_height: {view.size[1]}\n"
    return body


class TestOpenCV:
    def test_a_folder_of_files_is_read_by_their_names(self, tmp_path, cameras):
        for view in cameras:
            write(tmp_path / f"{view.name}.yml", "%YAML:1.0\n---\n" + opencv_text(view))
        assert_same(read_calibration(tmp_path), cameras)

    def test_xml_and_other_key_names(self, tmp_path, cameras):
        for view in cameras:
            body = opencv_text(view, "K dist R T", "xml")
            write(
                tmp_path / f"{view.name}.xml", f'<?xml version="1.0"?><opencv_storage>{body}</opencv_storage>'
            )
        assert_same(read_calibration(tmp_path), cameras)

    def test_several_cameras_in_one_file(self, tmp_path, cameras):
        text = "%YAML:1.0\n---\n"
        for view in cameras:
            n = view.name
            text += opencv_text(view, f"K_{n} dist_{n} R_{n} T_{n}", size=False)
        sizes = {view.name: view.size for view in cameras}
        assert_same(read_calibration(write(tmp_path / "all.yml", text), sizes=sizes), cameras)

    def test_what_opencv_itself_writes(self, tmp_path, cameras):
        cv2 = pytest.importorskip("cv2")
        for view, suffix in zip(cameras, ("yml", "xml", "yaml"), strict=True):
            rotation, translation = in_file(view, "z", 1.0)
            storage = cv2.FileStorage(str(tmp_path / f"{view.name}.{suffix}"), cv2.FILE_STORAGE_WRITE)
            storage.write("image_width", view.size[0])
            storage.write("image_height", view.size[1])
            storage.write("camera_matrix", view.K)
            storage.write("distortion_coefficients", np.append(view.distortion, np.zeros(9)))
            storage.write("rotation_matrix", rotation)
            storage.write("tvec", translation)
            storage.release()
        assert_same(read_calibration(tmp_path), cameras)

    def test_other_files_in_the_folder_are_passed_over(self, tmp_path, cameras):
        for view in cameras:
            write(tmp_path / f"{view.name}.yml", "%YAML:1.0\n---\n" + opencv_text(view))
        write(tmp_path / "cams.yaml", "views:\n  - {name: cam1, video: cam1.mp4}\n")
        write(tmp_path / "other.xml", "<html/>")
        assert_same(read_calibration(tmp_path), cameras)
        write(tmp_path / "cam4.yml", "%YAML:1.0\n---\nK: [1,\n")
        with pytest.raises(CalibrationError, match=r"cam4.yml: no OpenCV FileStorage"):
            read_calibration(tmp_path)

    def test_fisheye_as_opencvs_sample_says_it(self, tmp_path):
        view = camera("cam", distortion=(0.05, -0.01, 0.004, -0.001), model="fisheye")
        text = "%YAML:1.0\n---\nfisheye_model: 1\n" + opencv_text(view)
        assert_same(read_calibration(write(tmp_path / "cam.yml", text)), Cameras((view,)))

    def test_intrinsics_alone(self, tmp_path, cameras):
        rotation_less = opencv_text(cameras[0]).split("rvec")[0] + "image_width: 720\nimage_height: 540\n"
        path = write(tmp_path / "phone.yml", "%YAML:1.0\n---\n" + rotation_less)
        with pytest.raises(CalibrationError, match="camera 'phone': rotation: is missing"):
            read_calibration(path)
        np.testing.assert_array_equal(read_calibration(path, poses=False)["phone"].K, cameras[0].K)

    def test_nan_as_opencv_writes_it(self, tmp_path, cameras):
        text = opencv_text(cameras[0]).replace("620.0", ".Nan")
        with pytest.raises(CalibrationError, match="camera 'cam': K: must be finite"):
            read_calibration(write(tmp_path / "cam.yml", "%YAML:1.0\n---\n" + text))

    def test_size_is_asked_for(self, tmp_path, cameras):
        path = write(tmp_path / "cam.yml", "%YAML:1.0\n---\n" + opencv_text(cameras[0], size=False))
        with pytest.raises(CalibrationError, match="camera 'cam': size: is missing"):
            read_calibration(path)
        assert read_calibration(path, sizes={"cam": (64, 48)})["cam"].size == (64, 48)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("%YAML:1.0\n---\nK: [1, 2\n", "no OpenCV FileStorage that can be read"),
            ("%YAML:1.0\n---\n- 1\n", "without named values"),
            (
                "%YAML:1.0\nK: !!python/object/apply:os.system [ls]\n",
                "no OpenCV FileStorage that can be read",
            ),
            ("K: !!opencv-matrix\n  rows: 2\n  cols: 2\n  data: [1.]\n", "rows, cols and data do not fit"),
            ("<opencv_storage><K type_id='opencv-matrix'/></opencv_storage>", "do not fit together"),
            ("<opencv_storage>", "no XML that can be read"),
            ("%YAML:1.0\n---\ndate: 2001-13-45\n", "no OpenCV FileStorage that can be read"),
            ("%YAML:1.0\n---\na: " + "[" * 1500 + "\n", "no OpenCV FileStorage that can be read"),
            ("a = " + "[" * 5000 + "\n", "neither TOML"),
            ("a = " + "9" * 5000 + "\n", "neither TOML"),
        ],
    )
    def test_damage_is_one_line(self, tmp_path, text, message):
        with pytest.raises(CalibrationError, match=message) as caught:
            read_calibration(write(tmp_path / "cam.yml", text))
        assert "\n" not in str(caught.value)


def easymocap(folder, cameras: Cameras, rotation_name="R", sizes=True) -> None:
    names = "names:\n" + "".join(f'  - "{c.name}"\n' for c in cameras)
    intri, extri = "%YAML:1.0\n---\n" + names, "%YAML:1.0\n---\n" + names
    for view in cameras:
        rotation, translation = in_file(view, "z", 1.0)
        intri += opencv_matrix(f"K_{view.name}", view.K) + opencv_matrix(f"dist_{view.name}", view.distortion)
        if sizes:
            intri += f"H_{view.name}: {view.size[1]}\nW_{view.name}: {view.size[0]}\n"
        turn = to_rotvec(rotation)[:, None] if rotation_name == "R" else rotation
        extri += opencv_matrix(f"{rotation_name}_{view.name}", turn)
        extri += opencv_matrix(f"T_{view.name}", translation[:, None])
    write(folder / "intri.yml", intri)
    write(folder / "extri.yml", extri)


class TestEasyMocap:
    @pytest.mark.parametrize("rotation_name", ["R", "Rot"])
    @pytest.mark.parametrize("given_path", [".", "intri.yml", "extri.yml"])
    def test_the_folder_or_either_file(self, tmp_path, cameras, rotation_name, given_path):
        easymocap(tmp_path, cameras, rotation_name)
        assert_same(read_calibration(tmp_path / given_path), cameras)

    def test_without_sizes(self, tmp_path, cameras):
        easymocap(tmp_path, cameras, sizes=False)
        with pytest.raises(CalibrationError, match="camera 'cam1': size: is missing"):
            read_calibration(tmp_path)
        assert_same(read_calibration(tmp_path, sizes={c.name: c.size for c in cameras}), cameras)

    def test_one_file_alone(self, tmp_path, cameras):
        easymocap(tmp_path, cameras)
        (tmp_path / "extri.yml").unlink()
        with pytest.raises(CalibrationError, match=r"extri.yml is missing beside it"):
            read_calibration(tmp_path / "intri.yml")

    def test_a_name_without_numbers(self, tmp_path, cameras):
        easymocap(tmp_path, cameras)
        text = (tmp_path / "extri.yml").read_text().replace("T_cam2", "T_other")
        write(tmp_path / "extri.yml", text)
        with pytest.raises(CalibrationError, match="camera 'cam2': translation: is missing"):
            read_calibration(tmp_path)


class TestDoor:
    def refused(self, path, message, **arguments):
        with pytest.raises(CalibrationError, match=message) as caught:
            read_calibration(path, **arguments)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)

    def test_missing(self, tmp_path):
        self.refused(tmp_path / "calib.toml", "there is no such calibration file")

    @pytest.mark.parametrize(
        "content", [b"", b"a = 1\n", b"[tool]\nx = 2\n", b"<html/>", b"%YAML:1.0\n---\na: 1\n"]
    )
    def test_unknown(self, tmp_path, content):
        (tmp_path / "calib.toml").write_bytes(content)
        self.refused(tmp_path / "calib.toml", r"known are aniposelib .*EasyMocap.*OpenCV.*Qualisys")

    def test_empty_folder(self, tmp_path):
        self.refused(tmp_path, "known are aniposelib")

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00\x01", b"hello there\n", b"\x00" * 40])
    def test_no_text(self, tmp_path, content):
        (tmp_path / "calib.toml").write_bytes(content)
        self.refused(tmp_path / "calib.toml", "not a text file|neither TOML")

    def test_far_too_large(self, tmp_path):
        with open(tmp_path / "calib.toml", "wb") as file:
            file.truncate(17 * 2**20)
        self.refused(tmp_path / "calib.toml", "larger than 16 MB")

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("size = [720.0, 540.0]\n", "", "camera 'cam1': size: is missing"),
            ("matrix = ", "matri = ", "camera 'cam1': matrix: is missing"),
            ("[620.0, 0.0", "[nan, 0.0", "camera 'cam1': K: must be finite"),
            ("[620.0, 0.0, 363.5], ", "", r"camera 'cam1': K: must have shape \(3, 3\), got \(2, 3\)"),
            ("[620.0, 0.0, 363.5]", "[620.0, 363.5]", "camera 'cam1': K: must be numbers"),
            ("[620.0, 0.0", "[1" + "0" * 400 + ", 0.0", "camera 'cam1': K: must be numbers"),
            ("distortions = [-0.28", "distortions = [inf", "camera 'cam1': distortion: must be finite"),
            ("distortions = [-0.28", "distortions = [1.0, -0.28", "has 0 or 4 or 5 or 8 coefficients, got 6"),
            (
                "rotation = [",
                "rotation = [0.0, ",
                "camera 'cam1': rotation: must be 3 finite numbers or 3 x 3",
            ),
            ("translation = [", "translation = [1.0, ", "camera 'cam1': translation: must be 3 numbers"),
            ('name = "cam2"', 'name = "cam1"', "names must differ, got 'cam1' more than once"),
        ],
    )
    def test_faults_are_named(self, tmp_path, cameras, old, new, message):
        text = anipose_text(cameras)
        assert old in text
        self.refused(write(tmp_path / "calib.toml", text.replace(old, new, 1)), message)

    def test_unit_and_axis_that_are_none(self, tmp_path, cameras):
        path = write(tmp_path / "calib.toml", anipose_text(cameras))
        self.refused(path, "units: must be one of m, cm, mm, in, got 'feet'", units="feet")
        self.refused(path, "up: must be one of y, z, x, -y, -z, -x, got 'w'", up="w")

    @pytest.mark.parametrize(
        ("per_metre", "units", "advice"),
        [(1000, "m", "units mm would make sense"), (1, "mm", "units m would make sense")],
    )
    def test_a_wrong_unit_is_noticed(self, tmp_path, cameras, per_metre, units, advice):
        path = write(tmp_path / "calib.toml", anipose_text(cameras, per_metre=per_metre))
        self.refused(path, advice, units=units)

    def test_one_camera_has_no_distances(self, tmp_path):
        path = write(tmp_path / "calib.toml", anipose_text(ring(1)))
        assert len(read_calibration(path)) == 1


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_no_file_makes_a_traceback(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "calib"
    path.write_bytes(content)
    with pytest.raises(CalibrationError):
        read_calibration(path)
