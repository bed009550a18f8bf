"""Other programs read what we write as it is meant, and we read what they write."""

import json
import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.formats import read_clips, write_clips
from rigs.stick import stick_figure
from tests.rigs.fbx_text import YUP, Curve, Node, fbx_text, limbs
from tests.rigs.wild_clip import wild_clip

HERE = Path(__file__).parent
SAME_PLACE = 1e-5  # metres: these programs hold curves and matrices in single precision, ten joints in a row

Three = Callable[..., dict]
Sdk = Callable[..., Path]


def in_blender(python: Path, clip: Path) -> dict[str, np.ndarray]:
    target = clip.with_suffix(".npz")
    script = HERE / "blender_read.py"
    run = subprocess.run([python, script, clip, target], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    with np.load(target, allow_pickle=False) as found:
        return dict(found)


def from_z_up(positions: np.ndarray) -> np.ndarray:
    x, y, z = np.moveaxis(positions, -1, 0)
    return np.stack([x, z, -y], axis=-1)


def assert_places(
    found: np.ndarray, names: list[str], clip: Clip, prefix: str = "", frames: slice = slice(None)
):
    """Check positions (T, J, 3), metres y up, of joints that a program names so."""
    order = [names.index(prefix + name) for name in clip.motion.skeleton.names]
    assert np.abs(found[:, order] - clip.motion.world()[0][frames]).max() <= SAME_PLACE


@pytest.mark.blender
@pytest.mark.slow
@pytest.mark.parametrize(("fps", "options"), [(30, {}), (24, {"unit": "m"}), (120, {"up": "z"})])
def test_blender_sees_what_we_wrote(tmp_path: Path, blender_python: Path, fps: int, options: dict) -> None:
    clip = wild_clip(fps=Fraction(fps))
    write_clips(tmp_path / "a.fbx", [clip], **options)
    seen = in_blender(blender_python, tmp_path / "a.fbx")
    assert_places(from_z_up(seen["heads"]), seen["names"].tolist(), clip)
    assert seen["keyed"].tolist() == [1, len(clip.motion)]
    assert (int(seen["fps"]), float(seen["fps_base"])) == (fps, 1.0)


@pytest.mark.blender
@pytest.mark.slow
def test_in_blender_the_skin_follows_the_bones(tmp_path: Path, blender_python: Path) -> None:
    clip = wild_clip()
    write_clips(tmp_path / "a.fbx", [clip])
    stick = stick_figure(clip)
    rest, turned = (values[0] for values in clip.resting.world())
    places, turns = (values[-1] for values in clip.motion.world())
    own = quat.rotate(quat.conjugate(turned[stick.joint]), stick.vertices - rest[stick.joint])
    expected = places[stick.joint] + quat.rotate(turns[stick.joint], own)
    seen = from_z_up(in_blender(blender_python, tmp_path / "a.fbx")["vertices"])
    assert np.abs(seen - expected).max() <= SAME_PLACE


@pytest.mark.blender
@pytest.mark.slow
def test_blender_sees_two_characters_on_one_clock(tmp_path: Path, blender_python: Path) -> None:
    anna, bob = wild_clip("anna", seed=1), wild_clip("bob", seed=2, frames=30, first=6)
    write_clips(tmp_path / "a.fbx", [anna, bob])
    seen = in_blender(blender_python, tmp_path / "a.fbx")
    names, places = seen["names"].tolist(), from_z_up(seen["heads"])
    assert places.shape == (40, 112, 3)
    assert_places(places, names, anna, "anna:")
    assert_places(places[6:36], names, bob, "bob:")


@pytest.mark.blender
@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"axis_up": "Z", "axis_forward": "Y", "add_leaf_bones": False},
        {"apply_scale_options": "FBX_SCALE_ALL", "primary_bone_axis": "X", "secondary_bone_axis": "-Y"},
    ],
)
def test_we_see_what_blender_wrote(tmp_path: Path, blender_python: Path, options: dict) -> None:
    clips = [wild_clip("anna", seed=1), wild_clip("bob", seed=2)]
    write_clips(tmp_path / "a.fbx", clips)
    command = [blender_python, HERE / "blender_rewrite.py", tmp_path / "a.fbx", tmp_path / "b.fbx"]
    run = subprocess.run([*command, json.dumps(options)], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    for found, clip in zip(read_clips(tmp_path / "b.fbx"), clips, strict=True):
        assert (found.name, len(found.motion), found.first, found.motion.fps) == (clip.name, 40, 0, 30)
        joints = list(found.motion.skeleton.names)
        assert_places(found.motion.world()[0], joints, clip)
        assert_places(found.resting.world()[0], joints, Clip(clip.name, clip.resting))


def plain(name: str) -> str:
    """Names as three.js has them."""
    return re.sub(r"[\[\].:/]", "", name.replace(" ", "_"))


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize("fps", ["24", "30", "60", "30000/1001"])
def test_three_sees_what_we_wrote(tmp_path: Path, in_three: Three, fps: str) -> None:
    clip = wild_clip(fps=Fraction(fps))
    write_clips(tmp_path / "a.fbx", [clip])
    seen = in_three(tmp_path / "a.fbx", [clip.key_time(t) for t in range(len(clip.motion))])
    assert_places(0.01 * np.array(seen["positions"]), seen["bones"], clip)
    (animation,) = seen["clips"]
    assert animation["duration"] == pytest.approx(float(clip.motion.duration), rel=2.0**-24)
    for track in animation["tracks"].values():
        assert (track["keys"], track["first"]) == (40, 0.0)
    assert len(animation["tracks"]) == 56 + 1 + 2  # rotations, the root's place, two joints that move


@pytest.mark.node
@pytest.mark.slow
def test_three_sees_two_characters_on_one_clock(tmp_path: Path, in_three: Three) -> None:
    anna, bob = wild_clip("anna", seed=1), wild_clip("bob", seed=2, frames=30, first=6)
    write_clips(tmp_path / "a.fbx", [anna, bob])
    seen = in_three(tmp_path / "a.fbx", [anna.key_time(t) for t in range(40)])
    positions = 0.01 * np.array(seen["positions"])
    assert_places(positions, seen["bones"], anna, "anna")
    assert_places(positions[6:36], seen["bones"], bob, "bob")


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"unit": "m"}, {"up": "z"}])
@pytest.mark.parametrize("rate", [24, 30, 60])
def test_the_fbx_sdk_sees_what_we_wrote(
    tmp_path: Path, in_fbx_sdk: Sdk, in_three: Three, rate: int, options: dict
) -> None:
    clip = wild_clip(fps=Fraction(rate))
    write_clips(tmp_path / "a.fbx", [clip], **options)
    seen = in_three(in_fbx_sdk(tmp_path / "a.fbx", rate), [clip.key_time(t) for t in range(len(clip.motion))])
    assert_places(np.array(seen["positions"]), seen["bones"], clip)
    (animation,) = seen["clips"]
    assert animation["duration"] == pytest.approx(float(clip.motion.duration), rel=2.0**-24)
    assert {track["keys"] for track in animation["tracks"].values()} == {40}


@pytest.mark.node
@pytest.mark.slow
def test_the_fbx_sdk_sees_two_characters_on_one_clock(
    tmp_path: Path, in_fbx_sdk: Sdk, in_three: Three
) -> None:
    anna, bob = wild_clip("anna", seed=1), wild_clip("bob", seed=2, frames=30, first=6)
    write_clips(tmp_path / "a.fbx", [anna, bob])
    seen = in_three(in_fbx_sdk(tmp_path / "a.fbx"), [anna.key_time(t) for t in range(40)])
    assert_places(np.array(seen["positions"]), seen["bones"], anna, "anna")
    assert_places(np.array(seen["positions"])[6:36], seen["bones"], bob, "bob")


def odd_scene(random: np.random.Generator) -> tuple[list[Node], list[Curve]]:
    """A chain in which every node has all that FBX offers to turn and shift it, and turns."""

    def three(scale: float) -> tuple[float, ...]:
        return tuple(random.normal(scale=scale, size=3).tolist())

    nodes = [Node("above", "Null", properties={"Lcl Translation": three(10.0), "Lcl Rotation": three(90.0)})]
    nodes += [
        Node(
            f"joint{k}",
            parent=nodes[-1].name if k == 0 else f"joint{k - 1}",
            properties={
                "Lcl Translation": three(20.0), "Lcl Rotation": three(90.0), "PreRotation": three(90.0),
                "PostRotation": three(90.0), "RotationOffset": three(5.0), "RotationPivot": three(5.0),
                "RotationOrder": k, "RotationActive": 1,
            },
        )
        for k in range(6)
    ]  # fmt: skip
    keys = np.linspace(0.0, 1.0, 31)
    curves = [
        Curve(node.name, "Lcl Rotation", axis, [(t, 170.0 * np.sin(3 * t + k)) for t in keys.tolist()])
        for k, node in enumerate(nodes)
        for axis in "XYZ"
    ]
    return nodes, curves


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize("settings", [YUP, {"UpAxis": 2, "FrontAxis": 1, "FrontAxisSign": -1}])
def test_the_fbx_sdk_and_we_see_the_same_scene(
    tmp_path: Path, in_fbx_sdk: Sdk, in_three: Three, settings: dict
) -> None:
    nodes, curves = odd_scene(np.random.default_rng(3))
    (tmp_path / "a.fbx").write_text(fbx_text(nodes, curves, settings), encoding="utf-8")
    (clip,) = read_clips(tmp_path / "a.fbx")
    assert len(clip.motion) == 31
    seen = in_three(in_fbx_sdk(tmp_path / "a.fbx"), [clip.key_time(t) for t in range(31)])
    assert_places(np.array(seen["positions"]), seen["bones"], clip)


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize(
    "kinds", [[0x4], [0x2], [0x102], [0x108], [0x2108], [0x6108], [0x408], [0x408, 0x6108], [0x108, 0x6108]]
)
def test_the_fbx_sdk_and_we_see_the_same_curves(
    tmp_path: Path, in_fbx_sdk: Sdk, in_three: Three, kinds: list[int]
) -> None:
    """Linear, constant, automatic, clamped, and with slopes of their own; the frames are not the keys'."""
    random = np.random.default_rng(4)
    times = np.cumsum(random.integers(3, 20, 12)) / 30
    values = random.normal(scale=40.0, size=12)
    flags = [kinds[k % len(kinds)] for k in range(12)]
    slopes = random.normal(scale=30.0, size=(12, 4)) * [1, 1, 0, 0]
    slopes[[k for k in range(12) if flags[k] != 0x408]] = 0.0
    bits = slopes.astype(np.float32).view(np.int32).ravel().tolist()
    keys = list(zip((times - times[0]).tolist(), values.tolist(), strict=True))
    curve = Curve("hips", "Lcl Translation", "X", keys, flags, bits)
    (tmp_path / "a.fbx").write_text(fbx_text(limbs(), [curve]), encoding="utf-8")
    (clip,) = read_clips(tmp_path / "a.fbx")
    seen = in_three(in_fbx_sdk(tmp_path / "a.fbx"), [clip.key_time(t) for t in range(len(clip.motion))])
    assert_places(np.array(seen["positions"]), seen["bones"], clip)
