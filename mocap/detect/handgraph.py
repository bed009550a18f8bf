"""MediaPipe's hand network, one call a hand: the 21 landmarks of the hand in a region of an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mocap.detect.follow import Region
from mocap.detect.graphs import FULL_MODEL, Graph, Packets, mediapipe_library
from mocap.video import Image

Floats = NDArray[np.float64]

_HAND = (
    FULL_MODEL
    + """
input_stream: "image"
input_stream: "roi"
output_stream: "landmarks"
output_stream: "world"
output_stream: "side"
node {
  calculator: "HandLandmarkCpu"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "WORLD_LANDMARKS:world"
  output_stream: "HANDEDNESS:side"
}
"""
)
_SCORE = (
    "handlandmarkcpu__hand_presence_score"  # inside the subgraph, which tells only whether it is above 0.5
)
_OF_LEFT = "Right"  # what the network, which takes images for mirrored ones, calls a left hand


@dataclass(frozen=True, eq=False)
class Hand:
    """A hand in one image.

    points (21, 2) pixels; world (21, 3) m in camera axes (x right, y down, z away) about the hand's middle;
    score: how sure the network is that there is a hand, 0.5 to 1; left: whether it takes it for a left one.
    """

    points: Floats
    world: Floats
    score: float
    left: bool


class HandNetwork:
    """The full hand model of MediaPipe's wheel (Zhang et al. 2020).

    Raises:
        DetectError: MediaPipe or a library of the system is missing; names the package to install.
    """

    def __init__(self) -> None:
        self._library = mediapipe_library()
        self._hand = Graph(self._library, _HAND, ("landmarks", "world", "side", _SCORE))
        self._packets = Packets(self._library)

    def close(self) -> None:
        """Release the network."""
        self._hand.close()

    def look(self, image: Image, region: Region) -> Hand | None:
        """The hand in a region of an image, whose fingers point to the region's top; or None."""
        high, wide = image.shape[:2]
        found = self._hand(image=self._packets.whole(image), roi=self._packets.square(region, image))
        if "landmarks" not in found:
            return None
        read = self._library.packet_getter
        points = [(p.x * wide, p.y * high) for p in read.get_proto(found["landmarks"]).landmark]
        world = [(p.x, p.y, p.z) for p in read.get_proto(found["world"]).landmark]
        side = read.get_proto(found["side"]).classification[0].label
        score = float(read.get_float(found[_SCORE]))
        return Hand(np.array(points) - 0.5, np.array(world), min(score, 1.0), side == _OF_LEFT)
