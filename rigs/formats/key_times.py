"""The frame rate behind the times of keys, which files hold in single precision, or sparsely."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from rigs.formats.rate import NTSC_RATES, WHOLE_RATES, rate_from_frame_time
from rigs.quat import FloatArray

USUAL = Fraction(30)  # of a file with one key
_FINE = Fraction(60)  # for keys that are on no grid
_SLOWEST_SPARSE = Fraction(2397, 100)  # sparse keys also lie on slower grids than the one they were set on
_SINGLE = 2.0**-22  # relative: a rounding or two of single precision
_CLOSE = 1e-6  # seconds
_BLUR = 0.1  # frames: a rate at which the times are less sure than this is not told apart from others
_COMMON = sorted({*WHOLE_RATES, *NTSC_RATES})


def rate_of_keys(times: Sequence[FloatArray]) -> Fraction:
    """Return the frames per second on whose grid keys are.

    Where some joint has a key in every frame this is the slowest rate that has all keys on frames, and else
    the slowest from 23.976 on. Keys on no common grid give 60.

    Args:
        times: of each channel, the seconds (K,) of its keys, ascending.
    """
    every = np.unique(np.concatenate([np.zeros(0), *times]))
    if len(every) < 2:
        return USUAL
    fitting = [rate for rate in _candidates(times) if on_grid(every, rate)]
    if not fitting:
        return _FINE
    slowest = fitting[0]
    if any(len(t) > 2 and len(t) == round((t[-1] - t[0]) * slowest) + 1 for t in times):
        return slowest
    return next((rate for rate in fitting if rate >= _SLOWEST_SPARSE), slowest)


def on_grid(times: FloatArray, rate: Fraction) -> bool:
    """Return whether all times, seconds, are on frames of a rate, to what single precision holds."""
    blur = float(rate) * (np.abs(times) * _SINGLE + _CLOSE)
    frames = times * float(rate)
    return bool((blur < _BLUR).all() and (np.abs(frames - np.round(frames)) <= blur).all())


def _candidates(times: Sequence[FloatArray]) -> list[Fraction]:
    """Common rates, or the one of evenly spaced keys."""
    longest = max(times, key=len)
    step = float(longest[-1] - longest[0]) / max(len(longest) - 1, 1)
    try:
        return sorted({*_COMMON, rate_from_frame_time(f"{step:.7g}")})
    except ValueError:
        return _COMMON
