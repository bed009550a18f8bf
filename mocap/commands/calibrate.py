"""`mocap calibrate`: lenses and places of the cameras."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click


@click.command()
@click.option(
    "--views",
    type=click.Path(path_type=Path),
    required=True,
    help="Views file: videos, and the board filmed (YAML).",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("calibration.toml"),
    show_default=True,
    help="The calibration; what it rests on goes to NAME.quality.json beside it.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def calibrate(views: Path, output: Path, quiet: bool) -> None:
    """Find lenses and places of all cameras from a board in their videos.

    Walk with the board: near to each camera, tilted, in all corners of its image; then turn about in the
    middle, so that two cameras at a time see it; lay it on the floor at the end, face up.
    """
    from rich.console import Console

    from mocap.bar import Bar
    from mocap.calibrate import calibrate as run
    from mocap.calibrate import write_calibration
    from mocap.config import load_views

    found = run(load_views(views), progress=partial(Bar, Console(stderr=True, quiet=quiet)))
    write_calibration(output, found)
    if not quiet:
        click.echo("\n".join([*found.lines, f"calibration {output}"]))
        for line in found.notes:
            click.echo(f"note: {line}", err=True)
    for line in found.warnings:
        click.echo(f"warning: {line}", err=True)
