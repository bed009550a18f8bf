"""Made-up sounds, and videos that have them."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.stream import VideoStream

from mocap.sound import RATE, Sound


def noise(seconds: float, seed: int, loud: float = 0.003) -> np.ndarray:
    return loud * np.random.default_rng(seed).normal(size=round(seconds * RATE))


def clap(samples: np.ndarray, at: float, seed: int, rate: int = RATE, loud: float = 0.5) -> np.ndarray:
    """Add a burst that begins at once and fades in 5 ms; its waveform differs from place to place."""
    first, count = round(at * rate), round(0.04 * rate)
    burst = np.random.default_rng(seed).normal(size=count) * np.exp(-np.arange(count) / (0.005 * rate))
    out = samples.copy()
    out[first : first + count] += loud * burst
    return out


def chatter(seconds: float, seed: int) -> np.ndarray:
    """What a voice is like: noise in one band, louder and softer."""
    rng, count = np.random.default_rng(seed), round(seconds * RATE)
    corners = np.arange(0, count + 800, 800)
    loudness = np.interp(np.arange(count), corners, rng.random(len(corners)) ** 3)
    return 0.1 * loudness * np.convolve(rng.normal(size=count), np.ones(3) / 3, "same")


def sound(samples: np.ndarray, start: float = 0.0) -> Sound:
    return Sound(start, samples)


def film_with_sound(path: Path, samples: np.ndarray, rate: int = 48000, frames: int = 30) -> Path:
    """A small grey video with a sound track (N,), 30 frames a second."""
    with av.open(str(path), "w") as container:
        picture = container.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        voice = container.add_stream("aac", rate=rate, layout="mono")
        assert isinstance(picture, VideoStream) and isinstance(voice, AudioStream)
        picture.width, picture.height, picture.pix_fmt = 64, 48, "yuv420p"
        for _ in range(frames):
            grey = av.VideoFrame.from_ndarray(np.full((72, 64), 128, np.uint8), format="yuv420p")
            container.mux(picture.encode(grey))
        container.mux(picture.encode(None))
        whole = len(samples) // 1024 * 1024
        for k in range(0, whole, 1024):
            block = samples[None, k : k + 1024].astype(np.float32)
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = rate, k
            container.mux(voice.encode(frame))
        container.mux(voice.encode(None))
    return path
