"""Frame rates: from the times of packets, snapped to the exact rates that cameras have."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_PACKETS = 600
_REORDER = 32  # packets read last may lack neighbours that are shown earlier and stored later

_WHOLE = (*range(1, 31), 48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 180, 200, 240, 250, 300, 480, 500, 960)
STANDARD_RATES = (*map(Fraction, _WHOLE), *(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120, 240)))
_SNAP = 4e-4  # half-way between 30 and 30000/1001 is 5e-4


def snap_rate(fps: Fraction) -> Fraction:
    """The standard frame rate nearest to a measured one, or the measured one where none is near."""
    nearest = min(STANDARD_RATES, key=lambda rate: abs(rate - fps))
    if abs(float(fps / nearest) - 1) < _SNAP:
        return nearest
    return fps.limit_denominator(1001)


def measured_rate(container: InputContainer, stream: VideoStream) -> tuple[Fraction, bool]:
    """Frames per second of a stream, and whether its steps differ by more than rounding.

    The container's own rate is taken where its first packets agree with it; where the steps vary, the rate of
    the regular ones (within a tenth of the median) counts: a camera that skips frames still runs at its rate.
    """
    said = stream.average_rate or stream.guessed_rate or Fraction(30)
    steps = _steps(container, stream)
    if len(steps) == 0 or stream.time_base is None:
        return snap_rate(said), False
    middle = float(np.median(steps))
    regular = steps[np.abs(steps - middle) <= max(1.5, 0.1 * middle)]
    measured = 1 / (Fraction(int(regular.sum()), len(regular)) * stream.time_base)
    variable = len(regular) < len(steps)
    agree = abs(float(said / measured) - 1) < 0.01
    return snap_rate(said if agree and not variable else measured), variable


def _steps(container: InputContainer, stream: VideoStream) -> npt.NDArray[np.int64]:
    """Ticks between the frames of the first packets."""
    stamps: list[int] = []
    for pts in _stamps(container, stream):
        stamps.append(pts)
        if len(stamps) == _PACKETS:
            break
    shown = np.unique(np.array(stamps, dtype=np.int64))
    return np.diff(shown[:-_REORDER] if len(stamps) == _PACKETS else shown)


def _stamps(container: InputContainer, stream: VideoStream) -> Iterator[int]:
    import av

    try:
        for packet in container.demux(stream):
            if packet.pts is not None and not packet.is_discard:
                yield packet.pts
    except (av.FFmpegError, OSError):
        return
