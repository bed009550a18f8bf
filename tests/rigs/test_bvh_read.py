"""What BVH files in the wild look like, and what is said of those that cannot be read."""

import logging
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rigs import quat
from rigs.errors import FormatError
from rigs.formats.bvh import read_bvh

NEAR = 1e-12

# A pole of three joints and an arm; each line of a case below is changed in this text.
POLE = """\
HIERARCHY
ROOT Base
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
  JOINT Mast
  {
    OFFSET 0 80 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    JOINT Top
    {
      OFFSET 0 60 0
      CHANNELS 3 Zrotation Xrotation Yrotation
      End Site
      {
        OFFSET 0 20 0
      }
    }
  }
  JOINT Arm
  {
    OFFSET 30 0 0
    CHANNELS 3 Zrotation Xrotation Yrotation
    End Site
    {
      OFFSET 25 0 0
    }
  }
}
MOTION
Frames: 2
Frame Time: 0.0333333
0 90 0 0 0 0 0 0 0 0 0 0 0 0 0
10 95 -5 90 0 0 0 0 0 0 0 45 0 0 0
"""
LINES = POLE.splitlines()
FIRST_ROW = LINES.index("MOTION") + 4  # its line number


@pytest.fixture
def bvh(tmp_path: Path):
    """Return a maker of files from text or bytes."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "clip.bvh"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_the_plain_file(bvh) -> None:
    motion = read_bvh(bvh(POLE))
    assert motion.skeleton.names == ("Base", "Mast", "Top", "Arm")
    assert motion.skeleton.parents.tolist() == [-1, 0, 1, 0]
    assert motion.fps == 30
    assert sorted(motion.skeleton.tips) == ["Arm", "Top"]
    positions, rotations = motion.world()
    np.testing.assert_allclose(
        positions[0], [[0, 0.9, 0], [0, 1.7, 0], [0, 2.3, 0], [0.3, 0.9, 0]], atol=NEAR
    )
    # the root's Z turn lays the mast along -x
    np.testing.assert_allclose(
        positions[1],
        [[0.1, 0.95, -0.05], [-0.7, 0.95, -0.05], [-1.3, 0.95, -0.05], [0.1, 1.25, -0.05]],
        atol=NEAR,
    )
    top = quat.multiply(quat.from_rotvec([0, 0, np.pi / 2]), quat.from_rotvec([0, np.pi / 4, 0]))
    np.testing.assert_allclose(rotations[1, 2], top, atol=NEAR)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace("  ", "\t").replace("OFFSET ", "OFFSET\t"),
        lambda text: text.replace("0 90 0 0", "0\t9e+001 -0.0E-007  0"),
        lambda text: text.replace("\n", "  \n"),
        lambda text: text.replace("\n", "\n\n"),
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n\n   \n",
        lambda text: text.upper().replace("BASE", "Base").replace("MAST", "Mast").replace("TOP", "Top")
        .replace("ARM", "Arm"),
        lambda text: text.replace("HIERARCHY", "hierarchy").replace("ROOT", "root").replace("JOINT", "Joint")
        .replace("End Site", "end site").replace("MOTION", "motion").replace("Frame Time:", "frame time:"),
        lambda text: text.replace("Base\n{", "Base {").replace("Mast\n  {", "Mast{"),
        lambda text: text.replace("Frames: 2", "Frames:\t2").replace("Frame Time: ", "Frame Time:\t"),
        lambda text: text.replace("End Site", "End Site Base_end"),
        lambda text: text.replace("0 90 0 0 0 0 0", "0 90 0\n0 0 0 0"),  # rows may break anywhere
        lambda text: text.replace("Frame Time: 0.0333333", "Frame Time: 0.03333333333333333333333333"),
    ],
)  # fmt: skip
def test_other_hands_wrote_the_same(bvh, change) -> None:
    plain, other = read_bvh(bvh(POLE)), read_bvh(bvh(change(POLE)))
    assert other.skeleton.names == plain.skeleton.names
    assert other.fps == plain.fps
    np.testing.assert_array_equal(other.world()[0], plain.world()[0])
    assert sorted(other.skeleton.tips) == ["Arm", "Top"]


def test_a_leaf_may_lack_its_end(bvh) -> None:
    end = "      End Site\n      {\n        OFFSET 0 20 0\n      }\n"
    assert sorted(read_bvh(bvh(POLE.replace(end, ""))).skeleton.tips) == ["Arm"]


def test_names_with_spaces_colons_and_old_letters(bvh) -> None:
    text = POLE.replace("Base", "rig:Base").replace("Mast", "Bip01 L  Mast").replace("Arm", "Bras\u00e9")
    assert read_bvh(bvh(text)).skeleton.names == ("rig:Base", "Bip01 L Mast", "Top", "Bras\u00e9")
    assert read_bvh(bvh(text.encode("latin-1"))).skeleton.names[3] == "Bras\u00e9"


def test_joints_named_alike_get_a_suffix(bvh, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        motion = read_bvh(bvh(POLE.replace("Top", "Mast").replace("Arm", "Mast")))
    assert motion.skeleton.names == ("Base", "Mast", "Mast_2", "Mast_3")
    assert "line 10: a second joint named 'Mast', read as 'Mast_2'" in caplog.text


def test_channels_in_any_order(bvh) -> None:
    """The same pose with the root's rotations first, Y before Z, and its positions backwards."""
    text = POLE.replace(
        "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
        "6 Yrotation Zrotation Xrotation Zposition Yposition Xposition",
    )
    rows = "20 30 40 -5 95 10 0 0 0 0 0 0 0 0 0\n"
    motion = read_bvh(bvh(text[: text.index("0 90 0 0")] + rows * 2))
    np.testing.assert_allclose(motion.root[0], [0.1, 0.95, -0.05], atol=NEAR)
    y, z, x = (quat.from_rotvec(np.radians(a) * np.eye(3)[k]) for a, k in ((20, 1), (30, 2), (40, 0)))
    np.testing.assert_allclose(motion.rotations[0, 0], quat.multiply(quat.multiply(y, z), x), atol=NEAR)


def test_channels_left_out_are_at_rest(bvh) -> None:
    text = POLE.replace(
        "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation", "2 Yposition Yrotation"
    )
    text = text.replace("OFFSET 0 0 0", "OFFSET 7 8 9")
    motion = read_bvh(bvh(text[: text.index("0 90 0 0")] + "55 30 0 0 0 0 0 0 0 0 0\n" * 2))
    np.testing.assert_allclose(motion.root, [[0.07, 0.55, 0.09]] * 2, atol=NEAR)
    np.testing.assert_allclose(motion.rotations[0, 0], quat.from_rotvec([0, np.pi / 6, 0]), atol=NEAR)


def root_at_20(channels: str, values: str) -> str:
    text = POLE.replace("OFFSET 0 0 0", "OFFSET 0 20 0")
    text = text.replace("6 Xposition Yposition Zposition Zrotation Xrotation Yrotation", channels)
    return text[: text.index("0 90 0 0")] + f"{values} 0 0 0 0 0 0 0 0 0\n" * 2


SIX = "6 Xposition Yposition Zposition Zrotation Xrotation Yrotation"


@pytest.mark.parametrize(
    ("channels", "values", "height"),
    [
        (SIX, "0 90 0 0 0 0", 0.9),
        (SIX, "0 0 0 0 0 0", 0.2),
        ("3 Zrotation Xrotation Yrotation", "0 0 0", 0.2),
    ],
)
def test_root_offset_holds_where_nothing_replaces_it(bvh, channels: str, values: str, height: float) -> None:
    motion = read_bvh(bvh(root_at_20(channels, values)))
    np.testing.assert_allclose(motion.root, [[0.0, height, 0.0]] * 2, atol=NEAR)
    assert not motion.skeleton.offsets[0].any()


def test_joints_with_positions(bvh) -> None:
    text = POLE.replace("    OFFSET 0 80 0\n    CHANNELS 3 ", f"    OFFSET 0 80 0\n    CHANNELS {SIX[:-29]}")
    head = text[: text.index("0 90 0 0")]
    zeros = " 0" * 9
    moving = read_bvh(bvh(f"{head}0 90 0 0 0 0 0 80 0{zeros}\n0 90 0 0 0 0 1 85 -2{zeros}\n"))
    assert list(moving.translations) == [1]
    np.testing.assert_allclose(moving.world()[0][:, 2], [[0, 2.3, 0], [0.01, 2.35, -0.02]], atol=NEAR)
    for resting in ("0 80 0", "0 0 0"):  # as the OFFSET says, or saying nothing
        motion = read_bvh(bvh(head + f"0 90 0 0 0 0 {resting}{zeros}\n" * 2))
        assert not motion.translations
        np.testing.assert_allclose(motion.world()[0][:, 1], [[0, 1.7, 0]] * 2, atol=NEAR)


def test_unit_is_guessed_from_the_size_and_given_wins(bvh, caplog: pytest.LogCaptureFixture) -> None:
    metres = POLE.replace("80 0", "0.8 0").replace("60 0", "0.6 0").replace("20 0", "0.2 0")
    metres = metres.replace("OFFSET 30", "OFFSET .3").replace("OFFSET 25", "OFFSET .25")
    offset = [0.0, 0.8, 0.0]
    with caplog.at_level(logging.WARNING):
        np.testing.assert_allclose(read_bvh(bvh(POLE)).skeleton.offsets[1], offset)
        np.testing.assert_allclose(read_bvh(bvh(metres)).skeleton.offsets[1], offset)
        np.testing.assert_allclose(read_bvh(bvh(POLE), unit=0.0254).skeleton.offsets[1], [0.0, 2.032, 0.0])
        assert not caplog.text
        tiny = POLE.replace("80 0", "8 0").replace("60 0", "6 0").replace("20 0", "2 0")
        tiny = tiny.replace("OFFSET 30", "OFFSET 3").replace("OFFSET 25", "OFFSET 2")
        np.testing.assert_allclose(read_bvh(bvh(tiny)).skeleton.offsets[1], [0.0, 0.08, 0.0])
    assert "16 units across, read as centimetres; if that is wrong give the unit" in caplog.text


def test_z_up_is_turned_at_the_door(bvh) -> None:
    """The same pole drawn along z, its arm along x, moving towards -y."""
    text = POLE.replace("0 80 0", "0 0 80").replace("0 60 0", "0 0 60").replace("0 20 0", "0 0 20")
    head = text[: text.index("0 90 0 0")]
    motion = read_bvh(bvh(head + "10 -20 90 90 0 0 0 0 0 0 0 0 0 0 0\n" * 2), up="z")
    np.testing.assert_allclose(
        motion.skeleton.offsets[1:], [[0, 0.8, 0], [0, 0.6, 0], [0.3, 0, 0]], atol=NEAR
    )
    # a quarter turn about the upward axis takes the arm from the pole's left to its back
    expected = [[0.1, 0.9, 0.2], [0.1, 1.7, 0.2], [0.1, 2.3, 0.2], [0.1, 0.9, -0.1]]
    np.testing.assert_allclose(motion.world()[0][0], expected, atol=NEAR)
    np.testing.assert_allclose(motion.skeleton.tips["Top"], [0, 0.2, 0], atol=NEAR)


def test_one_frame_and_slow_frames(bvh) -> None:
    text = "\n".join(LINES[:-1]).replace("Frames: 2", "Frames: 1").replace("0.0333333", "2.5")
    motion = read_bvh(bvh(text))
    assert len(motion) == 1
    assert motion.fps == Fraction(2, 5)


def row(number: int, text: str) -> str:
    """Return the pole with one line, counted from 1, put in another's place."""
    return "\n".join([*LINES[: number - 1], *text.splitlines(), *LINES[number:]]) + "\n"


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("", 1, "the file ends before a line MOTION"),
        ("Kaydara FBX\n" + POLE, 1, "begins with HIERARCHY, here is 'Kaydara FBX'"),
        (b"HIERARCHY\0\1\2", 1, "binary"),
        (row(2, ""), 2, "'{' without a ROOT"),
        (row(3, ""), 3, "expected '{' after a joint's name, found 'OFFSET 0 0 0'"),
        (row(4, "  OFFSET 0 0"), 4, "OFFSET is '0 0'; give three numbers"),
        (row(4, "  OFFSET 0 1,5 0"), 4, "OFFSET is '0 1,5 0'; give three numbers with decimal points"),
        (row(4, "  OFFSET 0 nan 0"), 4, "OFFSET is '0 nan 0'"),
        (row(5, "  CHANNELS 6 Xposition"), 5, "CHANNELS says '6' but names 1"),
        (row(9, "    CHANNELS 3 Zrotation Xrotation Yturn"), 9, "unknown channel 'Yturn'"),
        (row(9, "    SCALE 1 1 1"), 9, "unknown keyword 'SCALE'"),
        (row(8, ""), 6, "joint 'Mast' has no OFFSET"),
        (row(21, "JOINT Twig"), 21, "expected '{' after"),
        (row(29, ""), 29, "MOTION begins but 'Base' is still open; 1 '}' are missing"),
        (row(29, "}\n}"), 30, "'}' closes nothing"),
        (row(29, "}\nROOT Second"), 30, "a second ROOT 'Second'"),
        (row(29, "}\nJOINT Stray"), 30, "JOINT 'Stray' is not inside"),
        ("HIERARCHY\nMOTION\nFrames: 1\n", 2, "there is no ROOT"),
        (POLE[: POLE.index("MOTION")], 30, "the file ends before a line MOTION"),
        (POLE[: POLE.index("Frames")], 31, "no line like 'Frames: 100' before the end"),
        (row(31, "Frames: 0"), 31, "Frames is '0'; a motion has 1 frame or more"),
        (row(31, "Frames: many"), 31, "Frames is 'many'"),
        (row(31, ""), 31, "expected a line like 'Frames: 100', found 'Frame Time: 0.0333333'"),
        (row(32, ""), 32, "expected a line like 'Frame Time: 0.0333333', found '0 90 0"),
        (
            row(32, "Frame Time: 0"),
            32,
            "frame time '0' is not a plausible number of seconds above zero; write",
        ),
        (row(32, "Frame Time: 0,0333"), 32, "frame time '0,0333'"),
        (row(31, "Frames: 5"), 31, "Frames is 5 but 2 rows of numbers follow, up to line 34; .* Frames: 2"),
        (row(31, "Frames: 1"), 31, "Frames is 1 but 2 rows of numbers follow, .* Frames: 2"),
        (POLE[: POLE.index("0 90 0 0")], 31, "Frames is 2 but 0 rows of numbers follow"),
        (row(34, "10 95 nan 90 0 0 0 0 0 0 0 45 0 0 0"), 34, "frame 1: Zposition of joint 'Base' is 'nan'"),
        (row(34, "10 95 0 90 0 0 0 0 0 0 inf 45 0 0 0"), 34, "frame 1: Xrotation of joint 'Top' is 'inf'"),
        (row(33, "10 95 0 90 0 0 0 0 0 x 0 45 0 0 0"), 33, "frame 0: Zrotation of joint 'Top' is 'x'"),
        (row(34, "10 95 0 90"), 34, "frame 1: the row has 4 numbers, its 4 joints have 15 channels"),
        (row(33, "1 " * 16), 33, "frame 0: the row has 16 numbers"),
    ],
)
def test_refusals_name_the_line(bvh, content: str | bytes, line: int, message: str) -> None:
    path = bvh(content)
    with pytest.raises(FormatError, match=message) as refusal:
        read_bvh(path)
    assert str(refusal.value).startswith(f"{path}, line {line}")
    assert "\n" not in str(refusal.value)


def test_other_refusals(bvh, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        read_bvh(tmp_path / "nothing.bvh")
    with pytest.raises(FormatError, match="up is 'y' or 'z'"):
        read_bvh(bvh(POLE), up="x")
    with pytest.raises(FormatError, match="give metres per unit"):
        read_bvh(bvh(POLE), unit=0.0)


@given(st.data())
def test_damaged_files_are_refused_in_one_line_or_read(
    tmp_path_factory: pytest.TempPathFactory, data
) -> None:
    """Cut, doubled or mistyped anywhere: nothing but a motion or a FormatError comes of it."""
    start = data.draw(st.integers(0, len(POLE)))
    stop = data.draw(st.integers(start, min(start + 60, len(POLE))))
    patch = data.draw(
        st.one_of(st.just(POLE[start:stop] * 2), st.text(max_size=8), st.text("{}-.e0 \n", max_size=8))
    )
    path = tmp_path_factory.getbasetemp() / "damaged.bvh"
    path.write_text(POLE[:start] + patch + POLE[stop:], encoding="utf-8", errors="ignore")
    try:
        motion = read_bvh(path)
    except FormatError as error:
        assert "\n" not in str(error)
    else:
        assert np.isfinite(motion.world()[0]).all()
