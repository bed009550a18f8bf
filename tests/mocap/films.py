"""Small videos for tests, written with PyAV: a bar that moves two pixels a frame, and what may go wrong."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream

SIZE = (96, 64)


def picture(index: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A bar of 8 pixels with its left edge at 2 * index, a bright corner top left, noise that costs bytes."""
    wide, high = size
    image = np.random.default_rng(index).integers(0, 40, (high, wide, 3)).astype(np.uint8)
    left = 2 * index % (wide - 8)
    image[:, left : left + 8] = 200
    image[:12, :12] = 255
    return image


def write(
    path: Path,
    frames: int = 40,
    fps: Fraction | int = 30,
    size: tuple[int, int] = SIZE,
    stamps: Sequence[int] | None = None,
    tick: Fraction | None = None,
    codec: str = "libx264",
) -> Path:
    """Write a video with B-frames and a key frame every 10; `stamps` in ticks make the rate vary."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(fps))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.gop_size = 10
        stream.codec_context.time_base = tick or 1 / Fraction(fps)
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(picture(i, size), format="rgb24")
            frame.pts = i if stamps is None else stamps[i]
            frame.time_base = tick or 1 / Fraction(fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """Write a file with sound only."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def turn(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Put a display matrix into the track header (ISO/IEC 14496-12, 8.3.2), as a turned phone does."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    one = 0x10000  # 16.16 fixed point; the last column is 2.30
    matrix = np.array([a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30], dtype=">i4")
    data[at : at + 36] = matrix.tobytes()
    path.write_bytes(bytes(data))


def damage(path: Path, first: float, last: float) -> None:
    """Overwrite a part of a file, given as fractions of its length, with noise."""
    data = bytearray(path.read_bytes())
    a, b = int(len(data) * first), int(len(data) * last)
    data[a:b] = np.random.default_rng(5).integers(0, 256, b - a).astype(np.uint8).tobytes()
    path.write_bytes(bytes(data))
