"""The whole job on a made-up capture whose truth is known: the motion, the file, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration.align import lay_onto
from calibration.camera import Camera, Cameras
from calibration.files import read_offsets
from mocap import storage
from mocap.config import load_views
from mocap.errors import MocapError, SyncError
from mocap.export import export
from mocap.gates import RefusedError
from mocap.people import people_in, read_beside, read_motion_of
from mocap.pipeline import capture
from mocap.progress import Quiet
from mocap.quality import Quality
from mocap.take import Take
from rigs.formats.bvh import read_bvh
from rigs.motion import Motion
from tests.calibration.synthetic import look_at, ring
from tests.synth_take import LAYOUT, STATURE, Person, body_joints, film, give, marching, write_scene

FPS = Fraction(30000, 1001)
FRAMES = 36
# The solve believes a landmark to 1.14 % of stature in a view (mocap/landmarks); with four views its place is
# known to half of that. Exact keypoints leave only the priors' pull, which is weaker than the observations.
TOLERANCE = 0.0114 * STATURE / np.sqrt(4)


def captured(views: Path, folder: Path, **options: Any) -> Quality:
    return capture(load_views(views), folder, detector="given", **options)


def motion_of(folder: Path) -> Motion:
    return read_motion_of(Take.open(folder), 1)


def same(a: Motion, b: Motion) -> bool:
    return (a.rotations == b.rotations).all() and (a.root == b.root).all()


class Scene:
    """A capture that was made once, for tests that only look at it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.person = marching(FRAMES, FPS)
        self.views = write_scene(folder / "scene", self.person, FPS)
        self.take = folder / "scene.take"
        self.quality = captured(self.views, self.take)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return Scene(tmp_path_factory.mktemp("pipeline"))


def test_the_motion_is_the_truth(scene: Scene) -> None:
    motion = motion_of(scene.take)
    assert (len(motion), motion.fps) == (FRAMES, FPS)
    error = np.linalg.norm(body_joints(motion) - scene.person.joints, axis=-1)
    assert error.mean(axis=0).max() < TOLERANCE
    assert abs(scene.quality.record["stature_m"] - STATURE) < 0.01
    assert scene.quality.record["warnings"] == []
    assert scene.quality.record["notes"] == ["the views began together"]
    assert set(scene.quality.record["swaps"].values()) == {"none"}


def test_the_file_has_every_frame_at_the_right_rate(scene: Scene, tmp_path: Path) -> None:
    (path,) = export([tmp_path / "a.bvh"], scene.take)
    text = path.read_text()
    assert f"\nFrames: {FRAMES}\n" in text
    assert re.search(r"\nFrame Time: 0\.0333666666\d*\n", text)
    read = read_bvh(path, unit=0.01)
    assert (len(read), read.fps) == (FRAMES, FPS)
    np.testing.assert_allclose(read.world()[0], motion_of(scene.take).world()[0], atol=1e-6)


def test_the_take_says_what_it_was_made_from(scene: Scene) -> None:
    take = Take.open(scene.take)
    assert sorted(p.name for p in take.folder.iterdir()) == [
        "cameras.html", "cameras.toml", "people",
        "people.json", "points.npz", "quality.json", "take.json", "views",
    ]  # fmt: skip
    record = take.manifest()
    assert [view["name"] for view in record["views"]] == ["cam1", "cam2", "cam3", "cam4"]
    assert record["views"][0]["fps"] == "30000/1001" and record["arguments"]["detector"] == "given"
    assert set(record["stages"]) == {"detect", "place", "solve", "hands"}
    assert all(stage["seconds"] > 0 for stage in record["stages"].values())
    motion, doubt = motion_of(scene.take), read_beside(take, 1).joint_sd
    assert doubt is not None and doubt.shape == motion.rotations.shape[:2]
    hand, tip = (motion.skeleton.index(n) for n in ("LeftHand", "LeftHandIndex3"))
    assert (doubt[:, tip] > doubt[:, hand]).all() and (doubt[:, hand] < 0.1).all()
    points = take.read_arrays("points.npz")["points_m"]
    np.testing.assert_allclose(points, scene.person.landmarks, atol=1e-4)


class Told(Quiet):
    def __init__(self, stage: str) -> None:
        self.stage, self.begun = stage, False

    def start(self, total: int | None) -> None:
        self.begun = True


def test_a_second_run_only_solves_and_finds_the_same(scene: Scene) -> None:
    before, stages, told = motion_of(scene.take), Take.open(scene.take).manifest()["stages"], list[Told]()

    def follow(stage: str) -> Told:
        told.append(Told(stage))
        return told[-1]

    captured(scene.views, scene.take, progress=follow)
    assert [(t.stage, t.begun) for t in told] == [("detecting", False), ("solving", True)]
    assert same(before, motion_of(scene.take))
    assert Take.open(scene.take).manifest()["stages"] == stages


def interrupt(*arguments: object, **options: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("moved", [0, 2, 5])
def test_interrupted_while_files_are_moved(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: int
) -> None:
    """However far the moving into place got, there is a motion to export, and the next run ends it."""
    before, move, count = motion_of(scene.take), storage.move, 0

    def stops(source: Path, target: Path) -> None:
        nonlocal count
        count += 1
        if count > moved:
            raise KeyboardInterrupt
        move(source, target)

    monkeypatch.setattr(storage, "move", stops)
    with pytest.raises(KeyboardInterrupt):
        captured(scene.views, scene.take)
    monkeypatch.undo()
    assert export([tmp_path / "a.bvh"], scene.take)
    captured(scene.views, scene.take)
    assert same(before, motion_of(scene.take))
    assert not (scene.take / "work").exists()


@pytest.mark.parametrize(
    "stage", ["mocap.solving.animate", "mocap.pipeline.quality.measure", "mocap.pipeline.write_people"]
)
def test_a_failed_run_leaves_the_take_alone(
    scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    before = motion_of(scene.take)
    monkeypatch.setattr(stage, interrupt)
    with pytest.raises(KeyboardInterrupt):
        captured(scene.views, scene.take)
    assert same(before, motion_of(scene.take)) and people_in(Take.open(scene.take)) == [1]
    assert not (scene.take / "lock").exists()


@pytest.mark.slow
def test_exchanged_legs_are_put_back(scene: Scene, tmp_path: Path) -> None:
    views = write_scene(tmp_path / "scene", scene.person, FPS)
    pixels = ring()["cam2"].project(scene.person.landmarks)
    legs = LAYOUT.groups["legs"]
    pixels[10:22, legs] = pixels[10:22][:, LAYOUT.mirror[legs]]
    give(tmp_path / "scene" / "cam2.mp4", pixels)
    found = captured(views, tmp_path / "take")
    # A frame where the legs cross in the image may go either way.
    assert 10 <= found.record["swap_frames"]["cam2"]["legs"] <= 12
    assert all(sum(found.record["swap_frames"][f"cam{v}"].values()) == 0 for v in (1, 3, 4))
    error = np.linalg.norm(body_joints(motion_of(tmp_path / "take")) - scene.person.joints, axis=-1)
    assert error.mean(axis=0).max() < TOLERANCE


def moved_camera(cameras: Cameras, name: str) -> Cameras:
    """One camera turned by 12 degrees since it was calibrated."""
    centre = cameras[name].centre
    pose = look_at(centre, target=centre * [-0.4, 0.6, 0.0] + [0.0, 0.2, 0.0])
    c = cameras[name]
    other = Camera(c.name, c.size, c.K, c.distortion, pose)
    return Cameras(tuple(other if c.name == name else c for c in cameras))


SHORT = marching(12)


def scene_of(**options: Any) -> Callable[[Path], Path]:
    return lambda folder: write_scene(folder, SHORT, **options)


def late_view(folder: Path) -> Path:
    """A view whose film began a second before the others'."""
    walker = marching(42)
    views = write_scene(folder, Person(walker.joints[:12], walker.landmarks[:12]))
    give(folder / "cam4.mp4", ring()["cam4"].project(walker.landmarks[30:] + np.array([0.6, 0.0, 0.0])))
    return views


REFUSED = {
    "two people": (
        scene_of(others={"cam3": SHORT.moved(1.0, 0.4), "cam4": SHORT.moved(1.0, 0.4)}),
        r"do not see the same person at the same time .*cam1 \d+ %",
    ),
    "another person in one view": (
        scene_of(others={"cam3": SHORT.moved(1.0, 0.4)}),
        r"view cam3 contradicts the others in 100 %",
    ),
    "a moved camera": (
        scene_of(calibrated=moved_camera(ring(), "cam2")),
        r"view cam2 contradicts the others .*its camera has moved",
    ),
    "z for a world that is y up": (
        scene_of(calibration={"file": "calibration.toml", "up": "z"}),
        r"the world lies on its side: .*`calibration: \{file: calibration.toml, up: y\}`",
    ),
    "another time": (late_view, r"view cam4 contradicts the others"),
}


@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_meaningless_result_is_refused(tmp_path: Path, make: Callable[[Path], Path], message: str) -> None:
    views = make(tmp_path / "scene")
    with pytest.raises(RefusedError, match=message) as caught:
        captured(views, tmp_path / "take")
    assert "\n" not in str(caught.value)
    with pytest.raises(MocapError, match="is not complete"):
        Take.open(tmp_path / "take")


@pytest.mark.slow
def test_what_a_refusal_tells_to_write_is_right(tmp_path: Path) -> None:
    """A z-up world read as y up: the hint, followed, gives an upright person."""
    from_file = np.eye(4)
    from_file[:3, :3] = [[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]  # (x, y, z) of the file, z up, is our (x, z, -y)
    cameras = ring()
    z_up = Cameras(
        tuple(Camera(c.name, c.size, c.K, c.distortion, c.camera_from_world @ from_file) for c in cameras)
    )
    calibration = {"file": "calibration.toml", "up": "y"}
    views = write_scene(tmp_path / "scene", SHORT, calibrated=z_up, calibration=calibration)
    with pytest.raises(RefusedError) as caught:
        captured(views, tmp_path / "take")
    told = re.search(r"up: (\S+)}`", str(caught.value))
    assert told and told.group(1) == "z"
    views.write_text(views.read_text().replace("up: y", f"up: {told.group(1)}"))
    captured(views, tmp_path / "take")
    error = np.linalg.norm(body_joints(motion_of(tmp_path / "take")) - SHORT.joints, axis=-1)
    assert error.mean(axis=0).max() < TOLERANCE


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_hardly_a_frame_is_still_a_motion(tmp_path: Path, frames: int) -> None:
    walker = marching(frames)
    found = captured(write_scene(tmp_path / "scene", walker), tmp_path / "take")
    motion = motion_of(tmp_path / "take")
    assert len(motion) == frames == found.record["frames"]
    error = np.linalg.norm(body_joints(motion) - walker.joints, axis=-1)
    assert error.mean() < TOLERANCE


@pytest.mark.slow
def test_a_view_that_sees_nobody_and_one_that_ends_early(tmp_path: Path) -> None:
    walker = marching(24)
    views = write_scene(tmp_path / "scene", walker)
    give(tmp_path / "scene" / "cam4.mp4", np.full((24, len(LAYOUT), 2), np.nan), 0.0)
    film(tmp_path / "scene" / "cam3.mp4", 15)
    found = captured(views, tmp_path / "take")
    assert found.record["warnings"] == ["view cam4: nobody was seen in it"]
    error = np.linalg.norm(body_joints(motion_of(tmp_path / "take")) - walker.joints, axis=-1)
    assert error.mean() < 2 * TOLERANCE  # two views instead of four for a third of the time


def test_a_lone_view_without_a_guess_of_depths_is_refused_whatever_is_asked_of_hands(tmp_path: Path) -> None:
    views = write_scene(tmp_path / "scene", SHORT)
    give(tmp_path / "scene" / "cam1.mp4", ring()["cam1"].project(SHORT.landmarks))
    config = load_views(views)
    with pytest.raises(MocapError, match="no 3D guess"):
        capture(replace(config, views=config.views[:1]), tmp_path / "take", detector="given", hands="always")


def test_nothing_but_films_lenses_and_a_height(tmp_path: Path) -> None:
    """Views that begin at different times, before cameras that nobody placed."""
    walker = marching(120)
    late = {"cam2": 7, "cam4": 3}
    lens = {"intrinsics": "calibration.toml"}
    subject = {"height": STATURE}
    views = write_scene(
        tmp_path / "scene", walker, late=late, view_fields=lens, calibration=None, subject=subject
    )
    record = captured(views, tmp_path / "take").record
    for name in ("cam1", "cam2", "cam3", "cam4"):
        assert record["sync"][name]["offset_s"] == pytest.approx(late.get(name, 0) / 30, abs=0.25 / 30)
    assert record["calibration"]["from"] == "people"
    found = body_joints(motion_of(tmp_path / "take"))
    move, _ = lay_onto(found.reshape(-1, 3), walker.joints.reshape(-1, 3), np.ones(found[..., 0].size))
    assert np.rad2deg(np.arccos(move.rotation[1, 1])) < 2.0  # level
    error = np.linalg.norm(move.points(found) - walker.joints[-len(found) :], axis=-1)
    assert error.mean() < 2 * TOLERANCE


def test_offsets_are_found_with_a_calibration_too(tmp_path: Path) -> None:
    walker = marching(75)
    views = write_scene(tmp_path / "scene", walker, late={"cam3": 9})
    found = captured(views, tmp_path / "take")
    assert found.record["sync"]["cam3"]["offset_s"] == pytest.approx(9 / 30, abs=0.1 / 30)
    assert any("offsets found: " in note for note in found.record["notes"])
    assert (
        read_offsets(tmp_path / "take" / "cameras.toml")["cam3"] == found.record["sync"]["cam3"]["offset_s"]
    )


def test_without_a_calibration_views_whose_times_cannot_be_told_are_refused(tmp_path: Path) -> None:
    views = write_scene(tmp_path / "scene", SHORT, calibration=None)
    with pytest.raises(SyncError, match="when the video began cannot be told"):
        captured(views, tmp_path / "take")


def test_no_solve_says_a_word_of_divisions(scene: Scene, recwarn: pytest.WarningsRecorder) -> None:
    captured(scene.views, scene.take)
    assert not list(recwarn)
