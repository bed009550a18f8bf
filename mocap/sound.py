"""What the microphones heard: sound tracks of videos, and by how much one lags another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer

Floats = NDArray[np.float64]

RATE = 8000  # samples a second: claps and voices are plain below 4 kHz, and cameras cut off what is above
SPEED = 343.0  # metres a second
BAND = (150.0, 3500.0)  # Hz: above the hum and the wind, below the rate's end
EVEN = 50.0  # Hz
SHORTEST = 0.5  # seconds that two sounds must share
SAME_PEAK = 0.05  # seconds: echoes in a room come within this and are no rival
SUDDEN = 4.0  # nepers of energy (17 dB) within `RISE`: a clap, a slate, a hit
RISE = 0.003  # seconds
ECHOES = 0.02  # seconds from the correlation's peak to the onset, at most: echoes from walls 3 m off
EARSHOT = 16  # sudden beginnings that are used, the strongest
STANDS_OUT = 9.0  # deviations of the correlation; of noise, the largest in a minute's lags reaches 7.5
RIVAL = 1.5  # times the second highest peak: music that repeats itself has peaks alike
SHARP = 0.002  # seconds by which reverberation shifts a peak
SLACK = 0.02  # seconds of sound that may be missing or double without our closing the gap
SILENT = 1e-5  # of full scale, root mean square: an unplugged microphone


@dataclass(frozen=True, eq=False)
class Sound:
    """A sound track on the clock of its video.

    Args:
        start: seconds from the video's first frame to the first sample.
        samples: (N,) at `RATE`.
    """

    start: float
    samples: Floats


@dataclass(frozen=True)
class Lag:
    """By how much what one microphone heard comes later in another's video.

    Args:
        seconds: to add to times of the first video to get those of the second.
        height: of the peak, in deviations of the correlation.
        rival: how many times higher it is than the next.
    """

    seconds: float
    height: float
    rival: float

    @property
    def clear(self) -> bool:
        """Whether the two heard the same."""
        return self.height > STANDS_OUT and self.rival > RIVAL


def read_sound(path: str | Path) -> Sound | None:
    """Read the sound of a video, mixed to one channel; None where there is none, or silence.

    What cannot be decoded is left out: a sound is a help, and none is no error.

    Args:
        path: a video file that can be opened.
    """
    import av

    try:
        with av.open(str(path), mode="r", metadata_errors="replace") as container:
            if not container.streams.audio or not container.streams.video:
                return None
            picture = container.streams.video[0]
            zero = float((picture.start_time or 0) * (picture.time_base or 0))
            pieces = list(_pieces(container))
    except (av.FFmpegError, OSError):
        return None
    return _joined(pieces, zero) if pieces else None


def lag_between(first: Sound, second: Sound) -> Lag | None:
    """Find by how much the second sound track lags the first, from their cross-correlation.

    All frequencies count alike, so that a steady noise or a loud voice near one microphone does not decide.
    Where something begins suddenly, as a clap does, the beginnings are then laid on each
    other: it is the straight way that comes first, whatever the echoes, which differ from place to place.
    A sound reaches microphones at different distances at different times: 1 m is 2.9 ms.

    Returns:
        The highest peak, clear or not; None where too little is heard to say.

    Source: Knapp and Carter 1976, The generalized correlation method for estimation of time delay.
    """
    shared = round(SHORTEST * RATE)
    if min(len(first.samples), len(second.samples)) < 2 * shared:
        return None
    lags, correlation = _correlation(first.samples, second.samples)
    inside = (lags > shared - len(first.samples)) & (lags < len(second.samples) - shared)
    lags, correlation = lags[inside], correlation[inside]
    spread = float(np.median(np.abs(correlation))) / 0.6745
    if spread <= 0:
        return None
    top = int(np.argmax(correlation))
    away = np.abs(lags - lags[top]) > SAME_PEAK * RATE
    second_best = float(np.abs(correlation[away]).max())
    height, samples = float(correlation[top]), lags[top] + _between(correlation, top)
    samples = _by_onsets(first.samples, second.samples, samples)
    seconds = samples / RATE + second.start - first.start
    return Lag(float(seconds), height / spread, height / max(second_best, 1e-12))


def lags_of(sounds: Mapping[int, Sound]) -> dict[tuple[int, int], Lag]:
    """The clear lags of all pairs of sounds, by the numbers of their views."""
    found = {(v, w): lag_between(sounds[v], sounds[w]) for v, w in combinations(sorted(sounds), 2)}
    return {pair: lag for pair, lag in found.items() if lag is not None and lag.clear}


def _pieces(container: InputContainer) -> Iterator[tuple[float, Floats]]:
    """Runs of samples with the time of their first, seconds; a new run begins where the times jump."""
    import av

    stream = container.streams.audio[0]
    run: list[AudioFrame] = []
    end = None
    try:
        for frame in container.decode(stream):
            if end is not None and frame.time is not None and abs(frame.time - end) > SLACK:
                yield from _run(run)
                run = []
            run.append(frame)
            begin = frame.time if frame.time is not None else (end or 0.0)
            end = begin + frame.samples / frame.sample_rate
    except av.FFmpegError:
        pass
    yield from _run(run)


def _run(frames: list[AudioFrame]) -> Iterator[tuple[float, Floats]]:
    from av.audio.resampler import AudioResampler

    if not frames:
        return
    resampler = AudioResampler(format="flt", layout="mono", rate=RATE)
    parts = [out for frame in [*frames, None] for out in resampler.resample(frame)]
    if parts:
        samples = np.concatenate([part.to_ndarray()[0] for part in parts]).astype(np.float64)
        yield float(frames[0].time or 0.0), np.nan_to_num(samples)


def _joined(pieces: list[tuple[float, Floats]], zero: float) -> Sound | None:
    start = min(at for at, _ in pieces)
    samples = np.zeros(max(round((at - start) * RATE) + len(piece) for at, piece in pieces))
    for at, piece in pieces:
        first = round((at - start) * RATE)
        samples[first : first + len(piece)] = piece
    heard = len(samples) > 0 and float(np.sqrt(np.mean(samples**2))) > SILENT
    return Sound(start - zero, samples) if heard else None


def _correlation(first: Floats, second: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Lags in samples, and the correlation there of the sounds with every stretch of frequencies alike.

    The strength is evened out over `EVEN` Hz and not for each frequency by itself: that would hide the lines
    of a sound that repeats itself, and with them that it fits at many lags.
    """
    from scipy.fft import irfft, next_fast_len

    size = next_fast_len(len(first) + len(second), real=True)
    correlation = irfft(np.conj(_evened(first, size)) * _evened(second, size), size)
    lags = np.arange(size)
    lags[lags > len(second)] -= size
    order = np.argsort(lags)
    return lags[order], np.asarray(correlation[order])


def _evened(samples: Floats, size: int) -> NDArray[np.complex128]:
    """The spectrum of a sound within `BAND`, as strong everywhere as elsewhere."""
    from scipy.fft import rfft, rfftfreq
    from scipy.ndimage import uniform_filter1d

    spectrum, frequency = rfft(samples, size), rfftfreq(size, 1 / RATE)
    power = uniform_filter1d(np.abs(spectrum) ** 2, max(round(EVEN / frequency[1]), 1))
    inside = (frequency > BAND[0]) & (frequency < BAND[1])
    strength = np.sqrt(np.maximum(power, 1e-12 * max(float(power.max()), 1e-30)))
    return np.asarray(np.where(inside, spectrum / strength, 0.0))


def _between(curve: Floats, top: int) -> float:
    """Where a parabola through a peak and its neighbours is highest, samples from the peak."""
    if not 0 < top < len(curve) - 1:
        return 0.0
    low, high, after = curve[top - 1 : top + 2]
    bend = low - 2 * high + after
    return float(np.clip(0.5 * (low - after) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def _by_onsets(first: Floats, second: Floats, lag: float) -> float:
    """The lag, in samples, at which sudden beginnings coincide; the given one where there is none."""
    rises, others = _rise(first), _rise(second)
    reach = round(ECHOES * RATE)
    found = []
    for at in _sudden(rises):
        low = round(at + lag) - reach
        if low < 0 or low + 2 * reach >= len(others):
            continue
        near = low + int(np.argmax(others[low : low + 2 * reach + 1]))
        if others[near] > SUDDEN:
            found.append(_onset(others, near) - _onset(rises, int(at)))
    return float(np.median(found)) if found else lag


def _rise(samples: Floats) -> Floats:
    """By how many nepers the energy of the next `RISE` exceeds that of the last three times as long, (N,)."""
    width = round(RISE * RATE)
    total = np.concatenate([[0.0], np.cumsum(samples**2)])
    energy = (total[width:] - total[:-width]) / width  # (N - width + 1,) of the samples from here on
    floor = float(np.median(energy)) + 1e-12
    before = (total[3 * width :] - total[: -3 * width]) / (3 * width)
    rise = np.zeros(len(samples))
    count = len(samples) - 4 * width + 1
    rise[3 * width : 3 * width + count] = np.log((energy[3 * width :] + floor) / (before[:count] + floor))
    return rise


def _sudden(rise: Floats) -> NDArray[np.intp]:
    """Where the strongest sudden beginnings are, one within `SAME_PEAK` of another."""
    rise = rise.copy()
    found: list[int] = []
    apart = round(SAME_PEAK * RATE)
    while len(found) < EARSHOT and rise.max() > SUDDEN:
        at = int(np.argmax(rise))
        found.append(at)
        rise[max(at - apart, 0) : at + apart] = 0.0
    return np.array(found, dtype=np.intp)


def _onset(rise: Floats, peak: int) -> float:
    """The middle of the climb to a peak: the sample at which the rise passes half its height."""
    low = peak
    while low > 0 and rise[low - 1] > 0.5 * rise[peak]:
        low -= 1
    return float(low)
