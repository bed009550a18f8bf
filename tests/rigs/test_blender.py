"""Blender imports what we write: the same places, the same time, and standing up."""

import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs import quat
from rigs.formats.bvh import write_bvh
from rigs.motion import Motion
from rigs.skeleton import Skeleton

READ = Path(__file__).with_name("blender_read.py")
SAME_PLACE = 1e-4  # metres: Blender holds curves and matrices in single precision


def in_blender(positions: np.ndarray) -> np.ndarray:
    """Our y-up metres in Blender's z-up world, by the importer's default axes."""
    x, y, z = np.moveaxis(positions, -1, 0)
    return np.stack([x, -z, y], axis=-1)


def imported(python: Path, clip: Path, motion: Motion) -> tuple[np.ndarray, dict]:
    """Return heads (T, J, 3) in our joint order, and all else that Blender says."""
    target = clip.with_suffix(".npz")
    run = subprocess.run([python, READ, clip, target], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    with np.load(target, allow_pickle=False) as found:
        seen = dict(found)
    order = [seen["names"].tolist().index(name) for name in motion.skeleton.names]
    return seen["heads"][:, order], seen


@pytest.mark.blender
@pytest.mark.slow
@pytest.mark.parametrize("fps", [Fraction(30), Fraction(30000, 1001)])
def test_blender_sees_what_we_wrote(wild, tmp_path: Path, blender_python: Path, fps: Fraction) -> None:
    motion = wild(frames=200, fps=fps, seed=5)
    write_bvh(tmp_path / "wild.bvh", motion)
    heads, seen = imported(blender_python, tmp_path / "wild.bvh", motion)
    assert heads.shape == (200, len(motion.skeleton), 3)
    assert np.abs(heads - in_blender(motion.world()[0])).max() <= SAME_PLACE
    assert seen["keyed"].tolist() == [1, 200]
    assert seen["fps"] == 30
    assert float(seen["fps_base"]) == np.float32(30 / fps)


@pytest.mark.blender
@pytest.mark.slow
def test_a_standing_body_stands_in_blender(humanoid: Skeleton, tmp_path: Path, blender_python: Path) -> None:
    root = np.tile([0.0, 0.86, 0.0], (3, 1))
    standing = Motion(humanoid, quat.identity(3, len(humanoid)), root, Fraction(60))
    write_bvh(tmp_path / "standing.bvh", standing)
    heads, _ = imported(blender_python, tmp_path / "standing.bvh", standing)
    x, _, z = heads[0].T
    assert z[humanoid.index("Head")] == pytest.approx(1.46, abs=SAME_PLACE)
    assert z[humanoid.index("LeftFoot")] == pytest.approx(0.0, abs=SAME_PLACE)
    assert x[humanoid.index("LeftHand")] > 0.5  # its left is +x, as in ours; it faces -y, Blender's front
