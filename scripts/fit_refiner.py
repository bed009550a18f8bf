"""Train the network of `mocap.refiner` on pairs of a detector's output and truth; needs torch.

    python scripts/fit_refiner.py PAIRS_FOLDER mocap/refiners/blazepose.npz [--epochs 40] [--seed 0]

For PAIRS_FOLDER see `pairs.py`. The goal for each landmark is the
true image of its place on the body as `mocap/landmarks/blazepose33.yaml` has it, so that corrected landmarks
mean what landmarks have always meant. The loss is the negative log likelihood of Student's t (4 degrees of
freedom) of the correction that is left, with the spread that the network says.

Sides that the detector exchanged are put right first, as a capture with calibrated cameras does it. To make
more of few people, sequences are mirrored, turned in the image, halved in rate, and the names of left and
right are exchanged for a while, in what goes in and in the goal alike: a capture refines keypoints before it
knows better. What is kept is the moving average of the weights. Training people only; the held-out people's
figures are printed as it goes. Prints the file's SHA-256, which belongs into `mocap/refiner.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from fit_landmarks import Truth
from pairs import RATE, folder_argument, loader, read_pairs
from torch import nn

from calibration.camera import Camera
from mocap.attach import Attachment, load_attachment
from mocap.keypoints import load_layout
from mocap.refiner import DILATIONS, MOVE, SPREAD, Stretch
from rigs.body import load_body

HIDDEN, MIDDLE = 128, 96
DROP_IN, DROP = 0.05, 0.3
LENGTH, BATCH = 60, 24
PACE, DECAY, WEIGHT_DECAY = 2e-3, 0.998, 0.1
FREEDOM = 4.0  # degrees, of Student's t
TURN = 0.12  # rad, standard deviation
EXCHANGED = 0.25  # share of the sequences with exchanged sides
JITTER = 0.004  # of the box, added to what goes in
LAYOUT = load_layout("blazepose33")
NEAREST = 0.2  # metres from a camera to a place that counts


@dataclass(frozen=True, eq=False)
class Sequence:
    """A person in one view: what was seen, the goal (T, J, 2) px, and pixels of image per stature (T,)."""

    seen: Stretch
    goal: np.ndarray
    stature_px: np.ndarray

    def sample(self) -> Sample:
        """Return what the network is given, and should say."""
        _, radius = self.seen.box()
        target = (self.goal - self.seen.points) / radius[:, None, None]
        usable = np.isfinite(target).all(axis=-1) & (self.seen.confidence > 0)
        target = np.where(usable[..., None], target, 0.0)
        return Sample(
            self.seen.features(), target.astype(np.float32), usable, (radius / self.stature_px)[:, None]
        )


@dataclass(frozen=True, eq=False)
class Sample:
    """Features (T, F), corrections (T, J, 2) of the box, which count (T, J); the box in statures (T, 1)."""

    features: np.ndarray
    target: np.ndarray
    usable: np.ndarray
    box: np.ndarray


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
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    chance = np.random.default_rng(asked.seed)
    sequences = {split: list(read(asked.pairs, split)) for split in ("train", "val")}
    held_out = [s.sample() for s in sequences["val"]]
    data = variants(sequences["train"], chance)
    net = train(data, held_out, chance, asked.epochs)
    np.savez_compressed(asked.out, **net.arrays())
    print(hashlib.sha256(asked.out.read_bytes()).hexdigest())


def read(folder: Path, split: str) -> Iterator[Sequence]:
    """Give every view of every snippet, sides put right."""
    body = load_body()
    attachment = load_attachment(LAYOUT, body)
    for pair in read_pairs(folder, split):
        seen, world = pair.seen, pair.seen.world
        assert world is not None
        places = attached(Truth(pair.snippet, body, loader(folder)), attachment)
        for v, camera in enumerate(pair.cameras):
            if v != pair.bad_view():
                one = Stretch(seen.pixels[v], seen.confidence[v], world[v], camera.size, 1 / RATE)
                yield Sequence(one, *imaged(places, camera, pair.stature))


def attached(truth: Truth, attachment: Attachment) -> np.ndarray:
    """(T, J, 3) m: where the landmarks' places on the body are."""
    names, stature = truth.body.names, float(truth.snippet["stature"])
    out = np.full((len(truth.snippet["joints"]), len(LAYOUT), 3), np.nan)
    for n, row in enumerate(attachment.rows):
        out[:, row] = truth.joint(names[attachment.joint[n]])
        for j in np.flatnonzero(np.abs(attachment.offsets[n]).sum(axis=1)):
            out[:, row] += truth.rotation(names[j]) @ attachment.offsets[n, j] * stature
    return out


def imaged(places: np.ndarray, camera: Camera, stature: float) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (T, J, 2) of places in the world, NaN near the camera, and pixels per stature (T,)."""
    depth = (places @ camera.camera_from_world[2, :3] + camera.camera_from_world[2, 3])[..., None]
    goal = np.where(depth > NEAREST, camera.project(places), np.nan)
    return goal, camera.K[0, 0] / np.maximum(np.median(depth[..., 0], axis=1), NEAREST) * stature


def variants(sequences: list[Sequence], chance: np.random.Generator) -> list[list[Sample]]:
    """Return each sequence in several guises: variant, sequence."""
    out: list[list[Sample]] = [[s.sample() for s in sequences]]
    for k in range(6):
        guises = []
        for s in sequences:
            guise = in_mirror(s) if k % 2 else s
            guise = turned(guise, chance.normal() * TURN) if k >= 2 else guise
            guise = halved(guise) if k == 5 else guise
            guise = exchanged(guise, chance) if chance.random() < EXCHANGED else guise
            guises.append(jittered(guise, chance).sample() if k >= 2 else guise.sample())
        out.append(guises)
    return out


def in_mirror(s: Sequence) -> Sequence:
    """Return a sequence in a mirror."""
    goal = (s.goal * np.array([-1.0, 1.0]) + np.array([s.seen.size[0] - 1.0, 0.0]))[:, LAYOUT.mirror]
    return Sequence(s.seen.mirrored(LAYOUT.mirror), goal, s.stature_px)


def turned(s: Sequence, angle: float) -> Sequence:
    """Return a sequence turned about the middle of its image."""
    c, sine = np.cos(angle), np.sin(angle)
    turn, middle = np.array([[c, -sine], [sine, c]]), np.array(s.seen.size) / 2
    world = s.seen.world.copy()
    world[..., :2] = world[..., :2] @ turn.T
    points = (s.seen.points - middle) @ turn.T + middle
    return Sequence(
        replace(s.seen, points=points, world=world), (s.goal - middle) @ turn.T + middle, s.stature_px
    )


def halved(s: Sequence) -> Sequence:
    """Return every second frame."""
    seen = s.seen
    points, sight, world = seen.points[::2], seen.confidence[::2], seen.world[::2]
    return Sequence(Stretch(points, sight, world, seen.size, 2 * seen.dt), s.goal[::2], s.stature_px[::2])


def exchanged(s: Sequence, chance: np.random.Generator) -> Sequence:
    """Exchange left and right of the legs, the arms or all for a while, in the goal as well."""
    frames = len(s.goal)
    start, length = int(chance.integers(frames)), int(chance.integers(3, 40))
    limbs = [["legs"], ["arms", "head"], ["legs", "arms", "head"]][int(chance.integers(3))]
    rows = np.array([row for limb in limbs for row in LAYOUT.groups[limb]])
    where = np.ix_(np.arange(start, min(start + length, frames)), rows)
    other = np.ix_(where[0][:, 0], LAYOUT.mirror[rows])
    change = []
    for values in (s.seen.points, s.seen.confidence, s.seen.world, s.goal):
        new = values.copy()
        new[where] = values[other]
        change.append(new)
    points, sight, world, goal = change
    return Sequence(replace(s.seen, points=points, confidence=sight, world=world), goal, s.stature_px)


def jittered(s: Sequence, chance: np.random.Generator) -> Sequence:
    """Add noise to what was seen."""
    _, radius = s.seen.box()
    noise = chance.normal(size=s.seen.points.shape) * JITTER * radius[:, None, None]
    return replace(s, seen=replace(s.seen, points=s.seen.points + noise))


def train(data: list[list[Sample]], held_out: list[Sample], chance: np.random.Generator, epochs: int) -> Net:
    """Train on random stretches of random guises; return the averaged network."""
    known = np.concatenate([s.features for s in data[0]])
    net = Net(known.mean(axis=0), known.std(axis=0) + 0.05, 3 * len(LAYOUT))
    mean = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(DECAY)
    )
    picks = np.repeat(np.arange(len(data[0])), [max(1, len(s.features) // LENGTH) for s in data[0]])
    steps = epochs * -(-len(picks) // BATCH)
    descent = torch.optim.AdamW(net.parameters(), lr=PACE, weight_decay=WEIGHT_DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(descent, PACE, total_steps=steps, pct_start=0.1)
    for epoch in range(epochs):
        chance.shuffle(picks)
        total = []
        for k in range(0, len(picks), BATCH):
            given = batch(data, picks[k : k + BATCH], chance)
            loss = likelihood(net(given[0]), *given[1:])
            descent.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            descent.step()
            pace.step()
            mean.update_parameters(net)
            total.append(loss.item())
        if epoch % 4 == 3 or epoch == epochs - 1:
            print(
                f"epoch {epoch + 1}: {np.mean(total):.4f}; held out {figures(mean.module, held_out)}",
                flush=True,
            )
    mean.module.eval()
    kept: Net = mean.module
    return kept


def batch(data: list[list[Sample]], picks: np.ndarray, chance: np.random.Generator) -> list[torch.Tensor]:
    """Random stretches of LENGTH frames: features, targets, which count."""
    out: list[list[np.ndarray]] = [[], [], []]
    for pick in picks:
        sample = data[chance.integers(len(data))][pick]
        frames = len(sample.features)
        start = int(chance.integers(max(1, frames - LENGTH + 1)))
        rows = np.minimum(np.arange(start, start + LENGTH), frames - 1)
        count = sample.usable[rows] & (np.arange(start, start + LENGTH) < frames)[:, None]
        for column, values in zip(out, (sample.features[rows], sample.target[rows], count), strict=True):
            column.append(values)
    return [torch.from_numpy(np.stack(column)) for column in out]


def likelihood(out: torch.Tensor, target: torch.Tensor, usable: torch.Tensor) -> torch.Tensor:
    """Mean negative log likelihood of Student's t in the plane."""
    move, spread = split(out)
    square = ((target - move) ** 2).sum(dim=-1)
    loss = 2 * spread + (FREEDOM + 2) / 2 * torch.log1p(square / (FREEDOM * torch.exp(2 * spread)))
    return (loss * usable).sum() / usable.sum()


def split(out: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Corrections and logarithm of the spread, both of the box."""
    landmarks = len(LAYOUT)
    move = out[..., : 2 * landmarks].reshape(*out.shape[:-1], landmarks, 2) * MOVE
    return move, out[..., 2 * landmarks :] + float(np.log(SPREAD))


def figures(net: Net, samples: list[Sample]) -> str:
    """Errors of the body's landmarks, per cent of stature: median / mean / 95 %; and over the spread."""
    net.eval()
    before, after, ratio, cost = [], [], [], []
    body = slice(LAYOUT.index("left_shoulder"), None)
    with torch.no_grad():
        for s in samples:
            out = net(torch.from_numpy(s.features)[None])
            target, usable = torch.from_numpy(s.target), torch.from_numpy(s.usable)
            cost.append(likelihood(out, target[None], usable[None]).item())
            move, spread = (a[0].numpy() for a in split(out))
            left = np.linalg.norm(s.target - move, axis=-1)
            count = s.usable[:, body]
            before.append((np.linalg.norm(s.target, axis=-1) * s.box)[:, body][count])
            after.append((left * s.box)[:, body][count])
            ratio.append((left / np.exp(spread))[:, body][count])
    net.train()
    said = [
        " / ".join(f"{100 * x:.2f}" for x in (np.median(e), e.mean(), np.percentile(e, 95)))
        for e in map(np.concatenate, (before, after))
    ]
    spread = np.median(np.concatenate(ratio))
    return f"{np.mean(cost):.4f}: {said[0]} -> {said[1]} % of stature, over spread {spread:.2f}"


if __name__ == "__main__":
    main()
