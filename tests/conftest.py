"""What holds for every test: how hypothesis searches, Ctrl-C, and where Blender and the tools of npm are."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the time of one example on a busy machine is no property of the code. The automatic check
# searches the same examples every time, so that it fails for a change and not by chance; a developer's run
# looks further.
settings.register_profile("mocap", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("mocap")

for library in ("OPENBLAS", "OMP", "MKL"):  # as the command has it: threads of small matrices only wait
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

BLENDER_PYTHON = os.environ.get("MOCAP_BLENDER_PYTHON", "")
NODE_MODULES = os.environ.get("MOCAP_NODE_MODULES", "")


@pytest.fixture(autouse=True)
def ctrl_c_is_heard() -> None:
    """A background job is born deaf to Ctrl-C, the command goes deaf as it leaves; children inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("blender") and not BLENDER_PYTHON:
        pytest.skip("MOCAP_BLENDER_PYTHON names no Python that has bpy")
    if item.get_closest_marker("node") and not NODE_MODULES:
        pytest.skip("MOCAP_NODE_MODULES names no node_modules folder with three, fbx2gltf and gltf-validator")


@pytest.fixture
def blender_python() -> Path:
    """The Python that has bpy; for tests marked `blender`."""
    return Path(BLENDER_PYTHON)


@pytest.fixture
def node_modules() -> Path:
    """The folder into which npm installed three, fbx2gltf and gltf-validator; for tests marked `node`."""
    return Path(NODE_MODULES)
