"""`mocap board`: a calibration board to print."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from calibration.boards.pattern import Pattern

Pair = tuple[float, float]


class _Times(click.ParamType):
    """Two numbers with an x between them."""

    def __init__(self, name: str, whole: bool) -> None:
        self.name, self.whole = name, whole

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Pair:
        number = r"(\d{1,4})" if self.whole else r"(\d{1,5}(?:\.\d+)?)"
        found = re.fullmatch(rf"\s*{number}\s*[xX×]\s*{number}\s*", str(value))
        if not found:
            example = "5x7" if self.whole else "600x900"
            self.fail(f"{value!r} is not {self.name}, like {example}", param, ctx)
        first, second = found.groups()
        return (int(first), int(second)) if self.whole else (float(first), float(second))


@click.command()
@click.argument("output", type=click.Path(path_type=Path), default=Path("board.pdf"))
@click.option(
    "--type", "kind", type=click.Choice(["charuco", "chessboard"]), default="charuco", show_default=True
)
@click.option("--squares", type=_Times("COLUMNSxROWS", True), help="[default: 5x7; 6x9 for a chessboard]")
@click.option("--square", type=float, help="Edge of a square in mm [default: the largest that fits].")
@click.option("--marker", type=float, help="Edge of a marker in mm [default: three quarters of the square].")
@click.option("--dictionary", help="ArUco dictionary [default: DICT_4X4_50, or as large as is needed].")
@click.option("--paper", default="a4", show_default=True, help="a0 to a5, letter, legal or tabloid.")
@click.option("--size", type=_Times("WIDTHxHEIGHT", False), help="Paper in mm instead, for plotters.")
def board(
    output: Path,
    kind: str,
    squares: tuple[int, int] | None,
    square: float | None,
    marker: float | None,
    dictionary: str | None,
    paper: str,
    size: Pair | None,
) -> None:
    """Write a calibration board to print to OUTPUT [default: board.pdf].

    Prints the line that belongs into the views file.
    """
    from calibration.boards.pattern import SQUARES
    from calibration.boards.printing import paper_size, write_board

    sheet = size or paper_size(paper)
    pattern = _pattern(kind, squares or SQUARES[kind], square, marker, dictionary, sheet)
    write_board(output, pattern, sheet)
    click.echo(f"{output}: {pattern.words()}. Print at 100 %, no scaling; then hold a ruler against it.")
    click.echo(pattern.entry())
    if pattern.symmetric:
        click.echo(
            "note: this chessboard looks the same upside down, which several cameras cannot tell apart;"
            " take an odd and an even number of squares",
            err=True,
        )


def _pattern(
    kind: str,
    squares: tuple[int, int],
    square: float | None,
    marker: float | None,
    dictionary: str | None,
    paper: Pair,
) -> Pattern:
    """What was asked for, in metres, with what fits for the rest."""
    from calibration.boards.pattern import Pattern, default_dictionary, default_marker
    from calibration.boards.printing import largest_square

    edge = largest_square(squares, paper) if square is None else square / 1000
    if kind == "chessboard":
        return Pattern(kind, squares, edge, None if marker is None else marker / 1000, dictionary)
    side = default_marker(edge) if marker is None else marker / 1000
    return Pattern(kind, squares, edge, side, dictionary or default_dictionary(squares))
