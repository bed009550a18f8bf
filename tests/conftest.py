"""What every test may need: the marker for Blender and the Python that has it."""

import os
from pathlib import Path

import pytest

BLENDER_PYTHON = os.environ.get("MOCAP_BLENDER_PYTHON", "")


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("blender") and not BLENDER_PYTHON:
        pytest.skip("MOCAP_BLENDER_PYTHON names no Python that has bpy")


@pytest.fixture
def blender_python() -> Path:
    """The Python that has bpy; for tests marked `blender`."""
    return Path(BLENDER_PYTHON)
