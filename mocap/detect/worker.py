"""The process that detects: takes views one after the other from a pipe, and answers how far it is."""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

from mocap.detect import detector
from mocap.detect.base import Detection, Detector, Looker, Sought
from mocap.detect.closer import CloserLooks
from mocap.detect.colours import with_colours
from mocap.detect.cover import Cover
from mocap.detect.graphs import mediapipe_library
from mocap.detect.hands import Hands
from mocap.detect.parts import Parts
from mocap.errors import MocapError
from mocap.take import Take
from mocap.video import Frame, probe, read_frames

PART = 300  # frames between two saves: 6 s of work may be lost to a power cut, none to Ctrl-C
WARM = 15  # frames before a resume that only bring the tracker to where it was
_TOLD = 4  # frames between two words to the parent; a pipe that broke is noticed this late
_AHEAD = 4  # decoded frames that may wait: 6 MB each at 1080 x 1920

# What looks where somebody else says, by name: made of regions (T, P, L, 4), T frames, P people, L rows, and
# of what to paint over for the look at person p in frame t, which is look t P + p.
PLACED: dict[str, Callable[[NDArray[np.float64], Cover], Detector]] = {
    "hands": lambda regions, _: Hands(regions),
    "closer": CloserLooks,
    "crowd": CloserLooks,  # the same once more, of whom others hid
}


@dataclass(frozen=True)
class Job:
    """A view to detect in: its video, and where and under which key the result goes.

    view: the name under which that is kept.
    """

    view: str
    video: Path
    detector: str
    take: Take
    key: str
    incomplete: bool = False  # whether a video that ends too early will do
    alone: bool = False  # whether there is one person
    sought: Sought | None = None  # where to look; None = everywhere, in every frame
    regions: str | None = None  # a file of the take: regions and cover for `detector`, a key of `PLACED`

    def finder(self) -> Detector:
        """What detects, made anew for this view."""
        if self.regions is None:
            return detector(self.detector, self.video, self.alone)
        places = self.take.read_arrays(self.regions)
        return PLACED[self.detector](places["regions"], Cover(places["strokes"], places["owners"]))


Tell = Callable[[str, object], None]


class _Gone(Exception):
    """The parent closed the pipe: it was interrupted, has failed or is dead."""


class _Parent(logging.Handler):
    """The pipe to the parent: progress, and the warnings of the package."""

    def __init__(self, pipe: Connection) -> None:
        super().__init__(logging.WARNING)
        self.pipe = pipe

    def tell(self, kind: str, what: object) -> None:
        with self.lock or threading.RLock():  # the reading thread may warn meanwhile
            try:
                self.pipe.send((kind, what))
            except OSError as error:
                raise _Gone from error

    def emit(self, record: logging.LogRecord) -> None:
        self.tell("warning", record.getMessage())


def work(pipe: Connection, stderr: str) -> None:
    """Do the jobs that come through the pipe until it closes.

    Args:
        pipe: brings a `Job` at a time, and takes (kind, what) back; or None: to load what takes long.
        stderr: path of a file; the last words of a process that crashes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent gets it, too, and closes the pipe
    os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)
    parent = _Parent(pipe)
    logger = logging.getLogger("mocap")
    logger.addHandler(parent)
    logger.propagate = False
    try:
        while True:
            job: Job | None = pipe.recv()
            if job is None:
                _warm()
            else:
                parent.tell(*_outcome(job, parent))
    except (_Gone, EOFError, OSError):
        return


def _warm() -> None:
    with suppress(MocapError):  # whatever is missing, the next job says so
        mediapipe_library()


def _outcome(job: Job, parent: _Parent) -> tuple[str, str]:
    try:
        (detect_view if job.sought is None else look_view)(job, parent.tell)
    except MocapError as error:
        return "failed", str(error)
    except _Gone:
        raise
    except Exception:  # a bug: the parent raises it with this traceback
        return "broken", traceback.format_exc()
    return "finished", ""


def detect_view(job: Job, tell: Tell) -> None:
    """Detect in every frame of a view, going on where an earlier run stopped."""
    finder = job.finder()
    parts = Parts(job.take, job.view, job.key, finder.layout.name)
    size = probe(job.video).size
    start = parts.frames()
    tell("advance", start)
    frames = read_ahead(read_frames(job.video, max(0, start - WARM), whole=not job.incomplete), _AHEAD)
    several = job.regions is None and not job.alone
    found = with_colours(finder, frames) if several else finder.detect(frames)
    _save(parts, start, (d for d in found if d.index >= start), tell)
    parts.join(size)


def look_view(job: Job, tell: Tell) -> None:
    """Look where people are sought in a view; kept are the frames from the first to the last of those."""
    sought = job.sought
    assert sought is not None and len(sought)
    finder = cast(Looker, detector(job.detector, job.video, job.alone))
    parts = Parts(job.take, job.view, job.key, finder.layout.name)
    first, last = sought.span
    start = parts.frames()
    tell("advance", start)
    frames = read_ahead(read_frames(job.video, first + start, last + 1), _AHEAD)
    _save(parts, start, finder.look(frames, sought), tell)
    parts.join(probe(job.video).size)


def _save(parts: Parts, start: int, detections: Iterable[Detection], tell: Tell) -> None:
    block: list[Detection] = []
    told = 0
    try:
        for found in detections:
            block.append(found)
            if len(block) == PART:
                parts.append(start, block)
                start, block = start + PART, []
            told += 1
            if told % _TOLD == 0:
                tell("advance", _TOLD)
    finally:
        parts.append(start, block)
    tell("advance", told % _TOLD)


def read_ahead(frames: Iterator[Frame], depth: int) -> Iterator[Frame]:
    """The same frames, read by a thread that is at most `depth` ahead."""
    waiting: queue.Queue[Frame | BaseException | None] = queue.Queue(depth)
    stopped = threading.Event()

    def put(item: Frame | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return waiting.put(item, timeout=0.1)
            except queue.Full:
                continue

    def fill() -> None:
        try:
            for frame in frames:
                put(frame)
                if stopped.is_set():
                    return
            put(None)
        except BaseException as error:
            put(error)

    threading.Thread(target=fill, daemon=True).start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
