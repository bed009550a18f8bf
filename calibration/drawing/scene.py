"""What there is to see of a camera rig: frusta, floor, points, and how sure each camera's place is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calibration.camera import Camera, Cameras

Array = NDArray[np.float64]

# Okabe and Ito's colours, told apart by colour-blind readers; without the yellow, too faint on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#444444")
_FRUSTUM = 0.11  # of the rig's extent: the length of a drawn frustum
_VISIBLE = 0.035  # of the rig's extent: up to this size error bars are enlarged
_MOST_POINTS = 3000
_SQUARES = 8  # of the grid along the rig, about


@dataclass(frozen=True)
class Scene:
    """A rig, ready to be drawn in any view. Metres, world, y up.

    Args:
        names: V names.
        centres: (V, 3).
        frusta: (V, 4, 3) corners of the image planes: top left, top right, bottom right, bottom left.
        points: (N, 3) what is drawn beside the cameras; a fair choice if there are many.
        sd: (V, 3) standard deviation of the centres along the axes; NaN = unknown.
        enlarged: how many times as large as they are the error bars should be drawn.
        floor: whether y = 0 is the floor.
        step: of the grid.
        low, high: (3,) corners of the box that holds everything, the x and z of the floor drawn too.
        facts: V rows of (heading, text) about each camera.
    """

    names: tuple[str, ...]
    centres: Array
    frusta: Array
    points: Array
    sd: Array
    enlarged: float
    floor: bool
    step: float
    low: Array
    high: Array
    facts: tuple[tuple[tuple[str, str], ...], ...]

    def colour(self, view: int) -> str:
        """The colour of a camera, #RRGGBB."""
        return COLOURS[view % len(COLOURS)]

    def unsure(self, view: int) -> bool:
        """Whether it is known, and not nothing, by how much a camera's place may be off."""
        return bool(np.isfinite(self.sd[view]).all() and self.sd[view].any())


def arrange(
    cameras: Cameras,
    *,
    points: ArrayLike | None = None,
    floor: bool = True,
    sd: ArrayLike | None = None,
    errors_px: ArrayLike | None = None,
    offsets: Sequence[float | None] | None = None,
) -> Scene:
    """Say what there is to see of a rig.

    Args:
        cameras: V cameras; world y up, metres.
        points: (N, 3) board corners or tracks of feet, NaN = unknown; None = no points.
        floor: whether y = 0 is the floor.
        sd: (V, 3) standard deviation of the cameras' centres, metres; NaN = unknown, 0 = held fixed.
        errors_px: (V,) what each camera is off by, pixels.
        offsets: (V,) seconds added to each view's own times; None = unknown.

    Raises:
        ValueError: shapes that do not fit.
    """
    views = len(cameras)
    spread = _shaped("sd", np.full((views, 3), np.nan) if sd is None else sd, (views, 3))
    errors = _shaped("errors_px", np.full(views, np.nan) if errors_px is None else errors_px, (views,))
    times = _shaped("offsets", np.full(views, np.nan) if offsets is None else _times(offsets), (views,))
    centres = np.stack([camera.centre for camera in cameras])
    shown = _chosen(np.empty((0, 3)) if points is None else np.asarray(points, dtype=np.float64))
    extent = _extent(centres, shown)
    frusta = np.stack([_frustum(camera, _FRUSTUM * extent) for camera in cameras])
    step = _step(extent)
    low, high = _bounds(np.concatenate([centres, frusta.reshape(-1, 3), shown]), step, floor)
    inside = np.all((shown >= low) & (shown <= high), axis=1)
    facts = tuple(_facts(*row) for row in zip(cameras, errors, times, spread, strict=True))
    return Scene(
        cameras.names,
        centres,
        frusta,
        shown[inside],
        spread,
        _enlarged(spread, extent),
        floor,
        step,
        low,
        high,
        facts,
    )


def distances(scene: Scene) -> Array:
    """(V, V) metres between the cameras' centres."""
    return np.asarray(np.linalg.norm(scene.centres[:, None] - scene.centres, axis=-1))


def remarks(scene: Scene) -> list[str]:
    """What one has to know to read a picture of the scene."""
    found = [f"metres, y up, a line every {scene.step:g} m"]
    if any(scene.unsure(view) for view in range(len(scene.names))):
        times = f", {scene.enlarged:g} times as large as they are" if scene.enlarged > 1 else ""
        found.append(f"ellipses: 1 σ of each camera's place{times}")
    return found


def _shaped(name: str, value: ArrayLike, shape: tuple[int, ...]) -> Array:
    array = np.asarray(value, dtype=np.float64)
    if array.shape != shape:
        raise ValueError(f"{name}: must have shape {shape}, got {array.shape}")
    return array


def _times(offsets: Sequence[float | None]) -> list[float]:
    return [math.nan if offset is None else float(offset) for offset in offsets]


def _chosen(points: Array) -> Array:
    """At most so many of the known points, evenly taken."""
    if points.ndim < 2 or points.shape[-1] != 3:
        raise ValueError(f"points: must be (..., 3), got {points.shape}")
    known = points.reshape(-1, 3)
    known = known[np.isfinite(known).all(axis=1)]
    return known[:: max(1, math.ceil(len(known) / _MOST_POINTS))]


def _extent(centres: Array, points: Array) -> float:
    """Diagonal of the box of cameras and points, the outermost points left out; metres."""
    ends = [np.min(centres, axis=0), np.max(centres, axis=0)]
    if len(points):
        ends += list(np.percentile(points, (2, 98), axis=0))
    size = float(np.linalg.norm(np.ptp(np.stack(ends), axis=0)))
    return size if size > 1e-6 else 1.0


def _frustum(camera: Camera, length: float) -> Array:
    """(4, 3) where rays through the image's corners end; straight ones where the lens has none there."""
    width, height = camera.size
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]]) - 0.5
    rays = camera.rays(corners)
    if not np.isfinite(rays).all():
        plain = np.linalg.solve(camera.K, np.column_stack([corners, np.ones(4)]).T).T
        rays = plain / np.linalg.norm(plain, axis=1, keepdims=True) @ camera.camera_from_world[:3, :3]
    return np.asarray(camera.centre + length * rays)


def _step(extent: float) -> float:
    """Metres between lines of the grid: 1, 2 or 5 times a power of ten, about so many along the rig."""
    return _nice(extent / _SQUARES)


def _nice(value: float) -> float:
    """The largest of 1, 2, 5 times a power of ten that is no larger."""
    power = 10.0 ** math.floor(math.log10(value) + 1e-12)
    return max(part * power for part in (1, 2, 5) if part * power <= value * (1 + 1e-9))


def _bounds(seen: Array, step: float, floor: bool) -> tuple[Array, Array]:
    """Corners of the box around everything, on lines of the grid; points far outside do not count."""
    middle, near = np.median(seen, axis=0), np.percentile(np.abs(seen - np.median(seen, axis=0)), 95, axis=0)
    kept = seen[np.all(np.abs(seen - middle) <= 4 * near + step, axis=1)]
    low, high = kept.min(axis=0), kept.max(axis=0)
    if floor:
        low[1], high[1] = min(low[1], 0.0), max(high[1], 0.0)
    low[[0, 2]] = np.floor(low[[0, 2]] / step) * step
    high[[0, 2]] = np.ceil(high[[0, 2]] / step) * step
    return low, high


def _enlarged(sd: Array, extent: float) -> float:
    known = sd[np.isfinite(sd)]
    largest = float(known.max(initial=0.0))
    return max(1.0, _nice(_VISIBLE * extent / largest)) if largest > 0 else 1.0


def _facts(camera: Camera, error: float, offset: float, sd: Array) -> tuple[tuple[str, str], ...]:
    facts = []
    if np.isfinite(error):
        facts.append(("error", f"{error:.3g} px"))
    if np.isfinite(sd).all():
        facts.append(("place", f"± {_length(float(np.linalg.norm(sd)))}" if sd.any() else "held"))
    if np.isfinite(offset):
        facts.append(("time", f"{1000 * offset:+.1f} ms"))
    facts.append(("height", f"{camera.centre[1]:.2f} m"))
    facts.append(("sees", f"{_field_of_view(camera):.0f}°"))
    return tuple(facts)


def _length(metres: float) -> str:
    """Two digits, in millimetres up to ten centimetres."""
    return f"{1000 * metres:.2g} mm" if metres < 0.0995 else f"{metres:.2g} m"


def _field_of_view(camera: Camera) -> float:
    """Degrees from the left to the right edge of the image, through its centre."""
    width, height = camera.size
    ends = camera.rays([[-0.5, height / 2 - 0.5], [width - 0.5, height / 2 - 0.5]])
    if not np.isfinite(ends).all():
        return math.degrees(2 * math.atan(width / 2 / camera.K[0, 0]))
    return math.degrees(math.acos(float(np.clip(ends[0] @ ends[1], -1, 1))))
