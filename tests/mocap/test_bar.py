"""The progress bar: drawn in a terminal only, with a rate, and gone where there was no total."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from mocap.bar import Bar


def drawn(total: int | None, terminal: bool = True) -> str:
    text = io.StringIO()
    bar = Bar(Console(file=text, force_terminal=terminal, width=100, color_system=None), "solving")
    bar.start(total)
    for _ in range(4):
        bar.advance("cam1", 5)
    bar.done()
    return text.getvalue()


def test_a_bar_ends_full() -> None:
    last = [line for line in drawn(20).splitlines() if "solving" in line][-1]
    assert "20/20" in last and "frames/s" in last


def test_a_bar_without_a_total_leaves_nothing() -> None:
    drawing = drawn(None)
    assert "/?" in drawing  # while it went on
    assert "solving" not in drawing.rpartition("\x1b[2K")[2]  # what is left after the last line was wiped


@pytest.mark.parametrize("total", [20, None])
def test_a_file_gets_no_bar(total: int | None) -> None:
    assert drawn(total, terminal=False).strip() == ""


def test_done_before_start_is_fine() -> None:
    Bar(Console(file=io.StringIO()), "detecting").done()
