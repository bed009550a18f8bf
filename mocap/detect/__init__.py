"""Detectors of 2D keypoints by name: adding one is a line in the table; none is imported before its use."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from mocap.errors import DetectError

if TYPE_CHECKING:
    from mocap.detect.base import Detector

DETECTORS = {
    "blazepose": "mocap.detect.blazepose:BlazePose",
    "given": "mocap.detect.given:Given",
}
DEFAULT = "blazepose"


def detector(name: str, video: str | Path, alone: bool = False) -> Detector:
    """Make a detector for one video.

    Args:
        name: a key of `DETECTORS`.
        video: the video whose frames it will be given.
        alone: whether there is one person, and nobody else need be looked for.

    Raises:
        DetectError: there is no such detector; lists those that there are.
    """
    if name not in DETECTORS:
        raise DetectError(f"no detector {name!r}; there are: {', '.join(sorted(DETECTORS))}")
    module, _, kind = DETECTORS[name].partition(":")
    made: Detector = getattr(import_module(module), kind)(Path(video), alone)
    return made


def looks(name: str, video: str | Path) -> bool:
    """Whether a detector can be told where to look, see `mocap.detect.base.Looker`."""
    return hasattr(detector(name, video), "look")
