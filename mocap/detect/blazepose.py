"""BlazePose, the full model that MediaPipe's wheel carries: 33 landmarks of everybody, works offline."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mocap.detect.base import Detection, Sought
from mocap.detect.centres import CENTRES, NETWORKS, CentreNetworks, version_of
from mocap.detect.follow import Body, Follower, Region
from mocap.errors import DetectError
from mocap.keypoints import load_layout
from mocap.video import Frame, Image

if TYPE_CHECKING:
    from mocap.detect.posegraph import PoseNetworks

_Found = dict[int, tuple[Body, Image]]  # by lane, who was seen and the image in which
_Seen = tuple[Frame, _Found]

_FOLLOWING = 3  # the version of `mocap.detect.follow`
_BESIDE = 2  # frames in which joint centres are still looked for while the next is


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
        who = "one" if alone else f"all {_FOLLOWING}"
        self.version = f"mediapipe {release} full {who} {version_of(NETWORKS)}"

    def detect(self, frames: Iterable[Frame]) -> Iterator[Detection]:
        """Give the landmarks of everybody in each frame; confidence is MediaPipe's visibility.

        Raises:
            DetectError: MediaPipe or a library of the system is missing; names the package to install.
        """
        from mocap.detect.posegraph import PoseNetworks

        with closing(PoseNetworks()) as networks:
            follower = Follower(networks, self.alone)
            yield from _with_centres(_followed(follower, frames), lambda found: max(found, default=0) + 1)

    def look(self, frames: Iterable[Frame], sought: Sought) -> Iterator[Detection]:
        """Give the landmarks of whoever is where people are sought.

        Raises:
            DetectError: as `detect`.
        """
        from mocap.detect.posegraph import PoseNetworks

        count = int(sought.lanes.max(initial=0)) + 1
        with closing(PoseNetworks()) as networks:
            yield from _with_centres(_looked(networks, frames, sought), lambda _: count)


def _followed(follower: Follower, frames: Iterable[Frame]) -> Iterator[_Seen]:
    """Everybody in each frame, and the image in which he was seen."""
    for frame in frames:
        image = frame.image
        found = {} if image is None else follower.step(image, frame.time)
        yield frame, {lane: (body, image) for lane, body in found.items() if image is not None}


def _looked(networks: PoseNetworks, frames: Iterable[Frame], sought: Sought) -> Iterator[_Seen]:
    """Whoever is where people are sought in each frame, and the image in which he was seen."""
    for frame in frames:
        found = {}
        for n in range(*np.searchsorted(sought.frames, [frame.index, frame.index + 1])):
            shown = None if frame.image is None else sought.cover.over(frame.image, n)
            body = None if shown is None else networks.look(shown, Region(*sought.regions[n]))
            if shown is not None and body is not None:
                found[int(sought.lanes[n])] = body, shown
        yield frame, found


def _with_centres(seen: Iterator[_Seen], lanes: Callable[[_Found], int]) -> Iterator[Detection]:
    """Look for joint centres in a thread beside, as another frame is already being looked at.

    Args:
        seen: frames and who was seen in them.
        lanes: how many places the P axis has, by who was seen.
    """
    waiting: deque[tuple[Frame, _Found, dict[int, Future[np.ndarray]]]] = deque()

    def oldest() -> Detection:
        frame, found, centres = waiting.popleft()
        done = {lane: future.result() for lane, future in centres.items()}
        bodies = {lane: body for lane, (body, _) in found.items()}
        return Detection(frame.index, frame.time, *_lanes(bodies, done, lanes(found)))

    finder = CentreNetworks()
    with ThreadPoolExecutor(1) as beside:
        for frame, found in seen:
            futures = {
                lane: beside.submit(finder.look, image, body.points) for lane, (body, image) in found.items()
            }
            waiting.append((frame, found, futures))
            if len(waiting) > _BESIDE:
                yield oldest()
        while waiting:
            yield oldest()


def _lanes(
    found: dict[int, Body], centres: dict[int, np.ndarray], count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Points (P, 33, 2), confidence (P, 33), world (P, 33, 3) and centres (P, C, 5); NaN without anybody."""
    points, world = np.full((count, 33, 2), np.nan), np.full((count, 33, 3), np.nan)
    confidence, at = np.zeros((count, 33)), np.full((count, len(CENTRES), 5), np.nan)
    for lane, body in found.items():
        points[lane], confidence[lane], world[lane] = body.points, body.confidence, body.world
        at[lane] = centres[lane]
    return points, confidence, world, at
