"""What a calibration with a board rests on: a row a view, a table to read, and warnings in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.lens.intrinsics import Lens
from calibration.places.extrinsics import Rig
from calibration.places.world import Placed

Floats = NDArray[np.float64]
Row = dict[str, Any]

_FAR_OFF = (1.0, 8.0)  # px, and times the view's own scatter, by which the other views may miss a view
_COVERED = 0.3  # of the image; where the board never was, distortion is extrapolated
_FOCAL_SD, _PLACE_SD = 0.01, 0.01  # of the focal length; of the distance to the nearest camera
_LEFT_OUT = 0.2  # of a view's images


def rows(
    lenses: Sequence[Lens], rig: Rig, placed: Placed, missed: Floats, offsets: Sequence[float]
) -> list[Row]:
    """Make a row for each view, of plain numbers; None = unknown.

    Args:
        lenses: V, each view's own.
        rig: all together.
        placed: in the world.
        missed: (V,) px by which the other views miss a view.
        offsets: (V,) seconds.
    """
    return [_row(lens, rig, placed, float(missed[v]), offsets[v], v) for v, lens in enumerate(lenses)]


def _row(lens: Lens, rig: Rig, placed: Placed, missed: float, offset: float, v: int) -> Row:
    camera = placed.cameras[v]
    focal = float(camera.K[0, 0])
    return {
        "name": camera.name,
        "images": int(rig.images[v]),
        "images_left_out": int(rig.left_out[v]),
        "left_out": [label for label, _ in lens.dropped],
        "rms_px": _number(rig.rms[v], 3),
        "rms_alone_px": _number(lens.rms, 3),
        "others_miss_by_px": _number(missed, 3),
        "model": camera.model,
        "focal_px": _number(focal, 2),
        "focal_sd_px": _number(rig.focal_sd[v] * focal, 2),
        "field_of_view_deg": _number(np.rad2deg(2 * np.arctan(camera.size[0] / 2 / focal)), 2),
        "distortion": [_number(k, 6) for k in camera.distortion],
        "coverage": _number(lens.coverage, 2),
        "place_m": [_number(x, 4) for x in camera.centre],
        "place_sd_mm": _number(1000 * rig.centre_sd[v], 1),
        "offset_s": _number(offset, 4),
    }


def _number(value: float, digits: int) -> float | None:
    return round(float(value), digits) if np.isfinite(value) else None


def table(rows: Sequence[Row]) -> list[str]:
    """Lay the rows out for a reader.

    Args:
        rows: of the views.
    """
    head = ("view", "images", "px", "others px", "focal px", "place mm", "covered")
    body = [
        (
            row["name"],
            str(row["images"]),
            _shown(row["rms_px"], ".2f"),
            _shown(row["others_miss_by_px"], ".2f"),
            f"{row['focal_px']:.1f} ± {_shown(row['focal_sd_px'], '.1f')}",
            f"± {_shown(row['place_sd_mm'], '.1f')}",
            f"{100 * row['coverage']:.0f} %",
        )
        for row in rows
    ]
    widths = [max(len(line[i]) for line in (head, *body)) for i in range(len(head))]
    return ["  ".join(_padded(line, widths)).rstrip() for line in (head, *body)]


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def warnings(rows: Sequence[Row], lenses: Sequence[Lens], rig: Rig, placed: Placed) -> list[str]:
    """Say what is doubtful, a line each.

    Args:
        rows: of the views.
        lenses: each view's own.
        rig: all together.
        placed: in the world.
    """
    said = []
    for v, (row, lens) in enumerate(zip(rows, lenses, strict=True)):
        said += [f"view {row['name']}: {line}" for line in _doubts(row, lens, _nearest(placed, v))]
    if not rig.joint and any(np.isfinite(lens.rms) for lens in lenses):
        said.append(
            "the views agree far worse with each other than each with itself: were they filmed at one time,"
            " with cameras that stood still? Lenses were left as each view alone tells them"
        )
    return said


def _doubts(row: Row, lens: Lens, near: float) -> list[str]:
    said = []
    missed, own = row["others_miss_by_px"], row["rms_px"] or 0.0
    if missed is not None and missed > max(_FAR_OFF[0], _FAR_OFF[1] * own):
        said.append(f"the others put the board {missed:.1f} px from where it sees it")
    if lens.free.any() and row["coverage"] < _COVERED:
        said.append(
            f"the board was in {100 * row['coverage']:.0f} % of the image: elsewhere distortion is a guess"
        )
    if row["focal_sd_px"] is not None and row["focal_sd_px"] > _FOCAL_SD * row["focal_px"]:
        said.append(f"its focal length is uncertain by {100 * row['focal_sd_px'] / row['focal_px']:.1f} %")
    if row["place_sd_mm"] is not None and row["place_sd_mm"] > 1000 * _PLACE_SD * near:
        said.append(f"its place is uncertain by {row['place_sd_mm']:.0f} mm")
    if row["images_left_out"] > _LEFT_OUT * (row["images"] + row["images_left_out"]):
        said.append(f"{row['images_left_out']} of its boards contradict the others and were left out")
    return said


def _nearest(placed: Placed, v: int) -> float:
    """Metres from a camera to the next; infinite for a lone one."""
    here = placed.cameras[v].centre
    apart = [float(np.linalg.norm(c.centre - here)) for i, c in enumerate(placed.cameras) if i != v]
    return min(apart, default=np.inf)
