"""A body and motions of it that every test here may use, and other programs that read our files."""

import json
import platform
import stat
import subprocess
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from rigs import quat
from rigs.motion import Motion
from rigs.skeleton import Skeleton

settings.register_profile("rigs", deadline=None)  # a busy machine is no failure
settings.load_profile("rigs")

_LEG = [
    ("UpLeg", "Hips", (0.09, -0.04, 0.01)),
    ("Leg", "UpLeg", (0.0, -0.42, 0.0)),
    ("Foot", "Leg", (0.0, -0.4, 0.0)),
]
_ARM = [
    ("Arm", "Spine1", (0.18, 0.14, 0.0)),
    ("ForeArm", "Arm", (0.29, 0.0, 0.0)),
    ("Hand", "ForeArm", (0.25, 0.0, 0.0)),
]
_TRUNK = [
    ("Spine", "Hips", (0.0, 0.1, 0.0)),
    ("Spine1", "Spine", (0.0, 0.2, -0.01)),
    ("Neck", "Spine1", (0.0, 0.2, 0.0)),
]


def _side(limb: list[tuple[str, str, tuple[float, float, float]]], side: str, sign: float) -> list:
    def own(name: str) -> str:
        return name if name in ("Hips", "Spine1") else side + name

    return [(own(name), own(parent), (sign * x, y, z)) for name, parent, (x, y, z) in limb]


@pytest.fixture(scope="session")
def humanoid() -> Skeleton:
    """Seventeen joints, 1.6 m tall, both sides alike."""
    rows = [("Hips", None, (0.0, 0.0, 0.0)), *_TRUNK, ("Head", "Neck", (0.0, 0.1, 0.02))]
    for limb in (_ARM, _LEG):
        rows += [*_side(limb, "Left", 1.0), *_side(limb, "Right", -1.0)]
    names = [name for name, _, _ in rows]
    parents = [-1 if parent is None else names.index(parent) for _, parent, _ in rows]
    tips = {"Head": (0.0, 0.2, 0.0), "LeftHand": (0.1, 0.0, 0.0), "RightHand": (-0.1, 0.0, 0.0)}
    return Skeleton(tuple(names), parents, [offset for _, _, offset in rows], tips)


@pytest.fixture(scope="session")
def wild(humanoid: Skeleton) -> Callable[..., Motion]:
    """Return a maker of motions in which every joint tumbles through all rotations, smoothly."""

    def make(frames: int = 50, fps: Fraction = Fraction(30), seed: int = 0) -> Motion:
        random = np.random.default_rng(seed)
        steps = quat.from_rotvec(random.normal(scale=0.15, size=(frames, len(humanoid), 3)))
        rotations = np.empty((frames, len(humanoid), 4))
        rotations[0] = quat.normalise(random.normal(size=(len(humanoid), 4)))
        for t in range(1, frames):
            rotations[t] = quat.normalise(quat.multiply(rotations[t - 1], steps[t]))
        start = np.array([0.3, 0.9, -2.0])
        root = start + np.cumsum(random.normal(scale=0.02, size=(frames, 3)), axis=0)
        return Motion(humanoid, rotations, root, fps)

    return make


@pytest.fixture
def in_three(node_modules: Path) -> Callable[[Path, Iterable[float]], dict[str, Any]]:
    """Return a reader with three.js: of an FBX, GLB or VRM and seconds, what three_read.mjs says of them."""
    script = Path(__file__).with_name("three_read.mjs")

    def read(path: Path, seconds: Iterable[float]) -> dict[str, Any]:
        run = subprocess.run(
            ["node", script, node_modules, path, *(repr(float(time)) for time in seconds)],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr[-2000:]
        found: dict[str, Any] = json.loads(run.stdout)
        return found

    return read


@pytest.fixture
def in_fbx_sdk(node_modules: Path, tmp_path: Path) -> Callable[..., Path]:
    """Return a reader with Autodesk's FBX SDK, as fbx2gltf holds it: of an FBX, the GLB that it becomes.

    The GLB is in metres, its animation sampled anew at 24, 30 or 60 frames per second.
    """
    system = platform.system()
    folder, suffix = ("Windows_NT", ".exe") if system == "Windows" else (system, "")
    installed = node_modules / "fbx2gltf" / "bin" / folder / f"FBX2glTF{suffix}"
    converter = tmp_path / installed.name
    converter.write_bytes(installed.read_bytes())
    converter.chmod(stat.S_IRWXU)  # which npm leaves out

    def read(path: Path, rate: int = 30) -> Path:
        target = path.with_name(f"{path.stem}_sdk{rate}.glb")
        options = ["--binary", "--anim-framerate", f"bake{rate}"]
        run = subprocess.run(
            [converter, *options, "--input", path, "--output", target.with_suffix("")],
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, (run.stdout + run.stderr)[-2000:]
        return target

    return read
