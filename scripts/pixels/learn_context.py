"""Teaches the network that hears all points of a picture together, from what `gather.py` kept.

    python scripts/pixels/learn_context.py said1.npz said2.npz --held held.npz --out context.pt

On a processor: a minute for 22,000 pictures seen twice.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch
from context import Context
from net import read_weights, write_weights
from torch import nn

Tensor = torch.Tensor
Tensors = dict[str, Tensor]

RATE, WARM = 1.5e-3, 100  # highest learning rate, and steps until it is reached
DECAY = 0.05  # of the weights
BATCH = 64
FREEDOM = 3.0  # of the Student's t that errors are taken to come from: a few are gross
BEYOND = 0.3  # weight of a point that the crop does not show
FARTHEST = 200.0  # pixels: what is farther off tells nothing


def likelihood(error: Tensor, sizes: Tensor) -> Tensor:
    """-log likelihood (..., ) of errors (..., 2), px, where sizes (..., 3) are logarithms of an ellipse."""
    xx, yy, xy = sizes.unbind(-1)
    mean, half = (xx + yy) / 2, (xx - yy) / 2
    long = (half**2 + xy**2 + 1e-8).sqrt()
    even, odd = long.cosh(), long.sinh() / long  # of the exponential of a symmetric matrix
    x, y = error.unbind(-1)
    u, v = (even - odd * half) * x - odd * xy * y, (even + odd * half) * y - odd * xy * x
    square = (u**2 + v**2) * (-2 * mean).exp()
    return (FREEDOM + 2) / 2 * torch.log1p(square / FREEDOM) + 2 * mean


def changed(change: Tensor, ellipses: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels (..., 2) that a place moves by and its new ellipse (..., 3), of what is said (..., 5)."""
    size = ellipses[..., :2].mean(-1, keepdim=True).exp()
    return size * change[..., :2], ellipses + change[..., 2:]


def steps(net: Context, said: Tensors, rounds: int, rate: float) -> Iterator[tuple[int, float]]:
    """Learn; yield the round and its mean loss after each."""
    optimiser = torch.optim.AdamW(net.parameters(), RATE, weight_decay=DECAY)
    count = len(said["numbers"])
    each = count // BATCH
    worth = said["inside"].float() + BEYOND * (said["before"] & ~said["inside"]).float()
    worth = worth * (said["error"].abs().amax(-1) < FARTHEST)
    step = 0
    for turn in range(rounds):
        net.train()
        order, total = torch.randperm(count), 0.0
        for k in range(each):
            rows = order[k * BATCH : (k + 1) * BATCH]
            part = {name: values[rows] for name, values in said.items()}
            for group in optimiser.param_groups:
                group["lr"] = rate * _rate(step, rounds * each)
            moved, ellipses = changed(net(*asked(part)), part["ellipses"])
            weight = worth[rows]
            loss = (likelihood(part["error"] - moved, ellipses) * weight).sum() / weight.sum()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            total, step = total + float(loss.detach()), step + 1
        yield turn, total / each


def _rate(step: int, steps: int) -> float:
    """The learning rate of a step: rises for a while, and falls to 0 by a cosine."""
    return RATE * min(1.0, (step + 1) / WARM) * 0.5 * (1 + math.cos(math.pi * step / steps))


@torch.no_grad()
def judge(net: Context, said: Tensors) -> dict[str, list[float]]:
    """Mean -log likelihood; median, mean and 95 % of the errors in pixels: before and after."""
    net.eval()
    moved, ellipses = changed(net(*asked(said)), said["ellipses"])
    rows, out = said["inside"], {}
    pairs = (said["error"], said["ellipses"]), (said["error"] - moved, ellipses)
    errors = [error.norm(dim=-1)[rows].numpy() for error, _ in pairs]
    out["likelihood"] = [float(likelihood(*pair)[rows].mean()) for pair in pairs]
    out["median"] = [float(np.median(error)) for error in errors]
    out["mean"] = [float(error.mean()) for error in errors]
    out["p95"] = [float(np.percentile(error, 95)) for error in errors]
    return out


def asked(said: Tensors) -> tuple[Tensor, Tensor, Tensor]:
    """What the network is given."""
    return said["numbers"], said["near"].float(), said["other"].float()


def read(paths: tuple[Path, ...]) -> Tensors:
    """What files of `gather.py` keep, one after the other."""
    files = [np.load(path, allow_pickle=False) for path in paths]
    return {name: torch.as_tensor(np.concatenate([file[name] for file in files])) for name in files[0].files}


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.argument("said", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--held", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--begin", type=click.Path(exists=True, path_type=Path), help="Weights to go on from.")
@click.option("--rate", default=1.0, show_default=True, help="Times the learning rate; less to go on.")
@click.option("--rounds", default=10, show_default=True)
@click.option("--seed", default=1, show_default=True)
def main(
    said: tuple[Path, ...], held: Path, out: Path, begin: Path | None, rate: float, rounds: int, seed: int
) -> None:
    """Write OUT (weights) and, beside it, figures as JSON."""
    torch.manual_seed(seed)
    own, other = read(said), read((held,))
    numbers = own["numbers"].flatten(0, 1)
    net = Context(own["numbers"].shape[1], numbers.mean(0), numbers.std(0).clamp_min(1e-3))
    if begin:
        net.load_state_dict(read_weights(begin))
        click.echo(f"to begin with {json.dumps(judge(net, other))}")
    for turn, loss in steps(net, own, rounds, rate):
        click.echo(f"round {turn + 1} of {rounds}, loss {loss:.4f}, held out {json.dumps(judge(net, other))}")
    write_weights(out, net.state_dict())
    record = {"pictures": len(numbers) // own["numbers"].shape[1], "rounds": rounds, "seed": seed}
    out.with_suffix(".json").write_text(json.dumps({**record, "held_out": judge(net, other)}, indent=1))


if __name__ == "__main__":
    main()
