import csv
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from rigs import quat
from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats import write_clips
from rigs.motion import Motion
from rigs.skeleton import Skeleton


def test_rows_are_frames(wild, tmp_path: Path) -> None:
    motion = wild(frames=20, fps=Fraction(24000, 1001))
    write_clips(tmp_path / "a.csv", [Clip("anna", motion)])
    with open(tmp_path / "a.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header[:8] == ["time", *(f"Hips_{c}" for c in ("x", "y", "z", "qw", "qx", "qy", "qz"))]
    assert len(header) == 1 + 7 * 17 and len(rows) == 20
    table = np.array(rows, float)
    np.testing.assert_allclose(table[:, 0], np.arange(20) * 1001 / 24000, atol=1e-9)
    joints = table[:, 1:].reshape(20, 17, 7)
    positions, rotations = motion.world()
    assert np.abs(joints[..., :3] - positions).max() < 1e-7
    turned = quat.to_rotvec(quat.multiply(quat.conjugate(rotations), quat.normalise(joints[..., 3:])))
    assert np.linalg.norm(turned, axis=2).max() < 1e-8
    assert (np.sum(joints[1:, :, 3:] * joints[:-1, :, 3:], axis=2) > 0.0).all()


def test_names_with_commas_stay_one_column(tmp_path: Path) -> None:
    skeleton = Skeleton(('a,"b"',), np.array([-1]), np.zeros((1, 3)))
    motion = Motion(skeleton, np.array([[[1.0, 0, 0, 0]]]), np.zeros((1, 3)), Fraction(30))
    write_clips(tmp_path / "a.csv", [Clip("a", motion)])
    with open(tmp_path / "a.csv", newline="", encoding="utf-8") as file:
        assert next(csv.reader(file))[1] == 'a,"b"_x'


@pytest.mark.parametrize("suffix", [".csv", ".json", ".npz", ".mot"])
def test_what_is_not_finite_is_refused(wild, tmp_path: Path, suffix: str) -> None:
    motion = wild(frames=5)
    root = motion.root.copy()
    root[2:] = np.nan
    gap = Motion(motion.skeleton, motion.rotations, root, motion.fps)
    with pytest.raises(FormatError, match="'Hips' has no finite pose at frame 2, the first of 3 such; fill"):
        write_clips(tmp_path / f"a{suffix}", [Clip("a", gap)])
    assert not list(tmp_path.iterdir())
