"""Cameras that are off and sides that are exchanged do not hide each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.camera import Camera, Cameras
from calibration.rotation import from_rotvec
from mocap.keypoints import load_layout
from mocap.observations import Observations
from mocap.refining import COMMON, common_rows, refine_cameras, typical_heights
from mocap.swaps import repair_swaps
from tests.calibration.synthetic import ring
from tests.synth import noisy
from tests.synth_take import LAYOUT, marching, observed

FRAMES = 60


def scene() -> tuple[Cameras, Observations]:
    """Straight cameras, a person with a detector's scatter, the second view exchanged for a while."""
    cameras = ring(4, distortion=())
    seen = observed(cameras, [marching(FRAMES)] * 4)
    sd = 0.01 * np.median(seen.heights())
    seen = replace(seen, pixels=noisy(seen.pixels, sd, np.random.default_rng(1)))
    mask = np.zeros(seen.confidence.shape, bool)
    mask[1, 20:45] = True
    return cameras, seen.with_sides(mask)


def nudged(camera: Camera, degrees: float) -> Camera:
    pose = np.eye(4)
    pose[:3, :3] = from_rotvec(np.radians(degrees) * np.array([0.6, 0.8, 0.0]))
    return replace(camera, camera_from_world=pose @ camera.camera_from_world)


def test_the_common_landmarks_are_seventeen_that_mirror_onto_themselves() -> None:
    layout = load_layout("blazepose33")
    rows = common_rows(layout)
    assert [layout.landmarks[row] for row in rows] == list(COMMON)
    assert len(rows) == 17
    assert sorted(int(layout.mirror[row]) for row in rows) == sorted(rows)


def test_right_cameras_stay_and_sides_are_put_back() -> None:
    cameras, seen = scene()
    refined, repaired, swaps = refine_cameras(seen, cameras)
    assert refined.cameras is cameras
    assert swaps.count()["cam2"] == {"whole": 25, "legs": 0, "arms": 0}
    np.testing.assert_array_equal(repaired.pixels, repair_swaps(seen, cameras)[0].pixels)


@pytest.mark.slow
def test_a_nudged_camera_is_brought_back_though_sides_were_exchanged() -> None:
    true, seen = scene()
    given = Cameras((*true.cameras[:3], nudged(true[3], 2.0)))
    refined, _, swaps = refine_cameras(seen, given)
    assert refined.helped
    assert swaps.count()["cam2"]["whole"] == 25
    assert sum(sum(kinds.values()) for kinds in swaps.count().values()) == 25
    assert max(refined.moves, key=lambda move: move.share).name == "cam4"
    assert refined.after.median < 0.5 * refined.before.median


def test_a_view_that_sees_nobody_has_the_height_of_the_others() -> None:
    _, seen = scene()
    blind = replace(seen, pixels=np.where(np.arange(4)[:, None, None, None] == 2, np.nan, seen.pixels))
    heights = typical_heights(blind)
    assert heights[2] == pytest.approx(np.median(heights[[0, 1, 3]]))
    assert LAYOUT.index("nose") in common_rows(LAYOUT)
