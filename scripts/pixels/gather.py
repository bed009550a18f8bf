"""Draws people for some minutes, and keeps what the network of joint centres says and where they are.

    python scripts/pixels/gather.py --people people.npz --poses poses.npz --weights joints.pt --out said.npz
    python scripts/pixels/gather.py --pool FOLDER --weights joints.pt --out said.npz

What is kept teaches the network that hears all points together (`learn_context.py`). On a processor; several
can run side by side with seeds of their own.
"""

from __future__ import annotations

import time
from pathlib import Path

import click
import numpy as np
import torch
from chance import Chance
from framing import SIZE
from net import JointNet, read_weights
from pool import Source, source_of
from spoil import Spoil

from mocap.detect.heatmaps import read_maps

Arrays = dict[str, np.ndarray]

BATCH = 16
REPORT = 50  # batches from one line to the next


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.option("--people", type=click.Path(exists=True, path_type=Path))
@click.option("--poses", type=click.Path(exists=True, path_type=Path))
@click.option("--pool", type=click.Path(exists=True, path_type=Path), help="Pictures of pool.py instead.")
@click.option("--weights", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--kept-back", is_flag=True, help="Draw the people whom nothing is learned from.")
@click.option("--minutes", default=40.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(
    people: Path | None, poses: Path | None, pool: Path | None, weights: Path, out: Path, kept_back: bool,
    minutes: float, seed: int,
) -> None:  # fmt: skip
    """Write numbers, features, ellipses and errors of every picture."""
    torch.set_num_threads(1)
    device = torch.device("cpu")
    scenes = source_of(pool, people, poses, int(kept_back), device, seed)
    spoil, net = Spoil(Chance(device, seed + 1)), JointNet(len(scenes.targets), None)
    net.load_state_dict(read_weights(weights))
    net.eval()
    rows: list[Arrays] = []
    start = time.monotonic()
    while time.monotonic() - start < 60 * minutes:
        rows += said(scenes, spoil, net)
        if len(rows) % (BATCH * REPORT) == 0:
            click.echo(f"{len(rows)} pictures, {len(rows) / (time.monotonic() - start):.1f}/s")
    np.savez(out, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})  # type: ignore[arg-type]


@torch.no_grad()
def said(scenes: Source, spoil: Spoil, net: JointNet) -> list[Arrays]:
    """What is said of some pictures.

    Returns:
        Of each: numbers (K, 13) and ellipses (K, 3) of `Reading`; near and other (K, 128), features at its
        cells; error (K, 2), pixels that lead to the true place; before (K,) whether that is before the
        camera, and inside (K,) whether it is in the crop.
    """
    drawn = scenes.draw(BATCH)
    image = spoil(drawn.image, drawn.edge).contiguous(memory_format=torch.channels_last)
    maps, features = (out.numpy() for out in net.felt(image))
    pictures = zip(
        maps, features, drawn.points.numpy(), drawn.before.numpy(), drawn.edge.numpy(), strict=True
    )
    return [_kept(*picture) for picture in pictures]


def _kept(
    maps: np.ndarray, features: np.ndarray, points: np.ndarray, before: np.ndarray, edge: np.ndarray
) -> Arrays:
    read, about = read_maps(maps), features.reshape(len(features), -1)
    inside = ((points > -0.5) & (points < SIZE - 0.5)).all(axis=-1)
    return {
        "numbers": read.numbers(edge[None].astype(float)),
        "ellipses": read.ellipses().astype(np.float32),
        "near": about[:, read.cells].T.astype(np.float16),
        "other": about[:, read.other_cells].T.astype(np.float16),
        "error": (points - read.points()).astype(np.float32),
        "before": before,
        "inside": inside & before,
    }


if __name__ == "__main__":
    main()
