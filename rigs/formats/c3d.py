"""C3D, the gait laboratories' file of points: joints in millimetres, z up, single precision, little-endian.

Written by ourselves: ezc3d, the package for it, is not built for Linux on ARM. It reads what we write.
Source: the C3D User Guide at c3d.org.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from os import PathLike

import numpy as np

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.c3d_parameters import BLOCK, MOST_BLOCKS, Value, parameter_section, split_texts
from rigs.formats.points import Points, joints_as_points
from rigs.formats.replacing import replacing
from rigs.quat import FloatArray

_MOST = 65535  # frames and points that a 16-bit number counts
_LONGEST_LABEL = 255
_STEPS = 32000.0  # of the largest coordinate: what POINT:SCALE would be if numbers were integers


def write(path: str | PathLike[str], clips: Sequence[Clip]) -> None:
    """Write the joints of characters as points, frames counted from 1.

    Our (x, y, z), y up, becomes (x, -z, y), z up: who faced +z faces -y. POINT:X_SCREEN and Y_SCREEN say
    +X and +Z. Rates and places are in single precision, a thousandth of a millimetre within 8 m. Several
    characters have points named ``CHARACTER:JOINT``; where one is not there, or a joint is not known, its
    points are marked invalid (residual -1).

    Args:
        path: the file; one that is there is replaced.
        clips: one character or more, of one rate.

    Raises:
        FormatError: characters of different rates, names that are too many, too long or not unique, or a file
            that cannot be written.
    """
    points = joints_as_points(path, clips)
    long = [label for label in points.labels if len(label) > _LONGEST_LABEL]
    if long:
        raise FormatError(f"cannot write {path}: the name {long[0][:40]!r}... is longer than 255 letters")
    section = parameter_section(_parameters(points, 0))
    blocks = len(section) // BLOCK
    if blocks > MOST_BLOCKS or len(points.labels) > _MOST:
        raise FormatError(
            f"cannot write {path}: the names of {len(points.labels)} points take more than C3D has room for; "
            "write a file for each character"
        )
    data_start = 2 + blocks
    with replacing(path, "wb") as file:
        file.write(_header(points, data_start))
        file.write(parameter_section(_parameters(points, data_start)))
        file.write(
            _data(points).tobytes()
        )  # to the end: past 65535 frames readers count by the file's length


def _header(points: Points, data_start: int) -> bytes:
    """Return the first block: 16-bit words, with the scale and the rate in two words each."""
    count, last = len(points.labels), min(len(points.positions), _MOST)
    words = struct.pack("<BB5H", 2, 80, count, 0, 1, last, 0)
    return (words + struct.pack("<fHHf", _scale(points), data_start, 0, float(points.fps))).ljust(
        BLOCK, b"\0"
    )


def _parameters(points: Points, data_start: int) -> dict[str, dict[str, Value]]:
    frames, labels = len(points.positions), points.labels
    point: dict[str, Value] = {
        "USED": len(labels),
        "FRAMES": min(frames, _MOST),
        "DATA_START": data_start,
        "SCALE": _scale(points),
        "RATE": float(points.fps),
        "UNITS": "mm",
        "X_SCREEN": "+X",
        "Y_SCREEN": "+Z",
    }
    point |= split_texts("LABELS", labels) | split_texts("DESCRIPTIONS", ["joint centre"] * len(labels))
    if frames > _MOST:
        point["LONG_FRAMES"] = float(frames)
    return {
        "POINT": point,
        "ANALOG": {"USED": 0, "GEN_SCALE": 1.0, "RATE": 0.0},
        "FORCE_PLATFORM": {"USED": 0},
        # both of 32 bits, the lower half first
        "TRIAL": {"ACTUAL_START_FIELD": [1, 0], "ACTUAL_END_FIELD": [frames % 65536, frames // 65536]},
    }


def _scale(points: Points) -> float:
    """Return POINT:SCALE: below zero, as the numbers are real; of its size only residuals are."""
    largest = np.nanmax(np.abs(points.positions), initial=0.0) * 1000.0
    return -max(float(largest), 1.0) / _STEPS


def _data(points: Points) -> FloatArray:
    """Return (T, P, 4) single precision: x, y, z in millimetres, z up, and the residual."""
    x, y, z = np.moveaxis(points.positions, 2, 0)
    placed = 1000.0 * np.stack([x, -z, y], axis=2)
    known = np.isfinite(placed).all(axis=2, keepdims=True)
    data = np.concatenate([np.where(known, placed, 0.0), np.where(known, 0.0, -1.0)], axis=2)
    return (data + 0.0).astype("<f4")
