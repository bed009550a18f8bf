"""Teaches the network that finds joint centres in pictures, on scenes drawn while it learns.

    python scripts/pixels/learn.py --people people.npz --poses poses.npz --out FOLDER --minutes 5
    python scripts/pixels/learn.py --pool pool --held held --out FOLDER --minutes 60 --batch 32 --rate 0.15

It learns for as many minutes as it is told, so no two runs are alike, whatever the seed. What is kept is the
moving average of the weights. Needs CuPy where a GPU is used. A processor learns from 13 pictures a second
and core, of a pool that `pool.py` drew.
"""

from __future__ import annotations

import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import click
import numpy as np
import torch
from chance import Chance
from depthwise import quicken
from expecting import Expecting
from framing import KINDS, SHARED, SIZE, USUAL
from net import CELL, CELLS, JointNet, places, read_weights, write_weights
from pool import Source, source_of
from scenes import Pictures
from spoil import Spoil

Tensor = torch.Tensor
Made = TypeVar("Made")

TARGET = 0.8  # cells: standard deviation of what a heat map is to show
MEAN = 0.15  # weight of the error of the mean, in cells, beside the likelihood
FARTHEST = 12  # cells: an error of the mean counts no more than this
WIDER = 1.5  # times how far a point is beyond the crop: how wide its bell is
WARM = 150  # steps
TRUNK, HEAD = 8e-4, 2e-3  # highest learning rates
DECAY = 0.01  # of the weights
SAVES = 12  # times that the weights are saved on the way
KEEP = 0.998  # of the running mean of the weights
REPORT = 50  # steps from one line to the next
AHEAD = 2  # batches drawn before they are asked for
JUDGED, LAST_JUDGED = 1000, 2000  # pictures that the network is judged on, on the way and in the end


def loss_of(logits: Tensor, points: Tensor, before: Tensor) -> Tensor:
    """Cross-entropy with a small bell about the truth, and the absolute error of the mean.

    What is beyond the crop has a bell at its edge, the wider the farther it is: then nothing is sure.

    Args:
        logits: (S, K, 64, 64).
        points: (S, K, 2) px of the crop.
        before: (S, K) whether a point is before the camera.
    """
    cells = (points - (CELL - 1) / 2) / CELL
    nearest = cells.clamp(-0.5, CELLS - 0.5)
    beyond = (cells - nearest).norm(dim=-1, keepdim=True).clamp_max(CELLS)
    at = torch.arange(CELLS, device=logits.device, dtype=torch.float32)
    width = TARGET + WIDER * beyond
    bell_x = torch.exp(-0.5 * ((at - nearest[..., :1]) / width) ** 2)
    bell_y = torch.exp(-0.5 * ((at - nearest[..., 1:]) / width) ** 2)
    bell_x, bell_y = (b / b.sum(-1, keepdim=True).clamp_min(1e-6) for b in (bell_x, bell_y))
    log = torch.log_softmax(logits.float().flatten(2), -1).reshape(logits.shape)
    entropy = -((log * bell_x[..., None, :]).sum(-1) * bell_y).sum(-1)
    share = log.exp()
    mean = torch.stack([(share.sum(-2) * at).sum(-1), (share.sum(-1) * at).sum(-1)], -1)
    error = (mean - cells).abs().sum(-1).clamp_max(FARTHEST) * (beyond[..., 0] == 0)
    weight = before.float()
    return ((entropy + MEAN * error) * weight).sum() / weight.sum().clamp_min(1)


@dataclass(frozen=True)
class Lessons:
    """Pictures, and how they are shown: spoiled, and this share of their maps weighed by what is expected."""

    scenes: Source
    spoil: Spoil
    expecting: Expecting
    weighed: float

    @torch.no_grad()
    def draw(self, count: int) -> tuple[Pictures, Tensor]:
        """Pictures, and what is shown of them."""
        drawn = self.scenes.draw(count)
        return drawn, self.spoil(drawn.image, drawn.edge)

    def maps(self, net: JointNet, drawn: Pictures, image: Tensor) -> Tensor:
        """Logits (S, K, 64, 64) of pictures that `draw` gave."""
        logits = _asked(net, image)
        return self.expecting.weighed(logits, drawn.points, self.weighed) if self.weighed else logits


class Average:
    """The moving average of a network's weights; it forgets sooner at the beginning."""

    def __init__(self, net: JointNet) -> None:
        self.weights = _copy(net)

    @torch.no_grad()
    def add(self, net: JointNet, step: int) -> None:
        """Take in the weights after a step, counted from 0."""
        keep = min(KEEP, (step + 1) / (step + 10))
        for name, weight in net.state_dict().items():
            self.weights[name].lerp_(weight, 1 - keep)


def steps(
    net: JointNet, average: Average, lessons: Lessons, batch: int, minutes: float, rate: float
) -> Iterator[tuple[int, float, Tensor]]:
    """Learn step by step until the time is over, which the learning rates follow.

    Yields:
        How many steps there were, the share of the time that had gone before the last, and its loss.
    """
    optimiser = torch.optim.AdamW(
        [
            {"params": net.trunk.parameters(), "lr": rate * TRUNK},
            {"params": net.head.parameters(), "lr": rate * HEAD},
        ],
        weight_decay=DECAY,
    )
    rates = [group["lr"] for group in optimiser.param_groups]
    batches = _ahead(lambda: lessons.draw(batch))
    start, step = time.monotonic(), 0
    while (done := (time.monotonic() - start) / (60 * minutes)) < 1:
        factor = min(1.0, (step + 1) / WARM) * 0.5 * (1 + math.cos(math.pi * done))
        for group, highest in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = highest * factor
        drawn, image = next(batches)
        loss = loss_of(lessons.maps(net, drawn, image), drawn.points, drawn.before)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        average.add(net, step)
        step += 1
        yield step, done, loss.detach()


@torch.no_grad()
def judge(net: JointNet, lessons: Lessons, count: int, batch: int) -> dict[str, object]:
    """Errors on people and poses never learned from: px of the crop, mean and median of each point."""
    errors, spreads, losses = [], [], []
    net.eval()
    for _ in range(-(-count // batch)):
        drawn, image = lessons.draw(batch)
        logits = lessons.maps(net, drawn, image)
        found, spread = places(logits)
        losses.append(float(loss_of(logits, drawn.points, drawn.before)))
        error = (found - drawn.points).norm(dim=-1)
        inside = drawn.before & ((drawn.points > -0.5) & (drawn.points < SIZE - 0.5)).all(-1)
        errors.append(torch.where(inside, error, torch.nan).cpu())
        spreads.append(spread.cpu())
    net.train()
    error, spread = torch.cat(errors).numpy(), torch.cat(spreads).numpy()
    return {
        "loss": float(np.mean(losses)),
        "mean": float(np.nanmean(error)),
        "median": float(np.nanmedian(error)),
        "p95": float(np.nanpercentile(error, 95)),
        "by_point": dict(zip(lessons.scenes.targets, np.nanmean(error, 0).round(2).tolist(), strict=True)),
        "error_over_spread": float(np.nanmedian(error / spread)),
    }


def judge_average(
    net: JointNet, average: Average, lessons: Lessons, count: int, batch: int
) -> dict[str, object]:
    """Judge by the averaged weights, say what came out, and leave the network as it was."""
    own = _copy(net)
    net.load_state_dict(average.weights)
    figures = judge(net, lessons, count, batch)
    net.load_state_dict(own)
    click.echo(json.dumps(figures))
    return figures


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.option("--people", type=click.Path(exists=True, path_type=Path))
@click.option("--poses", type=click.Path(exists=True, path_type=Path))
@click.option("--pool", type=click.Path(exists=True, path_type=Path), help="Pictures instead of people.")
@click.option("--held", type=click.Path(exists=True, path_type=Path), help="Those of people kept back.")
@click.option("--shares", type=float, nargs=len(KINDS), default=USUAL, show_default=True, help=SHARED)
@click.option("--model", type=click.Path(exists=True, path_type=Path), help="pose_landmark_full.tflite")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for weights and figures.")
@click.option("--minutes", default=8.0, show_default=True, help="The learning rate reaches zero by then.")
@click.option("--begin", type=click.Path(exists=True, path_type=Path), help="Weights to go on from.")
@click.option("--batch", default=384, show_default=True)
@click.option("--judged", default=2, show_default=True, help="How often to judge on the way.")
@click.option("--seed", default=1, show_default=True)
@click.option("--rate", default=1.0, show_default=True, help="Times the learning rates; less to go on.")
@click.option("--weighed", default=0.0, show_default=True, help="Share of maps weighed as captures do.")
@click.option("--device", default="cuda" if torch.cuda.is_available() else "cpu", show_default=True)
def main(
    people: Path | None, poses: Path | None, pool: Path | None, held: Path | None, shares: tuple[float, ...],
    model: Path | None, out: Path, minutes: float, begin: Path | None, batch: int, judged: int, seed: int,
    rate: float, weighed: float, device: str,
) -> None:  # fmt: skip
    """Learn for some minutes; write joints.pt (float16 weights) and joints.json (figures)."""
    where = torch.device(device)
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.benchmark_limit = True, 2
    scenes, other = (
        source_of(kept, people, poses, split, where, seed + split, shares)
        for split, kept in enumerate((pool, held))
    )
    lessons = Lessons(
        scenes, Spoil(Chance(where, seed + 2)), Expecting(scenes.targets, Chance(where, seed + 3)), weighed
    )
    judged_on = replace(lessons, scenes=other)
    net = JointNet(len(scenes.targets), model).to(where, memory_format=torch.channels_last)
    if begin:
        net.load_state_dict(read_weights(begin))
    if where.type == "cpu":
        quicken(net)
    average = Average(net)
    out.mkdir(parents=True, exist_ok=True)
    start, step, history, saved, recent = time.monotonic(), 0, [], 0, torch.zeros((), device=where)
    for step, done, loss in steps(net, average, lessons, batch, minutes, rate):
        recent = recent + loss
        if step % REPORT == 0:
            fast = step * batch / (time.monotonic() - start)
            click.echo(f"{step} steps, {fast:.0f} pictures/s, loss {float(recent) / REPORT:.3f}, {done:.0%}")
            recent = torch.zeros_like(recent)
        if done > (saved + 1) / SAVES:
            saved += 1
            write_weights(out / "joints.pt", average.weights)
        if done > (len(history) + 1) / (judged + 1):
            history.append({"step": step, **judge_average(net, average, judged_on, JUDGED, batch)})
    write_weights(out / "joints.pt", average.weights)
    figures = judge_average(net, average, judged_on, LAST_JUDGED, batch)
    record = {
        "points": scenes.targets, "steps": step, "batch": batch, "seed": seed, "minutes": minutes,
        "pictures": step * batch, "held_out": figures, "history": history,
    }  # fmt: skip
    (out / "joints.json").write_text(json.dumps(record, indent=1))


def _ahead(make: Callable[[], Made]) -> Iterator[Made]:
    """What is made, for ever, in a thread that is a little ahead.

    Its work goes to the device in the order of the calls, as if it were done here; but this thread need not
    wait while thousands of small steps are told to the device.
    """
    with ThreadPoolExecutor(1) as worker:
        waiting = deque(worker.submit(make) for _ in range(AHEAD))
        while True:
            waiting.append(worker.submit(make))
            yield waiting.popleft().result()


def _asked(net: JointNet, image: Tensor) -> Tensor:
    """Logits for pictures, by 16-bit floats on a GPU; on a processor the head only.

    There the trunk's gradients would be as much rounding as anything else (of 16 pictures, those by 16 and by
    32 bits have a cosine of 0.55), which costs more steps than it wins time.
    """
    device = image.device.type
    image = image.contiguous(memory_format=torch.channels_last)
    with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
        maps = net.trunk(image)
    with torch.autocast(device, torch.bfloat16):
        return net.head(maps)


def _copy(net: JointNet) -> dict[str, Tensor]:
    return {name: weight.detach().clone() for name, weight in net.state_dict().items()}


if __name__ == "__main__":
    main()
