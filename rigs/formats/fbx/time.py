"""Time in FBX: whole ticks, and frame rates by number."""

from __future__ import annotations

from fractions import Fraction

TICKS = 46186158000  # a second
CUSTOM = 14  # the time mode whose rate stands beside it
DEFAULT_RATE = Fraction(30)

# Source: FbxTime::EMode in the documentation of the FBX SDK. 7 and 8 print times in another way.
_MODES = {
    1: Fraction(120), 2: Fraction(100), 3: Fraction(60), 4: Fraction(50), 5: Fraction(48), 6: Fraction(30),
    7: Fraction(30), 8: Fraction(30000, 1001), 9: Fraction(30000, 1001), 10: Fraction(25), 11: Fraction(24),
    12: Fraction(1000), 13: Fraction(24000, 1001), 15: Fraction(96), 16: Fraction(72),
    17: Fraction(60000, 1001), 18: Fraction(120000, 1001),
}  # fmt: skip
_WRITTEN = {
    rate: mode for mode, rate in _MODES.items() if mode not in (7, 8, 12)
}  # 12 is not read everywhere
_NTSC = tuple(Fraction(1000 * rate, 1001) for rate in (12, 24, 30, 48, 60, 120, 240))
_ROUNDED = 2e-6  # relative: 29.97 for 30000/1001
_DOUBLE = 1e-14  # relative: a few roundings of double precision
_SANE = (1e-3, 1e5)  # frames per second


def mode_of(rate: Fraction) -> int:
    """Return the time mode of a rate."""
    return _WRITTEN.get(rate, CUSTOM)


def rate_of(mode: int, custom: float) -> Fraction:
    """Return frames per second, exact, of a time mode and the custom rate beside it.

    A custom rate stands there as a decimal number: a rounded rate of NTSC is taken for that, any other for
    the simple fraction that is the same number.
    """
    if mode in _MODES:
        return _MODES[mode]
    if mode != CUSTOM or not _SANE[0] < custom < _SANE[1]:
        return DEFAULT_RATE
    for rate in _NTSC:
        if abs(custom / rate - 1) < _ROUNDED:
            return rate
    near = Fraction(custom).limit_denominator(10**6)
    return near if abs(near / Fraction(custom) - 1) < _DOUBLE else Fraction(custom)


def ticks_of(seconds: Fraction) -> int:
    """Return the tick nearest to a time."""
    return round(seconds * TICKS)
