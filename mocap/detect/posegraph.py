"""BlazePose's two networks, one call each: where people may be in an image, and the landmarks of one of them.

MediaPipe's own pose solution follows one person, and its Tasks API takes two who overlap for one. So its
building blocks are put together here, and which person is looked for where is left to `mocap.detect.follow`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mocap.detect.follow import Body, Region
from mocap.errors import DetectError
from mocap.system import missing_library
from mocap.video import Image

_STEP = 33333  # microseconds of a graph's clock; nothing depends on it

_LANDMARKS = """
input_stream: "image"
input_stream: "roi"
output_stream: "landmarks"
output_stream: "world"
output_stream: "axis"
node {
  calculator: "ConstantSidePacketCalculator"
  output_side_packet: "PACKET:complexity"
  node_options: {
    [type.googleapis.com/mediapipe.ConstantSidePacketCalculatorOptions] { packet { int_value: 1 } }
  }
}
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
        self._library = _mediapipe()
        self._landmarks = _Graph(self._library, _LANDMARKS, ("landmarks", "world", "axis"))
        self._detections = _Graph(self._library, _DETECTIONS, ("detections",))
        self._shown: tuple[Image | None, Any] = (None, None)

    def close(self) -> None:
        """Release both networks."""
        self._landmarks.close()
        self._detections.close()

    def find(self, image: Image, corner: tuple[int, int] = (0, 0)) -> list[Region]:
        """Where people may be in an image whose top left pixel is `corner` of the whole, best first."""
        found = self._detections(image=self._packet(image)).get("detections")
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
        roi = self._library.packet_creator.create_proto(self._rect(region, wide, high))
        found = self._landmarks(image=self._whole(image), roi=roi)
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

    def _rect(self, region: Region, wide: int, high: int) -> Any:
        return self._library.NormalizedRect(
            x_center=region.x / wide,
            y_center=region.y / high,
            width=region.size / wide,
            height=region.size / high,
            rotation=region.turn,
        )

    def _whole(self, image: Image) -> Any:
        """The packet of a whole image; the last one is kept, as several people are sought in it."""
        if self._shown[0] is not image:
            self._shown = image, self._packet(image)
        return self._shown[1]

    def _packet(self, image: Image) -> Any:
        library = self._library
        whole = np.ascontiguousarray(image)
        return library.packet_creator.create_image_frame(data=whole, image_format=library.ImageFormat.SRGB)


@dataclass(frozen=True)
class _Library:
    """What is used of MediaPipe."""

    CalculatorGraph: Any
    ImageFormat: Any
    GraphConfig: Any
    NormalizedRect: Any
    ValidatedGraphConfig: Any
    packet_creator: Any
    packet_getter: Any


def _mediapipe() -> _Library:
    os.environ.setdefault("GLOG_minloglevel", "3")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        import mediapipe
        from mediapipe.framework.calculator_pb2 import CalculatorGraphConfig
        from mediapipe.framework.formats.rect_pb2 import NormalizedRect
        from mediapipe.python import (
            CalculatorGraph,
            ImageFormat,
            ValidatedGraphConfig,
            packet_creator,
            packet_getter,
            resource_util,
        )
    except ImportError as error:
        raise DetectError(missing_library("BlazePose", error)) from error
    resource_util.set_resource_dir(str(Path(mediapipe.__file__).parents[1]))
    return _Library(
        CalculatorGraph,
        ImageFormat,
        CalculatorGraphConfig,
        NormalizedRect,
        ValidatedGraphConfig,
        packet_creator,
        packet_getter,
    )


class _Graph:
    """A graph that is called like a function: packets in, packets out, by the names of its streams."""

    def __init__(self, library: _Library, text: str, outputs: Sequence[str]) -> None:
        # Only a validated graph has all options: as it is, the text refines landmarks by another kernel,
        # which moves them by up to 4 px of a person 750 px tall.
        whole, config = library.ValidatedGraphConfig(), library.GraphConfig()
        whole.initialize(graph_config=text)
        config.ParseFromString(whole.binary_config)
        self._graph = library.CalculatorGraph(graph_config=config)
        self._found: dict[str, Any] = {}
        self._time = 0
        for name in outputs:
            self._graph.observe_output_stream(name, self._found.__setitem__)
        self._graph.start_run()

    def __call__(self, **packets: Any) -> dict[str, Any]:
        self._found.clear()
        self._time += _STEP
        for name, packet in packets.items():
            self._graph.add_packet_to_input_stream(stream=name, packet=packet.at(self._time))
        self._graph.wait_until_idle()
        return dict(self._found)

    def close(self) -> None:
        self._graph.close()
