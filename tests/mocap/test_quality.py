"""The quality record: its numbers are those of motions whose every fault is known."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from calibration.camera import Cameras
from mocap.animate import Animated
from mocap.attach import load_attachment
from mocap.gates import agreement
from mocap.observations import Observations
from mocap.quality import Quality, measure, warnings
from mocap.storage import write_json
from mocap.swaps import Swaps
from rigs import quat
from rigs.motion import Motion
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose, locate
from tests.calibration.synthetic import ring
from tests.synth_take import LAYOUT, STATURE, SURE

FRAMES, FPS = 60, Fraction(30)
CAMERAS = ring()
HEIGHT = 0.54 * STATURE


def standing(root: np.ndarray | None = None, turn: np.ndarray | None = None) -> tuple[Animated, np.ndarray]:
    """Someone at rest, root (T, 3) m moved and turned as told, and their landmarks."""
    body = load_body()
    turn = np.zeros((FRAMES, len(body.names), 3)) if turn is None else turn
    place = np.zeros((len(turn), 3)) if root is None else root
    pose = Pose(place + np.array([0.0, HEIGHT, 0.0]), quat.from_rotvec(turn))
    sizes = np.full(len(body.size_names), STATURE)
    attachment = load_attachment(LAYOUT, body)
    landmarks = np.full((len(turn), len(LAYOUT), 3), np.nan)
    landmarks[:, attachment.rows] = locate(Chain(body).place(pose, sizes), attachment.points(STATURE))
    motion = Motion(body.skeleton(sizes), pose.rotations, pose.root, FPS)
    return Animated(motion, STATURE, dict.fromkeys(body.size_names, STATURE)), landmarks


def seen(landmarks: np.ndarray, cameras: Cameras = CAMERAS) -> Observations:
    pixels = cameras.project(landmarks)
    return Observations(cameras.names, LAYOUT, pixels, np.full(pixels.shape[:-1], SURE), FPS)


def nothing_swapped(views: int = 4, frames: int = FRAMES) -> Swaps:
    return Swaps(CAMERAS.names[:views], {limb: np.zeros((views, frames), bool) for limb in ("legs", "arms")})


def measured(
    animated: Animated, landmarks: np.ndarray, observed: Observations, swaps: Swaps | None = None
) -> Quality:
    agreed = agreement(observed, CAMERAS, landmarks)
    swaps = swaps or nothing_swapped(frames=observed.frames)
    return measure(observed, CAMERAS, landmarks, animated, swaps, agreed, stature_given=True)


def test_a_perfect_take_has_no_fault() -> None:
    animated, landmarks = standing()
    found = measured(animated, landmarks, seen(landmarks))
    record = found.record
    assert (record["frames"], record["fps"], record["seconds"]) == (60, 30.0, 2.0)
    for view in record["reprojection"].values():
        assert view["p95_px"] < 1e-9 and view["observations"] == FRAMES * len(LAYOUT)
    assert record["agreement_percent_of_height"] < 1e-9
    assert all(spread < 1e-9 for spread in record["bone_spread_percent"].values())
    assert record["gaps"] == {"frames": 0, "longest_s": 0.0}
    assert record["feet"]["share"] == 1.0
    assert record["feet"]["drift_p95_mm"] < 1e-6 and record["feet"]["speed_mm_s"] < 1e-6
    assert record["max_step_deg"]["degrees"] < 1e-5
    # The rest pose stands on ball joints a tenth of a foot above the floor; the root is 0.54 of stature up.
    assert abs(record["feet"]["floor_mm"]) < 30
    assert warnings(found) == []


def test_reprojection_is_in_pixels_of_every_view() -> None:
    animated, landmarks = standing()
    observed = seen(landmarks)
    shift = np.array([3.0, 4.0]) * np.arange(4)[:, None, None, None]
    off = replace(observed, pixels=observed.pixels + shift)
    record = measured(animated, landmarks, off).record["reprojection"]
    assert [round(v["median_px"], 6) for v in record.values()] == [0.0, 5.0, 10.0, 15.0]
    height = np.median(observed.heights()[2])
    assert record["cam3"]["median_percent_of_height"] == pytest.approx(1000 / height)


def test_a_view_that_is_far_off_is_a_warning() -> None:
    animated, landmarks = standing()
    observed = seen(landmarks)
    pixels = observed.pixels.copy()
    pixels[2] += 0.05 * np.median(observed.heights()[2])
    (line,) = warnings(measured(animated, landmarks, replace(observed, pixels=pixels)))
    assert line.startswith("view cam3: median reprojection") and "7.1 % of the person's height" in line


def test_feet_that_slide_are_measured() -> None:
    """A slide of 0.06 m/s over 2 s: 120 mm, at most 60 mm from the median; 95 % are within 57 mm."""
    root = np.zeros((FRAMES, 3))
    root[:, 0] = 0.06 * np.arange(FRAMES) / 30
    animated, landmarks = standing(root)
    found = measured(animated, landmarks, seen(landmarks))
    assert found.record["feet"]["speed_mm_s"] == pytest.approx(60, rel=1e-6)
    assert found.record["feet"]["drift_p95_mm"] == pytest.approx(57, abs=1.5)
    assert any("planted feet drift by 5" in line for line in warnings(found))


def test_feet_that_walk_are_not_planted() -> None:
    root = np.zeros((FRAMES, 3))
    root[:, 0] = 1.0 * np.arange(FRAMES) / 30
    animated, landmarks = standing(root)
    feet = measured(animated, landmarks, seen(landmarks)).record["feet"]
    assert (feet["share"], feet["drift_p95_mm"], feet["speed_mm_s"]) == (0.0, None, None)


def test_a_floor_that_is_off_is_a_warning() -> None:
    root = np.zeros((FRAMES, 3))
    animated, landmarks = standing(root)
    level = measured(animated, landmarks, seen(landmarks)).record["feet"]["floor_mm"]
    root[:, 1] = 0.3
    animated, landmarks = standing(root)
    found = measured(animated, landmarks, seen(landmarks))
    assert found.record["feet"]["floor_mm"] == pytest.approx(level + 300)
    assert any(line.startswith("floor: the lowest foot is") for line in warnings(found))


def test_gaps_are_counted_and_said() -> None:
    animated, landmarks = standing()
    observed = seen(landmarks)
    confidence = observed.confidence.copy()
    confidence[:, 10:20] = 0.0
    confidence[:, 30] = 0.0
    pixels = np.where((confidence > 0)[..., None], observed.pixels, np.nan)
    found = measured(animated, landmarks, replace(observed, pixels=pixels, confidence=confidence))
    assert found.record["gaps"] == {"frames": 11, "longest_s": pytest.approx(10 / 30)}
    assert any("unseen in 11 of 60 frames" in line for line in warnings(found))


def test_what_is_made_up_is_counted_and_the_worst_of_it_named() -> None:
    animated, landmarks = standing()
    names = animated.motion.skeleton.names
    joint_sd = np.full((FRAMES, len(names)), 0.02)
    joint_sd[20:50, names.index("LeftHand")] = 0.2
    joint_sd[35, names.index("LeftHand")] = 0.31
    joint_sd[:40] += 1e-9
    found = measured(replace(animated, joint_sd=joint_sd), landmarks, seen(landmarks))
    made = found.record["made_up"]
    assert made["joint_frames"] == 30 and made["frames_by_joint"] == {"LeftHand": 30}
    assert made["share"] == pytest.approx(30 / (FRAMES * len(names)))
    found.record["processing_fps"] = 12.0
    text = "\n".join(found.lines())
    assert "made up       30 joint-frames, 2.3 %; worst LeftHand in frames 20 to 49, to 310 mm" in text
    assert warnings(found) == []
    joint_sd[20:50] = 0.2
    found = measured(replace(animated, joint_sd=joint_sd), landmarks, seen(landmarks))
    assert warnings(found)[0].startswith("made up: 660 joint-frames, 50.0 %; worst ")


def test_a_view_without_anybody_is_said() -> None:
    animated, landmarks = standing()
    observed = seen(landmarks)
    pixels, confidence = observed.pixels.copy(), observed.confidence.copy()
    pixels[3], confidence[3] = np.nan, 0.0
    found = measured(animated, landmarks, replace(observed, pixels=pixels, confidence=confidence))
    assert warnings(found) == ["view cam4: nobody was seen in it"]
    found.record["processing_fps"] = 12.0
    assert "cam4 nothing seen" in "\n".join(found.lines())


def test_a_joint_that_flips_is_found() -> None:
    turn = np.zeros((FRAMES, len(load_body().names), 3))
    turn[31, load_body().index("LeftForeArm")] = [0.0, np.deg2rad(-130), 0.0]
    animated, landmarks = standing(turn=turn)
    step = measured(animated, landmarks, seen(landmarks)).record["max_step_deg"]
    assert (step["joint"], step["frame"]) == ("LeftForeArm", 30)
    assert step["degrees"] == pytest.approx(130, abs=1e-6)


def test_lines_and_record_of_several_views(tmp_path: Path) -> None:
    animated, landmarks = standing()
    swaps = nothing_swapped()
    swaps.swapped["legs"][1, 3:8] = True
    found = measured(animated, landmarks, seen(landmarks), swaps)
    found.record["processing_fps"] = 12.0
    lines = found.lines()
    assert len(lines) == 12 and all(len(line) < 200 for line in lines)
    assert "cam2 legs 5" in "\n".join(lines) and "nan" not in "\n".join(lines)
    write_json(tmp_path / "quality.json", found.record)
    assert json.loads((tmp_path / "quality.json").read_text())["stature_given"] is True


@pytest.mark.parametrize("frames", [1, 2])
def test_one_view_and_hardly_a_frame(frames: int) -> None:
    turn = np.zeros((frames, len(load_body().names), 3))
    animated, landmarks = standing(turn=turn)
    alone = Cameras(CAMERAS.cameras[:1])
    found = measure(
        seen(landmarks, alone), alone, None, animated, nothing_swapped(1, frames), None, stature_given=False
    )
    found.record["processing_fps"] = 1.0
    text = "\n".join(found.lines())
    assert "one view" in text and "nan" not in text
    assert warnings(found) == []


def test_an_odd_stature_is_a_warning() -> None:
    animated, landmarks = standing()
    small = replace(animated, stature=0.17)
    assert any("stature 0.17 m" in line for line in warnings(measured(small, landmarks, seen(landmarks))))
