"""How a detector's landmarks sit on the body: offsets from the joint centres, and scatter, as data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from mocap.errors import MocapError
from mocap.keypoints import Layout
from rigs.solving.body import MIRROR, Body
from rigs.solving.kinematics import Points

Floats = NDArray[np.float64]

PIXEL = 0.7  # what a landmark scatters by itself, pixels
NEAREST = 0.3  # metres from a camera to a person


@dataclass(frozen=True)
class Attachment:
    """The landmarks of a layout on a body.

    names: N landmarks of the layout that are used, rows (N,): theirs; joint (N,) and offsets (N, J, 3) in
    units of stature say where they sit; sd (N,): image scatter in units of stature when seen well; start:
    joint -> landmark row that stands for it before anything is solved; visibility, times_sd: how the scatter
    grows; short (G,): lengths of the body's size groups as solved over what they are.
    """

    names: tuple[str, ...]
    rows: NDArray[np.intp]
    joint: NDArray[np.int64]
    offsets: Floats
    sd: Floats
    start: dict[str, int]
    visibility: Floats
    times_sd: Floats
    short: Floats

    def points(self, stature: float) -> Points:
        """Return the landmarks as points of a body of `stature` metres."""
        return Points(self.joint, self.offsets * stature)

    def scatter(self, confidence: Floats) -> Floats:
        """Return the factor on `sd` for detector confidences of any shape; infinite where it is 0."""
        grown = np.interp(confidence, self.visibility, self.times_sd)
        return np.where(confidence > 0, grown, np.inf)

    def image_sd(
        self,
        confidence: Floats,
        stature: float,
        depth: Floats,
        focal: float | Floats,
        spread: Floats | None = None,
    ) -> Floats:
        """Return the scatter (..., N) in undistorted image coordinates; infinite where nothing was seen.

        Args:
            confidence: (..., N) of the detector.
            stature: metres.
            depth: (...) metres from the camera to the person.
            focal: pixels, one or (...).
            spread: (..., N) pixels that each may be off, if that is known; the stature is then not asked.
        """
        pixel = np.asarray(PIXEL / focal)[..., None]
        if spread is None:
            near = np.maximum(depth, NEAREST)[..., None]
            return np.hypot(self.scatter(confidence) * self.sd * stature / near, pixel)
        return np.where(confidence > 0, np.hypot(spread / np.asarray(focal)[..., None], pixel), np.inf)


@lru_cache
def load_attachment(layout: Layout, body: Body) -> Attachment:
    """Load how `layout` sits on `body`; raises MocapError when nothing is known of the layout."""
    source = resources.files("mocap") / "landmarks" / f"{layout.name}.yaml"
    if not source.is_file():
        raise MocapError(f"layout {layout.name}: nobody has said where its landmarks sit on the body")
    return attachment_of(yaml.safe_load(source.read_text(encoding="utf-8")), layout, body)


def attachment_of(table: dict[str, Any], layout: Layout, body: Body) -> Attachment:
    """Build how `layout` sits on `body` from a table as in `landmarks/*.yaml`."""
    rows = _both_sides(table["landmarks"], layout)
    names = list(rows)
    offsets = np.zeros((len(names), len(body.names), 3))
    for n, name in enumerate(names):
        for bone, offset in rows[name]["bones"].items():
            offsets[n, body.index(bone)] = offset
    start = {j: layout.index(m) for a, b in table["start"].items() for j, m in ((a, b), _right(a, b))}
    growth = table["scatter_at_visibility"]
    return Attachment(
        names=tuple(names),
        rows=np.array([layout.index(n) for n in names]),
        joint=np.array([body.index(rows[n]["joint"]) for n in names]),
        offsets=offsets,
        sd=np.array([rows[n]["sd"] for n in names]),
        start=start,
        visibility=np.array(growth["visibility"], float),
        times_sd=np.array(growth["times_sd"], float),
        short=np.array([table.get("short", {}).get(group, 1.0) for group in body.size_names]),
    )


def _right(joint: str, landmark: str) -> tuple[str, str]:
    return joint.replace("Left", "Right"), landmark.replace("left", "right")


def _both_sides(table: dict[str, Any], layout: Layout) -> dict[str, Any]:
    """Add the mirror image of every left landmark, in the layout's order."""
    both = dict(table)
    for name, row in table.items():
        if "left" in name:
            bones = {b.replace("Left", "Right"): list(MIRROR * o) for b, o in row["bones"].items()}
            both[name.replace("left", "right")] = dict(
                row, joint=row["joint"].replace("Left", "Right"), bones=bones
            )
    return {name: both[name] for name in layout.landmarks if name in both}
