"""The views of a take: its cameras, and where the videos are and when they begin."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import tomllib

from mocap.errors import TakeError
from mocap.take import Take
from rigs import quat
from rigs.quat import FloatArray

_CAMERAS = "cameras.toml"


@dataclass(frozen=True, eq=False)
class View:
    """A view of a take.

    size: (width, height) px; matrix: (3, 3) px, pixel centres at integers; distortion: coefficients, all zero
    of an ideal lens; camera_from_world: (4, 4), OpenCV's axes, y up; video: None where it is not to be found;
    fps: of the video; offset: seconds to add to the video's own times.
    """

    name: str
    size: tuple[int, int]
    matrix: FloatArray
    distortion: FloatArray
    camera_from_world: FloatArray
    video: Path | None
    fps: Fraction
    offset: float


def read_views(take: Take) -> list[View]:
    """Read the views of a take that have a camera.

    Raises:
        TakeError: a file of the take is damaged.
    """
    if not take.has(_CAMERAS):
        return []
    records = {str(view.get("name")): view for view in take.manifest().get("views", [])}
    try:
        tables = tomllib.loads(take.path(_CAMERAS).read_text(encoding="utf-8"))
        return [_view(take, t, records) for key, t in tables.items() if key != "metadata"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise TakeError(f"{take.path(_CAMERAS)} is damaged ({error}): run `mocap capture` again") from error


def clock_start(views: list[View]) -> float:
    """Return when a take's first frame is, in seconds of its clock: when two views have begun.

    Source: `mocap.clock.on_one_clock`.
    """
    begun = sorted(view.offset for view in views)
    return begun[min(2, len(begun)) - 1]


def _view(take: Take, table: dict[str, Any], records: dict[str, dict[str, Any]]) -> View:
    record = records.get(table["name"], {})
    pose = np.eye(4)
    pose[:3, :3] = quat.to_matrix(quat.from_rotvec(np.array(table["rotation"], float)))
    pose[:3, 3] = table["translation"]
    width, height = (int(n) for n in table["size"])
    return View(
        str(table["name"]),
        (width, height),
        np.array(table["matrix"], float).reshape(3, 3),
        np.array(table["distortions"], float),
        pose,
        _video(take, record.get("video")),
        Fraction(record.get("fps", "0")),
        float(table.get("offset", 0.0)),
    )


def _video(take: Take, said: str | None) -> Path | None:
    """The video where it was, else beside the take, in case both were moved."""
    if not said:
        return None
    there = (Path(said), take.folder.parent / Path(said).name, take.folder / Path(said).name)
    return next((path for path in there if path.is_file()), None)
