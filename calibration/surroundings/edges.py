"""Straight edges in an image: found, and as a lens sees them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from calibration.camera import Camera

Array = NDArray[np.float64]

LEAST = 0.03  # of the image's long side: shorter edges are noise
MOST = 200  # edges of an image, the longest
END = 0.7  # pixels, by which an end may be off across its edge, times the square root of two
SLANT = np.deg2rad(0.35)  # by which the longest edge may be off
USUAL = 0.1  # of the long side: an edge of this length counts wholly
COUNTS = (0.2, 2.0)  # the least and most that an edge counts
ALIKE = 0.3  # an edge's share of evidence of its own: boards, frames and shadows have many that are one
STEPS = 5  # of the inverse of the bend
SHARP = 0.05  # sine of the angle to an edge's own direction in space below which it tells nothing of that


@dataclass(frozen=True, eq=False)
class Edges:
    """Straight edges before a lens that is not quite known.

    ends: (S, 2, 2) their ends, normalised image coordinates of the assumed lens; error: (S,) radians by which
    an edge's direction in the image may be off; counts: (S,) how much each counts; turns: (S, 3, 3) the axes
    in which they are told from those of the camera at that moment.
    """

    ends: Array
    error: Array
    counts: Array
    turns: Array

    def __len__(self) -> int:
        return len(self.error)

    def sight(self, zoom: float = 1.0, bend: float = 0.0) -> tuple[Array, Array]:
        """Return the edges as planes through the eye: normals (S, 3), and where their middles are (S, 3).

        Args:
            zoom: times the focal length that was assumed.
            bend: k1 of Brown's model.
        """
        flat = self.ends / zoom
        seen = flat
        for _ in range(STEPS if bend else 0):
            flat = seen / np.maximum(1 + bend * (flat**2).sum(axis=-1, keepdims=True), 0.2)
        rays = np.concatenate([flat, np.ones((*flat.shape[:2], 1))], axis=2) @ self.turns.swapaxes(1, 2)
        return _unit(np.cross(rays[:, 0], rays[:, 1])), _unit(rays.sum(axis=1))

    def __add__(self, other: Edges) -> Edges:
        names = ("ends", "error", "counts", "turns")
        return Edges(*(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))

    def turned(self, turn: Array) -> Edges:
        """Return the same edges in axes that `turn` (3, 3) leads to."""
        return replace(self, turns=turn @ self.turns)

    def counting(self, share: float) -> Edges:
        """Return the same edges, each counting a share of what it did."""
        return replace(self, counts=self.counts * share)


def find_segments(grey: NDArray[np.uint8]) -> Array:
    """Find the straight edges of an image (height, width), as (S, 2, 2) ends in pixels, the longest first.

    Source: von Gioi et al., LSD: a fast line segment detector with a false detection control (2010).
    """
    import cv2

    found = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(grey)[0]
    ends = np.zeros((0, 2, 2)) if found is None else found[:, 0].reshape(-1, 2, 2).astype(np.float64)
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    order = np.argsort(-length, kind="stable")
    return ends[order[length[order] > LEAST * max(grey.shape)]]


def edges_before(camera: Camera, segments: Array, pixel: float = 1.0) -> Edges:
    """Return segments (S, 2, 2), the longest first, as edges in the axes of a camera.

    Args:
        camera: the lens.
        segments: pixels of its images.
        pixel: pixels for one of the image in which they were found.
    """
    segments = segments[:MOST]
    flat = camera.undistort(segments)
    seen = np.isfinite(flat).all(axis=(1, 2))
    length = np.linalg.norm(segments[seen, 1] - segments[seen, 0], axis=1)
    error = np.hypot(END * pixel / length, SLANT)
    counts = ALIKE * np.clip(length / (USUAL * max(camera.size)), *COUNTS)
    return Edges(flat[seen], error, counts, np.broadcast_to(np.eye(3), (int(seen.sum()), 3, 3)))


def slants(normals: Array, middles: Array, directions: Array) -> Array:
    """Angles (..., S), radians, between edges and how edges along directions (..., 3) would look there.

    Args:
        normals: (S, 3), see `Edges.sight`.
        middles: (S, 3).
        directions: (..., 3) of length one.
    """
    sine = np.sqrt(np.maximum(1 - (directions @ middles.T) ** 2, 0.0))
    return np.asarray(np.arcsin(np.clip(np.abs(directions @ normals.T) / np.maximum(sine, SHARP), 0.0, 1.0)))


def _unit(rows: Array) -> Array:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-12))
