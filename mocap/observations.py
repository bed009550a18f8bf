"""One person as all views saw them, on one clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mocap.keypoints import Layout

Floats = NDArray[np.float64]

FAINT = 0.1  # median confidence of the landmarks of a person who is there


@dataclass(frozen=True)
class Observations:
    """What V views saw of one person over T frames of one clock.

    Args:
        names: of the views.
        layout: what the J axis means.
        pixels: (V, T, J, 2), NaN where unseen.
        confidence: (V, T, J) in [0, 1], 0 where unseen.
        fps: exact rate of the clock.
        world: (V, T, J, 3) the detector's own 3D guess in camera axes (metres; x right, y down, z away),
            or None.
        start: seconds of the clock at the first frame.
        spread: (V, T, J) pixels that each landmark may be off, one standard deviation, NaN where unseen;
            None = as is usual for the layout.
        detected: (V, T, J, 2) the pixels before anything refined them; None = as they are.
        slant: (V, T, J, 2) which way landmarks are rather off, see `rigs.solving.slant`; None = any.
    """

    names: tuple[str, ...]
    layout: Layout
    pixels: Floats
    confidence: Floats
    fps: Fraction
    world: Floats | None = None
    start: float = 0.0
    spread: Floats | None = None
    detected: Floats | None = None
    slant: Floats | None = None

    @property
    def frames(self) -> int:
        """T."""
        return self.pixels.shape[1]

    @property
    def times(self) -> Floats:
        """(T,) seconds of the clock."""
        return self.start + np.arange(self.frames) / float(self.fps)

    def visible(self) -> NDArray[np.bool_]:
        """(V, T) whether a view sees the person: half the landmarks at least faintly."""
        return np.asarray(np.median(self.confidence, axis=2) > FAINT)

    def heights(self) -> Floats:
        """The person's extent in each image (V, T), pixels: diagonal of the seen landmarks, NaN if none."""
        known = np.isfinite(self.pixels)
        low = np.where(known, self.pixels, np.inf).min(axis=2)
        high = np.where(known, self.pixels, -np.inf).max(axis=2)
        seen = np.isfinite(low).all(axis=-1)
        extent = np.linalg.norm(
            np.where(seen[..., None], high, 0.0) - np.where(seen[..., None], low, 0.0), axis=-1
        )
        return np.where(seen, np.maximum(extent, 1.0), np.nan)

    def select(self, views: Sequence[int]) -> Observations:
        """Return what only these views saw."""
        kept = list(views)
        return replace(self.each(lambda a: a[kept]), names=tuple(self.names[v] for v in kept))

    def as_detected(self) -> Observations:
        """Return the same before anything refined it."""
        if self.detected is None:
            return self
        layout, rows = self.layout.detector, slice(len(self.layout.detector))
        before = replace(self, pixels=self.detected, spread=None, detected=None, slant=None).each(
            lambda a: a[:, :, rows]
        )
        return replace(before, layout=layout)

    def with_sides(self, swapped: NDArray[np.bool_]) -> Observations:
        """Exchange left and right where `swapped` (V, T, J) says so, for both of a pair alike."""
        return self.each(lambda values: self.layout.exchanged(values, swapped))

    def each(self, change: Callable[[Floats], Floats]) -> Observations:
        """Return the same with every array (V, T, J, ...) changed."""

        def changed(values: Floats | None) -> Floats | None:
            return None if values is None else change(values)

        return replace(
            self,
            pixels=change(self.pixels),
            confidence=change(self.confidence),
            world=changed(self.world),
            spread=changed(self.spread),
            detected=changed(self.detected),
            slant=changed(self.slant),
        )
