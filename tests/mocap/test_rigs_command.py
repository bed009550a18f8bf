"""`mocap rigs` lists, shows and maps."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mocap.cli import cli
from rigs.clip import Clip
from rigs.errors import RigError
from rigs.formats import write_clips
from rigs.library import load_rig, rig_names
from rigs.recognition.mapping import read_map
from tests.rigs.foreign import character
from tests.rigs.naming_styles import LIMBS, TRUNK, limbs


def mocap(*arguments: object) -> Result:
    return CliRunner().invoke(cli, list(map(str, arguments)))


@pytest.fixture
def hero(tmp_path: Path) -> Path:
    """A character file that is recognised."""
    return written(tmp_path / "hero.bvh", character(TRUNK, limbs("Left{}", "Right{}", *LIMBS)))


def written(path: Path, clip: Clip) -> Path:
    write_clips(path, [clip])
    return path


def test_the_list_names_every_rig_and_what_it_is_for() -> None:
    answer = mocap("rigs")
    assert answer.exit_code == 0
    assert [line.split()[0] for line in answer.output.splitlines()] == rig_names()
    assert "unreal       89 joints  Unreal Engine 5, Manny and Quinn" in answer.output.splitlines()


def test_a_known_rig_is_drawn_with_its_parts() -> None:
    lines = mocap("rigs", "show", "unreal4").output.splitlines()
    assert lines[0].startswith("unreal4: 68 joints, 52 parts, A-pose, ")
    assert len(lines) == 1 + len(load_rig("unreal4").skeleton)
    assert any(line.split() == ["├─", "pelvis", "Hips"] for line in lines)
    assert any(line.endswith("(follows hand_r)") and "ik_hand_gun" in line for line in lines)
    assert any(line.endswith("(twist of LeftHand, +0.52)") for line in lines)
    assert lines[1].split() == ["root", "(root)"]


def test_a_character_file_is_drawn(hero: Path) -> None:
    lines = mocap("rigs", "show", hero).output.splitlines()
    assert lines[0].startswith("hero: 22 joints, 22 parts, T-pose, ")
    assert any(line.split()[-2:] == ["LeftForeArm", "LeftForeArm"] for line in lines)


def test_a_map_is_written_corrected_and_used(hero: Path, tmp_path: Path) -> None:
    answer = mocap("rigs", "map", hero, "-o", tmp_path / "map.yaml")
    assert answer.exit_code == 0 and "22 parts of hero, 22 joints" in answer.output
    text = (tmp_path / "map.yaml").read_text(encoding="utf-8")
    assert read_map(tmp_path / "map.yaml")["LeftLeg"] == "LeftLeg"
    (tmp_path / "map.yaml").write_text(text.replace("LeftToeBase: LeftToeBase", 'LeftToeBase: ""'))
    lines = mocap("rigs", "show", hero, "--map", tmp_path / "map.yaml").output.splitlines()
    assert lines[0].startswith("hero: 22 joints, 21 parts")


def test_a_map_of_what_is_not_recognised_is_to_be_filled_in(tmp_path: Path) -> None:
    every = limbs("Left{}", "Right{}", *LIMBS)
    legs = character(TRUNK, {part: every[part] for part in ("UpLeg", "Leg", "Foot")})
    path = written(tmp_path / "legs.bvh", legs)
    refused = mocap("rigs", "show", path)
    assert isinstance(refused.exception, RigError) and "mocap rigs map" in str(refused.exception)
    answer = mocap("rigs", "map", path, "-o", tmp_path / "map.yaml")
    assert answer.exit_code == 0
    assert "not found, fill in:" in answer.output and "left arm (LeftArm" in answer.output
    assert "#   LeftFoot" in (tmp_path / "map.yaml").read_text(encoding="utf-8")


def test_a_name_that_is_neither_a_rig_nor_a_file_is_refused() -> None:
    refused = mocap("rigs", "show", "mixmo")
    assert isinstance(refused.exception, RigError) and "did you mean 'mixamo'?" in str(refused.exception)
    missing = mocap("rigs", "show", "nowhere.bvh")
    assert isinstance(missing.exception, RigError) and "cannot read nowhere.bvh" in str(missing.exception)
