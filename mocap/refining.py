"""A given calibration made better by the person who moves before it, where that helps."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from calibration.camera import Cameras
from mocap.observations import Observations


@dataclass(frozen=True)
class RefinedCameras:
    cameras: Cameras
    record: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def refine_by_person(seen: Observations, cameras: Cameras, *, trust: bool) -> RefinedCameras:
    return RefinedCameras(cameras)
