"""From a take onto any rig and into any file: what every option of the export does."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mocap.errors import MocapError
from mocap.export import export, length, rate
from mocap.people import Beside, write_people
from mocap.performers import people_of
from mocap.shaping import Shape, shaped
from mocap.take import Take
from rigs.contact import Contacts
from rigs.formats import FORMATS, read_clips
from rigs.library import load_rig
from rigs.retargeting.perform import Performance
from tests.rigs.characters import person
from tests.rigs.test_planting import slid, walk


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A take of two people who walk, the second from frame 5 on."""
    folder = tmp_path_factory.mktemp("walk") / "walk.take"
    motion, level = walk(person(), steps=6)
    take = Take.create(folder, {}, [])
    there = {
        1: {"first_frame": 0, "last_frame": len(motion) - 1},
        2: {"first_frame": 5, "last_frame": len(motion) - 1},
    }
    beside = {1: Beside(Contacts(level)), 2: Beside(Contacts(level[5:]))}
    write_people(take, {1: motion, 2: motion.slice(5)}, there, beside)
    take.complete()
    return folder


def test_every_format_takes_every_kind_of_rig(walked: Path, tmp_path: Path) -> None:
    suffixes = [s for s, f in FORMATS.items() if f.writes]
    targets = [tmp_path / f"a{suffix}" for suffix in suffixes]
    for rig in ("human", "unreal", "vrm"):
        written = export(targets, walked, person=1, rig=rig, shape=Shape(bound=0.002))
        assert written == targets and all(path.stat().st_size > 100 for path in targets)


def test_people_share_a_file_where_the_format_holds_them(walked: Path, tmp_path: Path) -> None:
    said: list[str] = []
    targets = [tmp_path / "a.fbx", tmp_path / "a.bvh"]
    written = export(targets, walked, every=True, say=said.append)
    assert [p.name for p in written] == ["a.fbx", "a_1.bvh", "a_2.bvh"]
    assert [(c.name, c.first) for c in read_clips(tmp_path / "a.fbx")] == [("Person1", 0), ("Person2", 5)]
    assert said == ["person 2 comes in frame 5 of the take: a_2.bvh begins there"]


def test_nothing_asked_nothing_changed(walked: Path) -> None:
    who = people_of(walked, 1)
    clip = shaped(who, None, Shape())[1]
    assert clip.motion.rotations is who[1].motion.rotations or np.array_equal(
        clip.motion.rotations, who[1].motion.rotations
    )
    assert clip.motion.skeleton.offsets[0, 1] > 0.8  # at rest it stands on the floor


def test_feet_stand_at_another_rate_and_on_another_rig(walked: Path) -> None:
    who, rig = people_of(walked, 1), load_rig("mixamo")
    clip = shaped(who, rig, Shape(fps=Fraction(60)))[1]
    assert clip.motion.fps == 60 and len(clip.motion) == 2 * len(who[1].motion) - 1
    level = np.repeat(who[1].level, 2, axis=0)[:-1]
    inner = level.copy()
    for t in range(2, len(level) - 2):
        inner[t] = np.where(np.isfinite(level[t - 2 : t + 3]).all(axis=0), 0.0, np.nan)
    from rigs.retargeting.pose import WorldPose

    assert slid(WorldPose.of(clip.motion), rig, inner) < 1e-3


def test_a_range_cuts_the_take_for_everybody(walked: Path) -> None:
    who = people_of(walked, every=True)
    cut = shaped(who, None, Shape(span="3:20"))
    assert [(len(c.motion), c.first) for c in cut.values()] == [(18, 0), (16, 2)]
    np.testing.assert_array_equal(cut[1].motion.root, who[1].motion.root[3:21])
    assert list(shaped(who, None, Shape(span="0:4"))) == [1]


def test_a_cycle_goes_on_where_it_ended_on_another_rig(walked: Path) -> None:
    said: list[str] = []
    clip = shaped(people_of(walked, 1), load_rig("unity"), Shape(cycle=True), said.append)[1]
    count = len(clip.motion)
    assert f"goes round in {count} frames" in said[0] and clip.first == 0
    again = clip.motion.rotations[0]
    after = clip.motion.rotations[-1]
    before = clip.motion.rotations[-2]
    step = np.abs((after * before).sum(axis=-1)).min()
    seam = np.abs((after * again).sum(axis=-1)).min()
    assert np.arccos(min(seam, 1.0)) < 2.0 * np.arccos(min(step, 1.0)) + 0.01


def test_mirrored_left_does_what_right_did(walked: Path) -> None:
    who = people_of(walked, 1)
    plain, other = (shaped(who, None, Shape(mirrored=m))[1].motion for m in (False, True))
    index = plain.skeleton.index
    np.testing.assert_allclose(
        other.world()[0][:, index("LeftFoot")],
        plain.world()[0][:, index("RightFoot")] * (-1, 1, 1),
        atol=1e-9,
    )


def test_the_rest_pose_comes_first_if_asked(walked: Path) -> None:
    who = people_of(walked, 1)
    clip = shaped(who, load_rig("unreal"), Shape(rest_first=True))[1]
    assert len(clip.motion) == len(who[1].motion) + 1
    np.testing.assert_allclose(np.abs((clip.motion.rotations[0] * clip.rest).sum(axis=-1)), 1.0)


def test_a_motion_file_is_as_good_as_a_take(walked: Path, tmp_path: Path) -> None:
    export([tmp_path / "a.bvh"], walked, person=1, rig="daz")
    (path,) = export([tmp_path / "b.glb"], motion=tmp_path / "a.bvh", rig="mixamo")
    (clip,) = read_clips(path)
    assert "mixamorig:Hips" in clip.motion.skeleton.names
    assert len(clip.motion) == len(people_of(walked, 1)[1].motion)


def test_characters_of_one_file_must_be_told_apart(walked: Path, tmp_path: Path) -> None:
    both = tmp_path / "both.glb"
    export([both], walked, every=True)
    with pytest.raises(MocapError, match="has 2 characters: say --person 1, 2, or --all"):
        export([tmp_path / "b.fbx"], motion=both)
    with pytest.raises(MocapError, match="no character 3; it has 1, 2"):
        export([tmp_path / "b.fbx"], motion=both, person=3)
    export([tmp_path / "b.fbx"], motion=both, person=2, rig="vrm")
    (clip,) = read_clips(tmp_path / "b.fbx")
    assert (len(clip.motion), clip.first) == (len(people_of(walked, 2)[2].motion), 0)


def test_a_character_s_own_file_is_a_rig(walked: Path, tmp_path: Path) -> None:
    export([tmp_path / "hero.glb"], walked, person=1, rig="unreal4", shape=Shape(span="0:1"))
    (path,) = export([tmp_path / "c.fbx"], walked, person=1, rig=str(tmp_path / "hero.glb"))
    (clip,) = read_clips(path)
    assert set(clip.motion.skeleton.names) == set(load_rig("unreal4").skeleton.names)


def test_root_motion_has_a_bone_of_its_own(walked: Path) -> None:
    who = people_of(walked, 1)
    shape = Shape(Performance(root="root"))
    own, unreal = (shaped(who, rig, shape)[1] for rig in (None, load_rig("unreal")))
    assert own.motion.skeleton.names[0] == "Root" and unreal.motion.skeleton.names[0] == "root"
    for clip in (own, unreal):
        assert np.ptp(clip.motion.root[:, 2]) > 1.0 and np.abs(clip.motion.root[:, 1]).max() < 1e-9


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rig": "mixxamo"}, "no rig 'mixxamo': use one of cmu,"),
        ({"rig": "gone.glb"}, "gone.glb"),
        ({"unit": "m", "targets": ["a.glb"]}, "one unit only; leave out --unit m"),
        ({"targets": ["a.bvh", "a.xyz"]}, "has the suffix '.xyz'"),
        ({"motion": Path("gone.bvh")}, "gone.bvh"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_written(
    walked: Path, tmp_path: Path, arguments: dict, message: str
) -> None:
    targets = [tmp_path / name for name in arguments.pop("targets", ["a.bvh"])]
    source = {} if "motion" in arguments else {"take": walked, "person": 1}
    with pytest.raises(Exception, match=message) as refusal:
        export(targets, **source, **arguments)
    assert type(refusal.value).__name__ in ("MocapError", "RigError", "FormatError")
    assert "\n" not in str(refusal.value) and not list(tmp_path.iterdir())


def test_rates_and_lengths_as_people_type_them() -> None:
    assert rate("23.976") == Fraction(24000, 1001) and rate("30000/1001") == Fraction(30000, 1001)
    assert length("2mm") == length("2") == length("0.2cm") == length("0.002 m") == 0.002
    for text in ("0", "-3", "fast", "1/0", "inf"):
        with pytest.raises(MocapError, match="give frames a second"):
            rate(text)
    for text in ("0", "2km", ".", ""):
        with pytest.raises(MocapError, match="give a distance above zero"):
            length(text)


def test_a_lone_option_leaves_the_rest_as_it_is(walked: Path) -> None:
    who = people_of(walked, 1)
    smooth = shaped(who, None, replace(Shape(), cutoff=6.0))[1]
    assert smooth.keys is None and smooth.motion.skeleton.names == who[1].motion.skeleton.names
    few = shaped(who, None, replace(Shape(), bound=0.005))[1]
    assert few.keys is not None and 0.0 < few.keys.mean() < 1.0
    np.testing.assert_array_equal(few.motion.rotations, who[1].motion.rotations)
