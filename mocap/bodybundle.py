"""Cameras adjusted on a moving person: the body's bones are rigid, and the detector has its habits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from calibration.adjust.freedom import Freedom
from calibration.adjust.habits import Habits
from calibration.adjust.rigid import Bones, Rigid, adjust_rigid
from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap.attach import load_attachment
from mocap.errors import MocapError
from mocap.keypoints import Layout
from mocap.observations import Observations
from rigs.solving.body import load_body

Floats = NDArray[np.float64]

FRAMES = 60  # used of a clip, evenly spread: errors are alike from frame to frame anyway
# Seconds of a clip that are worth one look at the landmarks. A landmark's error is still a third alike after
# 12 frames at 30 fps and a seventh after 60, and alike in neighbours. With this, the deviations that the
# adjustment tells are those that 28 clips with known cameras show: errors over
# them are 1.2 for rotations and 1.0 for focal lengths (root mean squares).
MEMORY = 2.0
KNOWN_SIZE, GUESSED_SIZE = 0.02, 0.05  # deviation of a body's size at a stature that is given, or assumed
SCALE = 0.02  # of the person's height in the image: where triangulation begins to doubt


@dataclass(frozen=True)
class Build:
    """What is known of bodies as a layout shows them; lengths in units of stature.

    rows: (J,) landmarks used; pairs (B, 2) of their places in `rows`, kind, give (B,); length, spread (K,);
    habit_sd (COUNT,), above, perspective, high, low: of `calibration.adjust.habits.Habits`.
    """

    rows: NDArray[np.intp]
    pairs: NDArray[np.intp]
    kind: NDArray[np.intp]
    give: Floats
    length: Floats
    spread: Floats
    habit_sd: Floats
    above: tuple[float, float]
    perspective: float
    high: NDArray[np.intp]
    low: NDArray[np.intp]

    def bones(self, stature: float, size: float) -> Bones:
        """Bones of a body of `stature` metres, whose size is known to the share `size`."""
        covariance = np.diag(self.spread**2) + size**2
        return Bones(self.pairs, self.kind, self.give, self.length * stature, covariance)

    def habits(self, stature: float) -> Habits:
        """Habits of the detector on a person of `stature` metres."""
        return Habits(self.habit_sd, stature, self.high, self.low, self.above, self.perspective)


@lru_cache
def load_build(layout: Layout, refined: bool = False) -> Build:
    """Load the proportions of bodies in `layout`, as detected or as refined.

    Raises:
        MocapError: nobody has measured them.
    """
    table = _table(layout)
    left = [layout.index(name) for name in table["landmarks"]]
    rows = np.array(sorted({*left, *layout.mirror[left].tolist()}))
    place = {int(row): n for n, row in enumerate(rows)}
    measured = table["refined" if refined else "detected"]
    bones, habits = measured["bones"], measured["habits"]
    pairs = [(k, pair) for k, (a, b, *_) in enumerate(bones) for pair in _both_sides(layout, a, b)]
    kind = np.array([k for k, _ in pairs])
    length, spread, give = np.array([row[2:] for row in bones], dtype=float).T
    high, low = (np.array([place[layout.index(n)] for n in habits[key]]) for key in ("high", "low"))
    return Build(
        rows,
        np.array([[place[i] for i in pair] for _, pair in pairs]),
        kind,
        give[kind],
        length,
        spread,
        np.array(habits["sd"], dtype=float),
        (float(habits["above"][0]), float(habits["above"][1])),
        float(habits["perspective"]),
        high,
        low,
    )


def _table(layout: Layout) -> dict[str, Any]:
    source = resources.files("mocap") / "landmarks" / f"{layout.detector.name}_bones.yaml"
    if not source.is_file():
        raise MocapError(
            f"layout {layout.name}: nobody has measured bodies in it; "
            "use blazepose to calibrate from a person"
        )
    table: dict[str, Any] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return table


def _both_sides(layout: Layout, one: str, other: str) -> list[tuple[int, int]]:
    """A bone and its mirror image, once if it is its own."""
    a, b = layout.index(one), layout.index(other)
    mirrored = (int(layout.mirror[a]), int(layout.mirror[b]))
    return [(a, b)] if set(mirrored) == {a, b} else [(a, b), mirrored]


def adjust_on_body(
    seen: Observations,
    cameras: Cameras,
    freedom: Freedom,
    *,
    stature: float,
    size: float = KNOWN_SIZE,
) -> Rigid:
    """Adjust cameras on one person's landmarks.

    Args:
        seen: what the views saw, sides repaired, one clock.
        cameras: near the truth (a few degrees); the world they share may be any.
        freedom: of the cameras: fix one's pose; a prior on focal lengths is about those of `cameras`.
        stature: metres.
        size: share to which the body's size is known at that stature.

    Returns:
        The cameras, and points of the landmarks `load_build(seen.layout).rows` in the frames used.

    Raises:
        MocapError: nobody has measured bodies in this layout.
    """
    build = load_build(seen.layout, seen.spread is not None)
    frames = np.unique(np.linspace(0, seen.frames - 1, min(FRAMES, seen.frames)).round().astype(int))
    pixels, sight = seen.pixels[:, frames], seen.confidence[:, frames]
    scale = max(SCALE * float(np.nanmedian(seen.heights())), 2.0)
    points, _ = triangulate(cameras, pixels[:, :, build.rows], sight[:, :, build.rows] ** 2, scale_px=scale)
    points = _filled(points)
    sd = _scatter(seen.layout, cameras, points, sight, stature)
    duration = seen.frames / float(seen.fps)
    return adjust_rigid(
        cameras,
        points,
        pixels[:, :, build.rows],
        sd[:, :, build.rows],
        build.bones(stature, size),
        freedom,
        habits=build.habits(stature),
        alike=max(MEMORY * len(frames) / duration, 1.0),
    )


def _scatter(layout: Layout, cameras: Cameras, points: Floats, sight: Floats, stature: float) -> Floats:
    """(V, T, J) deviation of every landmark of the layout, pixels; infinite where unseen or never used.

    What pulls cameras is what stays for a clip, and that is much alike for all landmarks (0.4 to 0.6 % of the
    stature between the views of a clip); so the spread that is known of single frames is not asked.
    """
    attachment = load_attachment(layout, load_body())
    sd = np.full(sight.shape, np.inf)
    middle = np.median(points, axis=1)
    for v, camera in enumerate(cameras):
        depth = middle @ camera.camera_from_world[2, :3] + camera.camera_from_world[2, 3]
        focal = float(np.sqrt(camera.K[0, 0] * camera.K[1, 1]))
        known = sight[v][:, attachment.rows]
        sd[v][:, attachment.rows] = attachment.image_sd(known, stature, depth, focal) * focal
    return sd


def _filled(points: Floats) -> Floats:
    """Points (T, J, 3) with what is unknown put between its neighbours in time, or in the body's middle."""
    out, time = points.copy(), np.arange(len(points))
    for joint in range(points.shape[1]):
        known = np.isfinite(points[:, joint, 0])
        if known.any():
            for axis in range(3):
                out[:, joint, axis] = np.interp(time, time[known], points[known, joint, axis])
    known = np.isfinite(out)
    middle = np.where(known, out, 0.0).sum(axis=1, keepdims=True) / np.maximum(
        known.sum(axis=1, keepdims=True), 1
    )
    return np.where(known, out, middle)
