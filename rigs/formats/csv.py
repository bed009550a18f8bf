"""CSV for spreadsheets and data frames: one row a frame, every joint's place and rotation in the world."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from os import PathLike

import numpy as np

from rigs import quat
from rigs.clip import Clip
from rigs.formats.finite import check_finite
from rigs.formats.replacing import replacing
from rigs.formats.rows import rows

COLUMNS = ("x", "y", "z", "qw", "qx", "qy", "qz")  # of every joint
_DIGITS = (7, 7, 7, 9, 9, 9, 9)
_TIME_DIGITS = 9


def write(path: str | PathLike[str], clips: Sequence[Clip]) -> None:
    """Write one character: a header row, then ``time`` and ``JOINT_x`` to ``JOINT_qz`` of every joint.

    Seconds from the first frame; metres, y up; unit quaternions of the joints in the world, with signs that
    do not jump.

    Args:
        path: the file; one that is there is replaced.
        clips: one character.

    Raises:
        FormatError: a number is not finite, or the file cannot be written.
    """
    (clip,) = clips
    motion = clip.motion
    check_finite(path, motion)
    positions, rotations = motion.world()
    joints = np.concatenate([positions, quat.continuous(rotations)], axis=2)
    frames, count = joints.shape[:2]
    table = np.column_stack([np.arange(frames) / float(motion.fps), joints.reshape(frames, -1)])
    with replacing(path) as file:
        header = ["time", *(f"{name}_{column}" for name in motion.skeleton.names for column in COLUMNS)]
        csv.writer(file, lineterminator="\n").writerow(header)
        file.writelines(rows(table, [_TIME_DIGITS, *_DIGITS * count], ","))
