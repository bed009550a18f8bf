"""The add-on for Blender: what is in the zip, and what stands in Blender after it was used there."""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from calibration.camera import Cameras
from calibration.files import write_aniposelib
from mocap import __version__
from mocap.cli import cli
from mocap.errors import MocapError
from mocap.extension import write_extension
from mocap.people import Beside, write_people
from mocap.take import Take
from mocap.vendoring import HOME, PACKAGES, relative
from rigs.clip import Clip
from rigs.contact import Contacts
from rigs.errors import FormatError
from rigs.formats import write_clips
from rigs.motion import Motion
from rigs.retargeting.retarget import resting
from tests.calibration.synthetic import ring
from tests.mocap.test_people import motion
from tests.rigs.characters import person, posed_anew, proportioned
from tests.rigs.test_planting import walk
from tests.synth_take import film

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SCRIPT = Path(__file__).with_name("blender_addon.py")
NTSC = Fraction(30000, 1001)
START, LATE = 11, 7  # the scene's frame with the take's first; the take's frame in which the second comes
OFFSETS = {"cam1": 0.0, "cam2": 0.1, "cam3": 0.3, "cam4": 0.3}  # seconds; two views have begun at 0.1
LIMBS = [("Arm", "ForeArm"), ("ForeArm", "Hand"), ("UpLeg", "Leg"), ("Leg", "Foot")]
METARIG = {"Arm": "upper_arm", "ForeArm": "forearm", "Hand": "hand", "UpLeg": "thigh", "Leg": "shin"} | {
    "Foot": "foot",
    "ToeBase": "toe",
}


@pytest.fixture(scope="module")
def extension(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_extension(tmp_path_factory.mktemp("extension") / "mocap_blender.zip")


def test_the_same_zip_every_time_and_nothing_beside_it(extension: Path, tmp_path: Path) -> None:
    again = write_extension(tmp_path / "again.zip")
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (extension, again)}
    assert len(digests) == 1 and [p.name for p in tmp_path.iterdir()] == ["again.zip"]


def test_the_command_writes_it_and_says_how_to_install_it(tmp_path: Path, extension: Path) -> None:
    answer = CliRunner().invoke(cli, ["blender", "-o", str(tmp_path / "a.zip")])
    assert (answer.exit_code, answer.output.count("\n")) == (0, 1) and "Install from Disk" in answer.output
    assert (tmp_path / "a.zip").read_bytes() == extension.read_bytes()


def test_the_manifest_is_what_blender_asks_for(extension: Path) -> None:
    manifest = tomllib.loads(ZipFile(extension).read("blender_manifest.toml").decode())
    assert (manifest["schema_version"], manifest["type"], manifest["id"]) == ("1.0.0", "add-on", "mocap")
    assert manifest["version"] == __version__ and re.fullmatch(r"\d+\.\d+\.\d+", __version__)
    assert manifest["blender_version_min"] == "4.2.0"
    assert manifest["license"] == ["SPDX:GPL-3.0-or-later", "SPDX:Apache-2.0"]
    for line in (manifest["tagline"], manifest["permissions"]["files"]):
        assert len(line) <= 64 and line[-1].isalnum()


def test_every_module_in_the_zip_finds_what_it_imports_in_blender(extension: Path) -> None:
    archive = ZipFile(extension)
    held = {name for name in archive.namelist() if name.endswith(".py")}
    assert {
        "__init__.py",
        "vendor/rigs/retargeting/perform.py",
        "vendor/rigs/recognition/recognise.py",
        "vendor/mocap/people.py",
    } <= held
    given = {"bpy", "bpy_extras", "mathutils", "numpy", *sys.stdlib_module_names}
    optional = {"vendor/rigs/retargeting/banded.py": {"scipy"}, "vendor/rigs/data.py": {"yaml"}}
    for name in held:
        for node in ast.walk(ast.parse(archive.read(name))):
            if isinstance(node, ast.Import):
                tops = {alias.name.split(".")[0] for alias in node.names}
                assert tops <= given | optional.get(name, set()), name
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                assert str(node.module).split(".")[0] in given | optional.get(name, set()), name
            elif isinstance(node, ast.ImportFrom):
                base = Path(name).parents[node.level - 1] / str(node.module or "").replace(".", "/")
                there = [base.with_suffix(".py"), base / "__init__.py"]
                assert any(path.as_posix() in held for path in there), (name, node.module)


def test_data_are_the_same_as_json(extension: Path, tmp_path: Path) -> None:
    ZipFile(extension).extractall(tmp_path)
    names = ["contact", "hand", "human", "vocabulary"]
    code = f"from {{}}rigs.data import load_data; print([load_data(n) for n in {names}])"
    here, there = (
        subprocess.run(
            [sys.executable, "-c", code.format(vendor)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(HOME)},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for vendor in ("", "vendor.")
    )
    assert here == there and "weights" in here


def test_mocap_never_imports_the_add_on() -> None:
    own = HOME / "mocap" / "blender"
    for package in PACKAGES:
        for path in (HOME / package).rglob("*.py"):
            if own not in path.parents:
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                    names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
                    assert not [name for name in names if f"{name}.".startswith("mocap.blender.")], path


def test_imports_become_relative() -> None:
    source = "import numpy\nfrom rigs import quat\n\ndef f():\n    from mocap.take import Take\n"
    wanted = "import numpy\nfrom ..rigs import quat\n\ndef f():\n    from ..mocap.take import Take\n"
    assert relative(source, 2) == wanted
    assert "from .vendor.rigs import quat" in relative(source, 1, "vendor")
    with pytest.raises(ValueError, match="line 1"):
        relative("import rigs.quat", 1)


def map_reader() -> Callable[[Path], dict[str, str]]:
    spec = spec_from_file_location("mapfile", HOME / "mocap" / "blender" / "mapfile.py")
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.read_map_lines


@pytest.mark.parametrize(
    "text", ["# all\nHips: pelvis  # that\n\nHead: \n", "Hips: 'it''s: #1'", 'Neck: "a\\tb"\nHead: ""']
)
def test_map_files_are_read_as_yaml_is(text: str, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    said = {role: joint for role, joint in yaml.safe_load(text).items() if joint is not None}
    assert map_reader()(path) == said


@pytest.mark.parametrize(
    "text", ["Hips", "Hips: [a]", "Hips: a\nHips: b", "Hips: {", 'Hips: "\\q"', "Hips: |"]
)
def test_what_is_no_map_is_refused_by_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(FormatError, match=r"map.yaml, line \d: "):
        map_reader()(path)
    with pytest.raises(FormatError, match="cannot read"):
        map_reader()(tmp_path / "missing.yaml")


def test_a_zip_it_must_be(tmp_path: Path) -> None:
    with pytest.raises(MocapError, match=r"addon.py: Blender installs extensions from a \.zip"):
        write_extension(tmp_path / "addon.py")
    with pytest.raises(MocapError, match="could not be written"):
        write_extension(tmp_path / "missing" / "a.zip")


@pytest.mark.slow
@pytest.mark.blender
def test_blender_takes_the_extension_for_valid(extension: Path, blender_python: Path) -> None:
    find = "import os, sys, bpy, bl_pkg; print(bl_pkg.__file__); sys.stdout.flush(); os._exit(0)"
    answer = subprocess.run(
        [blender_python, "-c", find], capture_output=True, text=True, timeout=120, check=True
    )
    command = Path(answer.stdout.splitlines()[-1]).parent / "cli" / "blender_ext.py"
    done = subprocess.run(
        [blender_python, command, "validate", extension], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def scene(folder: Path) -> tuple[Motion, np.ndarray, Motion, Cameras]:
    """Write a take of two people, the second late, with films, and a BVH; return what is in them."""
    walking, level = walk(person(), steps=4)
    walking, other = replace(walking, fps=NTSC), motion(2, frames=20)
    cameras = ring(distortion=(0.0, 0.0, 0.0, 0.0))
    folder.mkdir()
    video = film(folder / "film.mp4", 6, NTSC)
    views = [{"name": n, "video": str(video), "fps": str(NTSC)} for n in cameras.names]
    views[3]["video"] = str(folder / "broken.mp4")
    (folder / "broken.mp4").write_bytes(b"no video" * 50)
    take = Take.create(folder / "take", {}, views)
    with take.lock():
        there = {1: {"first_frame": 0}, 2: {"first_frame": LATE}}
        write_people(take, {1: walking, 2: other}, there, {1: Beside(Contacts(level))})
        (path,) = write_aniposelib(folder / "cameras.toml", cameras, OFFSETS)
        take.write_text("cameras.toml", path.read_text(encoding="utf-8"))
        take.complete()
    shutil.copytree(folder / "take", folder / "damaged")
    (folder / "damaged" / "cameras.toml").write_text("[cam_0]\nname = 'cam1'\n")
    write_clips(folder / "walk.bvh", [Clip("walk", walking)])
    (folder / "map.yaml").write_text("LeftArm: nowhere\n")
    return walking, level, other, cameras


def character(path: Path) -> None:
    """Write somebody longer-legged in an A-pose whose bones lie and roll in their own ways."""
    down = np.deg2rad([0.0, 0.0, 45.0])
    rig = posed_anew(proportioned(person(), Leg=1.2, ForeArm=0.9), {"LeftArm": -down, "RightArm": down})
    names, at = rig.skeleton.names, resting(rig).positions[0]
    tails = at + np.array([0.0, 0.03, 0.02])
    for j, parent in reversed(list(enumerate(rig.skeleton.parents.tolist()))):
        if parent >= 0:
            tails[parent] = at[j]
    parents = ["" if p < 0 else names[p] for p in rig.skeleton.parents]
    rolls = np.random.default_rng(5).uniform(-3, 3, len(names))
    np.savez(path, names=np.array(names), parents=np.array(parents), heads=at, tails=tails, rolls=rolls)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory, extension: Path) -> tuple[dict[str, np.ndarray], tuple]:
    """What Blender holds after the add-on was installed and used, and what went in."""
    folder = tmp_path_factory.mktemp("used")
    inside = scene(folder / "in")
    character(folder / "character.npz")
    (folder / "user").mkdir()
    arguments = [extension, folder / "in", folder / "character.npz", folder / "out.npz"]
    answer = subprocess.run(
        [os.environ["MOCAP_BLENDER_PYTHON"], SCRIPT, *arguments],
        env={**os.environ, "BLENDER_USER_RESOURCES": str(folder / "user"), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr[-4000:]
    with np.load(folder / "out.npz", allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}, inside


def in_blender(points: np.ndarray) -> np.ndarray:
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


def heads(found: dict[str, np.ndarray], which: str, names: list[str]) -> np.ndarray:
    rows = [found[f"{which}_names"].tolist().index(name) for name in names]
    return found[f"{which}_heads"][:, rows]


@pytest.mark.slow
@pytest.mark.blender
def test_people_are_where_the_take_has_them(used) -> None:
    found, (walking, _, other, _) = used
    for which, truth, first in (("person1", walking, 0), ("person2", other, LATE)):
        assert found[f"{which}_frames"].tolist() == list(range(START + first, START + first + len(truth)))
        there = heads(found, which, list(truth.skeleton.names))
        assert np.abs(there - in_blender(truth.world()[0])).max() < 2e-5
    rate, base, start, end = found["scene"]
    assert (rate, base, start, end) == (30, pytest.approx(1.001, abs=1e-7), START, START + len(walking) - 1)


@pytest.mark.slow
@pytest.mark.blender
def test_contacts_are_properties_and_markers(used) -> None:
    found, (_, level, _, _) = used
    np.testing.assert_array_equal(found["person1_contacts"] > 0.5, np.isfinite(level))
    down = np.isfinite(level[:, 1])
    starts = np.flatnonzero(down & ~np.concatenate([[False], down[:-1]])) + START
    wanted = {f"{frame} R ball down" for frame in starts}
    assert wanted and wanted == {m for m in found["person1_markers"].tolist() if m.endswith("R ball down")}
    assert not len(found["person2_markers"])


@pytest.mark.slow
@pytest.mark.blender
def test_cameras_see_joints_where_ours_do(used) -> None:
    found, (walking, _, _, cameras) = used
    row = [walking.skeleton.index(name) for name in found["person1_names"]]
    points = walking.world()[0][20 - START, row]
    for camera in cameras:
        seen = found[f"{camera.name}_seen"] - 0.5  # from the image's edge to centres of pixels
        assert np.abs(seen - camera.project(points)).max() < 0.01
    first = {name: found[f"{name}_clips"].tolist() for name in cameras.names}
    # The take begins at 0.1 s, in cam1's frame 3, cam2's first, and 6 frames before cam3's; cam4's is broken.
    assert first == {"cam1": [START - 3], "cam2": [START], "cam3": [START + 6], "cam4": []}


@pytest.mark.slow
@pytest.mark.blender
def test_a_bvh_stands_in_blender_at_its_size_and_rate(used) -> None:
    found, (walking, _, _, _) = used
    there = heads(found, "bvh", list(walking.skeleton.names))
    assert np.abs(there - in_blender(walking.world()[0])).max() < 2e-5
    assert found["bvh_scene"].tolist()[:2] == [30, pytest.approx(1.001, abs=1e-7)]
    assert found["refused_take_left"] == 0
    wanted = {"refused": "nothing.bvh", "refused_map": "nowhere", "refused_take": "cameras.toml is damaged"}
    for key, named_in_it in wanted.items():
        said = str(found[key])
        assert named_in_it in said and "\n" not in said and said.startswith("Error: ")


def named(which: str, part: str, side: str) -> str:
    if which == "mixamo":
        return f"mixamorig:{side}{part}"
    return f"{'DEF-' if which == 'rigify' else ''}{METARIG[part]}.{side[0]}"


@pytest.mark.slow
@pytest.mark.blender
@pytest.mark.parametrize("which", ["metarig", "rigify", "mixamo"])
def test_limbs_point_as_the_source_s(used, which: str) -> None:
    found, (walking, _, _, _) = used
    at = in_blender(walking.world()[0])
    for side in ("Left", "Right"):
        for upper, lower in LIMBS:
            ends = [walking.skeleton.index(side + part) for part in (upper, lower)]
            names = [named(which, part, side) for part in (upper, lower)]
            bones = [
                np.diff(at[:, ends], axis=1)[:, 0],
                np.diff(heads(found, f"{which}_never", names), axis=1)[:, 0],
            ]
            a, b = (bone / np.linalg.norm(bone, axis=1, keepdims=True) for bone in bones)
            assert np.degrees(np.linalg.norm(a - b, axis=1).max()) < 0.05, (side, upper)


@pytest.mark.slow
@pytest.mark.blender
@pytest.mark.parametrize("which", ["metarig", "rigify", "mixamo"])
def test_planted_toes_stay(used, which: str) -> None:
    found, (_, level, _, _) = used
    slid = {}
    for feet in ("never", "auto"):
        farthest = []
        for k, side in enumerate(("Left", "Right")):
            at = heads(found, f"{which}_{feet}", [named(which, "ToeBase", side)])[:, 0]
            for plant in Contacts(level[:, k : k + 1]).plants:
                there = at[plant.frames]
                farthest.append(np.linalg.norm(there - there.mean(axis=0), axis=1).max())
        slid[feet] = max(farthest)
    assert slid["auto"] < 1e-3 and slid["never"] > 5e-3  # left alone, legs of other lengths slide
