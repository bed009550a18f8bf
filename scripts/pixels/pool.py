"""Draws pictures for some minutes and keeps them, so that a processor can learn from each more than once.

    python scripts/pixels/pool.py --people people.npz --poses poses.npz --out FOLDER --minutes 30

Kept as they are before they are spoiled, which is done anew each time. Several can fill one folder side by
side, with seeds of their own; `learn.py --pool` may read what is there while more comes.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import click
import numpy as np
import torch
from framing import KINDS, SHARED, USUAL
from scenes import Pictures, Scenes

Tensor = torch.Tensor

SHELF = 64  # pictures in a file
PARTS = "image", "points", "before", "edge"
NAMES = "points.json"
NEWS = 60.0  # seconds after which is looked for new files


class Pool:
    """Pictures that were kept, in turn by chance: `draw(count)` gives what `Scenes.draw` would.

    Args:
        folder: of files that `pool.py` wrote.
        device: where pictures are brought.
        seed: of the order.

    Attributes:
        targets: names of the points.

    Raises:
        FileNotFoundError: the folder holds no pictures.
    """

    def __init__(self, folder: Path, device: torch.device, seed: int) -> None:
        self.targets = json.loads((folder / NAMES).read_text())
        self.folder, self.device, self.rng = folder, device, np.random.default_rng(seed)
        self.asked = -NEWS
        self.shelves: list[Path] = []
        self.turn: list[tuple[int, int]] = []
        self._look()
        if not self.shelves:
            raise FileNotFoundError(f"{folder} holds no pictures of pool.py")

    def draw(self, count: int) -> Pictures:
        """Pictures by chance, none a second time before every one had its turn."""
        self._look()
        parts: dict[str, list[np.ndarray]] = {name: [] for name in PARTS}
        while len(parts["edge"]) < count:
            if not self.turn:
                shelf, rows = np.indices((len(self.shelves), SHELF)).reshape(2, -1)
                self.turn = [(int(shelf[k]), int(rows[k])) for k in self.rng.permutation(len(rows))]
            shelf, row = self.turn.pop()
            for name in PARTS:
                parts[name].append(np.load(self._file(shelf, name), mmap_mode="r", allow_pickle=False)[row])
        image, points, before, edge = (
            torch.as_tensor(np.stack(parts[name])).to(self.device) for name in PARTS
        )
        return Pictures(image.permute(0, 3, 1, 2).float() / 255, points, before, edge)

    def _file(self, shelf: int, name: str) -> Path:
        return self.shelves[shelf] / f"{name}.npy"

    def _look(self) -> None:
        """Find what came since."""
        if time.monotonic() - self.asked < NEWS:
            return
        self.asked = time.monotonic()
        known = set(self.shelves)
        fresh = [path for path in sorted(self.folder.glob("shelf*")) if path not in known]
        news = [(len(self.shelves) + k, row) for k in range(len(fresh)) for row in range(SHELF)]
        self.shelves += fresh
        self.turn += news
        self.rng.shuffle(self.turn)


Source = Scenes | Pool  # of pictures


def source_of(
    pool: Path | None,
    people: Path | None,
    poses: Path | None,
    split: int,
    device: torch.device,
    seed: int,
    shares: tuple[float, ...] = USUAL,
) -> Source:
    """Pictures of a pool where one is given, and else of people; see `Pool` and `Scenes`.

    Raises:
        click.UsageError: neither is given.
    """
    if pool:
        return Pool(pool, device, seed)
    if people and poses:
        return Scenes(people, poses, split, device, seed, shares)
    raise click.UsageError("give a pool of pictures, or both people and poses")


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.option("--people", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--poses", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--kept-back", is_flag=True, help="Draw the people whom nothing is learned from.")
@click.option("--shares", type=float, nargs=len(KINDS), default=USUAL, show_default=True, help=SHARED)
@click.option("--minutes", default=30.0, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(
    people: Path, poses: Path, out: Path, kept_back: bool, shares: tuple[float, ...], minutes: float,
    seed: int,
) -> None:  # fmt: skip
    """Fill a folder."""
    if any(out.glob(f"shelf{seed}_*")):
        raise click.ClickException(f"{out} has pictures of seed {seed}: give another seed, or another folder")
    torch.set_num_threads(1)
    scenes = Scenes(people, poses, int(kept_back), torch.device("cpu"), seed, shares)
    out.mkdir(parents=True, exist_ok=True)
    (out / NAMES).write_text(json.dumps(scenes.targets))
    start, number = time.monotonic(), 0
    while (gone := time.monotonic() - start) < 60 * minutes:
        drawn = scenes.draw(SHELF)
        image = (255 * drawn.image.permute(0, 2, 3, 1)).round().to(torch.uint8)
        beside = out / f"part{seed}_{number}"
        beside.mkdir(exist_ok=True)  # one may be left of a run that was stopped
        for name, values in zip(PARTS, (image, drawn.points, drawn.before, drawn.edge), strict=True):
            np.save(beside / f"{name}.npy", values.numpy())
        os.rename(beside, out / f"shelf{seed}_{number}")
        number += 1
        if number % 20 == 0:
            count = number * SHELF
            click.echo(f"{count} pictures, {count / gone:.1f}/s, {gone / (60 * minutes):.0%}")


if __name__ == "__main__":
    main()
