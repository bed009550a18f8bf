"""What a 2D keypoint detector is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from mocap.keypoints import Array, Layout
from mocap.video import Frame


@dataclass(frozen=True, eq=False)
class Detection:
    """What was seen in one frame.

    Args:
        index: number of the frame in the video.
        time: seconds since the first frame.
        points: (P, J, 2) pixels of P people, centres at integers; NaN = not seen. P may differ from frame to
            frame; who has the same place in the next frame is probably, but not surely, the same person.
        confidence: (P, J) in [0, 1]; 0 where a point is NaN.
        world: (P, J, 3) the detector's own guess in 3D, metres, x right, y down, z away, about the
            hips; or None.
    """

    index: int
    time: float
    points: Array
    confidence: Array
    world: Array | None = None


class Detector(Protocol):
    """Finds landmarks in the frames of one view; made anew for each, since it keeps state between frames.

    It is made as `Detector(video, alone)` with the path of the view's video, and whether there is one person
    and nobody else need be looked for. Making it is cheap: what it needs is loaded by the first frame.

    Attributes:
        layout: which landmarks.
        version: changes whenever the results for the same video may change.
    """

    layout: Layout
    version: str

    def detect(self, frames: Iterable[Frame]) -> Iterator[Detection]:
        """Give one detection for every frame, in order; a frame without an image gives all NaN.

        Raises:
            DetectError: it cannot run on this machine, or not on this video; says what to do.
        """
