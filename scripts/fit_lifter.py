"""Train the networks of `mocap.lift` on what `lift_lessons.py` gathered; needs torch, a GPU helps.

    python scripts/fit_lifter.py LESSONS.npz OUT.npz [--seeds 0 1 2] [--steps 3200]

The networks of all seeds go into one file and are asked together. For the loss see `lift_loss.py`, for what
is drawn `lift_guises.py`. What is kept is the moving average of the weights. Training people only; figures of
held-out people are printed as it goes. With --resume a training that was cut off goes on from its last state
(OUT.npz.SEED.state). Prints the file's SHA-256, which belongs into `mocap/weights.py`.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from lift_guises import Lessons, Recipe
from lift_judge import told, views
from lift_loss import LAYOUT, cost, goals
from lift_torch import Net, Seen, Truth, look
from torch import nn

from mocap.lift.network import DILATIONS
from mocap.lift.outputs import COUNT

Tensor = torch.Tensor
PACE, DECAY, WEIGHT_DECAY, WARM = 1.6e-3, 0.999, 0.05, 0.05
SAMPLED = 16  # batches from which the scale of features is taken


@dataclass(frozen=True)
class Size:
    """Of the network and of what it is given."""

    hidden: int = 256
    middle: int = 192
    drop: float = 0.02
    reach: int = len(DILATIONS)  # how many of the dilations it has
    batch: int = 128
    pace: float = PACE


def main() -> None:
    """Train, tell, and write."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("lessons", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--steps", type=int, default=3200)
    parser.add_argument(
        "--minutes", type=float, default=1e6, help="end after this, whatever is left of the steps"
    )
    parser.add_argument("--every", type=float, default=60, help="seconds from one report to the next")
    parser.add_argument("--resume", action="store_true")
    for one in (*fields(Size), *fields(Recipe)):
        kind = {"int": int, "float": float, "bool": lambda text: text == "True"}[str(one.type)]
        parser.add_argument(f"--{one.name}", type=kind, default=one.default)
    asked = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with np.load(asked.lessons) as z:
        arrays = {key: z[key] for key in z.files} | {"mirror": LAYOUT.mirror}
    size = Size(**{one.name: getattr(asked, one.name) for one in fields(Size)})
    recipe = Recipe(**{one.name: getattr(asked, one.name) for one in fields(Recipe)})
    held_out = views(arrays, device)
    print(f"the detector's own guess: {told(held_out, None)}", flush=True)
    taught = []
    for seed in asked.seeds:
        torch.manual_seed(seed)
        lessons = Lessons(arrays, recipe, device, seed)
        state = asked.out.with_name(f"{asked.out.name}.{seed}.state")
        plan = Plan(asked.steps, 60 * asked.minutes, asked.every, state, asked.resume)
        net = train(lessons, size, plan, held_out)
        taught.append(net.arrays())
        save(asked.out, taught)
    print(hashlib.sha256(asked.out.read_bytes()).hexdigest())


def save(out: Path, taught: list[dict[str, np.ndarray]]) -> None:
    """Write the networks, side by side."""
    np.savez_compressed(out, **{name: np.stack([arrays[name] for arrays in taught]) for name in taught[0]})


@dataclass(frozen=True)
class Plan:
    """Steps, or seconds if these are over first; seconds between reports; where the state is kept."""

    steps: int
    seconds: float
    every: float
    state: Path
    resume: bool


def train(lessons: Lessons, size: Size, plan: Plan, held_out: list[tuple[Seen, Truth, float]]) -> Net:
    """Train on random batches; return the averaged network."""
    device = lessons.device
    sample = torch.cat([look(lessons.batch(size.batch)[0])[0].flatten(0, 1) for _ in range(SAMPLED)])
    net = Net(
        sample.mean(0),
        sample.std(0) + 0.05,
        COUNT,
        size.hidden,
        size.middle,
        size.drop,
        DILATIONS[: size.reach],
    ).to(device)
    mean = copy.deepcopy(net)
    descent = torch.optim.AdamW(net.parameters(), lr=size.pace, weight_decay=WEIGHT_DECAY)
    parts = {"net": net, "mean": mean, "descent": descent}
    done, before = 0, 0.0
    if plan.resume and plan.state.is_file():
        known = torch.load(plan.state, map_location=device, weights_only=True)
        for name, part in parts.items():
            part.load_state_dict(known[name])
        lessons.chance.generator.set_state(known["chance"].cpu())
        done, before = known["done"], known["seconds"]
    began = told_at = time.perf_counter()
    losses: list[Tensor] = []
    while True:
        now = time.perf_counter()
        seconds = before + now - began
        share = max(done / plan.steps, seconds / plan.seconds)
        if losses and (share >= 1 or now - told_at > plan.every):
            told_at, loss = now, float(torch.stack(losses).mean())
            known = {name: part.state_dict() for name, part in parts.items()}
            known |= {"chance": lessons.chance.generator.get_state(), "done": done, "seconds": seconds}
            torch.save(known, plan.state)
            print(f"{done} ({seconds:.0f} s): {loss:.4f}; {told(held_out, mean)}", flush=True)
            losses = []
        if share >= 1:
            return mean.eval()
        for group in descent.param_groups:
            group["lr"] = (
                size.pace * min(1.0, share / WARM) * (0.5 + 0.5 * float(np.cos(np.pi * min(share, 1.0))))
            )
        losses.append(learn(net, descent, lessons, size.batch))
        done += 1
        keep = min(DECAY, (1 + done) / (10 + done))
        with torch.no_grad():
            for kept, new in zip(mean.parameters(), net.parameters(), strict=True):
                kept.lerp_(new, 1 - keep)


def learn(net: Net, descent: torch.optim.Optimizer, lessons: Lessons, count: int) -> Tensor:
    """Take one step; return the loss."""
    seen, truth = lessons.batch(count)
    features, turn, extent = look(seen)
    through = lessons.wrong_lens(seen)
    with torch.autocast("cuda", torch.bfloat16, enabled=lessons.device == "cuda"):
        out = net(torch.where(seen.known[:, None, None] > 0, features, look(through)[0]))
    loss = cost(out, goals(truth, turn, extent), truth.counts * (seen.confidence > 0).any(-1))
    descent.zero_grad(set_to_none=True)
    loss.backward()
    size = nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    for parameter in net.parameters():
        if parameter.grad is not None:  # a batch of which nothing can be learned is passed over
            parameter.grad.masked_fill_(~torch.isfinite(size), 0.0)
    descent.step()
    return loss.detach()


if __name__ == "__main__":
    main()
