"""Video files as upright RGB frames with their own times."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt

from mocap.errors import VideoError
from mocap.rates import measured_rate
from mocap.system import missing_library

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    from mocap.decode import Shown

Image = npt.NDArray[np.uint8]
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says about itself.

    Args:
        path: the file.
        size: (width, height) of the upright image, pixels.
        fps: frames per second, a standard rate (30000/1001) where it is one; that of the regular steps
            where the rate varies.
        frames: how many, by the container; None where it does not say.
        duration: seconds, by the container; None where it does not say.
        rotation: degrees clockwise by which the stored image is turned to be upright: 0, 90, 180 or 270.
        mirrored: whether the turned image is then mirrored left to right.
        variable: whether the steps between frames differ by more than rounding (of the first 600 frames).
    """

    path: Path
    size: tuple[int, int]
    fps: Fraction
    frames: int | None
    duration: float | None
    rotation: int
    mirrored: bool
    variable: bool


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame of a video.

    Args:
        index: number of the frame in the video, from 0; a frame that cannot be decoded counts.
        time: seconds since the first frame, by the presentation time stamps.
        image: (H, W, 3) upright RGB; None where the frame cannot be decoded.
    """

    index: int
    time: float
    image: Image | None


def probe(path: str | Path) -> VideoInfo:
    """Say what a video is: its upright size, rate, length and rotation, from its header and first frames.

    Raises:
        VideoError: the file is missing, empty, no video, or not one frame of it can be decoded.
    """
    from mocap.decode import shown

    path = Path(path)
    with _opened(path) as container:
        stream = _video_stream(container, path)
        first = next((s.frame for s in shown(container, stream) if s.frame is not None), None)
        if first is None:
            raise VideoError(f"{path}: not one frame can be decoded: record or convert it again")
        frames, duration = stream.frames or None, _duration(container, stream)
    with _opened(path) as container:  # again, because the decoder has read ahead
        fps, variable = measured_rate(container, _video_stream(container, path))
    rotation, mirrored = _turn(first)
    size = (first.height, first.width) if rotation % 180 else (first.width, first.height)
    return VideoInfo(path, size, fps, frames, duration, rotation, mirrored, variable)


def read_frames(
    path: str | Path, start: int = 0, stop: int | None = None, *, whole: bool = False
) -> Iterator[Frame]:
    """Read a video frame by frame, upright, holding only a few frames in memory.

    Frames that cannot be decoded come with `image=None`. Where the file cannot be read any further, the
    frames end. Both are logged as a warning, or the second is an error, see `whole`.

    Args:
        path: the video file.
        start: index of the first frame to give; those before are decoded but not converted.
        stop: index of the first frame not to give; None = to the end.
        whole: whether a file that cannot be read to its end is an error, raised after its last frame.

    Raises:
        VideoError: as `probe`; or the file ends too early.
    """
    path = Path(path)
    info = probe(path)
    reading = _Reading(info)
    with _opened(path) as container:
        for index, time, frame in reading.frames(container):
            if stop is not None and index >= stop:
                return
            if index >= start:
                yield Frame(index, time, None if frame is None else _upright(frame, info))
    early = reading.early_end()
    if early and whole:
        raise VideoError(f"{path.name}: {early}: copy it again, or use what there is with --incomplete")
    reading.warn()


@lru_cache(maxsize=256)
def _sha256(path: Path, size: int, modified: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sha256(path: str | Path) -> str:
    """SHA-256 of a file, hexadecimal; kept as long as its size and time of change stay the same.

    Raises:
        VideoError: it cannot be read.
    """
    try:
        found = os.stat(path)
        return _sha256(Path(path), found.st_size, found.st_mtime_ns)
    except OSError as error:
        raise VideoError(f"{path}: cannot be read: {error.strerror}") from error


class _Reading:
    """Counts what is read of one file, and says at the end what was amiss."""

    def __init__(self, info: VideoInfo) -> None:
        self.info = info
        self.read = self.undecodable = self.hidden = self.doubled = 0
        self.end = -1.0
        self.alone = True  # no sound beside it, so the container's duration is the picture's

    def frames(self, container: InputContainer) -> Iterator[tuple[int, float, VideoFrame | None]]:
        from mocap.decode import shown

        stream = _video_stream(container, self.info.path)
        self.alone = len(container.streams) == 1
        first: Fraction | None = None
        for item in shown(container, stream):
            clock = self._clock(item)
            first = clock if first is None else first
            time = float(clock - first)
            if item.hidden or time <= self.end:
                self.hidden += item.hidden
                self.doubled += not item.hidden
                continue
            self.end = time
            self.undecodable += item.frame is None
            yield self.read, time, item.frame
            self.read += 1

    def _clock(self, item: Shown) -> Fraction:
        if item.time is None:
            return self.read / self.info.fps
        return item.time

    def warn(self) -> None:
        if self.undecodable:
            _log.warning(
                "%s: %d of %d frames cannot be decoded and are left empty",
                self.info.path.name,
                self.undecodable,
                self.read,
            )
        if self.doubled:
            _log.warning(
                "%s: %d frames without a time of their own are left out", self.info.path.name, self.doubled
            )
        if early := self.early_end():
            _log.warning("%s: %s: is the file complete?", self.info.path.name, early)

    def early_end(self) -> str:
        """Say that the file ended before its time; empty if it did not."""
        missing = self._expected() - self.read - self.doubled
        if missing <= 0:
            return ""
        return f"unreadable after frame {self.read - 1}, about {missing} frames are missing"

    def _expected(self) -> int:
        if self.info.frames is not None:
            return self.info.frames - self.hidden
        if self.info.duration is None:
            return 0
        slack = 2 / self.info.fps if self.alone else 1.0  # sound may go on for longer than the picture
        if self.info.duration - self.end < slack:
            return 0
        return round(self.info.duration * self.info.fps)


def _opened(path: Path) -> InputContainer:
    import av

    try:
        if path.is_file() and path.stat().st_size == 0:
            raise VideoError(f"{path}: the file is empty (0 bytes): copy it again")
        return av.open(str(path), mode="r", metadata_errors="replace")
    except FileNotFoundError as error:
        raise VideoError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise VideoError(f"{path}: a folder, not a video file") from error
    except PermissionError as error:
        raise VideoError(f"{path}: may not be read: change its permissions") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(f"{path}: not a video, or its header is cut off: record or copy it again") from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    from av.stream import Disposition

    pictures = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    if not pictures:
        found = ", ".join(sorted({s.type for s in container.streams})) or "nothing"
        raise VideoError(f"{path}: no video in the file (it has: {found})")
    stream = pictures[0]
    if stream.codec_context is None:
        raise VideoError(f"{path}: its video is in a coding that cannot be decoded: convert it to H.264")
    return stream


def _turn(frame: VideoFrame) -> tuple[int, bool]:
    """Clockwise degrees and mirroring of the display matrix (ISO/IEC 14496-12, 6.2.2; y points down)."""
    side = frame.side_data.get("DISPLAYMATRIX")
    if side is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(memoryview(cast(bytes, side)), dtype=np.int32)[:5].astype(float)
    mirrored = bool(a * d - b * c < 0)
    angle = np.degrees(np.arctan2(b, -a if mirrored else a))
    return int(np.round(angle / 90)) % 4 * 90, mirrored


def _upright(frame: VideoFrame, info: VideoInfo) -> Image:
    wide, high = info.size[::-1] if info.rotation % 180 else info.size
    image = cast(Image, frame.to_ndarray(format="rgb24", width=wide, height=high))
    if info.rotation:
        try:
            import cv2  # six times as fast as numpy at turning interleaved colours
        except ImportError as error:
            raise VideoError(missing_library("turning a video upright", error)) from error

        codes = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
        image = cast(Image, cv2.rotate(image, codes[info.rotation]))
    return np.ascontiguousarray(image[:, ::-1]) if info.mirrored else image


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    ticks, tick = (stream.duration, stream.time_base) if stream.duration else (container.duration, 1e-6)
    return float(ticks * tick) if ticks and tick and ticks > 0 else None
