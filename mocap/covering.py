"""What hides everybody else near somebody who is looked at, so that no limb is taken for another's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mocap.detect.cover import Cover
from mocap.hiding import limbs
from mocap.keypoints import Layout

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


class Outlines:
    """P people in F frames of a view.

    Args:
        ends: (P, F, J, 2) px, where their landmarks are; NaN unknown.
        depth: (P, F) m from the camera.
        tall: (P, F) px, the stature there.
        layout: of the landmarks.
    """

    def __init__(self, ends: Floats, depth: Floats, tall: Floats, layout: Layout) -> None:
        self.ends, self.depth = ends, depth
        parts = [
            np.concatenate([a, b, (2 * half * tall)[..., None]], axis=-1)
            for a, b, half in limbs(ends, layout)
        ]
        self.limbs = np.stack(parts, axis=2)  # (P, F, L, 5)

    def cover(self, people: Indices, frames: Indices, squares: Floats) -> Cover:
        """What to paint over for N looks.

        Args:
            people: (N,) who is looked at, and stays as far as he can be seen,
            frames: (N,) when,
            squares: (N, 4) and in which square, as of `mocap.detect.follow.Region`: who reaches into it is
                painted over.
        """
        strokes = [
            self._strokes(*look)
            for look in zip(people.tolist(), frames.tolist(), squares[:, :3], strict=True)
        ]
        owners = np.repeat(np.arange(len(strokes)), [len(own) for own in strokes])
        return Cover(np.concatenate([np.zeros((0, 6)), *strokes]), owners)

    def _strokes(self, person: int, frame: int, square: Floats) -> Floats:
        """(S, 6) the farthest first, so that whoever is nearer hides or shows what is behind him."""
        off = np.abs(self.ends[:, frame] - square[:2]).max(axis=-1)
        near = (off < square[2] / 2).any(axis=-1)
        near[person] = False
        if not near.any():
            return np.zeros((0, 6))
        shown = [*np.flatnonzero(near).tolist(), person]
        shown.sort(key=lambda k: -self.depth[k, frame])
        found = np.concatenate([_painted(self.limbs[k, frame], k != person) for k in shown])
        return found[np.isfinite(found).all(axis=1)]


def _painted(limbs: Floats, paint: bool) -> Floats:
    return np.column_stack([limbs, np.full(len(limbs), float(paint))])
