"""Cameras held against the person that they filmed, hand in hand with the repair of sides.

Sides that a detector exchanged would pull cameras away, and cameras that are off hide exchanged sides: the
two stages take turns until neither changes.
"""

from __future__ import annotations

import numpy as np

from calibration.adjust.refine import Refined, refine
from calibration.camera import Cameras
from calibration.leaveout import SCALE, LeftOut, leave_one_out, summary
from mocap.keypoints import Layout
from mocap.observations import Observations
from mocap.swaps import Swaps, repair_swaps

COMMON = (  # the 17 of COCO: one place on the body each, which every detector knows
    "nose",
    *(f"{side}_{joint}" for joint in ("eye", "ear", "shoulder", "elbow") for side in ("left", "right")),
    *(f"{side}_{joint}" for joint in ("wrist", "hip", "knee", "ankle") for side in ("left", "right")),
)
_TURNS = 3


def refine_cameras(seen: Observations, cameras: Cameras) -> tuple[Refined, Observations, Swaps]:
    """Refine given cameras where that helps.

    Args:
        seen: what the views saw of one person, sides as detected.
        cameras: as given, in the order of the views.

    Returns:
        The cameras to use and why; what was seen, its sides put right by those cameras; what was exchanged.
    """
    rows = common_rows(seen.layout)
    repaired, swaps = repair_swaps(seen, cameras)
    refined = _refine(cameras, repaired, rows)
    for _ in range(_TURNS):
        if not refined.helped:
            break
        repaired, now = repair_swaps(seen, refined.cameras)
        if all((now.swapped[limb] == swaps.swapped[limb]).all() for limb in swaps.swapped):
            break
        swaps, refined = now, _refine(cameras, repaired, rows)
    return refined, repaired, swaps


def judge(seen: Observations, cameras: Cameras) -> LeftOut:
    """Tell how well three or more cameras foretell what each of them saw of the person.

    Args:
        seen: what the views saw, sides as detected.
        cameras: of the views.
    """
    rows = common_rows(seen.layout)
    repaired, _ = repair_swaps(seen, cameras)
    scale = SCALE * float(np.median(typical_heights(seen)))
    return summary(
        leave_one_out(cameras, repaired.pixels[:, :, rows], repaired.confidence[:, :, rows], scale)
    )


def common_rows(layout: Layout) -> list[int]:
    """Rows of the landmarks of `COMMON` that a layout has; of their centres where it has those, too."""
    centres = dict(layout.same)
    rows = [layout.index(name) for name in COMMON if name in layout.landmarks]
    return [centres.get(row, row) for row in rows]


def typical_heights(seen: Observations) -> np.ndarray:
    """(V,) the person's median height in each view's images, pixels; where unseen, that of the views."""
    extent = seen.heights()
    heights = np.array([np.nanmedian(row) if np.isfinite(row).any() else np.nan for row in extent])
    return np.where(np.isfinite(heights), heights, np.nanmedian(heights))


def _refine(cameras: Cameras, seen: Observations, rows: list[int]) -> Refined:
    return refine(cameras, seen.pixels[:, :, rows], seen.confidence[:, :, rows], typical_heights(seen))
