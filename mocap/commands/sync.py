"""`mocap sync`: when each video began."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click


@click.command()
@click.option(
    "--views", required=True, type=click.Path(path_type=Path), help="Views file: videos, calibration (YAML)."
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the views file with its offsets here."
)
@click.option(
    "--take", type=click.Path(path_type=Path), help="Where detections are kept [default: NAME.take here]."
)
@click.option("--detector", default="blazepose", show_default=True, help="Which 2D keypoint detector.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Detection processes [default: one per processor]."
)
@click.option("--incomplete", is_flag=True, help="Use what there is of a video that ends too early.")
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def sync(
    views: Path,
    output: Path | None,
    take: Path | None,
    detector: str,
    workers: int | None,
    incomplete: bool,
    quiet: bool,
) -> None:
    """Find when each video began, from sound and from motion; offsets in the file are taken as given.

    A capture does the same by itself; this shows what it finds, or writes it down for good.
    """
    from rich.console import Console

    from mocap.bar import Bar
    from mocap.config import load_views
    from mocap.syncing import sync_views
    from mocap.viewsfile import write_offsets

    config = load_views(views)
    folder = take or Path(f"{views.absolute().parent.name or 'capture'}.take")
    bar = partial(Bar, Console(stderr=True, quiet=quiet))
    found = sync_views(
        config, folder, detector=detector, workers=workers, incomplete=incomplete, progress=bar
    )
    if output is not None:
        write_offsets(views, output, found.known())
    if not quiet:
        click.echo("\n".join([*found.lines(), *([f"written to {output}"] if output is not None else [])]))
    for line in found.warnings:
        click.echo(f"warning: {line}", err=True)
