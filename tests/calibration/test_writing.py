from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
import tomllib
import yaml

from calibration import CalibrationError, Camera, Cameras
from calibration.files import FORMATS, read_calibration, read_offsets, write_aniposelib, write_calibration
from tests.calibration.same import assert_equal, write
from tests.calibration.synthetic import camera, look_at, people, ring

FOLDERS = ("easymocap", "opencv", "colmap")
RATIONAL = (0.6, -0.2, 0.001, -0.001, 0.05, 0.9, 0.1, -0.02)
FISHEYE = (0.05, -0.01, 0.004, -0.001)

LENSES = {
    "none": camera("cam1", distortion=()),
    "four": camera("cam1", distortion=(-0.2, 0.05, 0.001, -0.002)),
    "five": camera("cam1"),
    "rational": camera("cam1", distortion=RATIONAL),
    "fisheye": camera("cam1", distortion=FISHEYE, model="fisheye"),
    "oblong pixels": Camera(
        "cam1",
        (1920, 1081),
        [[1410.123456789, 0, 955.25], [0, 1333.3, 541.75], [0, 0, 1]],
        np.zeros(5),
        look_at((2, 2.2, -3)),
    ),
    "half a turn": replace(camera("cam1"), camera_from_world=np.diag([1.0, -1.0, -1.0, 1.0])),
}
REFUSED = {
    ("fisheye", "pose2sim"),
    ("fisheye", "easymocap"),
    ("rational", "caliscope"),
}


def place(tmp_path, form: str):
    return tmp_path / ("rig" if form in FOLDERS else "rig.toml")


def with_second(lens: Camera) -> Cameras:
    return Cameras((lens, camera("cam2", (3.0, 1.4, 1.0), ())))


class TestRoundTrips:
    @pytest.mark.parametrize("lens", LENSES)
    @pytest.mark.parametrize("form", FORMATS)
    def test_what_is_written_is_read_back(self, tmp_path, form, lens):
        cameras, path = with_second(LENSES[lens]), place(tmp_path, form)
        if (lens, form) in REFUSED:
            with pytest.raises(
                CalibrationError, match=r"camera 'cam1': distortion: .*write aniposelib or colmap"
            ):
                write_calibration(path, cameras, form)
            assert os.listdir(tmp_path) == []
            return
        files = write_calibration(path, cameras, form)
        assert all(file.is_file() for file in files)
        for given in {path, *(f for f in files if form != "opencv" and f.name != "points3D.txt")}:
            assert_equal(read_calibration(given), cameras)

    @pytest.mark.parametrize("form", FORMATS)
    def test_from_any_format_to_any_other(self, tmp_path, form):
        cameras, found = ring(3), ring(3)
        for step, other in enumerate((form, *FORMATS, form)):
            path = place(tmp_path, other).with_stem(f"rig{step}")
            write_calibration(path, found, other)
            found = read_calibration(path)
        assert_equal(found, cameras)

    @pytest.mark.parametrize("form", FORMATS)
    def test_a_dozen_cameras_keep_their_order(self, tmp_path, form):
        cameras = ring(12)
        write_calibration(place(tmp_path, form), cameras, form)
        assert_equal(read_calibration(place(tmp_path, form)), cameras)

    @pytest.mark.parametrize("form", ["aniposelib", "pose2sim", "freemocap", "caliscope", "opencv"])
    def test_names_may_be_odd(self, tmp_path, form):
        cameras = Cameras(
            (camera('left "cam"\\ é\n'), camera("metadata", (3, 1, 0)), camera("c.1", (1, 1, 3)))
        )
        write_calibration(place(tmp_path, form), cameras, form)
        found = read_calibration(place(tmp_path, form))
        assert sorted(found.names) == sorted(cameras.names)
        assert_equal(found.select(cameras.names), cameras)

    @pytest.mark.parametrize("suffix", [".yml", ".yaml", ".xml"])
    @pytest.mark.parametrize("count", [1, 3])
    def test_opencv_in_one_file(self, tmp_path, suffix, count):
        fish = Cameras((camera("fish", (1, 2, 3), FISHEYE, "fisheye"), *ring(3)))
        cameras = Cameras(tuple(fish)[:count])
        assert write_calibration(tmp_path / f"rig{suffix}", cameras) == (tmp_path / f"rig{suffix}",)
        assert_equal(read_calibration(tmp_path / f"rig{suffix}"), cameras)


class TestPaths:
    @pytest.mark.parametrize(
        ("name", "same_as"),
        [
            ("rig.toml", "aniposelib"),
            ("camera_array.toml", "caliscope"),
            ("intri.yml", "easymocap"),
            ("cameras.txt", "colmap"),
        ],
    )
    def test_the_name_tells_the_format(self, tmp_path, name, same_as):
        folders = tmp_path / "a", tmp_path / "b"
        for folder, form in zip(folders, (None, same_as), strict=True):
            folder.mkdir()
            write_calibration(folder / name, ring(2), form)
        texts = [{f.name: f.read_text() for f in folder.iterdir()} for folder in folders]
        assert texts[0] == texts[1]

    @pytest.mark.parametrize("form", [None, "qualisys", "fbx"])
    def test_an_unknown_format_lists_those_there_are(self, tmp_path, form):
        with pytest.raises(CalibrationError, match=r"rig: .*choose one of aniposelib, pose2sim, .*colmap$"):
            write_calibration(tmp_path / "rig", ring(2), form)

    def test_every_format_has_a_line_for_the_help(self):
        assert next(iter(FORMATS)) == "aniposelib"
        assert all(line and "\n" not in line for line in FORMATS.values())


class TestRefusals:
    def refused(self, message, path, cameras, form):
        with pytest.raises(CalibrationError, match=message) as caught:
            write_calibration(path, cameras, form)
        assert "\n" not in str(caught.value)
        assert not path.exists()

    def test_colmap_has_no_skew(self, tmp_path):
        skew = replace(camera("cam1"), K=[[600, 1.5, 320], [0, 600, 240], [0, 0, 1]])
        self.refused("camera 'cam1': K: COLMAP has no skew", tmp_path / "rig", Cameras((skew,)), "colmap")
        write_calibration(tmp_path / "rig.toml", Cameras((skew,)))
        np.testing.assert_array_equal(read_calibration(tmp_path / "rig.toml")[0].K, skew.K)

    @pytest.mark.parametrize("name", ["a/b", " a", "#a", "a\nb", ""])
    def test_colmap_names_are_files(self, tmp_path, name):
        self.refused("name: must be a file's", tmp_path / "rig", Cameras((camera(name),)), "colmap")

    def test_easymocap_names_are_keys(self, tmp_path):
        message = "camera 'my cam': name: must be letters, digits, _ and -"
        self.refused(message, tmp_path / "rig", Cameras((camera("my cam"),)), "easymocap")

    def test_opencv_names_in_one_file_are_keys(self, tmp_path):
        cameras = Cameras((camera("my cam"), camera("b", (1, 2, 3))))
        self.refused("no name for a key in one file; give a folder", tmp_path / "rig.yml", cameras, "opencv")

    def test_opencv_names_in_a_folder_are_files(self, tmp_path):
        cameras = Cameras((camera("a b"), camera("a.b", (1, 2, 3))))
        self.refused("too alike for files: a b, a.b", tmp_path / "rig", cameras, "opencv")


class TestAtomic:
    @pytest.mark.parametrize("form", FORMATS)
    def test_a_failed_write_keeps_what_was_there(self, tmp_path, form, monkeypatch):
        path = place(tmp_path, form)
        write_calibration(path, ring(2), form)
        before = {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()}

        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "replace", full)
        with pytest.raises(CalibrationError, match="cannot be written: No space left"):
            write_calibration(path, ring(3), form)
        assert {f: f.read_bytes() for f in tmp_path.rglob("*") if f.is_file()} == before

    @pytest.mark.parametrize("form", FOLDERS)
    def test_a_new_folder_appears_whole_or_not_at_all(self, tmp_path, form, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "rename", full)
        with pytest.raises(CalibrationError, match="cannot be written: No space left"):
            write_calibration(tmp_path / "rig", ring(2), form)
        assert os.listdir(tmp_path) == []

    @pytest.mark.parametrize("form", FORMATS)
    def test_nowhere_to_write(self, tmp_path, form):
        with pytest.raises(CalibrationError, match="cannot be written"):
            write_calibration(place(tmp_path / "missing", form), ring(2), form)

    def test_other_files_in_the_folder_stay(self, tmp_path):
        write(tmp_path / "notes.md", "mine")
        write_calibration(tmp_path, ring(2), "colmap")
        assert (tmp_path / "notes.md").read_text() == "mine"
        assert sorted(os.listdir(tmp_path)) == ["cameras.txt", "images.txt", "notes.md", "points3D.txt"]


def z_up(points: np.ndarray) -> np.ndarray:
    """Ours in a world with z up, by hand."""
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


def opencv_pixels(points, matrix, distortion, rvec, tvec, fisheye=False):
    cv2 = pytest.importorskip("cv2")
    project = cv2.fisheye.projectPoints if fisheye else cv2.projectPoints
    arguments = (np.asarray(rvec), np.asarray(tvec), np.asarray(matrix), np.asarray(distortion))
    if fisheye:
        return project(points[:, None], arguments[0], arguments[1], arguments[2], arguments[3])[0][:, 0]
    return project(points, *arguments)[0][:, 0]


class TestIndependentReaders:
    """Each file taken as its own program takes it: pixels by OpenCV, of points in that program's world."""

    points = people(np.random.default_rng(1), 20)

    def assert_pixels(self, view, per_metre, matrix, distortion, rvec, tvec, fisheye=False):
        found = opencv_pixels(per_metre * z_up(self.points), matrix, distortion, rvec, tvec, fisheye)
        np.testing.assert_allclose(found, view.project(self.points), atol=1e-6)

    @pytest.mark.parametrize(("form", "per_metre"), [("pose2sim", 1), ("freemocap", 1000), ("caliscope", 1)])
    def test_toml(self, tmp_path, form, per_metre):
        cameras = ring(3)
        (path,) = write_calibration(tmp_path / "rig.toml", cameras, form)
        tables = tomllib.loads(path.read_text())
        tables = tables.get("cameras", tables)
        tables.pop("metadata", None)
        for table, view in zip(tables.values(), cameras, strict=True):
            assert [int(side) for side in table["size"]] == list(view.size)
            values = (table[k] for k in ("matrix", "distortions", "rotation", "translation"))
            self.assert_pixels(view, per_metre, *(np.array(v, dtype=float) for v in values))

    def test_freemocaps_own_place_of_the_camera(self, tmp_path):
        cameras = ring(2)
        (path,) = write_calibration(tmp_path / "rig.toml", cameras, "freemocap")
        table = tomllib.loads(path.read_text())["cam_0"]
        np.testing.assert_allclose(table["world_position"], 1000 * z_up(cameras[0].centre))
        ahead = z_up(cameras[0].camera_from_world[2, :3])
        np.testing.assert_allclose(np.array(table["world_orientation"])[:, 2], ahead)

    @pytest.mark.parametrize("fisheye", [False, True])
    @pytest.mark.parametrize("suffix", [".yml", ".xml"])
    def test_opencv(self, tmp_path, suffix, fisheye):
        cv2 = pytest.importorskip("cv2")
        view = camera(
            "left é", distortion=FISHEYE if fisheye else RATIONAL, model="fisheye" if fisheye else "pinhole"
        )
        (path,) = write_calibration(tmp_path / f"left{suffix}", Cameras((view,)))
        storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
        assert storage.getNode("camera_name").string() == view.name
        assert storage.getNode("image_width").real() == view.size[0]
        assert storage.getNode("fisheye_model").real() == fisheye
        names = ("camera_matrix", "distortion_coefficients", "rvec", "tvec")
        self.assert_pixels(view, 1, *(storage.getNode(n).mat() for n in names), fisheye)

    def test_easymocap(self, tmp_path):
        cv2 = pytest.importorskip("cv2")
        cameras = ring(2)
        files = write_calibration(tmp_path / "rig", cameras, "easymocap")
        intri, extri = (cv2.FileStorage(str(file), cv2.FILE_STORAGE_READ) for file in files)
        names = intri.getNode("names")
        assert tuple(names.at(i).string() for i in range(names.size())) == cameras.names
        for view in cameras:
            n = view.name
            assert (intri.getNode(f"W_{n}").real(), intri.getNode(f"H_{n}").real()) == view.size
            matrix, distortion = (intri.getNode(f"{key}_{n}").mat() for key in ("K", "dist"))
            assert distortion.shape == (1, 5)
            rvec, rotation, tvec = (extri.getNode(f"{key}_{n}").mat() for key in ("R", "Rot", "T"))
            np.testing.assert_allclose(cv2.Rodrigues(rvec)[0], rotation, atol=1e-12)
            self.assert_pixels(view, 1, matrix, distortion, rvec, tvec)

    def test_storages_are_yaml_to_pyyaml_too(self, tmp_path):
        (path,) = write_calibration(tmp_path / "left.yml", Cameras((camera("left"),)))
        text = path.read_text().split("\n", 1)[1].replace("!!opencv-matrix", "")
        np.testing.assert_array_equal(yaml.safe_load(text)["tvec"]["data"], camera().camera_from_world[:3, 3])

    def test_colmap(self, tmp_path):
        cv2 = pytest.importorskip("cv2")
        cameras = Cameras((camera("cam1"), camera("cam2", (3, 1, 0), RATIONAL)))
        files = write_calibration(tmp_path / "rig", cameras, "colmap")
        rows = [[x.split() for x in f.read_text().splitlines() if x and x[0] != "#"] for f in files[:2]]
        for lens, image, view in zip(*rows, cameras, strict=True):
            assert lens[:4] == [image[8], "FULL_OPENCV", "720", "540"]
            assert image[9] == f"{view.name}.png"
            fx, fy, cx, cy, *k = map(float, lens[4:])
            matrix = np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
            w, *xyz = map(float, image[1:5])
            rvec = 2 * np.arccos(w) * np.array(xyz) / np.linalg.norm(xyz)
            seen = cv2.projectPoints(self.points, rvec, np.array(image[5:8], float), matrix, np.array(k))[0]
            # COLMAP counts from the corner of the first pixel, we from its centre.
            np.testing.assert_allclose(seen[:, 0] - 0.5, view.project(self.points), atol=1e-6)

    def test_pose2sims_shape(self, tmp_path):
        (path,) = write_calibration(tmp_path / "rig.toml", Cameras((LENSES["four"],)), "pose2sim")
        tables = tomllib.loads(path.read_text())
        assert list(tables) == ["cam_1", "metadata"]
        assert tables["cam_1"]["fisheye"] is False
        assert len(tables["cam_1"]["distortions"]) == 4
        assert set(map(type, tables["cam_1"]["size"])) == {float}

    def test_caliscopes_numbers_are_those_of_the_names(self, tmp_path):
        (path,) = write_calibration(tmp_path / "camera_array.toml", ring(2))
        tables = tomllib.loads(path.read_text())["cameras"]
        assert {key: table["cam_id"] for key, table in tables.items()} == {"1": 1, "2": 2}
        assert all(len(table["distortions"]) == 5 for table in tables.values())


class TestOffsets:
    def test_they_are_read_back_and_the_cameras_are_the_same(self, tmp_path):
        cameras, path = ring(3), tmp_path / "rig.toml"
        write_aniposelib(path, cameras, {"cam1": 0.25, "cam3": -1 / 3})
        assert read_offsets(path) == {"cam1": 0.25, "cam3": -1 / 3}
        assert_equal(read_calibration(path), cameras)

    @pytest.mark.parametrize("form", FORMATS)
    def test_a_file_that_does_not_say_has_none(self, tmp_path, form):
        write_calibration(place(tmp_path, form), ring(2), form)
        assert read_offsets(place(tmp_path, form)) == {}

    @pytest.mark.parametrize("value", ['"soon"', "nan", "inf", "true", "[1.0]"])
    def test_what_is_no_number_is_refused(self, tmp_path, value):
        path = tmp_path / "rig.toml"
        write_aniposelib(path, ring(2), {"cam2": 0.5})
        write(path, path.read_text().replace("offset = 0.5", f"offset = {value}"))
        with pytest.raises(CalibrationError, match=r"rig.toml: camera 'cam2': offset: must be a number"):
            read_offsets(path)

    @pytest.mark.parametrize(
        ("offsets", "message"),
        [
            ({"cam9": 0.1}, "offset of 'cam9': there is no such camera, only cam1, cam2"),
            ({"cam1": float("nan")}, "camera 'cam1': offset: must be a number of seconds, got nan"),
        ],
    )
    def test_nothing_odd_is_written(self, tmp_path, offsets, message):
        with pytest.raises(CalibrationError, match=message):
            write_aniposelib(tmp_path / "rig.toml", ring(2), offsets)
        assert not (tmp_path / "rig.toml").exists()
