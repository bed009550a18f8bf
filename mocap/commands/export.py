"""`mocap export`: a take into a file for other programs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click


@click.command()
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--take", type=click.Path(path_type=Path), help="Take folder [default: the newest one below here]."
)
@click.option("--person", type=click.IntRange(min=1), help="Which person, if there are several.")
@click.option("--all", "every", is_flag=True, help="All people: OUT_1.bvh, OUT_2.bvh, ...")
@click.option(
    "--unit", type=click.Choice(["cm", "m"]), default="cm", show_default=True, help="Unit in the file."
)
def export(target: Path, take: Path | None, person: int | None, every: bool, unit: str) -> None:
    """Write a take's motion to TARGET; the suffix says the format (.bvh)."""
    from mocap.export import IMPORT_HINT
    from mocap.export import export as run

    for path in run(target, take, person, every, unit, partial(click.echo, err=True)):
        hint = IMPORT_HINT.get((path.suffix.lower().lstrip("."), unit), "")
        click.echo(f"{path}: {hint}")
