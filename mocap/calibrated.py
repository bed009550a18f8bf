"""What a calibration gives: the cameras with what they rest on, and the files that say so."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibration.camera import Cameras
from calibration.drawing.page import write_page
from calibration.files import write_calibration
from calibration.saving import save
from mocap.errors import CalibrateError


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Cameras with what they rest on.

    Args:
        cameras: of the views; world y up, metres.
        record: numbers for the quality file.
        lines: a table for the reader.
        notes: what was done, a line each.
        warnings: what is doubtful, a line each.
        offsets: (V,) seconds to add to each view's own times.
        points: (N, 3) what to show among the cameras: board corners, or a person's feet.
        errors_px: (V,) what each camera is typically off by.
        sd: (V, 3) m of the cameras' places, or None.
    """

    cameras: Cameras
    record: dict[str, Any]
    lines: list[str]
    notes: list[str]
    warnings: list[str]
    offsets: Sequence[float] | None = None
    points: Any = None
    errors_px: Any = None
    sd: Any = None

    def shown(self) -> dict[str, Any]:
        """What a picture of the cameras shows beside them."""
        return {
            "points": self.points,
            "sd": self.sd,
            "errors_px": self.errors_px,
            "offsets": self.offsets,
        }


def write_calibrated(path: Path, found: Calibrated, form: str | None = None) -> list[Path]:
    """Write the cameras, the record beside them, and a page that shows them.

    Args:
        path: of the calibration; beside it go NAME.quality.json and NAME.html.
        found: what to write.
        form: a name of `calibration.files.FORMATS`; None = what the path's name says.

    Returns:
        The files that were written.

    Raises:
        calibration.FileError: a file cannot be written; what was there before stays.
    """
    record, page = path.with_suffix(".quality.json"), path.with_suffix(".html")
    written = list(write_calibration(path, found.cameras, form))
    save(record, (json.dumps(found.record, indent=2, allow_nan=False) + "\n").encode())
    write_page(found.cameras, page, title=f"Cameras of {path.name}", **found.shown())
    return [*written, record, page]


def require_place(path: Path, suffix: str | None = None) -> None:
    """Refuse a file that cannot be written, before anything long begins.

    Args:
        path: of the file.
        suffix: that its name has to have, if any.

    Raises:
        CalibrateError: its folder is not there, or may not be written to, or it is to be of another kind.
    """
    if suffix is not None and path.suffix.lower() != suffix:
        raise CalibrateError(f"{path}: give a name that ends in {suffix}")
    folder = path.absolute().parent
    if not folder.is_dir():
        raise CalibrateError(f"{path}: there is no folder {folder}; make it, or choose another place")
    if not os.access(folder, os.W_OK):
        raise CalibrateError(f"{path}: the folder {folder} may not be written to; choose another place")


def draw_calibrated(path: Path, found: Calibrated) -> None:
    """Draw the cameras as a picture (PNG).

    Args:
        path: of the picture.
        found: what to draw.

    Raises:
        calibration.FileError: the file cannot be written.
    """
    from calibration.drawing.picture import draw

    draw(found.cameras, path, **found.shown())
