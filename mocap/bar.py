"""A progress bar in the terminal, with rate and time left."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class Rate(ProgressColumn):
    """Frames a second."""

    def render(self, task: Task) -> Text:
        """Draw the rate, or a dash before there is one."""
        speed = task.finished_speed or task.speed
        return Text("-- frames/s" if speed is None else f"{speed:.0f} frames/s")


class Bar:
    """Draws the progress of a stage in a terminal, elsewhere nothing; see `mocap.progress.Progress`."""

    def __init__(self, console: Console, label: str) -> None:
        self._bar = Progress(
            TextColumn(label),
            BarColumn(),
            MofNCompleteColumn(),
            Rate(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._known = True

    def start(self, total: int | None) -> None:
        """Show the bar."""
        self._task = self._bar.add_task("", total=total)
        self._known = total is not None
        self._bar.start()

    def advance(self, view: str, frames: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bar.advance(self._task, frames)

    def done(self) -> None:
        """Leave the bar and go to the next line; one without a total is taken away."""
        if self._task is not None and not self._known:
            self._bar.remove_task(self._task)
        self._bar.stop()
