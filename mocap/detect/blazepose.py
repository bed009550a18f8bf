"""BlazePose, the full model that MediaPipe's wheel carries: 33 landmarks of everybody, works offline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from importlib import metadata
from pathlib import Path

import numpy as np

from mocap.detect.base import Detection, Sought
from mocap.detect.follow import GREY, Body, Follower, Region
from mocap.errors import DetectError
from mocap.keypoints import load_layout
from mocap.video import Frame, Image

_FOLLOWING = 2  # the version of `mocap.detect.follow`


class BlazePose:
    """MediaPipe's BlazePose (Bazarevsky et al. 2020), following people from frame to frame, unsmoothed.

    The images go in at full size: half the size is not faster, because the network sees a crop of 256 x 256
    either way. Where following starts matters: started later it differs by 1 to 5 px (mean; the person is 750
    px tall) for good, since every crop is taken from the landmarks before.

    Args:
        video: not looked at; the frames are all it needs.
        alone: whether there is one person, and nobody else need be looked for.
    """

    def __init__(self, video: Path | None = None, alone: bool = False) -> None:
        self.layout = load_layout("blazepose33")
        self.alone = alone
        try:
            release = metadata.version("mediapipe")
        except metadata.PackageNotFoundError as error:
            raise DetectError("BlazePose needs mediapipe: run `pip install mediapipe==0.10.21`") from error
        self.version = f"mediapipe {release} full {'one' if alone else f'all {_FOLLOWING}'}"

    def detect(self, frames: Iterable[Frame]) -> Iterator[Detection]:
        """Give the landmarks of everybody in each frame; confidence is MediaPipe's visibility.

        Raises:
            DetectError: MediaPipe or a library of the system is missing; names the package to install.
        """
        from mocap.detect.posegraph import PoseNetworks

        with closing(PoseNetworks()) as networks:
            follower = Follower(networks, self.alone)
            for frame in frames:
                found: dict[int, Body] = {} if frame.image is None else follower.step(frame.image, frame.time)
                yield Detection(frame.index, frame.time, *_lanes(found, max(found, default=0) + 1))

    def look(self, frames: Iterable[Frame], sought: Sought) -> Iterator[Detection]:
        """Give the landmarks of whoever is where people are sought.

        Raises:
            DetectError: as `detect`.
        """
        from mocap.detect.posegraph import PoseNetworks

        count = int(sought.lanes.max(initial=0)) + 1
        with closing(PoseNetworks()) as networks:
            for frame in frames:
                found: dict[int, Body] = {}
                for n in range(*np.searchsorted(sought.frames, [frame.index, frame.index + 1])):
                    shown = None if frame.image is None else without_others(frame.image, sought, n)
                    body = None if shown is None else networks.look(shown, Region(*sought.regions[n]))
                    if body is not None:
                        found[int(sought.lanes[n])] = body
                yield Detection(frame.index, frame.time, *_lanes(found, count))


def without_others(image: Image, sought: Sought, number: int) -> Image:
    """The image with everybody painted over who is in the way of somebody who is sought."""
    from cv2 import line

    first, stop = np.searchsorted(sought.owners, [number, number + 1])
    if first == stop:
        return image
    hidden = np.zeros(image.shape[:2], np.uint8)
    for *ends, thick, paint in sought.strokes[first:stop].round().astype(int).tolist():
        line(hidden, ends[:2], ends[2:], paint, max(thick, 1))
    return np.where(hidden[..., None] > 0, np.uint8(GREY), image)


def _lanes(found: dict[int, Body], count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (P, 33, 2), confidence (P, 33) and world (P, 33, 3); a lane without anybody is NaN."""
    points, world = np.full((count, 33, 2), np.nan), np.full((count, 33, 3), np.nan)
    confidence = np.zeros((count, 33))
    for lane, body in found.items():
        points[lane], confidence[lane], world[lane] = body.points, body.confidence, body.world
    return points, confidence, world
