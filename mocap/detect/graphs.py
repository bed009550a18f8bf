"""MediaPipe's building blocks: graphs that are called like functions, and what they are fed with."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mocap.detect.follow import Region
from mocap.errors import DetectError
from mocap.system import missing_library
from mocap.video import Image

# The node with which a graph chooses the full models that the wheel carries beside the lite ones.
FULL_MODEL = """
node {
  calculator: "ConstantSidePacketCalculator"
  output_side_packet: "PACKET:complexity"
  node_options: {
    [type.googleapis.com/mediapipe.ConstantSidePacketCalculatorOptions] { packet { int_value: 1 } }
  }
}
"""
_STEP = 33333  # microseconds of a graph's clock; nothing depends on it


@dataclass(frozen=True)
class Library:
    """What is used of MediaPipe."""

    CalculatorGraph: Any
    ImageFormat: Any
    GraphConfig: Any
    NormalizedRect: Any
    ValidatedGraphConfig: Any
    packet_creator: Any
    packet_getter: Any


def mediapipe_library() -> Library:
    """Load MediaPipe.

    Raises:
        DetectError: it or a library of the system is missing; names the package to install.
    """
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
        raise DetectError(missing_library("MediaPipe", error)) from error
    resource_util.set_resource_dir(str(Path(mediapipe.__file__).parents[1]))
    return Library(
        CalculatorGraph,
        ImageFormat,
        CalculatorGraphConfig,
        NormalizedRect,
        ValidatedGraphConfig,
        packet_creator,
        packet_getter,
    )


class Graph:
    """A graph that is called like a function: packets in, packets out, by the names of its streams.

    Args:
        library: MediaPipe.
        text: the graph, as a protobuf text.
        outputs: the streams that come out, those inside subgraphs included.
    """

    def __init__(self, library: Library, text: str, outputs: Sequence[str]) -> None:
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
        """Send a packet into each named stream, and give those that come out, by the names of theirs."""
        self._found.clear()
        self._time += _STEP
        for name, packet in packets.items():
            self._graph.add_packet_to_input_stream(stream=name, packet=packet.at(self._time))
        self._graph.wait_until_idle()
        return dict(self._found)

    def close(self) -> None:
        """Release the graph."""
        self._graph.close()


class Packets:
    """Images and squares in them as graphs take them; only the last whole image is kept."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._shown: tuple[Image | None, Any] = (None, None)

    def part(self, image: Image) -> Any:
        """Return the packet of an image, or of a part of one."""
        whole = np.ascontiguousarray(image)
        kind = self._library.ImageFormat.SRGB
        return self._library.packet_creator.create_image_frame(data=whole, image_format=kind)

    def whole(self, image: Image) -> Any:
        """Return the packet of a whole image, in which several things are sought."""
        if self._shown[0] is not image:
            self._shown = image, self.part(image)
        return self._shown[1]

    def square(self, region: Region, image: Image) -> Any:
        """Return the packet of a turned square in an image."""
        high, wide = image.shape[:2]
        return self._library.packet_creator.create_proto(
            self._library.NormalizedRect(
                x_center=region.x / wide,
                y_center=region.y / high,
                width=region.size / wide,
                height=region.size / high,
                rotation=region.turn,
            )
        )
