"""What colours people show in a frame, hair, skin and clothes: by these a view knows somebody again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mocap.detect.base import Detection, Detector
from mocap.keypoints import Layout
from mocap.video import Frame, Image

Floats = NDArray[np.float64]

SEEN = 0.3  # confidence of a landmark between which colours are looked for
FEWEST = 3  # pixels that tell a colour
TRUNK = ("left_shoulder", "right_shoulder", "left_hip", "right_hip")
FACE = ("nose", "left_eye", "right_eye", "left_ear", "right_ear")
LIMBS = (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))
ALONG = np.linspace(0.25, 0.85, 6)  # of a limb, where its pixels are
ACROSS = np.linspace(0.2, 0.8, 4)  # of the trunk, from left to right
SURER = 0.1  # by how much one side's limb must be the surer one to be looked at alone: the other is behind
SIDEWAYS = 0.3  # of its height that a trunk must be wide
CHEST, BELLY = (0.15, 0.3, 0.45), (0.6, 0.75, 0.9)  # of the trunk, from shoulders to hips
PARTS = ("head", "chest", "belly", *(f"{upper} to {lower}" for upper, lower in LIMBS))


def with_colours(finder: Detector, frames: Iterable[Frame]) -> Iterator[Detection]:
    """What a detector finds, each person with the colours of `PARTS`.

    Args:
        finder: which may be some frames behind those that it takes.
        frames: of the video.
    """
    waiting: dict[int, Image | None] = {}

    def shown() -> Iterator[Frame]:
        for frame in frames:
            waiting[frame.index] = frame.image
            yield frame

    for found in finder.detect(shown()):
        image = waiting.pop(found.index)
        colours = np.full((len(found.points), len(PARTS), 3), np.nan)
        for person, (points, confidence) in enumerate(zip(found.points, found.confidence, strict=True)):
            if image is not None and (confidence > SEEN).any():
                colours[person] = colours_of(image, points, confidence, finder.layout)
        yield replace(found, colours=colours)


def colours_of(image: Image, points: Floats, confidence: Floats, layout: Layout) -> Floats:
    """Median colours (B, 3) of the parts of a body: CIELAB, lightness of 0 to 100; NaN = not to be seen.

    Args:
        image: RGB.
        points: (J, 2) pixels, NaN = unknown.
        confidence: (J,) of the points.
        layout: of the points; parts that it does not tell are not looked for.
    """
    from cv2 import COLOR_RGB2Lab, cvtColor

    high, wide = image.shape[:2]
    out = np.full((len(PARTS), 3), np.nan)
    for part, spots in enumerate(_spots(points, confidence, layout)):
        inside = ((spots > -0.5) & (spots < (wide - 0.5, high - 0.5))).all(axis=-1)  # false for NaN
        x, y = spots[inside].round().astype(int).T
        if len(x) >= FEWEST:
            colour = np.median(image[y, x], axis=0).astype(np.float32) / 255
            out[part] = cvtColor(colour[None, None], COLOR_RGB2Lab)[0, 0]
    return out


def _spots(points: Floats, confidence: Floats, layout: Layout) -> Iterator[Floats]:
    """Pixels (N, 2) of each of `PARTS`, NaN where they are not to be seen."""
    seen = np.where((confidence > SEEN)[:, None], points, np.nan)
    unknown = np.full(2, np.nan)
    at = dict(zip(layout.landmarks, seen, strict=True))
    sure = dict(zip(layout.landmarks, confidence, strict=True))
    yield np.stack([at.get(name, unknown) for name in FACE])
    yield from _of_trunk(*(at.get(name, unknown) for name in TRUNK))
    for upper, lower in LIMBS:
        ends = [(f"{side}_{upper}", f"{side}_{lower}") for side in ("left", "right")]
        left, right = (_between(at.get(a, unknown), at.get(b, unknown), ALONG) for a, b in ends)
        surer = np.subtract(*(min(sure.get(a, 0.0), sure.get(b, 0.0)) for a, b in ends))
        both = np.concatenate([left, right])
        yield both if abs(surer) < SURER else left if surer > 0 else right


def _of_trunk(left: Floats, right: Floats, left_hip: Floats, right_hip: Floats) -> Iterator[Floats]:
    """Pixels (N, 2) of chest and belly; NaN from the side, where arms hang before them."""
    wide = np.linalg.norm(left - right) + np.linalg.norm(left_hip - right_hip)
    tall = np.linalg.norm(left + right - left_hip - right_hip)
    above, below = _between(left, right, ACROSS), _between(left_hip, right_hip, ACROSS)
    for rows in (CHEST, BELLY):
        spots = above + (below - above) * np.array(rows)[:, None, None]
        yield np.where(wide > SIDEWAYS * tall, spots, np.nan).reshape(-1, 2)


def _between(start: Floats, end: Floats, share: Floats) -> Floats:
    return start + (end - start) * share[:, None]
