"""`mocap capture`: videos into a take."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mocap.commands.source import config_from, default_take

if TYPE_CHECKING:
    from mocap.feet import Feet
    from mocap.hands import Hands


@click.command()
@click.option(
    "--views", type=click.Path(path_type=Path), help="Views file: videos, calibration, subject (YAML)."
)
@click.option("--video", type=click.Path(path_type=Path), help="A single video instead.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Take folder [default: NAME.take here]."
)
@click.option("--height", type=float, help="The person's standing height in metres, if known.")
@click.option("--people", type=int, help="How many people there are [default: found].")
@click.option("--detector", default="blazepose", show_default=True, help="Which 2D keypoint detector.")
@click.option(
    "--workers", type=click.IntRange(min=1), help="Detection processes [default: one per processor]."
)
@click.option("--incomplete", is_flag=True, help="Use what there is of a video that ends too early.")
@click.option(
    "--trust-calibration", "trust", is_flag=True, help="Take a given calibration as it is: do not refine it."
)
@click.option(
    "--feet",
    type=click.Choice(["auto", "always", "never", "ground"]),
    default="auto",
    show_default=True,
    help="Hold feet that stand; all that are low and slow; none; or with the lower one always on the floor.",
)
@click.option(
    "--hands",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Look for fingers where hands are large enough to be seen; everywhere, twice as often; or nowhere.",
)
@click.option("-q", "--quiet", is_flag=True, help="Only warnings and errors.")
def capture(
    views: Path | None,
    video: Path | None,
    output: Path | None,
    height: float | None,
    people: int | None,
    detector: str,
    workers: int | None,
    incomplete: bool,
    trust: bool,
    feet: Feet,
    hands: Hands,
    quiet: bool,
) -> None:
    """Detect, place cameras, triangulate and solve: videos into a take folder.

    Views without `offset` are synchronised; without a calibration, the cameras are found from the person.
    Everybody whom two views see (or the only one) gets a motion; `--people 1` looks for nobody else.

    A second run on the same videos only solves. Interrupted with Ctrl-C, the same command goes on.
    """
    from rich.console import Console

    from mocap.bar import Bar
    from mocap.config import with_height, with_people
    from mocap.pipeline import capture as run

    config = with_people(with_height(config_from(views, video), height), people)
    folder = output or default_take(views, video)
    bar = partial(Bar, Console(stderr=True, quiet=quiet))
    found = run(
        config,
        folder,
        detector=detector,
        workers=workers,
        incomplete=incomplete,
        trust=trust,
        feet=feet,
        hands=hands,
        progress=bar,
    )
    if not quiet:
        click.echo("\n".join([*found.lines(), f"take          {folder}"]))
    for kind in ("note", "warning"):
        for line in found.record[f"{kind}s"]:
            click.echo(f"{kind}: {line}", err=True)
