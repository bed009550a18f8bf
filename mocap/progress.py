"""How a long stage says how far it is; the core calls it and never draws anything."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """What a caller may pass to follow a long stage."""

    def start(self, total: int | None) -> None:
        """The stage begins; `total` frames over all views, None where a container does not say."""

    def advance(self, view: str, frames: int) -> None:
        """`frames` more of a view are finished."""

    def done(self) -> None:
        """The stage is over, well or not."""


class Quiet:
    """Follows nothing."""

    def start(self, total: int | None) -> None:
        """Do nothing."""

    def advance(self, view: str, frames: int) -> None:
        """Do nothing."""

    def done(self) -> None:
        """Do nothing."""
