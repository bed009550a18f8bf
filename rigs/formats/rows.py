"""Tables of numbers as text, quickly: plain decimals, one line a row."""

from collections.abc import Iterator, Sequence

import numpy as np

from rigs.quat import FloatArray

_BLOCK = 1024  # rows turned into text at a time


def rows(values: FloatArray, digits: Sequence[int], separator: str = " ") -> Iterator[str]:
    """Yield one line for every row of values (T, C), without exponents; what is not finite reads ``nan``.

    Args:
        values: the table.
        digits: C decimals, one for each column.
        separator: between two numbers.
    """
    row = separator.join(f"%.{d}f" for d in digits) + "\n"
    scale = 10.0 ** np.array(digits)
    for start in range(0, len(values), _BLOCK):
        block = np.round(values[start : start + _BLOCK] * scale) / scale + 0.0  # no "-0.000000"
        yield from (row % tuple(line) for line in block.tolist())
