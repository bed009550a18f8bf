"""Work that goes on in a thread while the main one does something else, and is waited for later."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mocap.progress import Progress

_TURN = 0.2  # seconds: a wait without an end would not hear Ctrl-C on Windows


class Ahead:
    """Begins `work` at once; how far it is is told to somebody only from when it is waited for.

    Args:
        work: what to do; it is given whom to tell how far it is.
    """

    def __init__(self, work: Callable[[Progress], object]) -> None:
        self._told = _Withheld()
        self._work = work
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self, progress: Progress) -> None:
        """Wait until the work is done, and raise what it raised."""
        self._told.hand_over(progress)
        while self._thread.is_alive():
            self._thread.join(_TURN)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._work(self._told)
        except BaseException as error:
            self._error = error


class _Withheld:
    """A `Progress` that keeps what it is told until there is somebody to tell."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._to: Progress | None = None
        self._begun, self._over = False, False
        self._total: int | None = None
        self._frames: dict[str, int] = {}

    def start(self, total: int | None) -> None:
        with self._lock:
            self._begun, self._total = True, total
            if self._to is not None:
                self._to.start(total)

    def advance(self, view: str, frames: int) -> None:
        with self._lock:
            if self._to is not None:
                self._to.advance(view, frames)
            else:
                self._frames[view] = self._frames.get(view, 0) + frames

    def done(self) -> None:
        with self._lock:
            self._over = True
            if self._to is not None:
                self._to.done()

    def hand_over(self, progress: Progress) -> None:
        """Tell `progress` all from now on, and at once what there was; nothing if it is over."""
        with self._lock:
            if self._over:
                return
            self._to = progress
            if self._begun:
                progress.start(self._total)
            for view, frames in self._frames.items():
                progress.advance(view, frames)
