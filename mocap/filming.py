"""What a film shows besides people: corners that are followed from frame to frame, and straight edges.

Where people are need not be known yet, so that a film can be watched while they are being detected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Event

import numpy as np
from numpy.typing import NDArray

from calibration.surroundings.edges import find_segments
from mocap.system import load_opencv
from mocap.video import Frame, Image, VideoInfo, read_frames

Floats = NDArray[np.float64]

RATE = 10.0  # frames a second that are looked at
WIDTH = 360  # pixels to which images are made smaller
CORNERS, QUALITY, APART = 450, 0.01, 7.0  # as OpenCV's goodFeaturesToTrack has them
BACK = 0.5  # pixels by which a point tracked there and back may miss itself
GLIMPSES = (1 / 6, 1 / 2, 5 / 6)  # of the clip: when edges are looked for
SHARP = 960  # pixels of the long side to which images are made smaller for that


@dataclass(frozen=True, eq=False)
class Step:
    """Corners at one time and where they are at the next, s: before and after (N, 2), pixels of the video."""

    times: tuple[float, float]
    before: Floats
    after: Floats


@dataclass(frozen=True, eq=False)
class Film:
    """What was seen: steps; glimpses: times, s, and the ends (S, 2, 2) of edges, pixels of the video.

    pixel: pixels of the video for one of the images in which corners were followed; sharp: for one of those
    in which edges were found.
    """

    steps: list[Step]
    glimpses: list[tuple[float, Floats]]
    pixel: float
    sharp: float


@contextmanager
def filming(video: VideoInfo) -> Iterator[Callable[[], Film]]:
    """Watch a video beside what is done meanwhile; what is given waits for it, and raises as `film_of`."""
    load_opencv()
    ended = Event()
    with ThreadPoolExecutor(1) as thread:
        seen = thread.submit(film_of, video, ended)
        try:
            yield seen.result
        finally:
            ended.set()


def film_of(video: VideoInfo, ended: Event | None = None) -> Film:
    """Watch a video, until the end or until it has `ended` for those who asked.

    Raises:
        VideoError: it cannot be read.
    """
    scale, sharp = max(video.size[0] / WIDTH, 1.0), max(max(video.size) / SHARP, 1.0)
    due = [share * (video.duration or 0.0) for share in GLIMPSES]
    steps, glimpses = list[Step](), list[tuple[float, Floats]]()

    def small() -> Iterator[tuple[float, Image]]:
        for frame in _now_and_then(video.path):
            assert frame.image is not None
            if len(glimpses) < len(due) and frame.time >= due[len(glimpses)]:
                glimpses.append((frame.time, _grown(find_segments(_grey(frame.image, sharp)), sharp)))
            yield frame.time, _grey(frame.image, scale)

    for (first, before), (then, after) in pairwise(small()):
        if ended is not None and ended.is_set():
            break
        here, there = _tracked(before, after)
        steps.append(Step((first, then), _grown(here, scale), _grown(there, scale)))
    return Film(steps, glimpses, scale, sharp)


def _now_and_then(path: Path) -> Iterator[Frame]:
    """Frames at the rate at which they are looked at, and the last."""
    due, left = 0.0, None
    for frame in read_frames(path):
        if frame.image is None:
            continue
        left = frame
        if frame.time > due - 1e-6:
            due, left = frame.time + 1 / RATE, None
            yield frame
    if left is not None:
        yield left


def _grown(points: Floats, scale: float) -> Floats:
    """Points of the smaller image in pixels of the video."""
    return (points + 0.5) * scale - 0.5


def _grey(image: Image, scale: float) -> Image:
    import cv2

    size = (round(image.shape[1] / scale), round(image.shape[0] / scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)


def _tracked(before: Image, after: Image) -> tuple[Floats, Floats]:
    """Where points (N, 2) of one image are, and in the next."""
    import cv2

    points = cv2.goodFeaturesToTrack(before, CORNERS, QUALITY, APART)
    if points is None:
        return np.zeros((0, 2)), np.zeros((0, 2))
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, np.zeros_like(points))
    back, again, _ = cv2.calcOpticalFlowPyrLK(after, before, there, np.zeros_like(points))
    good = (found[:, 0] > 0) & (again[:, 0] > 0) & (np.linalg.norm((back - points)[:, 0], axis=1) < BACK)
    return points[good, 0].astype(float), there[good, 0].astype(float)
