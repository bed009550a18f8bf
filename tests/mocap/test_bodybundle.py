"""Cameras are put right on a person whose build is only known as people's are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.adjust.freedom import Freedom
from calibration.adjust.habits import COUNT
from calibration.adjust.projection import FOCAL, PARAMETERS, ROTATION, moved
from calibration.camera import Cameras
from calibration.rotation import to_rotvec
from mocap.bodybundle import adjust_on_body, load_build
from mocap.errors import MocapError
from mocap.keypoints import load_layout
from tests.calibration.synthetic import ring
from tests.synth import noisy
from tests.synth_take import LAYOUT, STATURE, marching, observed

FRAMES, SCATTER = 90, 0.01


def disturbed(cameras: Cameras, focal: float = 0.0) -> Cameras:
    rng = np.random.default_rng(1)
    steps = np.zeros((len(cameras), PARAMETERS))
    steps[1:, :3], steps[1:, 3:6] = rng.normal(0, 0.02, (2, len(cameras) - 1, 3)) * [[[1.0]], [[3.0]]]
    steps[:, FOCAL] = rng.normal(0, focal, (len(cameras), 1)) if focal else 0.0
    return Cameras(tuple(moved(c, s) for c, s in zip(cameras, steps, strict=True)))


def held(views: int, **free: float) -> Freedom:
    freedom = Freedom.of(views, **free)
    freedom.sd[0, : FOCAL.start] = 0.0
    return freedom


@pytest.mark.slow
def test_cameras_come_back_within_what_is_said_of_them() -> None:
    cameras = ring(4, distortion=())
    seen = observed(cameras, [marching(FRAMES)] * 4)
    seen = replace(
        seen, pixels=noisy(seen.pixels, SCATTER * np.median(seen.heights()), np.random.default_rng(2))
    )
    found = adjust_on_body(seen, disturbed(cameras, focal=0.05), held(4, focal=0.1), stature=STATURE)
    for v, (cam, true) in enumerate(zip(found.cameras, cameras, strict=True)):
        off = to_rotvec(cam.camera_from_world[:3, :3] @ true.camera_from_world[:3, :3].T)
        assert np.all(np.abs(off) < 3 * found.sd[v, ROTATION] + 1e-9)
        assert abs(np.log(cam.K[0, 0] / true.K[0, 0])) < 3 * found.sd[v, FOCAL.start]
    assert np.degrees(found.sd[:, ROTATION].max()) < 3.0
    assert np.all(found.sd[:, FOCAL.start] < 0.1)


@pytest.mark.slow
def test_who_stands_on_the_spot_tells_less_of_the_cameras() -> None:
    cameras = ring(4, distortion=())
    walking, still = marching(FRAMES), marching(FRAMES)
    hips = still.landmarks.mean(axis=1, keepdims=True) * [1.0, 0.0, 1.0]
    still = replace(still, landmarks=still.landmarks - hips + hips[:1])
    sd = [
        adjust_on_body(observed(cameras, [p] * 4), cameras, held(4), stature=STATURE).sd[:, ROTATION].max()
        for p in (walking, still)
    ]
    assert sd[1] > sd[0]


@pytest.mark.slow
def test_a_longer_clip_tells_more() -> None:
    cameras = ring(3, distortion=())
    sd = [
        adjust_on_body(observed(cameras, [marching(n)] * 3), cameras, held(3), stature=STATURE).sd.max()
        for n in (60, 180)
    ]
    assert sd[1] < sd[0]


def test_the_build_is_the_layouts_and_left_is_as_long_as_right() -> None:
    build = load_build(LAYOUT)
    names = [LAYOUT.landmarks[row] for row in build.rows]
    assert len(names) == len(set(names)) == 25
    assert len(build.habit_sd) == COUNT
    for kind in range(len(build.length)):
        pairs = {tuple(sorted(pair)) for pair in build.rows[build.pairs[build.kind == kind]].tolist()}
        mirrored = {tuple(sorted(LAYOUT.mirror[list(pair)].tolist())) for pair in pairs}
        assert pairs == mirrored
    thigh = build.length[11]
    assert 0.2 < thigh < 0.28  # of the stature: Winter 2009, 0.245 between joint centres
    assert np.linalg.eigvalsh(build.bones(STATURE, 0.05).covariance).min() > 0


def test_a_layout_that_nobody_measured_is_refused() -> None:
    with pytest.raises(MocapError, match="coco17: nobody has measured bodies in it"):
        load_build(load_layout("coco17"))
