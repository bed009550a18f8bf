"""What a 2D keypoint detector is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from mocap.detect.cover import Cover
from mocap.keypoints import Array, Indices, Layout
from mocap.video import Frame

_LOOKING = b"1"  # version of what detectors do where people are sought


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
        centres: (P, C, 5) pixels where joint centres are, how far they may be off and which way, see
            `mocap.detect.centres`; or None.
        colours: (P, B, 3) of parts of the body, see `mocap.detect.colours`; or None.
    """

    index: int
    time: float
    points: Array
    confidence: Array
    world: Array | None = None
    centres: Array | None = None
    colours: Array | None = None


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


@dataclass(frozen=True, eq=False)
class Sought:
    """People who are known to be in frames of a view, and where.

    Args:
        frames: (N,) numbers of frames in the video, not falling.
        lanes: (N,) the place on the P axis that whoever is sought there gets.
        regions: (N, 4) middle x, y and side, pixels, and turn, radians, of the square about each.
        cover: what to paint over for the sight of each of the N.
    """

    frames: Indices
    lanes: Indices
    regions: Array
    cover: Cover

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last frame in which anybody is sought."""
        return int(self.frames[0]), int(self.frames[-1])

    @property
    def key(self) -> str:
        """What is sought, as one word; places are told apart to a tenth of a pixel."""
        places = (self.regions * (10, 10, 10, 1000)).round()
        parts = [np.asarray(a, dtype=np.int64).tobytes() for a in (self.frames, self.lanes, places)]
        return hashlib.sha256(b"".join([_LOOKING, *parts, self.cover.key])).hexdigest()


class Looker(Detector, Protocol):
    """A detector that can be told where to look."""

    def look(self, frames: Iterable[Frame], sought: Sought) -> Iterator[Detection]:
        """Give what is seen where people are sought, for every frame; P is one more than the last lane.

        Raises:
            DetectError: it cannot run on this machine.
        """
