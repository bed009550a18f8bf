"""Boards to print: ChArUco boards and chessboards as PDF, at true size."""

from __future__ import annotations

import math
from pathlib import Path

from calibration.boards.pattern import Box, Pattern, black_boxes, in_mm
from calibration.boards.pdf import LARGEST, Page
from calibration.errors import BoardError
from calibration.saving import save

PAPERS = {  # mm, upright (ISO 216, ANSI Y14.1)
    "a0": (841.0, 1189.0),
    "a1": (594.0, 841.0),
    "a2": (420.0, 594.0),
    "a3": (297.0, 420.0),
    "a4": (210.0, 297.0),
    "a5": (148.0, 210.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
_MARGIN = 8.0  # mm at the edges of the paper: most printers leave 3 to 6 mm blank
_RULER = 9.0  # mm beside the board
_LINE = 4.2  # mm from one line of text to the next
_LETTERS = 3.0  # mm
_QUIET = 0.25  # of a square: white all around the board, as detectors want it; and at least
_LEAST_QUIET = 5.0  # mm
_SHORTEST = 100.0  # mm of ruler
_GREY = 0.35  # of the ruler, so that no detector takes it for a part of the board


def paper_size(name: str) -> tuple[float, float]:
    """(width, height) of a paper, mm.

    Raises:
        BoardError: it is not known; lists those that are.
    """
    if name.lower() not in PAPERS:
        raise BoardError(f"board: paper: {name!r} is not known: take {', '.join(PAPERS)} or --size")
    return PAPERS[name.lower()]


def largest_square(squares: tuple[int, int], paper: tuple[float, float]) -> float:
    """The largest edge in whole millimetres (in metres) with which a board fits on the paper, either way up.

    Args:
        squares: (columns, rows).
        paper: (width, height), mm.

    Raises:
        BoardError: not even squares of a millimetre do, or the paper is too small for a ruler.
    """
    edges = [math.floor(_largest(squares, way) + 1e-9) for way in _ways(paper)]
    if max(edges) < 1:
        raise BoardError(
            f"board: squares: {squares[0]}x{squares[1]} do not fit {_times(paper)} mm of paper;"
            " take fewer, or larger paper"
        )
    return max(edges) / 1000


def board_pdf(pattern: Pattern, paper: tuple[float, float]) -> bytes:
    """Draw a board with rulers to check the print by, what it is, and the line for the views file.

    Args:
        pattern: the board.
        paper: (width, height), mm; turned if the board only fits so.

    Returns:
        A PDF of one page, true to size; the same each time.

    Raises:
        BoardError: the board does not fit; says what would.
    """
    page = _page(pattern, paper)
    wide, high = _room(page.width, page.height)
    left, top = _MARGIN + _RULER, _MARGIN
    width, height = pattern.size
    # In whole millimetres, so that edges of the board and ticks of the rulers can be held against each other.
    x, y = left + (wide - width) // 2, top + (high - height) // 2
    page.fill([(x + a, y + b, c, d) for a, b, c, d in black_boxes(pattern)])
    _rulers(page, left, top + high, wide, high)
    _words(page, pattern, top + high + _RULER)
    return page.document(pattern.words())


def write_board(path: str | Path, pattern: Pattern, paper: tuple[float, float]) -> None:
    """Write what `board_pdf` draws, all at once or not at all.

    Raises:
        BoardError: the board does not fit the paper; says what would.
        FileError: the file cannot be written.
    """
    save(path, board_pdf(pattern, paper))


def _page(pattern: Pattern, paper: tuple[float, float]) -> Page:
    """An empty page, turned so that the board fits."""
    ways = _fits(pattern, paper)
    if not ways:
        raise _too_large(pattern, paper)
    return Page(*ways[0])


def _fits(pattern: Pattern, paper: tuple[float, float]) -> list[tuple[float, float]]:
    """Which ways up the paper holds the board."""
    edge = pattern.square * 1000 - 1e-6
    return [way for way in _ways(paper) if edge <= _largest(pattern.squares, way)]


def _too_large(pattern: Pattern, paper: tuple[float, float]) -> BoardError:
    square = largest_square(pattern.squares, paper)
    roomy = sorted(PAPERS.items(), key=lambda item: item[1][0] * item[1][1])
    fits = [
        n
        for n, size in roomy
        if max(_largest(pattern.squares, w) for w in _ways(size)) >= pattern.square * 1000
    ]
    other = f"paper {fits[0]}" if fits else "larger paper (--size)"
    return BoardError(
        f"board: {_times(pattern.size)} mm do not fit {_times(paper)} mm of paper with rulers and margins;"
        f" take squares of at most {in_mm(square)} mm, or {other}"
    )


def _ways(paper: tuple[float, float]) -> list[tuple[float, float]]:
    """The paper as it is, and turned.

    Raises:
        BoardError: it is too small for a ruler, or too large for a PDF.
    """
    least = _SHORTEST + 2 * _MARGIN + _RULER + _text_height()
    if not (min(paper) >= least and max(paper) <= LARGEST):
        raise BoardError(f"board: paper: must be {least:g} to {LARGEST:g} mm a side, not {_times(paper)} mm")
    return [paper, paper[::-1]]


def _text_height() -> float:
    return 3 * _LINE


def _room(width: float, height: float) -> tuple[float, float]:
    """(width, height) in mm of what a page leaves for the board and the white around it."""
    return width - 2 * _MARGIN - _RULER, height - 2 * _MARGIN - _RULER - _text_height()


def _largest(squares: tuple[int, int], paper: tuple[float, float]) -> float:
    """The largest edge, mm, of squares that leave their board enough white around it."""
    return min(
        min((room - 2 * _LEAST_QUIET) / count, room / (count + 2 * _QUIET))
        for room, count in zip(_room(*paper), squares, strict=True)
    )


def _rulers(page: Page, x: float, y: float, wide: float, high: float) -> None:
    """Two rulers in millimetres that share their zero (x, y): one to the right, one up."""
    thick = 0.15
    across, up = [math.floor(room / 10) * 10 for room in (wide, high)]
    ticks: list[Box] = []
    for i in range(across + 1):
        ticks.append((x + i - thick / 2, y, thick, _tick(i)))
    for i in range(up + 1):
        ticks.append((x - _tick(i), y - i - thick / 2, _tick(i), thick))
    page.fill(ticks, _GREY)
    for i in range(0, across + 1, 10):
        page.write(str(i), x + i - 0.28 * 2 * len(str(i)), y + 6.3, 2, grey=_GREY)
    for i in range(10, up + 1, 10):
        page.write(str(i), x - 4.6 - 0.56 * 2 * len(str(i)), y - i + 0.7, 2, grey=_GREY)
    page.write("mm", x - 4.6, y + 6.3, 2, grey=_GREY)


def _tick(i: int) -> float:
    return 4.0 if i % 10 == 0 else 3.0 if i % 5 == 0 else 2.0


def _words(page: Page, pattern: Pattern, y: float) -> None:
    lines = [
        (f"{pattern.words()}. Print at 100 %, no scaling.", "sans"),
        ("Hold a real ruler against the printed ones; if they differ, write the size you measure.", "sans"),
        (pattern.entry(), "mono"),
    ]
    longest = max(len(text) for text, _ in lines)
    size = min(_LETTERS, (page.width - 2 * _MARGIN - _RULER) / (0.6 * longest))
    for i, (text, font) in enumerate(lines, 1):
        page.write(text, _MARGIN + _RULER, y + i * _LINE - 0.6, size, font)


def _times(size: tuple[float, float]) -> str:
    return f"{size[0]:.5g} x {size[1]:.5g}"
