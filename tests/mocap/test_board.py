"""`mocap board`, from the words typed to the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from calibration.boards.pattern import Pattern
from calibration.boards.printing import PAPERS, board_pdf
from calibration.errors import BoardError
from mocap.commands.board import board
from mocap.config import load_views


def run(folder: Path, *arguments: str) -> str:
    """What is printed; errors of the packages' own come through."""
    answer = CliRunner().invoke(board, [str(folder / "board.pdf"), *arguments], catch_exceptions=False)
    if isinstance(answer.exception, BoardError):
        raise answer.exception
    return answer.output


def test_defaults_are_the_largest_charuco_board_for_a4(tmp_path: Path) -> None:
    printed = run(tmp_path)
    wanted = Pattern("charuco", (5, 7), 0.033, 0.0245, "DICT_4X4_50")
    assert (tmp_path / "board.pdf").read_bytes() == board_pdf(wanted, PAPERS["a4"])
    assert printed.splitlines()[1] == wanted.entry()


def test_everything_can_be_chosen(tmp_path: Path) -> None:
    pattern = ["--squares", "8x6", "--square", "40", "--marker", "31.5", "--dictionary", "5x5_100"]
    run(tmp_path, *pattern, "--size", "400x600")
    wanted = Pattern("charuco", (8, 6), 0.04, 0.0315, "DICT_5X5_100")
    assert (tmp_path / "board.pdf").read_bytes() == board_pdf(wanted, (400.0, 600.0))


def test_printed_line_is_read_back(tmp_path: Path) -> None:
    line = run(tmp_path).splitlines()[1]
    (tmp_path / "a.mp4").touch()
    (tmp_path / "cams.yaml").write_text(f"views: [{{name: a, video: a.mp4}}]\n{line}\n")
    found = load_views(tmp_path / "cams.yaml").board
    assert found is not None
    assert found.squares == (5, 7)
    assert found.square == pytest.approx(0.033)
    assert found.marker == pytest.approx(0.0245)


def test_printed_line_of_a_chessboard_is_read_back(tmp_path: Path) -> None:
    line = run(tmp_path, "--type", "chessboard", "--square", "25").splitlines()[1]
    (tmp_path / "a.mp4").touch()
    (tmp_path / "cams.yaml").write_text(f"views: [{{name: a, video: a.mp4}}]\n{line}\n")
    found = load_views(tmp_path / "cams.yaml").board
    assert found is not None
    assert (found.type, found.squares, found.square) == ("chessboard", (6, 9), pytest.approx(0.025))


@pytest.mark.parametrize(("squares", "told"), [("6x9", False), ("5x7", True)])
def test_chessboard_that_can_be_turned_is_told(tmp_path: Path, squares: str, told: bool) -> None:
    assert ("upside down" in run(tmp_path, "--type", "chessboard", "--squares", squares)) == told


@pytest.mark.parametrize("given", ["5", "5x", "5x7x9", "-5x7", "5.5x7", "axb"])
def test_squares_that_are_none_are_refused(tmp_path: Path, given: str) -> None:
    assert "is not COLUMNSxROWS, like 5x7" in run(tmp_path, "--squares", given)
    assert not list(tmp_path.iterdir())


def test_marker_of_a_chessboard_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BoardError, match="has no markers"):
        run(tmp_path, "--type", "chessboard", "--marker", "20")
