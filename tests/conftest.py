"""What holds for every test: how hypothesis searches, and the Python that has Blender."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: the time of one example on a busy machine is no property of the code. The automatic check
# searches the same examples every time, so that it fails for a change and not by chance; a developer's run
# looks further.
settings.register_profile("mocap", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("mocap")

BLENDER_PYTHON = os.environ.get("MOCAP_BLENDER_PYTHON", "")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("blender") and not BLENDER_PYTHON:
        pytest.skip("MOCAP_BLENDER_PYTHON names no Python that has bpy")


@pytest.fixture
def blender_python() -> Path:
    """The Python that has bpy; for tests marked `blender`."""
    return Path(BLENDER_PYTHON)
