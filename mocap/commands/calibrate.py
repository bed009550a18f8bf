"""`mocap calibrate`: lenses and places of the cameras."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from mocap.calibrated import Calibrated

FORMATS = ("aniposelib", "caliscope", "colmap", "easymocap", "freemocap", "opencv", "pose2sim")


@click.command()
@click.option(
    "--views",
    type=click.Path(path_type=Path),
    required=True,
    help="Views file: videos, perhaps a board (YAML).",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path("calibration.toml"),
    show_default=True,
    help="The calibration; NAME.quality.json and NAME.html, which shows the cameras, go beside it.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="Of the file [default: by its name].")
@click.option("--picture", type=click.Path(path_type=Path), help="Draw the cameras, too (PNG).")
@click.option("--height", type=float, help="The person's standing height in metres, if there is no board.")
@click.option(
    "--take", type=click.Path(path_type=Path), help="Where detections are kept [default: NAME.take here]."
)
@click.option("--detector", default="blazepose", show_default=True, help="Which 2D keypoint detector.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Detection processes [default: one per processor]."
)
@click.option("--incomplete", is_flag=True, help="Use what there is of a video that ends too early.")
@click.option("--people", is_flag=True, help="Use a board for the lenses only: place cameras by the person.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def calibrate(
    views: Path,
    output: Path,
    form: str | None,
    picture: Path | None,
    height: float | None,
    take: Path | None,
    detector: str,
    workers: int | None,
    incomplete: bool,
    people: bool,
    quiet: bool,
) -> None:
    """Find lenses and places of all cameras, from a board or from the person whom they film.

    With `board` in the views file: walk with the board, near to each camera, tilted, in all corners of its
    image; then turn about in the middle, where two cameras at a time see it; lay it on the floor at the end.

    Without: one person walks about where all cameras see them, turns and stretches the arms, for 10 seconds.
    """
    from rich.console import Console

    from mocap.bar import Bar
    from mocap.calibrate_board import calibrate_board
    from mocap.calibrated import draw_calibrated, require_place, write_calibrated
    from mocap.commands.source import default_take
    from mocap.config import load_views, with_height

    config = with_height(load_views(views), height)
    for path, suffix in ((output, None), (picture, ".png")):
        if path is not None:
            require_place(path, suffix)
    follow = partial(Bar, Console(stderr=True, quiet=quiet))
    if config.board is not None and not people:
        found = calibrate_board(config, config.board, progress=follow)
    else:
        from mocap.calibrate_people import calibrate_people

        folder = take or default_take(views, None)
        found = calibrate_people(
            config, folder, detector=detector, workers=workers, incomplete=incomplete, progress=follow
        )
    files = write_calibrated(output, found, form)
    if picture is not None:
        draw_calibrated(picture, found)
        files.append(picture)
    _say(found, files, quiet)


def _say(found: Calibrated, files: list[Path], quiet: bool) -> None:
    if not quiet:
        click.echo("\n".join([*found.lines, f"written: {', '.join(map(str, files))}"]))
        for line in found.notes:
            click.echo(f"note: {line}", err=True)
    for line in found.warnings:
        click.echo(f"warning: {line}", err=True)
