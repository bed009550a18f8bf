"""The example in the repository, through BlazePose: what a user's first capture gives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from calibration.files import read_calibration
from calibration.rotation import to_rotvec
from mocap.cameras import cameras_for
from mocap.config import Subject, load_views
from mocap.export import export
from mocap.people import read_motion_of
from mocap.pipeline import capture
from mocap.take import Take
from mocap.video import probe
from rigs.formats.bvh import read_bvh

pytestmark = pytest.mark.slow
VIEWS = Path(__file__).parents[2] / "examples" / "walk" / "cams.yaml"
STATURE = 1.78  # metres, of the person who was rendered: see the example's README


def test_the_example(tmp_path: Path) -> None:
    take = tmp_path / "walk.take"
    record = capture(load_views(VIEWS), take).record
    motion = read_motion_of(Take.open(take), 1)
    (path,) = export([tmp_path / "walk.bvh"], take)
    read = read_bvh(path, unit=0.01)
    assert len(motion) == len(read) == 210 and motion.fps == read.fps == 30

    world, skeleton = motion.world()[0], motion.skeleton
    head, hips = (world[:, skeleton.index(name)] for name in ("Head", "Hips"))
    up = (head - hips)[:, 1] / np.linalg.norm(head - hips, axis=-1)
    assert np.degrees(np.arccos(up)).max() < 40  # in truth the person leans by 12 to 37 degrees
    assert abs(record["stature_m"] - STATURE) < 0.1

    # The numbers of the record are those of a good take; a detector scatters by 1.1 % of stature.
    assert all(view["median_percent_of_height"] < 1.14 for view in record["reprojection"].values())
    assert record["agreement_percent_of_height"] < 1.14
    assert abs(record["feet"]["floor_mm"]) < 40
    assert record["feet"]["drift_p95_mm"] < 20 and record["feet"]["share"] > 0.4
    assert record["gaps"]["frames"] == 0 and record["max_step_deg"]["degrees"] < 40
    assert record["warnings"] == [] and record["notes"] == ["the views began together"]

    capture(load_views(VIEWS), take)  # only solves
    again = read_motion_of(Take.open(take), 1)
    assert (again.rotations == motion.rotations).all() and (again.root == motion.root).all()

    cameras_from_the_walker(take)


def cameras_from_the_walker(take: Path) -> None:
    """Lenses and a height are enough: the cameras are found as they were calibrated."""
    config = load_views(VIEWS)
    true, _ = cameras_for(config.calibration, config.views, [probe(v.video) for v in config.views])
    bare = replace(
        config,
        calibration=None,
        views=tuple(replace(v, intrinsics=config.calibration.file) for v in config.views),
        subject=Subject(STATURE),
    )
    capture(bare, take)
    found = read_calibration(take / "cameras.toml")
    for v in range(1, 4):
        turn = [c[v].camera_from_world[:3, :3] @ c[0].camera_from_world[:3, :3].T for c in (found, true)]
        assert np.rad2deg(np.linalg.norm(to_rotvec(turn[0] @ turn[1].T))) < 1.8  # deviations of 1.4 degrees
        apart = [np.linalg.norm(c[v].centre - c[0].centre) for c in (found, true)]
        assert apart[0] / apart[1] == pytest.approx(1.0, abs=0.036)  # two deviations of a stature from bones
