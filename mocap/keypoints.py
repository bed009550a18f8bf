"""Keypoint layouts (which landmark is which) and the detections of one view over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from mocap.errors import MocapError

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_MORE = (
    "world",
    "spread",
    "detected",
    "centres",
    "slant",
    "colours",
)  # what keypoints may have beside points and confidence


@dataclass(frozen=True, eq=False)
class Layout:
    """Names the landmarks of a detector and says how they belong together.

    Args:
        name: name of the layout, e.g. "blazepose33".
        landmarks: J names, in the order of every J axis.
        edges: pairs of landmark indices to draw as lines.
        mirror: (J,) index of the landmark that takes each one's place when left and right change places;
            its own inverse, so `points[..., layout.mirror, :]` swaps the sides.
        groups: landmark indices by group ("head", "arms", "legs"): disjoint, together all landmarks,
            each closed under `mirror`.
        detected_as: name of the layout in which the first landmarks were detected, before anything refined
            them; "" = this one.
        same: pairs of landmarks that mean the same place on the body, as two networks see it.
    """

    name: str
    landmarks: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    mirror: Indices
    groups: dict[str, list[int]]
    detected_as: str = ""
    same: tuple[tuple[int, int], ...] = ()

    @property
    def detector(self) -> Layout:
        """The layout as it was detected."""
        return load_layout(self.detected_as) if self.detected_as else self

    def __len__(self) -> int:
        return len(self.landmarks)

    def exchanged(self, values: Array, swapped: npt.NDArray[np.bool_]) -> Array:
        """Exchange left and right of values (..., J, ...) where `swapped` (..., J) says so for both."""
        where = swapped.reshape(*swapped.shape, *(1,) * (values.ndim - swapped.ndim))
        return np.where(where, np.take(values, self.mirror, axis=swapped.ndim - 1), values)

    def index(self, landmark: str) -> int:
        """Index of a landmark on the J axis.

        Raises:
            MocapError: the layout has no such landmark; lists those that it has.
        """
        if landmark not in self.landmarks:
            known = ", ".join(self.landmarks)
            raise MocapError(f"layout {self.name}: no landmark {landmark!r}; it has: {known}")
        return self.landmarks.index(landmark)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Layout) and (self.name, self.landmarks) == (other.name, other.landmarks)

    def __hash__(self) -> int:
        return hash((self.name, self.landmarks))


def layout_names() -> tuple[str, ...]:
    """Names of the layouts that come with the package."""
    files = resources.files("mocap").joinpath("layouts").iterdir()
    return tuple(sorted(f.name[:-5] for f in files if f.name.endswith(".yaml")))


@cache
def load_layout(name: str) -> Layout:
    """Load a layout that comes with the package.

    Args:
        name: "blazepose33", "coco17", ...

    Raises:
        MocapError: there is no such layout; lists those that there are.
    """
    import yaml

    if name not in layout_names():
        raise MocapError(f"no keypoint layout {name!r}; there are: {', '.join(layout_names())}")
    text = resources.files("mocap").joinpath("layouts", f"{name}.yaml").read_text(encoding="utf-8")
    return _layout(yaml.safe_load(text))


def _layout(table: dict[str, Any]) -> Layout:
    names = tuple(table["landmarks"])
    where = {landmark: j for j, landmark in enumerate(names)}
    mirror = np.arange(len(names))
    for left, right in table["mirror"]:
        mirror[[where[left], where[right]]] = where[right], where[left]
    mirror.flags.writeable = False
    edges = tuple((where[a], where[b]) for a, b in table["edges"])
    groups = {group: [where[n] for n in members] for group, members in table["groups"].items()}
    same = tuple((where[a], where[b]) for a, b in table.get("same", []))
    return Layout(table["name"], names, edges, mirror, groups, table.get("detected_as", ""), same)


@dataclass(frozen=True, eq=False)
class Keypoints2D:
    """What a detector saw in one view: P people's landmarks over T frames.

    The arrays are checked, copied to float64 and frozen when it is made; nothing inside checks again.

    Args:
        layout: what the J axis means.
        points: (T, P, J, 2) pixels, x right, y down, (0, 0) the centre of the top left pixel;
            NaN = not seen. May lie outside the image.
        confidence: (T, P, J) in [0, 1]; 0 exactly where a point is NaN.
        times: (T,) seconds since the first frame of the video, strictly increasing.
        size: (width, height) of the upright image, pixels.
        world: (T, P, J, 3) the detector's own guess in 3D, metres, x right, y down, z away from the
            camera, about the hips; NaN = none; or None for a detector without.
        spread: (T, P, J) pixels that each point may be off, one standard deviation, or NaN; None = as is
            usual for its layout and confidence.
        detected: (T, P, J, 2) pixels, the points before anything refined them; None = as they are.
        centres: (T, P, C, 5) where joint centres are, see `mocap.detect.centres`: x, y and how far each may
            be off, pixels, and its slant; NaN = nobody looked; or None.
        slant: (T, P, J, 2) which way points are rather off, see `rigs.solving.slant`; None = any.
        colours: (T, P, B, 3) of parts of the body, see `mocap.detect.colours`; NaN = not to be seen; or None.

    Raises:
        MocapError: a shape, a confidence or a time that breaks the above; says which.
    """

    layout: Layout
    points: Array
    confidence: Array
    times: Array
    size: tuple[int, int]
    world: Array | None = None
    spread: Array | None = None
    detected: Array | None = None
    centres: Array | None = None
    slant: Array | None = None
    colours: Array | None = None

    def __post_init__(self) -> None:
        for field in ("points", "confidence", "times", *_MORE):
            value = getattr(self, field)
            if value is not None:
                object.__setattr__(self, field, _frozen(value))
        object.__setattr__(self, "size", (int(self.size[0]), int(self.size[1])))
        _check_shapes(self)
        _check_confidence(self)
        _check_times(self.times)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def people(self) -> int:
        """P, the number of people."""
        return self.points.shape[1]

    def slice(self, start: int, stop: int) -> Keypoints2D:
        """The frames from `start` up to but without `stop`; times stay as they are."""
        return self.take(np.arange(len(self))[start:stop])

    def take(self, frames: Indices | Sequence[int]) -> Keypoints2D:
        """The frames with these (increasing) indices; times stay as they are."""
        more = [None if a is None else a[frames] for a in self._more()]
        points, confidence, times = self.points[frames], self.confidence[frames], self.times[frames]
        return Keypoints2D(self.layout, points, confidence, times, self.size, *more)

    def of(self, who: Indices, person: int) -> Keypoints2D:
        """One person's detections: P is 1, and NaN in frames without.

        Args:
            who: (T, P) who each detection is.
            person: the number there.
        """
        there = who == person
        return self.placed(np.where(there.any(axis=1), there.argmax(axis=1), -1)[:, None])

    def placed(self, lane: Indices) -> Keypoints2D:
        """The same detections in other places on the P axis.

        Args:
            lane: (T, P') where on this P axis each is, -1 = nobody.
        """
        frame, there = np.arange(len(self))[:, None], lane >= 0

        def moved(values: Array, missing: float) -> Array:
            chosen = values[frame, np.maximum(lane, 0)]
            return np.where(there.reshape(*there.shape, *(1,) * (chosen.ndim - 2)), chosen, missing)

        points, confidence = moved(self.points, np.nan), moved(self.confidence, 0.0)
        more = [None if a is None else moved(a, np.nan) for a in self._more()]
        return Keypoints2D(self.layout, points, confidence, self.times, self.size, *more)

    def as_detected(self) -> Keypoints2D:
        """The same before anything refined it."""
        points = self.points if self.detected is None else self.detected
        layout, rows = self.layout.detector, slice(len(self.layout.detector))
        world = None if self.world is None else self.world[:, :, rows]
        points, confidence = points[:, :, rows], self.confidence[:, :, rows]
        return Keypoints2D(layout, points, confidence, self.times, self.size, world, centres=self.centres)

    def replace(
        self, points: Array, confidence: Array, world: Array | None = None, centres: Array | None = None
    ) -> Keypoints2D:
        """The same frames with other points, not refined; guess and centres stay unless others are given."""
        guess = self.world if world is None else world
        kept = self.centres if centres is None else centres
        return Keypoints2D(self.layout, points, confidence, self.times, self.size, guess, centres=kept)

    def _more(self) -> list[Array | None]:
        return [getattr(self, field) for field in _MORE]


def _frozen(value: npt.ArrayLike) -> Array:
    array = np.array(value, dtype=np.float64)
    array.flags.writeable = False
    return array


def _check_shapes(k: Keypoints2D) -> None:
    if k.points.ndim != 4:
        raise MocapError(f"keypoints: points must have axes (T, P, J, 2), not shape {k.points.shape}")
    frames, people = k.points.shape[:2]
    shape = (frames, people, len(k.layout))
    wanted: list[tuple[str, Array | None, tuple[int, ...]]] = [
        ("points", k.points, (*shape, 2)),
        ("confidence", k.confidence, shape),
        ("times", k.times, (frames,)),
        ("world", k.world, (*shape, 3)),
        ("spread", k.spread, shape),
        ("detected", k.detected, (*shape, 2)),
        ("slant", k.slant, (*shape, 2)),
    ]
    for name, array, right in wanted:
        if array is not None and array.shape != right:
            raise MocapError(f"keypoints ({k.layout.name}): {name} has shape {array.shape}, must be {right}")
    for name, array, axes, last in (("centres", k.centres, "C, 5", 5), ("colours", k.colours, "B, 3", 3)):
        if array is not None and (array.ndim, *array.shape[:2], array.shape[-1]) != (4, *shape[:2], last):
            raise MocapError(f"keypoints: {name} must have axes (T, P, {axes}), not shape {array.shape}")
    if min(k.size) < 1:
        raise MocapError(f"keypoints: image size must be at least 1 x 1 pixels, not {k.size}")


def _check_confidence(k: Keypoints2D) -> None:
    c = k.confidence
    outside = ~((c >= 0) & (c <= 1))
    if outside.any():
        t, p, j = np.argwhere(outside)[0]
        at = f"frame {t}, person {p}, {k.layout.landmarks[j]}"
        raise MocapError(f"keypoints: confidence must lie in [0, 1], not {c[t, p, j]:g} ({at})")
    missing = ~np.isfinite(k.points).all(axis=-1)
    wrong = missing != (c == 0)
    if wrong.any():
        t, p, j = np.argwhere(wrong)[0]
        seen = f"point {k.points[t, p, j]} with confidence {c[t, p, j]:g}"
        at = f"frame {t}, person {p}, {k.layout.landmarks[j]}"
        raise MocapError(f"keypoints: a point is NaN exactly where its confidence is 0, not {seen} ({at})")
    if np.isinf(k.points).any():
        raise MocapError("keypoints: points must be finite or NaN, some are infinite")


def _check_times(times: Array) -> None:
    if not np.isfinite(times).all():
        raise MocapError("keypoints: times must be finite seconds, some are not")
    steps = np.diff(times)
    if (steps <= 0).any():
        t = int(np.argmax(steps <= 0))
        raise MocapError(
            f"keypoints: times must increase, but frame {t + 1} is at {times[t + 1]:g} s after {times[t]:g} s"
        )
