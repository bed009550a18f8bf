"""Boards on paper: read back from the bytes of the PDF, and by OpenCV's own detectors."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from calibration.boards.board import DICTIONARIES
from calibration.boards.pattern import KINDS, SQUARES, Pattern, default_dictionary, default_marker
from calibration.boards.printing import PAPERS, board_pdf, largest_square, paper_size, write_board
from calibration.errors import BoardError, FileError

A4 = PAPERS["a4"]
FINE = 8  # pixels a millimetre of what the detectors are shown


def charuco(squares=(5, 7), square=0.03, marker=0.024, dictionary="DICT_4X4_50") -> Pattern:
    return Pattern("charuco", squares, square, marker, dictionary)


def chessboard(squares=(6, 9), square=0.025) -> Pattern:
    return Pattern("chessboard", squares, square)


def paper_in_pdf(pdf: bytes) -> np.ndarray:
    """Width and height of the page, mm."""
    found = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf)
    assert found
    return np.array([float(number) * 25.4 / 72 for number in found.groups()])


def boxes_in_pdf(pdf: bytes, grey: str) -> np.ndarray:
    """(N, 4) left, top, right, bottom of what is filled in one grey, mm from the top left of the page."""
    content = pdf.split(b"stream\n")[1].decode("cp1252")
    a, b, c, d, e, f = map(float, content.splitlines()[0].split()[:6])
    assert (b, c) == (0, 0)
    part = next(text for text in re.split(r"\nf\n", content) if re.search(rf"^{grey} g$", text, re.M))
    boxes = np.array([line.split()[:4] for line in part.splitlines() if line.endswith(" re")], dtype=float)
    corners = np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]])
    points = corners * [a, d, a, d] + [e, f, e, f]  # PDF's own: from the bottom left, up
    high = paper_in_pdf(pdf)[1]
    return np.array([0, high, 0, high]) + points * 25.4 / 72 * [1, -1, 1, -1]


def picture(pdf: bytes) -> np.ndarray:
    """The black of a page at FINE pixels a millimetre; pixel p covers p / FINE to (p + 1) / FINE."""
    wide, high = np.round(paper_in_pdf(pdf) * FINE).astype(int)
    image = np.full((high, wide), 255, np.uint8)
    for left, top, right, bottom in np.round(boxes_in_pdf(pdf, "0") * FINE).astype(int):
        image[top:bottom, left:right] = 0
    return image


def in_pixels(millimetres: np.ndarray) -> np.ndarray:
    """Pixels, whose centres are at integers."""
    return millimetres * FINE - 0.5


def board_origin(pdf: bytes) -> np.ndarray:
    return boxes_in_pdf(pdf, "0")[:, :2].min(axis=0)


def inner_corners(pattern: Pattern, origin: np.ndarray) -> np.ndarray:
    """Where four squares meet, row by row, mm."""
    columns, rows = pattern.squares
    x, y = np.meshgrid(np.arange(1, columns), np.arange(1, rows))
    return np.stack([x, y], axis=-1).reshape(-1, 2) * pattern.square * 1000 + origin


def refined(image: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """cornerSubPix from where a detector was, so that the detector's own offset does not count."""
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, 50, 1e-4)
    start = np.ascontiguousarray(corners.reshape(-1, 1, 2), np.float32)
    return cv2.cornerSubPix(image, start, (9, 9), (-1, -1), stop).reshape(-1, 2)


# An even number of rows is where OpenCV's old pattern differs; 8x5 is printed on a turned page.
@pytest.mark.parametrize(
    ("squares", "dictionary"), [((5, 7), "DICT_4X4_50"), ((5, 6), "DICT_5X5_100"), ((8, 5), "DICT_6X6_250")]
)
def test_opencv_finds_every_charuco_corner_where_it_should_be(squares, dictionary) -> None:
    pattern = charuco(squares, dictionary=dictionary)
    pdf = board_pdf(pattern, A4)
    found = cv2.aruco.getPredefinedDictionary(getattr(cv2.aruco, dictionary))
    board = cv2.aruco.CharucoBoard(squares, 0.03, 0.024, found)
    image = picture(pdf)
    corners, ids, _, markers = cv2.aruco.CharucoDetector(board).detectBoard(image)
    assert len(markers) == pattern.markers
    assert ids.ravel().tolist() == list(range((squares[0] - 1) * (squares[1] - 1)))
    # OpenCV 4.11 answers half a pixel too much; refining from there forgets that.
    off = refined(image, corners - 0.5) - in_pixels(inner_corners(pattern, board_origin(pdf)))
    assert np.abs(off).max() / FINE < 0.02  # mm; a hundredth of what a printer does


def test_opencv_finds_every_chessboard_corner_where_it_should_be() -> None:
    pattern = chessboard()
    pdf = board_pdf(pattern, A4)
    image = picture(pdf)
    seen, corners = cv2.findChessboardCorners(image, (5, 8))
    assert seen
    wanted = in_pixels(inner_corners(pattern, board_origin(pdf)))
    off = np.linalg.norm(refined(image, corners)[:, None] - wanted, axis=-1)  # it may begin at the other end
    assert off.min(axis=1).max() / FINE < 0.02


@pytest.mark.parametrize("name", PAPERS)
def test_paper_is_as_large_as_it_is_called(name: str) -> None:
    pattern = charuco((3, 3), 0.02, 0.014)
    assert paper_in_pdf(board_pdf(pattern, paper_size(name))) == pytest.approx(PAPERS[name], abs=1e-3)


def test_rulers_have_a_tick_every_millimetre() -> None:
    pdf = board_pdf(charuco(), A4)
    ticks = boxes_in_pdf(pdf, "0.35")
    wide = ticks[:, 2] - ticks[:, 0]
    upright = wide < 0.2
    across = ticks[upright][:, [0, 2]].mean(axis=1)
    up = ticks[~upright][:, [1, 3]].mean(axis=1)
    assert len(across) > 100 and len(up) > 100
    assert np.diff(across) == pytest.approx(1.0, abs=1e-3)
    assert np.diff(up) == pytest.approx(-1.0, abs=1e-3)
    assert across[100] - across[0] == pytest.approx(100.0, abs=1e-3)
    assert (ticks >= 3).all() and (ticks <= [207, 294, 207, 294]).all()  # what printers can reach


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("paper", PAPERS)
def test_largest_square_fits_and_the_next_does_not(kind: str, paper: str) -> None:
    squares, size = SQUARES[kind], PAPERS[paper]
    edge = largest_square(squares, size)

    def of(square: float) -> Pattern:
        return chessboard(squares, square) if kind == "chessboard" else charuco(squares, square, square / 2)

    pdf = board_pdf(of(edge), size)
    black, ticks = boxes_in_pdf(pdf, "0"), boxes_in_pdf(pdf, "0.35")
    clear = min(black[:, 0].min() - ticks[ticks[:, 2] - ticks[:, 0] > 1][:, 2].max(), black[:, 1].min())
    assert clear >= max(5.0, edge * 250) - 1  # the board stands on whole millimetres
    with pytest.raises(BoardError, match=f"squares of at most {edge * 1000:g} mm"):
        board_pdf(of(edge + 0.001), size)


def test_same_board_is_the_same_file() -> None:
    assert board_pdf(charuco(), A4) == board_pdf(charuco(), A4)
    assert b"Date" not in board_pdf(charuco(), A4)


def test_table_of_places_is_right() -> None:
    """Every reader starts from here."""
    pdf = board_pdf(charuco(), A4)
    start = int(pdf.split(b"startxref\n")[1].split()[0])
    table = pdf[start:].splitlines()
    assert table[0] == b"xref"
    for number, line in enumerate(table[3 : 2 + int(table[1].split()[1])], 1):
        assert pdf[int(line[:10]) :].startswith(b"%d 0 obj" % number)
    length = re.search(rb"/Length (\d+) >>\nstream\n(.*)\nendstream", pdf, re.S)
    assert length and int(length[1]) == len(length[2])


def test_page_says_what_it_is() -> None:
    text = board_pdf(charuco(), A4).decode("cp1252")
    assert "ChArUco board, 5 x 7 squares of 30 mm, markers of 24 mm, DICT_4X4_50. Print at 100 %" in text
    assert charuco().entry() in text
    assert "/PrintScaling /None" in text


def test_defaults_hold_enough_markers() -> None:
    assert [default_dictionary(s) for s in [(5, 7), (10, 10), (11, 10), (40, 40)]] == [
        "DICT_4X4_50",
        "DICT_4X4_50",
        "DICT_4X4_100",
        "DICT_4X4_1000",
    ]
    assert default_marker(0.033) == pytest.approx(0.0245)
    assert default_marker(0.004) == pytest.approx(0.003)


def test_dictionary_is_spelt_as_opencv_does() -> None:
    assert charuco(dictionary="4x4_50").dictionary == "DICT_4X4_50"
    assert charuco(dictionary="apriltag_36h11").dictionary == "DICT_APRILTAG_36h11"


def test_every_known_dictionary_can_be_printed() -> None:
    for name in DICTIONARIES:
        assert len(board_pdf(charuco((3, 3), dictionary=name), A4)) > 3000


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("circles", (5, 7), 0.03), "type: must be charuco or chessboard"),
        (("chessboard", (2, 7), 0.03), "at least 3x3, not 2x7"),
        (("chessboard", (5, 7), float("nan")), "not nan mm"),
        (("chessboard", (5, 7), -0.03), "not -30 mm"),
        (("chessboard", (5, 7), 0.03, 0.02), "has no markers"),
        (("charuco", (5, 7), 0.03), "needs the edge of its markers"),
        (("charuco", (5, 7), 0.03, 0.03, "DICT_4X4_50"), "not smaller than the square, 30 mm; 22.5 mm would"),
        (("charuco", (5, 7), 0.03, 0.0, "DICT_4X4_50"), "marker: must be an edge"),
        (("charuco", (5, 7), 0.03, 0.02, "DICT_4X4_51"), "close to it are DICT_4X4_50"),
        (("charuco", (20, 20), 0.03, 0.02, "DICT_4X4_50"), "needs 200 markers and DICT_4X4_50 holds 50"),
    ],
)
def test_boards_that_cannot_be_are_refused(arguments, says: str) -> None:
    with pytest.raises(BoardError, match=re.escape(says)):
        Pattern(*arguments)


@pytest.mark.parametrize(
    ("paper", "says"),
    [
        (A4, "take squares of at most 33 mm, or paper a2"),
        ((100.0, 400.0), "a side, not 100 x 400 mm"),
        ((300.0, 6000.0), "to 5080 mm a side"),
        ((float("nan"), 400.0), "a side, not nan x 400 mm"),
    ],
)
def test_paper_that_will_not_do_is_refused(paper, says: str) -> None:
    with pytest.raises(BoardError, match=re.escape(says)):
        board_pdf(charuco(square=0.05), paper)


def test_no_paper_holds_it() -> None:
    with pytest.raises(BoardError, match="or larger paper"):
        board_pdf(charuco(square=0.5), A4)
    with pytest.raises(BoardError, match="do not fit 210 x 297 mm"):
        largest_square((300, 300), A4)
    with pytest.raises(BoardError, match="take a0, a1"):
        paper_size("b4")


def test_file_is_whole_or_not_there(tmp_path: Path) -> None:
    write_board(tmp_path / "board.pdf", charuco(), A4)
    assert (tmp_path / "board.pdf").read_bytes() == board_pdf(charuco(), A4)
    with pytest.raises(BoardError):
        write_board(tmp_path / "board.pdf", charuco(square=0.5), A4)
    assert [path.name for path in tmp_path.iterdir()] == ["board.pdf"]
    assert (tmp_path / "board.pdf").read_bytes() == board_pdf(charuco(), A4)
    for place in (tmp_path, tmp_path / "nowhere" / "board.pdf"):
        with pytest.raises(FileError, match="cannot be written"):
            write_board(place, charuco(), A4)
