"""The rate that a printed frame time stands for."""

from fractions import Fraction

import pytest

from rigs.formats.rate import frame_time, rate_from_frame_time

NTSC = [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001), Fraction(120000, 1001)]


@pytest.mark.parametrize(
    ("printed", "rate"),
    [
        ("0.0333333", 30),
        ("0.033333", 30),
        ("0.0333", 30),
        ("0.033", 30),
        (".0083333", 120),
        ("0.008333", 120),
        ("0.00833333", 120),
        ("0.008", 125),
        ("0.0416667", 24),
        ("0.041667", 24),
        ("0.0417", 24),
        ("0.04", 25),
        ("0.02", 50),
        ("0.01", 100),
        ("0.016667", 60),
        ("0.016666", 60),  # cut off, not rounded
        ("0.016666666666666666", 60),
        ("1.66667e-02", 60),
        ("0.03333333507180214", 30),  # single precision printed in full
        ("0.0333667", NTSC[1]),
        ("0.033366666666667", NTSC[1]),
        ("0.0417083", NTSC[0]),
        ("0.016683", NTSC[2]),
        ("0.0417083750417", Fraction(23976, 1000)),  # this precise, it is not 24000/1001
        ("0.0588235294", 17),
        ("0.1764705882", Fraction(17, 3)),
        ("2.5", Fraction(2, 5)),
        ("1", 1),
        ("100", Fraction(1, 100)),
    ],
)
def test_rate_behind_the_digits(printed: str, rate: Fraction) -> None:
    assert rate_from_frame_time(printed) == rate


@pytest.mark.parametrize(
    "rate", [*map(Fraction, (1, 7, 24, 25, 30, 60, 90, 120, 240, 1000)), *NTSC, Fraction(25, 2)]
)
def test_written_rates_come_back(rate: Fraction) -> None:
    printed = frame_time(rate)
    assert "e" not in printed
    assert len(printed.split(".")[1]) >= 10
    assert rate_from_frame_time(printed) == rate


@pytest.mark.parametrize(
    "printed", ["0", "-0.03", "nan", "inf", "fast", "0,0333", "", "1e99999999", "1e-99999999"]
)
def test_nonsense_is_refused(printed: str) -> None:
    with pytest.raises(ValueError, match="plausible"):
        rate_from_frame_time(printed)
