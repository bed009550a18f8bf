"""A progress bar in the terminal, with rate and time left."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
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
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: int | None = None

    def start(self, total: int | None) -> None:
        """Show the bar."""
        self._task = self._bar.add_task("", total=total)
        self._bar.start()

    def advance(self, view: str, frames: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._bar.advance(self._task, frames)  # type: ignore[arg-type]

    def done(self) -> None:
        """Leave the bar as it is and go to the next line."""
        self._bar.stop()
