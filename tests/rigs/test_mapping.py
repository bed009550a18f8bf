"""Map files come back as they went, and wrong ones are refused with one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from rigs.errors import FormatError, RigError
from rigs.library import load_rig, rig_names
from rigs.recognition.mapping import read_map, write_parts


@pytest.mark.parametrize("name", rig_names())
def test_what_is_written_is_read(name: str, tmp_path: Path) -> None:
    rig = load_rig(name)
    write_parts(tmp_path / "map.yaml", rig.name, rig.skeleton.names, rig.roles)
    assert read_map(tmp_path / "map.yaml") == rig.roles


def test_names_that_yaml_would_read_otherwise_are_kept(tmp_path: Path) -> None:
    odd = {
        "Hips": "yes",
        "Spine": "12",
        "Head": "a: b # c",
        "Neck": "null",
        "LeftArm": "Bras gauche é",
        "LeftHand": " x",
    }
    write_parts(tmp_path / "map.yaml", "two\nlines", [*odd.values(), "- free\n"], odd)
    assert read_map(tmp_path / "map.yaml") == odd


def test_a_map_lists_what_is_missing_and_what_is_free(tmp_path: Path) -> None:
    write_parts(tmp_path / "map.yaml", "hero", ["a", "b", "c"], {"Hips": "a"})
    text = (tmp_path / "map.yaml").read_text(encoding="utf-8")
    assert "\nHips: a\n" in text and "\nLeftHandThumb1:\n" in text and "\n#   b\n#   c\n" in text
    assert read_map(tmp_path / "map.yaml") == {"Hips": "a"}


def test_a_part_may_be_said_to_be_missing(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text('LeftToeBase: ""\nHead:\n', encoding="utf-8")
    assert read_map(tmp_path / "map.yaml") == {"LeftToeBase": ""}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no map; write lines like `LeftArm: upperarm_l`"),
        ("- Hips", "no map; write lines like"),
        ("Hips: [a", "not YAML: while parsing"),
        ("Hips: a\nHips: b", "Hips is there twice; keep one"),
        ("Hips: 3", "Hips: 3 is no name of a joint; put it in quotes"),
        ("Hips: !!python/object:os.system a", "not YAML: could not determine a constructor"),
        ("Hip: a", "a part 'Hip', which there is not; did you mean 'Hips'"),
        ("Hips: a\nSpine: a", "the joint 'a' as Hips and as Spine"),
        ("[" * 1000, "not YAML"),
    ],
)
def test_a_wrong_file_is_refused_with_one_line(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(RigError) as refused:
        read_map(tmp_path / "map.yaml")
    assert message in str(refused.value) and "\n" not in str(refused.value)


def test_what_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        read_map(tmp_path / "none.yaml")
    (tmp_path / "hero.fbx").write_bytes(b"Kaydara\x00\xff\xfe")
    with pytest.raises(FormatError, match=r"hero\.fbx: not text: no map file"):
        read_map(tmp_path / "hero.fbx")
    (tmp_path / "large").write_bytes(b" " * (1 << 20) + b" ")
    with pytest.raises(FormatError, match="larger than 1 MB"):
        read_map(tmp_path / "large")
