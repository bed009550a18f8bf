from pathlib import Path

import pytest

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import format_of, read_clips, write_clips


def test_formats_are_found_by_suffix(wild, tmp_path: Path) -> None:
    write_clips(tmp_path / "a.BVH", [Clip("a", wild(frames=2))], unit="m")
    (clip,) = read_clips(tmp_path / "a.BVH")
    assert clip.name == "a" and len(clip.motion) == 2
    with pytest.raises(
        FormatError, match=r"cannot write clip.xyz: it has the suffix '.xyz'; use one of .*\.bvh"
    ):
        format_of("clip.xyz", "write")
    with pytest.raises(FormatError, match=r"has no suffix; use one of .*\.bvh"):
        format_of("clip", "read")


def test_a_format_of_one_character_refuses_two(wild, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"2 characters, and .bvh holds one; write a file for each"):
        write_clips(tmp_path / "a.bvh", [Clip("a", wild(frames=2)), Clip("b", wild(frames=2))])
    assert not list(tmp_path.iterdir())
