"""Hands in the frames of one view, looked for where the people's solved wrists are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib import metadata

import numpy as np
from numpy.typing import NDArray

from mocap.detect.base import Detection
from mocap.detect.follow import Region
from mocap.detect.handgraph import HandNetwork
from mocap.keypoints import load_layout
from mocap.video import Frame, Image

Floats = NDArray[np.float64]

_LOOKING = 1  # the version of this file
LANDMARKS = 21  # of each hand
# A hand that is taken for one of the other side is off as far as one whose score is this much lower: on
# rendered people, at scores above 0.9, by 0.2 instead of 0.12 of the palm.
OTHER_SIDE = 0.1


class Hands:
    """MediaPipe's hand network on squares that somebody else places.

    Each square is looked at by itself, so resuming is exact, and hands are never confused with one another.

    Args:
        regions: (T, P, 2, 4) for every frame, P people, left and right hand: x and y of the middle, side (all
            pixels), turn (radians); NaN = not looked at.
    """

    def __init__(self, regions: Floats) -> None:
        self.layout = load_layout("hands42")
        self.version = f"mediapipe {metadata.version('mediapipe')} hands {_LOOKING}"
        self.regions = regions

    def detect(self, frames: Iterable[Frame]) -> Iterator[Detection]:
        """Give both hands of everybody in each frame, on the P axis of the regions.

        Raises:
            DetectError: MediaPipe or a library of the system is missing; names the package to install.
        """
        with closing(HandNetwork()) as network:
            for frame in frames:
                hands = [self._looked(network, frame.image, where) for where in self._at(frame.index)]
                points, confidence, world = (np.stack(values) for values in zip(*hands, strict=True))
                yield Detection(frame.index, frame.time, points, confidence, world)

    def _at(self, index: int) -> Floats:
        """The regions (P, 2, 4) of a frame; none in a frame that nobody knew of."""
        return self.regions[index] if index < len(self.regions) else np.full(self.regions.shape[1:], np.nan)

    def _looked(
        self, network: HandNetwork, image: Image | None, where: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """Points (42, 2), confidence (42,) and world (42, 3) of one person's hands in regions (2, 4)."""
        both = len(where) * LANDMARKS
        points, confidence, world = np.full((both, 2), np.nan), np.zeros(both), np.full((both, 3), np.nan)
        for side, region in enumerate(where):
            if image is None or not np.isfinite(region).all():
                continue
            hand = network.look(image, Region(*region.tolist()))
            if hand is not None:
                rows = slice(side * LANDMARKS, (side + 1) * LANDMARKS)
                points[rows], world[rows] = hand.points, hand.world
                confidence[rows] = hand.score - OTHER_SIDE * (hand.left != (side == 0))
        return points, confidence, world
