"""What a take has to look at: the rig of its cameras, and frames that contradict the calibration given."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Cameras
from calibration.drawing.page import rig_html
from calibration.drawing.scene import arrange
from mocap.observations import Observations
from mocap.selfcal import triangulated
from mocap.swaps import repair_swaps
from rigs.motion import Motion

Floats = NDArray[np.float64]


def rig_page(
    cameras: Cameras, motion: Motion, offsets: Floats, errors_px: Sequence[float], title: str
) -> str:
    """Return an HTML page of the cameras about the tracks of a person's feet.

    Args:
        cameras: V cameras.
        motion: of the person.
        offsets: (V,) seconds.
        errors_px: (V,) typical reprojection error.
        title: the heading.
    """
    world = motion.world()[0]
    feet = world[:, [motion.skeleton.index(f"{side}ToeBase") for side in ("Left", "Right")]]
    scene = arrange(cameras, points=feet.reshape(-1, 3), errors_px=errors_px, offsets=offsets.tolist())
    return rig_html(scene, title)


def disagreement_sheet(
    path: Path, seen: Observations, given: Cameras, view: str, video: Path, times: Floats
) -> None:
    """Write a picture (PNG) of frames in which a view contradicts where the other cameras say the person is.

    Args:
        path: the file.
        seen: V views.
        given: cameras as they were given.
        view: which.
        video: the view's file.
        times: (T,) seconds of its own time.

    Raises:
        MocapError: there is nothing to draw, or the video cannot be read.
    """
    from mocap.overlay import write_disagreement

    repaired, _ = repair_swaps(seen, given)
    trust = np.where((np.array(seen.names) == view)[:, None, None], 0.0, repaired.confidence)
    others = Observations(seen.names, seen.layout, repaired.pixels, trust, seen.fps)
    write_disagreement(path, repaired, given, triangulated(others, given), view, video, times)
