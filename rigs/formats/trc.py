"""TRC, marker trajectories of OpenSim and Motion Analysis: tab-separated text, y up.

Source: OpenSim documentation, "Marker (.trc) Files". Axes are OpenSim's: x forward, y up, z to the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os import PathLike
from pathlib import Path

import numpy as np

from rigs.clip import Clip
from rigs.errors import FormatError
from rigs.formats.opensim import to_opensim
from rigs.formats.points import Points, joints_as_points
from rigs.formats.replacing import replacing
from rigs.formats.rows import rows

_PER_METRE = {"mm": 1000.0, "m": 1.0}
_DIGITS = {"mm": 5, "m": 8}  # so that both hold 1e-8 m
_TIME_DIGITS = 9
_KEYS = (
    *("DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units"),
    *("OrigDataRate", "OrigDataStartFrame", "OrigNumFrames"),
)


def write(path: str | PathLike[str], clips: Sequence[Clip], unit: str = "mm") -> None:
    """Write the joints of characters as markers, frames counted from 1, the first at time 0.

    A person who faces +z here faces +x there, as OpenSim's models do. Several characters have markers named
    ``CHARACTER:JOINT``. A place that is not known is left empty.

    Args:
        path: the file; one that is there is replaced.
        clips: one character or more, of one rate.
        unit: "mm" or "m".

    Raises:
        FormatError: an unknown unit, characters of different rates, names that are not unique, or a file that
            cannot be written.
    """
    if unit not in _PER_METRE:
        raise FormatError(f"cannot write {path} in the unit {unit!r}; choose one of {', '.join(_PER_METRE)}")
    points = joints_as_points(path, clips)
    with replacing(path) as file:
        file.writelines(f"{line}\n" for line in _header(path, points, unit))
        file.writelines(_rows(points, unit))


def _header(path: str | PathLike[str], points: Points, unit: str) -> Iterator[str]:
    frames, count = len(points.positions), len(points.labels)
    rate = f"{float(points.fps):.12g}"
    yield f"PathFileType\t4\t(X/Y/Z)\t{Path(path).name}"
    yield "\t".join(_KEYS)
    yield f"{rate}\t{rate}\t{frames}\t{count}\t{unit}\t{rate}\t1\t{frames}"
    yield "Frame#\tTime\t" + "\t\t\t".join(points.labels) + "\t\t"
    yield "\t\t" + "\t".join(f"X{n}\tY{n}\tZ{n}" for n in range(1, count + 1))
    yield ""


def _rows(points: Points, unit: str) -> Iterator[str]:
    frames, digits = len(points.positions), _DIGITS[unit]
    places = _PER_METRE[unit] * to_opensim(points.positions).reshape(frames, -1)
    numbers = np.arange(frames)
    table = np.column_stack([numbers + 1, numbers / float(points.fps), places])
    for row in rows(table, [0, _TIME_DIGITS, *[digits] * places.shape[1]], "\t"):
        yield row.replace("nan", "")
