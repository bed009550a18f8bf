"""Frame rates as files print them: a rounded number of seconds, behind which an exact rate stands."""

from decimal import Decimal
from fractions import Fraction

WHOLE_RATES = tuple(
    Fraction(rate)
    for rate in (
        *(10, 12, 15, 20, 24, 25, 30, 48, 50, 60, 72, 75, 90, 100, 120, 144, 150, 180, 200, 240, 250, 300),
        *(360, 400, 480, 500, 600, 960, 1000),
    )
)
NTSC_RATES = tuple(Fraction(1000 * rate, 1001) for rate in (24, 30, 48, 60, 120, 240))
_SINGLE = Fraction(1, 2**24)  # relative: many tools keep the time in single precision, then print it in full
_SANE = (Decimal("1e-9"), Decimal("1e6"))  # seconds per frame


def rate_from_frame_time(printed: str) -> Fraction:
    """Return the exact frames per second behind a printed frame time, such as 30 for "0.0333333".

    In turn: a whole rate that the digits give exactly; a common whole rate, then an NTSC rate
    (30000/1001...), that rounds to the digits, or whose last digit was cut off; the simplest fraction that
    rounds to them.

    Args:
        printed: seconds per frame, digits as in the file.

    Raises:
        ValueError: not a number above zero, or one that no clip has.
    """
    number = Decimal(printed) if _is_number(printed) else Decimal("nan")
    if not number.is_finite() or not _SANE[0] < number < _SANE[1]:
        raise ValueError(f"frame time {printed!r} is not a plausible number of seconds above zero")
    time, last_digit = Fraction(number), Fraction(10) ** int(number.as_tuple().exponent)
    if (1 / time).denominator == 1:
        return 1 / time
    rounding = max(last_digit / 2, time * _SINGLE)
    for slack in (rounding, max(last_digit, rounding)):
        for rates in (WHOLE_RATES, NTSC_RATES):
            near = min(rates, key=lambda rate: abs(1 / rate - time))
            if abs(1 / near - time) <= slack:
                return near
    slack = min(rounding, time / 2)
    return _simplest(1 / (time + slack), 1 / (time - slack))


def frame_time(fps: Fraction) -> str:
    """Return seconds per frame in plain digits, enough of them for a reader to find the exact rate."""
    return f"{float(1 / fps):.16f}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _simplest(low: Fraction, high: Fraction) -> Fraction:
    """Return the fraction of smallest denominator from low to high, by their continued fractions."""
    whole = low.numerator // low.denominator
    if low == whole:
        return Fraction(whole)
    if whole + 1 <= high:
        return Fraction(whole + 1)
    return whole + 1 / _simplest(1 / (high - whole), 1 / (low - whole))
