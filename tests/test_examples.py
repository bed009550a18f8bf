"""The examples run as they stand."""

import subprocess
import sys
from pathlib import Path

import pytest

from rigs.clip import Clip
from rigs.formats import read_clips, write_clips
from tests.rigs.characters import person
from tests.rigs.test_planting import walk

EXAMPLES = Path(__file__).parent.parent / "examples"
SCRIPTS = sorted(EXAMPLES.glob("[0-9]*.py"))


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    rig = person()
    motion, _ = walk(rig, steps=3)
    write_clips(tmp_path / "clip.bvh", [Clip("clip", motion, rig.rest, rig.roles)])
    return tmp_path / "clip.bvh"


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_it_runs_and_writes_what_can_be_read(script: Path, clip: Path) -> None:
    done = subprocess.run(
        [sys.executable, script, clip], cwd=EXAMPLES.parent, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    made = [path for path in clip.parent.iterdir() if path != clip]
    assert made and all(len(read_clips(path)[0].motion) > 10 for path in made)


def test_a_script_is_a_page_at_most() -> None:
    assert SCRIPTS and all(len(script.read_text().splitlines()) <= 60 for script in SCRIPTS)
