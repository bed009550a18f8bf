"""Ctrl-C at every stage: one line, at once, no process left, nothing lost, and the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mocap.config import load_views
from mocap.export import export
from mocap.people import read_motion_of
from mocap.pipeline import capture
from mocap.take import Take
from rigs.motion import Motion
from tests.synth_take import marching, write_scene

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks for processes in /proc"),
]
STOPPED = "error: stopped; run the same command again to go on\n"
AT_ONCE = 2.0  # seconds

# The command, with one function that says when it has been reached and then dawdles.
DAWDLE = """
import importlib, sys, time
from pathlib import Path
place, marker = sys.argv[1], Path(sys.argv[2])
del sys.argv[1:3]
module, _, name = place.partition(":")
owner = importlib.import_module(module)
real = getattr(owner, name)

def dawdle(*arguments, **options):
    answer = real(*arguments, **options)
    if not marker.exists():
        marker.touch()
        for _ in range(3000):
            time.sleep(0.01)
    return answer

setattr(owner, name, dawdle)
from mocap.cli import main
main()
"""

PLACES = {
    "probing": "mocap.pipeline:probe",
    "hashing": "mocap.pipeline:sha256",
    "beginning": "mocap.detect.run:_job",
    "detecting": "mocap.detect.crew:wait",
    "solving": "mocap.solving:triangulate",
    "sizing": "mocap.animate:_solve_sizes",
    "writing": "mocap.pipeline:write_people",
    "moving": "mocap.storage:move",
}


@pytest.fixture(scope="module")
def views(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scene(tmp_path_factory.mktemp("stop") / "scene", marching(12))


@pytest.fixture(scope="module")
def right(views: Path) -> Motion:
    """What an undisturbed capture finds."""
    capture(load_views(views), views.parent.parent / "right.take", detector="given")
    return read_motion_of(Take.open(views.parent.parent / "right.take"), 1)


def session(process: int) -> list[int]:
    """Processes of the session that `process` leads, but those that have ended and wait to be seen off."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, its_session = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(its_session) == process and state != "Z":
            found.append(int(stat.parent.name))
    return found


def gone(process: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while session(process) and time.monotonic() < until:
        time.sleep(0.02)
    return not session(process)


def wait_for(marker: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 60
    while not marker.exists():
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.01)


@pytest.mark.parametrize("interrupt", [os.killpg, os.kill], ids=["terminal", "process"])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_interrupted(
    views: Path, right: Motion, tmp_path: Path, place: str, interrupt: Callable[[int, int], None]
) -> None:
    take, marker = tmp_path / "a.take", tmp_path / "reached"
    if place not in (PLACES["beginning"], PLACES["detecting"]):  # else there would be nothing to detect
        capture(load_views(views), take, detector="given")
    arguments = ["capture", "--views", str(views), "-o", str(take), "--detector", "given"]
    with subprocess.Popen(
        [sys.executable, "-c", DAWDLE, place, str(marker), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
    ) as process:
        wait_for(marker, process)
        began = time.monotonic()
        interrupt(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        took = time.monotonic() - began
    assert (process.returncode, out, err) == (1, "", STOPPED)
    assert took < AT_ONCE
    assert gone(process.pid, 1.0)
    if (take / "take.json").exists():
        assert export([tmp_path / "a.bvh"], take)
    capture(load_views(views), take, detector="given")
    found = read_motion_of(Take.open(take), 1)
    assert (found.rotations == right.rotations).all() and (found.root == right.root).all()
