"""Work in a thread: told to somebody only from when it is waited for, and its errors are not lost."""

from __future__ import annotations

import threading

import pytest

from mocap.ahead import Ahead
from mocap.errors import DetectError
from mocap.progress import Progress


class Told:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.total: int | None = None
        self.frames: dict[str, int] = {}
        self.starts = self.ends = 0

    def start(self, total: int | None) -> None:
        self.total, self.starts = total, self.starts + 1

    def advance(self, view: str, frames: int) -> None:
        self.frames[view] = self.frames.get(view, 0) + frames

    def done(self) -> None:
        self.ends += 1


def test_who_waits_is_told_what_was_before_and_what_comes() -> None:
    half, waited = threading.Event(), threading.Event()

    class Listener(Told):
        def advance(self, view: str, frames: int) -> None:
            super().advance(view, frames)
            waited.set()

    def work(progress: Progress) -> None:
        progress.start(10)
        progress.advance("a", 4)
        half.set()
        assert waited.wait(10)
        progress.advance("a", 5)
        progress.advance("b", 1)
        progress.done()

    ahead, told = Ahead(work), Listener()
    assert half.wait(10)
    ahead.wait(told)
    assert (told.total, told.starts, told.ends, told.frames) == (10, 1, 1, {"a": 9, "b": 1})


def test_who_waits_for_what_is_over_is_told_nothing() -> None:
    over = threading.Event()

    def work(progress: Progress) -> None:
        progress.start(3)
        progress.advance("a", 3)
        progress.done()
        over.set()

    ahead, told = Ahead(work), Told()
    assert over.wait(10)
    ahead.wait(told)
    assert (told.starts, told.ends, told.frames) == (0, 0, {})


def test_what_it_raises_is_raised_where_it_is_waited_for() -> None:
    def work(progress: Progress) -> None:
        raise DetectError("view a: no")

    ahead = Ahead(work)
    with pytest.raises(DetectError, match="view a: no"):
        ahead.wait(Told())
