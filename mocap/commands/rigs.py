"""`mocap rigs`: the skeletons that motion can be put onto, known ones and your own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rigs.rig import Rig


@click.group(invoke_without_command=True)
@click.pass_context
def rigs(context: click.Context) -> None:
    """List the rigs that are known; look at one, or at a character of yours.

    \b
    mocap rigs                              the list
    mocap rigs show unreal                  its joints, and which part each plays
    mocap rigs show hero.fbx                the same of a character file
    mocap rigs map  hero.fbx -o hero.yaml   to correct what is not recognised
    mocap rigs show hero.fbx --map hero.yaml
    """  # noqa: D301 - click keeps the lines of a paragraph that begins with a backspace character
    if context.invoked_subcommand is None:
        from rigs.library import load_definition, load_rig, rig_names

        names = rig_names()
        width = max(map(len, names)) + 2
        for name in names:
            joints = len(load_rig(name).skeleton)
            click.echo(f"{name:<{width}}{joints:>4} joints  {load_definition(name).title}")


@rigs.command()
@click.argument("rig")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Map file, if RIG is a character.")
def show(rig: str, map_file: Path | None) -> None:
    """Draw RIG, a known one or a character file, as a tree: its joints and the parts that they play."""
    from rigs.library.drawing import draw_rig

    for one in _rigs_of(rig, map_file):
        for line in draw_rig(one):
            click.echo(line)


@rigs.command("map")
@click.argument("character", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Map file to write.")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="Map file to begin with.")
def write(character: Path, output: Path, map_file: Path | None) -> None:
    """Write which joint of CHARACTER plays which part, as far as recognised, to correct and give back."""
    from rigs.formats import read_clips
    from rigs.recognition.mapping import read_map, write_parts
    from rigs.recognition.parts import missing
    from rigs.recognition.recognise import find_parts

    clip, *others = read_clips(character)
    parts = find_parts(clip, read_map(map_file) if map_file else None)
    write_parts(output, clip.name, clip.motion.skeleton.names, parts)
    click.echo(f"{output}: {len(parts)} parts of {clip.name}, {len(clip.motion.skeleton)} joints")
    if lacking := missing(parts):
        click.echo(f"not found, fill in: {'; '.join(lacking)}")
    if others:
        click.echo(f"note: {character} has {len(others) + 1} characters; this is the first", err=True)


def _rigs_of(rig: str, map_file: Path | None) -> list[Rig]:
    """A known rig, or those in a file; a name with a dot or a slash is a file's."""
    from rigs.formats import read_clips
    from rigs.library import load_rig, rig_names
    from rigs.recognition.mapping import read_map
    from rigs.recognition.recognise import recognise

    if rig in rig_names() or not (Path(rig).suffix or Path(rig).exists()):
        return [load_rig(rig)]
    mapped = read_map(map_file) if map_file else None
    return [recognise(clip, mapped) for clip in read_clips(rig)]
