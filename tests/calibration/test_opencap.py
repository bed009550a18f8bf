from __future__ import annotations

import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calibration import CalibrationError, Cameras
from calibration.files import read_calibration
from tests.calibration.same import assert_same
from tests.calibration.synthetic import camera, ring

NAME = "cameraIntrinsicsExtrinsics.pickle"


def opencap(view) -> dict:
    """What OpenCap keeps of a camera; its board's y points down, its z away: our x, y, z are x, -y, -z."""
    pose = view.camera_from_world
    return {
        "distortion": view.distortion[None],
        "intrinsicMat": view.K,
        "imageSize": np.array(view.size[::-1], dtype=float)[:, None],
        "rotation": pose[:3, :3] @ np.diag([1.0, -1.0, -1.0]),
        "translation": 1000 * pose[:3, 3:],
        "rotation_EulerAngles": np.zeros((3, 1)),
    }


@pytest.fixture
def cameras() -> Cameras:
    return ring(11)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_folder_of_cameras(tmp_path, cameras, protocol):
    for number, view in enumerate(cameras):
        (tmp_path / f"Cam{number}").mkdir()
        (tmp_path / f"Cam{number}" / NAME).write_bytes(pickle.dumps(opencap(view), protocol))
    found = read_calibration(tmp_path)
    assert found.names == tuple(f"Cam{number}" for number in range(11))  # as they count, not as they spell
    np.testing.assert_allclose([c.centre for c in found], [c.centre for c in cameras])
    assert_same(read_calibration(tmp_path / "Cam3" / NAME), Cameras((replace(cameras[3], name="Cam3"),)))


def test_files_beside_each_other(tmp_path, cameras):
    for view in cameras:
        (tmp_path / f"{view.name}.pickle").write_bytes(pickle.dumps(opencap(view)))
    assert_same(read_calibration(tmp_path), cameras)


def test_a_board_on_the_floor(tmp_path):
    """Then its z points into the floor: up is -z."""
    view = camera("a")
    said = opencap(view)
    said["rotation"] = view.camera_from_world[:3, :3] @ np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(said))
    assert_same(read_calibration(tmp_path / "a.pickle", up="-z"), Cameras((view,)))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f8", ">f8", "<f4", "<i8", "<u2", "|i1", "|b1"])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_of_any_kind(tmp_path, protocol, dtype, order):
    matrix = np.array([[100, 0, 40], [0, 101, 30], [0, 0, 1]], dtype=dtype, order=order)
    said = {
        **opencap(camera("a")),
        "intrinsicMat": matrix,
        "note": "x",
        "n": 3,
        "list": [1, 2],
        "s": np.float64(2),
    }
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(said, protocol))
    np.testing.assert_array_equal(read_calibration(tmp_path / "a.pickle")["a"].K, matrix)


class Trap:
    """Would write a file where it was unpickled."""

    def __init__(self, path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nothing_is_run(tmp_path, protocol):
    raw = pickle.dumps({**opencap(camera("a")), "x": Trap(tmp_path / "trap")}, protocol)
    (tmp_path / "a.pickle").write_bytes(raw)
    with pytest.raises(CalibrationError, match=r"only dictionaries of numbers are read, for safety; .*mkdir"):
        read_calibration(tmp_path / "a.pickle")
    assert not (tmp_path / "trap").exists()
    pickle.loads(raw)  # the trap works
    assert (tmp_path / "trap").exists()


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {1: 2},
        {"a": np.array([object()], dtype=object)},
        {"a": np.zeros(2, dtype=[("x", "f8")])},
        {"a": {1, 2}},
        "text",
        {"a": np.array(["text"])},
    ],
)
def test_what_is_no_dictionary_of_numbers_is_refused(tmp_path, content):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(content))
    with pytest.raises(
        CalibrationError, match="a pickle, of which only dictionaries of numbers are read"
    ) as caught:
        read_calibration(tmp_path / "a.pickle")
    assert "\n" not in str(caught.value)


def test_another_dictionary_is_no_calibration(tmp_path):
    (tmp_path / "a.pickle").write_bytes(pickle.dumps({"weights": np.zeros(3)}))
    with pytest.raises(CalibrationError, match="not a calibration that is known here"):
        read_calibration(tmp_path / "a.pickle")


@pytest.mark.parametrize("missing", ["imageSize", "rotation", "translation"])
def test_what_is_missing_is_named(tmp_path, missing):
    said = opencap(camera("a"))
    del said[missing]
    (tmp_path / "a.pickle").write_bytes(pickle.dumps(said))
    field = missing.replace("imageSize", "size")
    with pytest.raises(CalibrationError, match=f"camera 'a': {field}: is missing"):
        read_calibration(tmp_path / "a.pickle")


@given(st.data())
def test_no_pickle_makes_a_traceback(tmp_path_factory, data):
    """Any bytes, and a real pickle with some of them changed or cut off."""
    raw = bytearray(pickle.dumps(opencap(camera("a")), data.draw(st.integers(2, 5))))
    if data.draw(st.booleans()):
        raw[2:] = data.draw(st.binary(max_size=60))
    else:
        for place, value in data.draw(st.lists(st.tuples(st.integers(2, len(raw) - 1), st.integers(0, 255)))):
            raw[place] = value
        del raw[data.draw(st.integers(2, len(raw))) :]
    path = tmp_path_factory.mktemp("any") / "a.pickle"
    path.write_bytes(raw)
    try:
        read_calibration(path)
    except CalibrationError as error:
        assert "\n" not in str(error)
