"""The documents name what exists."""

import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs.clip import Clip
from rigs.formats import write_clips
from rigs.motion import Motion
from rigs.skeleton import Skeleton

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")})
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
COMMANDS = sorted(set(re.findall(r"(?:`|&& |^ *)mocap ([a-z]+)([^`&\n]*)", TEXT, flags=re.M)))
HELP = "import sys; sys.argv = ['mocap', sys.argv[1], '--help']; from mocap.cli import main; main()"


def test_readme_tells_the_tests_once() -> None:
    """`.ci/run` takes the first line that ends so."""
    assert len(re.findall(r"scripts/test$", README, flags=re.M)) == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs/index.md").read_text(encoding="utf-8")
    assert not [
        page.name
        for page in ROOT.glob("docs/*.md")
        if page.name != "index.md" and f"({page.name})" not in index
    ]


@pytest.mark.parametrize(("command", "arguments"), COMMANDS, ids=lambda text: text.strip())
def test_commands_and_their_options_exist(command: str, arguments: str) -> None:
    answer = subprocess.run(
        [sys.executable, "-c", HELP, command], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert answer.returncode == 0, answer.stderr
    assert not [option for option in re.findall(r"(?<= )-[-a-z]+", arguments) if option not in answer.stdout]


LOOK = """
import json, sys
armature = bpy.context.object
first, last = map(int, armature.animation_data.action.frame_range)
bpy.context.scene.frame_set(last)
heads = {bone.name: list(armature.matrix_world @ bone.head) for bone in armature.pose.bones}
print(json.dumps([bpy.context.scene.render.fps, first, last, heads]), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.blender
def test_blender_stands_the_person_up_as_the_readme_says(blender_python: Path, tmp_path: Path) -> None:
    spine = Skeleton(
        ("Hips", "Spine"),
        np.array([-1, 0]),
        np.array([[0, 0, 0], [0, 0.5, 0]]),
        {"Spine": np.array([0, 0.2, 0])},
    )
    root = np.array([[0.0, 0.9, 0.0], [0.3, 0.9, 0.1], [0.6, 0.9, 0.2]])
    still = np.tile([1.0, 0, 0, 0], (3, 2, 1))
    write_clips(tmp_path / "walk.bvh", [Clip("walk", Motion(spine, still, root, Fraction(25)))])
    (snippet,) = re.findall(r"```python\n(.*?)```", README, flags=re.S)
    answer = subprocess.run(
        [blender_python, "-c", f"import bpy\n{snippet}{LOOK}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    fps, first, last, heads = json.loads(answer.stderr.splitlines()[-1])
    assert (fps, first, last) == (25, 1, 3)
    # Blender's world: metres, z up, the person faces -y; its float32 leaves less than a micrometre.
    assert heads["Hips"] == pytest.approx([0.6, -0.2, 0.9], abs=1e-6)
    assert heads["Spine"] == pytest.approx([0.6, -0.2, 1.4], abs=1e-6)
