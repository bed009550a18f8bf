"""Which frames of one clock stand on another: what everything that changes its rate has in common."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from rigs.errors import RigError

Anything = TypeVar("Anything", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Ticks:
    """K frames of a new clock, as places among the frames of an old one.

    before: (K,) the old frame at or before each; part: (K,) how far on the way to the next one, 0 to below 1;
    first: the new clock's number of the first of them.
    """

    before: NDArray[np.int64]
    part: NDArray[np.float64]
    first: int

    @property
    def nearest(self) -> NDArray[np.int64]:
        """(K,) the old frame nearest in time; the earlier of two that are as near."""
        return self.before + (self.part > 0.5)


def ticks(frames: int, fps: Fraction, new: Fraction | int, first: int = 0) -> Ticks:
    """Return the frames of a clock of `new` frames a second that are within a clip, its ends included.

    Both clocks have a frame 0 at time 0, so people who begin at different times stay together. Where no new
    frame is within a short clip, the first after its beginning stands for its last.

    Args:
        frames: T of the clip, at least one.
        fps: its frames a second.
        new: those of the new clock.
        first: frame on the old clock on which the clip begins.

    Raises:
        RigError: the new rate is not positive.
    """
    if new <= 0:
        raise RigError(f"cannot resample to {new} frames per second; give a rate above zero")
    step = fps / Fraction(new)  # old frames per new frame
    start = -(-first * step.denominator // step.numerator)
    stop = (first + frames - 1) * step.denominator // step.numerator
    count = max(stop - start + 1, 1)
    places = (start + np.arange(count, dtype=np.int64)) * step.numerator - first * step.denominator
    places = np.minimum(places, (frames - 1) * step.denominator)
    return Ticks(places // step.denominator, (places % step.denominator) / step.denominator, start)


def resample_nearest(
    values: NDArray[Anything], fps: Fraction, new: Fraction | int, first: int = 0
) -> NDArray[Anything]:
    """Return values (T, ...) that must not be mixed, at another rate: of the old frame nearest in time.

    For contacts, whose levels are NaN where a point does not stand, and for flags such as `hands_seen`.

    Raises:
        RigError: the new rate is not positive.
    """
    return values[ticks(len(values), Fraction(fps), new, first).nearest]
