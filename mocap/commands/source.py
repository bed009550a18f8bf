"""What the commands read from: a views file, or one video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mocap.config import CaptureConfig


def config_from(views: Path | None, video: Path | None) -> CaptureConfig:
    """Read the views file, or make a configuration of the one video.

    Raises:
        ConfigError: what is in the file is wrong.
        click.UsageError: neither or both were given.
    """
    from mocap.config import load_views, single_video

    if views is not None and video is None:
        return load_views(views)
    if video is not None and views is None:
        return single_video(video)
    raise click.UsageError("give either --views FILE or --video FILE")


def default_take(views: Path | None, video: Path | None) -> Path:
    """NAME.take in the current folder, NAME from the video or from the folder of the views file."""
    name = views.absolute().parent.name if views is not None else (video or Path("capture")).stem
    return Path(f"{name or 'capture'}.take")
