"""Captures of several made-up people, from films to files: each gets a motion, and who does not is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from calibration.camera import Cameras
from calibration.files import write_aniposelib
from mocap.commands.export import export as command
from mocap.config import load_views, with_people
from mocap.crowd import between, one_after_another, presence
from mocap.errors import MocapError
from mocap.export import export
from mocap.gates import RefusedError
from mocap.observations import Observations
from mocap.people import first_frame, people_in, read_motion_of
from mocap.pipeline import capture
from mocap.quality import Quality
from mocap.take import Take
from rigs.formats.bvh import read_bvh
from tests.calibration.synthetic import ring
from tests.synth_crowd import hidden, turned, write_crowd
from tests.synth_take import LAYOUT, STATURE, SURE, Person, body_joints, marching

FRAMES = 60
# As in test_pipeline: exact keypoints leave only the priors' pull, which is weaker than the observations.
TOLERANCE = 0.0114 * STATURE / np.sqrt(4)


def two() -> list[Person]:
    """Two who walk towards each other and past."""
    walk = marching(FRAMES).moved(0.3, 0.0)
    return [walk, turned(walk, 180)]


def write(folder: Path, people: Sequence[Sequence[Person]], cameras: Cameras, **fields: object) -> Path:
    write_crowd(folder, cameras, people)
    write_aniposelib(folder / "calibration.toml", cameras)
    views = [{"name": c.name, "video": f"{c.name}.mp4", "offset": 0.0} for c in cameras]
    table = {"calibration": "calibration.toml", "views": views, **fields}
    (folder / "cams.yaml").write_text(yaml.safe_dump(table))
    return folder / "cams.yaml"


@dataclass(frozen=True)
class Scene:
    views: Path
    take: Path
    quality: Quality
    people: list[Person]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Two people, and a third whom the first view alone sees."""
    folder = tmp_path_factory.mktemp("crowd")
    people = two()
    bystander = turned(marching(FRAMES), 40).moved(-1.2, -1.0)
    cameras = ring()
    views = write(folder / "scene", [[*people, bystander], people, people, people], cameras)
    take = folder / "scene.take"
    quality = capture(load_views(views), take, detector="given")
    return Scene(views, take, quality, people)


def off(take: Path, person: int, truth: Person, first: int = 0) -> float:
    """Largest mean error of a joint, metres."""
    motion = read_motion_of(Take.open(take), person)
    joints = truth.joints[first : first + len(motion)]
    return float(np.linalg.norm(body_joints(motion) - joints, axis=-1).mean(axis=0).max())


def test_each_gets_the_motion_that_is_theirs(scene: Scene) -> None:
    assert people_in(Take.open(scene.take)) == [1, 2]
    errors = np.array([[off(scene.take, k, truth) for truth in scene.people] for k in (1, 2)])
    best = errors.argmin(axis=1)
    assert sorted(best.tolist()) == [0, 1]
    assert errors.min(axis=1).max() < TOLERANCE


def test_the_record_is_of_everybody(scene: Scene) -> None:
    record = scene.quality.record
    assert len(record["people"]) == 2
    for person in record["people"]:
        assert (person["first_frame"], person["last_frame"]) == (0, FRAMES - 1)
        assert set(person["seen_share"]) == {"cam1", "cam2", "cam3", "cam4"}
        assert abs(person["stature_m"] - STATURE) < 0.02
    lines = scene.quality.lines()
    assert [line[:8] for line in lines if line.startswith("person ")] == ["person 1", "person 2"]
    assert lines[-1].startswith("speed")


def test_who_is_left_out_is_named_with_the_reason(scene: Scene) -> None:
    notes = [note for note in scene.quality.record["notes"] if "left out" in note]
    assert notes == ["somebody is left out who was seen by cam1 from 0.0 to 2.0 s: by no other view"]


def test_export_of_all_writes_a_file_each(scene: Scene, tmp_path: Path) -> None:
    ran = CliRunner().invoke(command, [str(tmp_path / "a.bvh"), "--take", str(scene.take), "--all"])
    assert ran.exit_code == 0 and sorted(p.name for p in tmp_path.iterdir()) == ["a_1.bvh", "a_2.bvh"]
    for k in (1, 2):
        motion = read_motion_of(Take.open(scene.take), k)
        read = read_bvh(tmp_path / f"a_{k}.bvh", unit=0.01)
        np.testing.assert_allclose(read.world()[0], motion.world()[0], atol=1e-6)
    with pytest.raises(MocapError, match="say --person 1, 2, or --all"):
        export([tmp_path / "b.bvh"], scene.take)


def test_more_people_than_were_seen_are_refused(scene: Scene, tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"2 people were seen well enough in two views at once, not 3"):
        capture(with_people(load_views(scene.views), 3), tmp_path / "t", detector="given")


def test_who_comes_later_has_a_motion_that_begins_there(tmp_path: Path) -> None:
    one, other = two()
    late = hidden(other, slice(0, 24))
    views = write(tmp_path / "scene", [[one, late]] * 4, ring())
    found = capture(load_views(views), tmp_path / "t", detector="given")
    take = Take.open(tmp_path / "t")
    assert [(p["first_frame"], p["last_frame"]) for p in found.record["people"]] == [(0, 59), (24, 59)]
    assert [first_frame(take, k) for k in (1, 2)] == [0, 24]
    assert off(tmp_path / "t", 1, one) < TOLERANCE and off(tmp_path / "t", 2, other, 24) < TOLERANCE
    ran = CliRunner().invoke(command, [str(tmp_path / "b.bvh"), "--take", str(take.folder), "--all"])
    assert "person 2 comes in frame 24 of the take: b_2.bvh begins there" in ran.output


def test_one_camera_solves_everybody_in_one_world(tmp_path: Path) -> None:
    cameras = ring()
    people = [marching(FRAMES).moved(-0.9, 0.0), marching(FRAMES).moved(0.9, 0.4)]
    write_crowd(tmp_path / "scene", Cameras((cameras[0],)), [people])
    config = load_views(_single(tmp_path / "scene"))
    capture(config, tmp_path / "t", detector="given")
    take = Take.open(tmp_path / "t")
    assert people_in(take) == [1, 2]
    roots = [read_motion_of(take, k).root for k in (1, 2)]
    apart = np.linalg.norm((roots[0] - roots[1])[:, [0, 2]], axis=-1)
    true = np.linalg.norm((people[0].joints - people[1].joints)[:, 0, [0, 2]], axis=-1)
    # A lens and a stature that are known leave a tenth of the depth; the two are 3 m away, 2 m apart.
    assert np.abs(apart - true).max() < 0.5


def _single(folder: Path) -> Path:
    fov = float(np.rad2deg(2 * np.arctan(360 / 620)))
    view = {"name": "cam1", "video": "cam1.mp4", "intrinsics": fov}
    (folder / "cams.yaml").write_text(yaml.safe_dump({"views": [view]}))
    return folder / "cams.yaml"


@pytest.mark.slow
def test_offsets_are_found_though_nobody_says_who_is_who(tmp_path: Path) -> None:
    """Silent films that begin 3 and 5 frames late; the person seen most is not the same one in all views."""
    walk = marching(110).moved(0.4, -0.5)
    near = [walk, turned(walk, 180)]
    late = {"cam1": 0, "cam2": 3, "cam3": 0, "cam4": 5}
    cut = [[Person(p.joints[k : k + 100], p.landmarks[k : k + 100]) for p in near] for k in late.values()]
    views = write(tmp_path / "scene", cut, ring())
    table = yaml.safe_load(views.read_text())
    for view in table["views"]:
        del view["offset"]
    views.write_text(yaml.safe_dump(table))
    found = capture(load_views(views), tmp_path / "t", detector="given")
    offsets = np.array([found.record["sync"][name]["offset_s"] for name in late]) * 30
    np.testing.assert_allclose(offsets - offsets[0], [0, 3, 0, 5], atol=0.25)
    assert len(found.record["people"]) == 2


def seen(confidence: np.ndarray) -> Observations:
    """Views (V, T) that see somebody or not."""
    trust = np.repeat(confidence[..., None] * SURE, len(LAYOUT), axis=-1)
    pixels = np.where(trust[..., None] > 0, 100.0, np.nan) * np.ones(2)
    return Observations(("a", "b"), LAYOUT, pixels, trust, Fraction(30))


def test_presence_is_from_coming_to_going() -> None:
    there = np.zeros((2, 100))
    there[:, 20:60] = 1
    assert presence(seen(there)) == (20, 60)
    there[0, 60:70] = 1  # one view sees him go
    assert presence(seen(there)) == (20, 70)
    there[0, 80:85] = 1  # and somebody for a moment much later
    assert presence(seen(there)) == (20, 75)
    assert presence(seen(np.ones((2, 100)))) == (0, 100)
    assert presence(seen(np.zeros((2, 100)))) == (0, 100)


def test_parts_of_observations_and_all_in_a_row() -> None:
    there = seen(np.ones((2, 40)))
    part = between(there, 10, 25)
    assert part.frames == 15 and part.start == pytest.approx(10 / 30)
    np.testing.assert_allclose(part.times, there.times[10:25], atol=1e-12)
    row = one_after_another([part, replace(part, start=3.0)])
    assert row.frames == 30 and row.pixels.shape[1] == 30


def _uncalibrated(views: Path) -> Path:
    table = yaml.safe_load(views.read_text())
    del table["calibration"]
    for view in table["views"]:
        view["intrinsics"] = float(np.rad2deg(2 * np.arctan(360 / 620)))
    views.write_text(yaml.safe_dump(table))
    return views


def _strolling(frames: int) -> Person:
    """Somebody who walks away and turns about, so that cameras can be found from him."""
    walk, t = marching(frames), np.linspace(0, 1, frames)
    angle = 1.5 * np.pi * t
    c, s = np.cos(angle), np.sin(angle)
    turn = np.zeros((frames, 3, 3))
    turn[:, 0, 0], turn[:, 0, 2], turn[:, 1, 1], turn[:, 2, 0], turn[:, 2, 2] = c, s, 1, -s, c
    return Person(
        np.einsum("tij,tkj->tki", turn, walk.joints), np.einsum("tij,tkj->tki", turn, walk.landmarks)
    )


@pytest.mark.slow
def test_cameras_are_found_from_the_one_whom_all_see_most(tmp_path: Path) -> None:
    one = _strolling(150)
    other = hidden(turned(marching(150), 90).moved(-1.3, 1.2), slice(90, 150))
    views = write(tmp_path / "scene", [[one, other]] * 4, ring(distortion=()), subject={"height": STATURE})
    found = capture(load_views(_uncalibrated(views)), tmp_path / "t", detector="given")
    assert found.record["calibration"]["from"] == "people"
    assert len(found.record["people"]) == 2
    first = found.record["people"][0]
    assert first["seen_share"] == {"cam1": 1.0, "cam2": 1.0, "cam3": 1.0, "cam4": 1.0}
    assert abs(first["stature_m"] - STATURE) < 0.03 * STATURE


@pytest.mark.slow
def test_cameras_that_follow_different_people_are_refused(tmp_path: Path) -> None:
    """Two views see most of one person, and two of another, who goes elsewhere."""
    one, back = _strolling(120), turned(_strolling(120), 140).moved(0.9, -0.8)
    other = Person(back.joints[::-1], back.landmarks[::-1])
    short = [hidden(p, slice(50, 120)) for p in (one, other)]
    people = [[one, short[1]], [one, short[1]], [short[0], other], [short[0], other]]
    views = write(tmp_path / "scene", people, ring(distortion=()), subject={"height": STATURE})
    with pytest.raises(MocapError, match="there are several people, and without a calibration one of them"):
        capture(load_views(_uncalibrated(views)), tmp_path / "t", detector="given")
