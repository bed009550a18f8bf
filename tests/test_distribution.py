"""What `pip install` puts on a user's machine."""

import subprocess
import sys
from email.parser import Parser
from importlib.metadata import packages_distributions
from pathlib import Path
from zipfile import ZipFile

import pytest

import mocap

ROOT = Path(__file__).parent.parent
PACKAGES = ("calibration", "rigs", "mocap")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True
    )
    return ZipFile(next(folder.glob("*.whl")))


def test_wheel_holds_the_packages_with_their_data_and_nothing_else(wheel: ZipFile) -> None:
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    source = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert held == source
    assert {f"{package}/py.typed" for package in PACKAGES} <= held


def test_wheel_says_its_name_version_licence_and_command(wheel: ZipFile) -> None:
    info = f"markerless_mocap-{mocap.__version__}.dist-info"
    metadata = Parser().parsestr(wheel.read(f"{info}/METADATA").decode())
    assert (metadata["Name"], metadata["License-Expression"]) == (
        "markerless-mocap",
        "Apache-2.0 AND GPL-3.0-or-later",
    )
    assert f"{info}/licenses/LICENSE" in wheel.namelist()
    assert "mocap = mocap.cli:main" in wheel.read(f"{info}/entry_points.txt").decode()


def test_one_opencv_is_installed() -> None:
    """Two of them overwrite each other's files."""
    assert set(packages_distributions()["cv2"]) == {"opencv-contrib-python"}
