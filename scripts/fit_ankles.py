"""Train the network of `mocap.ankles` on pairs of a detector's output and truth; needs torch.

    python scripts/fit_ankles.py PAIRS_FOLDER mocap/refiners/blazepose33_ankles.npz [--epochs 50] [--seed 0]

For PAIRS_FOLDER see `pairs.py`. Every snippet is solved as for a take, keypoints refined, from all four views
and from a few of them, up to where ankles are foretold. The goal is the turn from the foot as solved to the
true one, in the solved foot's axes, the right foot in a mirror. The loss is the negative log likelihood of
Student's t (4 degrees of freedom) of each axis. Some stretches are lifted, as people stand on more than the
floor. What is kept is the moving average of the weights; training people only. Held-out figures are printed
as it goes: degrees between the solved and the true foot, before and after; at the end the file's SHA-256,
which belongs into `mocap/weights.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch
from fit_landmarks import Truth
from pairs import Pair, folder_argument, loader, read_pairs
from torch import nn

from calibration.camera import Cameras
from mocap.animate import animate
from mocap.ankles import (
    BACK,
    HEIGHT,
    HIGHEST,
    SIDES,
    SPREAD,
    STRANGE,
    TURN,
    features,
    in_time,
    missed_landmarks,
)
from mocap.refiner import load_refiner
from mocap.scene import Scene
from rigs import quat
from rigs.solving.body import load_body
from rigs.solving.kinematics import Pose

FEW = (None, (2, 3), (2, 3))  # how many views the solves of a snippet have; None = all
HIDDEN = 128
DROP_IN, DROP, JITTER = 0.05, 0.3, 0.05  # the last in deviations of what goes in
LENGTH, BATCH = 60, 32
PACE, DECAY, WEIGHT_DECAY = 2e-3, 0.99, 0.1
FREEDOM = 4.0  # degrees, of Student's t
LIFTED, MOST = 0.2, 0.6  # share of the stretches that are lifted, and by how much at most, of stature
HEIGHTS = 5  # the last columns of the features
BODY = load_body()


@dataclass(frozen=True, eq=False)
class Sequence:
    """One foot of a solved snippet: features (T, F), turns to the true foot (T, 3) rad."""

    seen: np.ndarray
    goal: np.ndarray


class Net(nn.Module):
    """The network of `mocap.ankles`, with drop-out."""

    def __init__(self, mean: np.ndarray, deviation: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("deviation", torch.from_numpy(deviation))
        sizes = ((len(mean), HIDDEN), (HIDDEN, HIDDEN), (HIDDEN, 6))
        self.layers = nn.ModuleList(nn.Linear(*size) for size in sizes)
        self.drop_in, self.drop = nn.Dropout(DROP_IN), nn.Dropout(DROP)
        nn.init.zeros_(self.layers[2].weight)
        nn.init.zeros_(self.layers[2].bias)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """Return (B, T, 6) for (B, T, F)."""
        known = ((seen - self.mean) / self.deviation).clamp(-STRANGE, STRANGE)
        known = self.drop_in(known + JITTER * torch.randn_like(known) if self.training else known)
        hidden = self.drop(nn.functional.gelu(self.layers[0](known)))
        hidden = self.drop(hidden + nn.functional.gelu(self.layers[1](hidden)))
        out: torch.Tensor = self.layers[2](hidden)
        return out

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights by the names that `mocap.ankles.load_network` knows, half precision."""
        found = {"mean": self.mean, "deviation": self.deviation}
        for k, layer in enumerate(self.layers):
            found |= {f"weight{k}": layer.weight.T, f"bias{k}": layer.bias}
        return {name: a.detach().numpy().astype(np.float16) for name, a in found.items()}


def main() -> None:
    """Train, tell, and write."""
    parser = folder_argument(__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.manual_seed(asked.seed)
    chance = np.random.default_rng(asked.seed)
    held_out = list(read(asked.pairs, "val", (None,), chance))
    data = list(read(asked.pairs, "train", FEW, chance))
    np.savez_compressed(asked.out, **train(data, held_out, chance, asked.epochs).arrays())
    print(hashlib.sha256(asked.out.read_bytes()).hexdigest())


def read(
    folder: Path, split: str, few: tuple[tuple[int, ...] | None, ...], chance: np.random.Generator
) -> Iterator[Sequence]:
    """Give both feet of every snippet, solved from each of so many views."""
    for pair in read_pairs(folder, split, load_refiner("blazepose")):
        truth = Truth(pair.snippet, BODY, loader(folder))
        for counts in few:
            yield from solved(some_views(pair, int(chance.choice(counts)), chance) if counts else pair, truth)


def some_views(pair: Pair, count: int, chance: np.random.Generator) -> Pair:
    """The pair as only `count` of its views saw it."""
    views = np.sort(chance.permutation(len(pair.cameras))[:count])
    cameras = Cameras(tuple(pair.cameras[int(v)] for v in views))
    return Pair(pair.snippet, pair.seen.select(views.tolist()), cameras)


def solved(pair: Pair, truth: Truth) -> list[Sequence]:
    """Solve a snippet until ankles are to be foretold; both feet."""
    met: list[Sequence] = []
    landmarks = pair.triangulated()
    if np.isnan(landmarks).all(axis=(0, 2)).any():
        return met  # of two views one may follow something else

    def look(scene: Scene, pose: Pose, sizes: np.ndarray, stature: float) -> Pose:
        assert scene.triangulated is not None
        posed = scene.chain.place(pose, sizes)
        seen = features(
            posed, stature, missed_landmarks(posed, stature, scene.attachment, scene.triangulated)
        )
        for k, (side, _) in enumerate(SIDES):
            foot = posed.rotations[:, BODY.index(f"{side}Foot")]
            turn = quat.from_matrix(foot.swapaxes(1, 2) @ truth.rotation(f"{side}Foot"))
            met.append(Sequence(seen[:, k], (quat.to_rotvec(turn) * BACK[k]).astype(np.float32)))
        return pose

    with (
        patch("mocap.animate._feet_turned", look),
        patch("mocap.animate._solve_planted", lambda _, pose, *__: pose),
    ):
        animate(pair.seen, pair.cameras, landmarks, pair.stature)
    return met


def train(data: list[Sequence], held_out: list[Sequence], chance: np.random.Generator, epochs: int) -> Net:
    """Train on random stretches; return the averaged network."""
    known = np.concatenate([in_time(s.seen, 1) for s in data])
    net = Net(known.mean(axis=0), known.std(axis=0) + 1e-3)
    mean = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(DECAY)
    )
    steps = sum(len(s.seen) for s in data) // (LENGTH * BATCH)
    descent = torch.optim.AdamW(net.parameters(), lr=PACE, weight_decay=WEIGHT_DECAY)
    pace = torch.optim.lr_scheduler.OneCycleLR(descent, PACE, total_steps=steps * epochs)
    for epoch in range(epochs):
        for _ in range(steps):
            seen, goal = batch(data, chance)
            loss = likelihood(net(seen), goal)
            descent.zero_grad()
            loss.backward()
            descent.step()
            pace.step()
            mean.update_parameters(net)
        if epoch % 10 == 9 or epoch == epochs - 1:
            print(
                f"epoch {epoch + 1}: {loss.item():.3f}; held out {figures(mean.module, held_out)}", flush=True
            )
    kept: Net = mean.module
    return kept


def batch(data: list[Sequence], chance: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Random stretches of LENGTH frames: features and goals."""
    seen, goal = [], []
    for pick in chance.integers(len(data), size=BATCH):
        sequence = data[pick]
        start = int(chance.integers(max(1, len(sequence.seen) - LENGTH + 1)))
        rows = np.minimum(np.arange(start, start + LENGTH), len(sequence.seen) - 1)
        seen.append(in_time(lifted(sequence.seen, chance), 1)[rows])
        goal.append(sequence.goal[rows])
    return torch.from_numpy(np.stack(seen)), torch.from_numpy(np.stack(goal))


def lifted(seen: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """The same, sometimes on something high."""
    if chance.random() > LIFTED:
        return seen
    out = seen.copy()
    out[:, -HEIGHTS:] = np.minimum(out[:, -HEIGHTS:] + HEIGHT * chance.uniform(0, MOST), HIGHEST)
    return out


def likelihood(out: torch.Tensor, goal: torch.Tensor) -> torch.Tensor:
    """Mean negative log likelihood of Student's t about each axis."""
    spread = out[..., 3:] + float(np.log(SPREAD))
    off = (goal - TURN * out[..., :3]) / torch.exp(spread)
    return (spread + (FREEDOM + 1) / 2 * torch.log1p(off**2 / FREEDOM)).sum(dim=-1).mean()


def figures(net: Net, sequences: list[Sequence]) -> str:
    """Likelihood, and degrees between feet and their true directions, as solved and as foretold."""
    along = BODY.offsets[BODY.index("LeftToeBase")]
    cost, before, after = [], [], []
    net.eval()
    with torch.no_grad():
        for s in sequences:
            out = net(torch.from_numpy(in_time(s.seen, 1))[None])
            cost.append(likelihood(out, torch.from_numpy(s.goal)[None]).item())
            true, told = (
                quat.rotate(quat.from_rotvec(v), along) for v in (s.goal, TURN * out[0, :, :3].numpy())
            )
            before.append(angle(true, np.broadcast_to(along, true.shape)))
            after.append(angle(true, told))
    net.train()
    return f"{np.mean(cost):.3f}: {np.mean(before):.2f} -> {np.mean(after):.2f} degrees"


def angle(a: np.ndarray, b: np.ndarray) -> float:
    """Mean angle between vectors (T, 3), degrees."""
    cosine = (a * b).sum(axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))).mean())


if __name__ == "__main__":
    main()
