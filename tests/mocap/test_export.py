"""Export: the file holds the motion, goes where it should, and every refusal is one line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from mocap.errors import MocapError
from mocap.export import export, import_hint
from mocap.shaping import Shape
from mocap.take import Take
from rigs.errors import RigError
from rigs.formats.bvh import read_bvh
from tests.mocap.test_people import motion, taken


@pytest.mark.parametrize("unit", ["cm", "m"])
def test_the_file_holds_the_motion(tmp_path: Path, unit: str) -> None:
    taken(tmp_path / "take", 1)
    (path,) = export([tmp_path / "a.bvh"], tmp_path / "take", unit=unit)
    read, wrote = read_bvh(path, unit={"cm": 0.01, "m": 1.0}[unit]), motion(1)
    assert (len(read), read.fps) == (len(wrote), wrote.fps)
    # Six decimals of a degree on up to six joints of at most 0.4 m, and 1e-8 m of the root.
    np.testing.assert_allclose(read.world()[0], wrote.world()[0], atol=1e-6)
    assert {"cm": "Scale 0.01", "m": "Scale 1"}[unit] in import_hint(path, unit)


def test_the_newest_take_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken(tmp_path / "old.take", 1)
    taken(tmp_path / "new.take", 1)
    os.utime(tmp_path / "old.take" / "take.json", (1, 1))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.take" / "people" / "1.motion.npz").unlink()  # would fail
    assert export([Path("a.bvh")]) == [Path("a.bvh")]


def test_several_people_must_be_told_apart(tmp_path: Path) -> None:
    taken(tmp_path / "take", 1, 2)
    target = tmp_path / "a.bvh"
    with pytest.raises(MocapError, match="has 2 people: say --person 1, 2, or --all"):
        export([target], tmp_path / "take")
    assert not target.exists()
    assert export([target], tmp_path / "take", person=2) == [target]
    np.testing.assert_allclose(read_bvh(target).root, motion(2).root, atol=1e-6)
    both = export([target], tmp_path / "take", every=True)
    assert [p.name for p in both] == ["a_1.bvh", "a_2.bvh"] and all(p.is_file() for p in both)
    with pytest.raises(MocapError, match="no person 3; it has 1, 2"):
        export([target], tmp_path / "take", person=3)


def test_a_take_without_motion(tmp_path: Path) -> None:
    Take.create(tmp_path / "take", {}, []).complete()
    with pytest.raises(MocapError, match="has no motion: run `mocap capture` again"):
        export([tmp_path / "a.bvh"], tmp_path / "take")


@pytest.mark.parametrize("name", ["clip.xyz", "clip", "gone/clip.bvh"])
def test_a_target_that_cannot_be(tmp_path: Path, name: str) -> None:
    taken(tmp_path / "take", 1)
    with pytest.raises(RigError, match=r"cannot write .*clip") as caught:
        export([tmp_path / name], tmp_path / "take")
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["take"]


def test_a_file_that_was_there_stays_when_the_new_one_fails(tmp_path: Path) -> None:
    taken(tmp_path / "take", 1)
    (tmp_path / "a.bvh").mkdir()  # a folder cannot be replaced, not even by root
    with pytest.raises(RigError, match="cannot write"):
        export([tmp_path / "a.bvh"], tmp_path / "take")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.bvh", "take"]


def test_options_that_do_not_go_together(tmp_path: Path) -> None:
    taken(tmp_path / "take", 1)
    with pytest.raises(MocapError, match=r"--take .*take and --motion .*a\.bvh: give the one"):
        export([tmp_path / "b.bvh"], tmp_path / "take", motion=tmp_path / "a.bvh")
    with pytest.raises(MocapError, match="for a character's file; the joints of unreal are known"):
        export([tmp_path / "b.bvh"], tmp_path / "take", rig="unreal", mapped=tmp_path / "a.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["take"]


def test_a_map_of_the_motion_s_joints_serves_a_known_rig(tmp_path: Path) -> None:
    taken(tmp_path / "take", 1)
    (plain,) = export([tmp_path / "a.bvh"], tmp_path / "take")
    (map_file := tmp_path / "a.yaml").write_text("LeftFoot: Tail", encoding="utf-8")
    with pytest.raises(RigError, match="Tail"):  # which the motion has not
        export([tmp_path / "b.bvh"], motion=plain, rig="unreal", mapped=map_file)


def test_a_file_without_fewer_keys_says_so(tmp_path: Path) -> None:
    taken(tmp_path / "take", 1)
    said: list[str] = []
    targets = [tmp_path / name for name in ("a.glb", "a.usdc", "a.fbx", "a.bvh", "a.vrma")]
    export(targets, tmp_path / "take", shape=Shape(bound=2e-3), say=said.append)
    assert [line.split(":")[0] for line in said] == ["a.usdc", "a.bvh"]
    assert all("--simplify" in line for line in said)
