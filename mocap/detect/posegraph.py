"""BlazePose's two networks, one call each: where people may be in an image, and the landmarks of one of them.

MediaPipe's own pose solution follows one person, and its Tasks API takes two who overlap for one. So its
building blocks are put together here, and which person is looked for where is left to `mocap.detect.follow`.
"""

from __future__ import annotations

import numpy as np

from mocap.detect.follow import Body, Region
from mocap.detect.graphs import FULL_MODEL, Graph, Packets, mediapipe_library
from mocap.video import Image

_LANDMARKS = (
    FULL_MODEL
    + """
input_stream: "image"
input_stream: "roi"
output_stream: "landmarks"
output_stream: "world"
output_stream: "axis"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "AUXILIARY_LANDMARKS:axis"
  output_stream: "WORLD_LANDMARKS:world"
}
"""
)
_DETECTIONS = """
input_stream: "image"
output_stream: "detections"
node {
  calculator: "PoseDetectionCpu"
  input_stream: "IMAGE:image"
  output_stream: "DETECTIONS:detections"
}
"""


class PoseNetworks:
    """BlazePose-full of MediaPipe's wheel.

    Raises:
        DetectError: MediaPipe or a library of the system is missing; names the package to install.
    """

    def __init__(self) -> None:
        self._library = mediapipe_library()
        self._landmarks = Graph(self._library, _LANDMARKS, ("landmarks", "world", "axis"))
        self._detections = Graph(self._library, _DETECTIONS, ("detections",))
        self._packets = Packets(self._library)

    def close(self) -> None:
        """Release both networks."""
        self._landmarks.close()
        self._detections.close()

    def find(self, image: Image, corner: tuple[int, int] = (0, 0)) -> list[Region]:
        """Where people may be in an image whose top left pixel is `corner` of the whole, best first."""
        found = self._detections(image=self._packets.part(image)).get("detections")
        if found is None:
            return []
        high, wide = image.shape[:2]
        people = self._library.packet_getter.get_proto_list(found)
        points = [[(p.x, p.y) for p in who.location_data.relative_keypoints[:2]] for who in people]
        whole = np.array(points, dtype=np.float64) * (wide, high) + np.array(corner)
        return [Region.about(axis) for axis in whole]

    def look(self, image: Image, region: Region) -> Body | None:
        """The person in a region of an image, or None."""
        high, wide = image.shape[:2]
        found = self._landmarks(image=self._packets.whole(image), roi=self._packets.square(region, image))
        if "landmarks" not in found:
            return None
        read = self._library.packet_getter.get_proto
        rows = np.array([(p.x, p.y, p.visibility) for p in read(found["landmarks"]).landmark])
        world = np.array([(p.x, p.y, p.z) for p in read(found["world"]).landmark])
        axis = np.array([(p.x * wide, p.y * high) for p in read(found["axis"]).landmark])
        # MediaPipe's 0..1 is from edge to edge of the image; our pixel centres are at integers. Against four
        # true cameras the mean horizontal residual is 0.05 px where the crop has about the network's 256 px,
        # and 1 px (too far right) where it has 4.5 times as many: its warp takes pixel centres for edges.
        points = rows[:, :2] * (wide, high) - 0.5
        return Body(points, np.clip(rows[:, 2], np.finfo(np.float32).tiny, 1.0), world, axis)
