"""`mocap export`: a take, or a motion file, into files for other programs."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rigs.retargeting.perform import FootLock
    from rigs.retargeting.root import RootMotion

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("targets", type=_FILE, nargs=-1, required=True, metavar="TARGET...")
@click.option("--take", type=_FILE, help="Take folder [default: the newest one below here].")
@click.option("--motion", type=_FILE, help="A motion file instead of a take: .bvh, .fbx, .glb, ...")
@click.option("--person", type=click.IntRange(min=1), help="Which person, if there are several.")
@click.option(
    "--all", "every", is_flag=True, help="All people; a format that holds one: OUT_1.bvh, OUT_2.bvh, ..."
)
@click.option(
    "--rig", default="human", show_default=True, help="A rig's name (`mocap rigs`), or your character's file."
)
@click.option("--map", "mapped", type=_FILE, help="Which of its joints plays which part (`mocap rigs map`).")
@click.option(
    "--root",
    type=click.Choice(["hips", "root", "in-place"]),
    default="hips",
    show_default=True,
    help="What carries the way: the hips, a root bone on the floor, or nothing.",
)
@click.option(
    "--foot-lock",
    type=click.Choice(["auto", "always", "never", "ground"]),
    default="auto",
    show_default=True,
    help="Hold feet that stand; all that are low and slow; none; or with the lower one always on the floor.",
)
@click.option("--hands-at-goals", "hands", is_flag=True, help="Hands go where the person's are, to scale.")
@click.option("--range", "span", help="Frames 10:200, or seconds 1.5:4, of the take.")
@click.option("--loop", "cycle", is_flag=True, help="The part that repeats itself best, as a cycle.")
@click.option("--mirror", "mirrored", is_flag=True, help="Exchange left and right.")
@click.option("--smooth", type=float, metavar="HZ", help="Take out what is faster; 6 is much, 10 little.")
@click.option("--fps", metavar="RATE", help="Frames a second: 24, 25, 30, 60, 120, 30000/1001, ...")
@click.option(
    "--simplify", metavar="DISTANCE", help="Fewer keys, no joint off by more, as 2mm (.fbx, .glb, .vrma)."
)
@click.option("--t-pose", is_flag=True, help="Begin with the rest pose, one frame.")
@click.option(
    "--unit", type=click.Choice(["cm", "m"]), help="Unit in the file [default: what is usual in it]."
)
def export(
    targets: tuple[Path, ...],
    take: Path | None,
    motion: Path | None,
    person: int | None,
    every: bool,
    rig: str,
    mapped: Path | None,
    root: RootMotion,
    foot_lock: FootLock,
    hands: bool,
    span: str | None,
    cycle: bool,
    mirrored: bool,
    smooth: float | None,
    fps: str | None,
    simplify: str | None,
    t_pose: bool,
    unit: str | None,
) -> None:
    """Write motion to TARGETs, whose suffixes say the formats.

    .bvh .fbx .glb .gltf .usda .usdc .vrma .c3d .trc .mot .csv .json .npz
    """
    from mocap.export import export as run
    from mocap.export import import_hint, length, rate
    from mocap.shaping import Shape
    from rigs.retargeting.perform import Performance

    shape = Shape(
        Performance(foot_lock, hands, root),
        rate(fps) if fps else None,
        span,
        cycle,
        mirrored,
        smooth,
        length(simplify) if simplify else None,
        t_pose,
    )
    say = partial(click.echo, err=True)
    for path in run(targets, take, person, every, unit, shape, rig, mapped, motion, say):
        click.echo(f"{path}: {import_hint(path, unit)}")
