"""Train the networks of `mocap.refiner` on pairs of a detector's output and truth; needs torch.

    python scripts/fit_refiner.py PAIRS_FOLDER mocap/refiners/blazepose.npz [--seed 0]

For PAIRS_FOLDER see `pairs.py`, for the guises in which it is seen `guises.py`. The goal for each landmark is
the true image of its place on the body as `mocap/landmarks/blazepose33.yaml` has it, so that corrected
landmarks mean what landmarks have always meant. Two networks are trained, whose mean counts. The loss of both
is the negative log likelihood of Student's t (4 degrees of freedom) of the correction that is left, with the
spread that the network says. One is asked besides where the views of a snippet together put each landmark, by
these corrections and spreads: `miss`. Each network still sees one view at a time.

Sides that the detector exchanged are put right first, as a capture with calibrated cameras does it. What is
kept is the moving average of the weights. Training people only; the held-out people's figures are printed as
it goes. Prints the file's SHA-256, which belongs into `mocap/weights.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from guises import LAYOUT, Sample, Sequence, guises, read
from pairs import folder_argument
from torch import nn

from mocap.refiner import DILATIONS, MOVE, SPREAD

HIDDEN, MIDDLE = 128, 96
DROP_IN, DROP = 0.05, 0.3
LENGTH = 60  # frames
VIEWS = 4  # of a snippet, at most
BATCH = 24  # stretches of single views
PACE, DECAY, WEIGHT_DECAY = 2e-3, 0.998, 0.1
FREEDOM = 4.0  # degrees, of Student's t
ROBUST = (8.0, 2.5)  # deviations at which a view loses its say, once roughly and once as the solve has it
FINE, FAR = 0.003, 0.2  # statures: misses below are as good as none; how far a place may be without any view


@dataclass(frozen=True)
class Lesson:
    """How a network is taught: whether views are asked together, and for how many epochs."""

    together: bool
    epochs: int

    def sorted(self, snippets: list[list[Any]]) -> list[list[Any]]:
        """Return what is drawn: the views of a snippet as one, or each by itself."""
        return snippets if self.together else [[view] for views in snippets for view in views]


LESSONS = (Lesson(True, 40), Lesson(False, 44))


class Net(nn.Module):
    """The network of `mocap.refiner`, with drop-out."""

    def __init__(self, mean: np.ndarray, deviation: np.ndarray, outputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("deviation", torch.from_numpy(deviation))
        self.first = nn.Linear(len(mean), HIDDEN)
        self.wide = nn.ModuleList(nn.Linear(3 * HIDDEN, MIDDLE) for _ in DILATIONS)
        self.back = nn.ModuleList(nn.Linear(MIDDLE, HIDDEN) for _ in DILATIONS)
        self.last = nn.Linear(HIDDEN, outputs)
        self.drop_in, self.drop = nn.Dropout(DROP_IN), nn.Dropout(DROP)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return (B, T, 3 J) for (B, T, F)."""
        known = self.drop_in((features - self.mean) / self.deviation)
        hidden = nn.functional.gelu(self.first(known))
        frames = torch.arange(features.shape[1])
        for dilation, wide, back in zip(DILATIONS, self.wide, self.back, strict=True):
            rows = [(frames + d).clamp(0, len(frames) - 1) for d in (-dilation, 0, dilation)]
            around = torch.cat([hidden[:, r] for r in rows], dim=-1)
            hidden = hidden + self.drop(back(nn.functional.gelu(wide(around))))
        out: torch.Tensor = self.last(hidden)
        return out

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights by the names that `mocap.refiner.network_of` knows, half precision."""
        layers = {"first": self.first, "last": self.last}
        for k in range(len(DILATIONS)):
            layers |= {f"wide{k}": self.wide[k], f"back{k}": self.back[k]}
        found = {"mean": self.mean, "deviation": self.deviation}
        for name, layer in layers.items():
            bias = name.rstrip("0123456789") + "_bias" + name.lstrip("abcdefghijklmnopqrstuvwxyz")
            found |= {name: layer.weight.T, bias: layer.bias}
        return {name: a.detach().numpy().astype(np.float16) for name, a in found.items()}


def main() -> None:
    """Train, tell, and write."""
    parser = folder_argument(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    groups = {split: list(read(asked.pairs, split)) for split in ("train", "val")}
    held_out = [[s.sample() for s in group] for group in groups["val"]]
    taught = [
        train(lesson, groups["train"], held_out, asked.seed + k).arrays() for k, lesson in enumerate(LESSONS)
    ]
    np.savez_compressed(
        asked.out, **{name: np.stack([arrays[name] for arrays in taught]) for name in taught[0]}
    )
    print(hashlib.sha256(asked.out.read_bytes()).hexdigest())


def train(lesson: Lesson, groups: list[list[Sequence]], held_out: list[list[Sample]], seed: int) -> Net:
    """Train on random stretches, in new guises in every epoch; return the averaged network."""
    torch.manual_seed(seed)
    chance = np.random.default_rng(seed)
    known = np.concatenate([s.sample().features for group in groups for s in group])
    net = Net(known.mean(axis=0), known.std(axis=0) + 0.05, 3 * len(LAYOUT))
    mean = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(DECAY)
    )
    drawn = lesson.sorted(groups)
    picks = np.repeat(np.arange(len(drawn)), [max(1, len(g[0].goal) // LENGTH) for g in drawn])
    count = BATCH // VIEWS if lesson.together else BATCH
    descent = torch.optim.AdamW(net.parameters(), lr=PACE, weight_decay=WEIGHT_DECAY)
    steps = lesson.epochs * -(-len(picks) // count)
    pace = torch.optim.lr_scheduler.OneCycleLR(descent, PACE, total_steps=steps, pct_start=0.1)
    for epoch in range(lesson.epochs):
        chance.shuffle(picks)
        data, total = lesson.sorted(guises(groups, chance)), []
        for k in range(0, len(picks), count):
            loss = cost(net, lesson, batch(data, picks[k : k + count], lesson, chance))
            descent.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            descent.step()
            pace.step()
            mean.update_parameters(net)
            total.append(loss.item())
        if epoch % 4 == 3 or epoch == lesson.epochs - 1:
            told = figures(mean.module, held_out)
            print(f"epoch {epoch + 1}: {np.mean(total):.4f}; held out {told}", flush=True)
    mean.module.eval()
    kept: Net = mean.module
    return kept


def batch(
    data: list[list[Sample]], picks: np.ndarray, lesson: Lesson, chance: np.random.Generator
) -> list[torch.Tensor]:
    """Random stretches of LENGTH frames: what `Sample` has, (B, V, LENGTH, ...)."""
    stretches = []
    for pick in picks:
        start = int(chance.integers(max(1, len(data[pick][0].features) - LENGTH + 1)))
        stretches.append(stacked(data[pick], start, LENGTH, VIEWS if lesson.together else 1))
    return [torch.from_numpy(np.stack(column)) for column in zip(*stretches, strict=True)]


def stacked(group: list[Sample], start: int, length: int, count: int = VIEWS) -> list[np.ndarray]:
    """Features, targets, which count, boxes and gains of `count` views (V, length, ...).

    Nothing counts beyond a snippet's end, or in a view that it has not.
    """
    frames = np.arange(start, start + length)
    rows, inside = np.minimum(frames, len(group[0].features) - 1), frames < len(group[0].features)
    views = [group[v % len(group)] for v in range(count)]
    real = inside[None, :, None] & (np.arange(count) < len(group))[:, None, None]
    features, target, box, gain = (
        np.stack([getattr(s, name)[rows] for s in views]) for name in ("features", "target", "box", "gain")
    )
    return [features, target, real & np.stack([s.usable[rows] for s in views]), box, gain]


def cost(net: Net, lesson: Lesson, given: list[torch.Tensor]) -> torch.Tensor:
    """Loss of a batch; a miss of a hundredth of the stature counts one."""
    features, target, usable, box, gain = given
    out = net(features.flatten(0, 1)).unflatten(0, features.shape[:2])
    loss = likelihood(out, target, usable)
    return loss + 100 * miss(out, target, usable, box, gain) if lesson.together else loss


def likelihood(out: torch.Tensor, target: torch.Tensor, usable: torch.Tensor) -> torch.Tensor:
    """Mean negative log likelihood of Student's t in the plane."""
    move, spread = split(out)
    square = ((target - move) ** 2).sum(dim=-1)
    loss = 2 * spread + (FREEDOM + 2) / 2 * torch.log1p(square / (FREEDOM * torch.exp(2 * spread)))
    return (loss * usable).sum() / usable.sum()


def miss(
    out: torch.Tensor, target: torch.Tensor, usable: torch.Tensor, box: torch.Tensor, gain: torch.Tensor
) -> torch.Tensor:
    """Mean distance, statures, of where the views (B, V, T, ...) put the landmarks from where they are.

    Linear about the truth: least squares on what is left of the views' corrections, weighed by their spreads
    and, as in the solve, by Geman and McClure's function of what each view then disagrees by.
    """
    move, spread = split(out)
    left, size = (target - move) * box[..., None], torch.exp(spread) * box
    seen = usable & (gain.abs().amax(dim=(-1, -2)) > 0)
    precision = seen / size**2
    place, trust = placed(left, gain, precision), torch.ones_like(precision)
    for scale in ROBUST:
        off = ((left - (gain @ place[:, None, ..., None])[..., 0]) ** 2).sum(dim=-1) * precision
        trust = (scale**2 / (scale**2 + off)).detach() ** 2
        place = placed(left, gain, precision * trust)
    counts = seen.sum(dim=1) >= 2
    far = torch.sqrt((place**2).sum(dim=-1) + FINE**2)
    return (far * counts).sum() / counts.sum()


def placed(left: torch.Tensor, gain: torch.Tensor, precision: torch.Tensor) -> torch.Tensor:
    """Least squares over the views: how far (B, T, J, 3) their errors (B, V, T, J, 2) move a landmark."""
    heavy = gain.mT * precision[..., None, None]
    information = (heavy @ gain).sum(dim=1) + torch.eye(3) / FAR**2
    pull = (heavy @ left[..., None]).sum(dim=1)
    return torch.linalg.solve(information, pull)[..., 0]


def split(out: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Corrections and logarithm of the spread, both of the box."""
    landmarks = len(LAYOUT)
    move = out[..., : 2 * landmarks].reshape(*out.shape[:-1], landmarks, 2) * MOVE
    return move, out[..., 2 * landmarks :] + float(np.log(SPREAD))


def figures(net: Net, groups: list[list[Sample]]) -> str:
    """Errors of the body's landmarks, per cent of stature: median / mean / 95 %; views together."""
    net.eval()
    found: list[list[np.ndarray]] = [[], [], [], [], []]
    body = torch.arange(len(LAYOUT)) >= LAYOUT.index("left_shoulder")
    with torch.no_grad():
        for group in groups:
            whole = stacked(group, 0, len(group[0].features))
            features, target, usable, box, gain = (torch.from_numpy(a)[None] for a in whole)
            out, count = net(features[0])[None], usable & body
            move, spread = split(out)
            sizes = ((target - by).norm(dim=-1) * box for by in (torch.zeros_like(move), move))
            before, after = (size[count] for size in sizes)
            both = 100 * miss(out, target, count, box, gain)
            rows = (likelihood(out, target, usable), before, after, after / (spread.exp() * box)[count], both)
            for column, row in zip(found, rows, strict=True):
                column.append(row.reshape(-1).numpy())
    net.train()
    told, before, after, ratio, both = (np.concatenate(column) for column in found)
    said = [
        " / ".join(f"{100 * x:.2f}" for x in (np.median(e), e.mean(), np.percentile(e, 95)))
        for e in (before, after)
    ]
    return (
        f"{told.mean():.4f}: {said[0]} -> {said[1]} % of stature, over spread {np.median(ratio):.2f}, "
        f"together {both.mean():.3f} %"
    )


if __name__ == "__main__":
    main()
