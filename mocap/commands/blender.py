"""`mocap blender`: our add-on for Blender, as a zip to install."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(path_type=Path),
    default=Path("mocap_blender.zip"),
    show_default=True,
    help="The zip to write.",
)
def blender(target: Path) -> None:
    """Write an add-on for Blender 4.2 and later: takes with cameras and contacts, and retargeting."""
    from mocap.extension import write_extension

    path = write_extension(target)
    click.echo(f"{path}: in Blender, Edit > Preferences > Get Extensions > Install from Disk")
