"""What the lifter should say, and what it costs that it says otherwise.

The negative log likelihood of Student's t (4 degrees of freedom) of what is left, across and along the line
of sight by themselves, with the spreads that the network says; plain distances, and how they change over
time; where the hips are, which way is up, and which soles stand.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from lift_torch import Truth
from torch import nn

from mocap.keypoints import load_layout
from mocap.lift.outputs import DEPTH, ROOT, ROOT_DEPTH, SPREAD, UNIT, WIDTH
from mocap.lift.points import HIPS, JOINTS, LANDMARKS, LIMBS

Tensor = torch.Tensor
LAYOUT = load_layout("blazepose33")
FREEDOM = 4.0  # degrees, of Student's t
OTHERS = 0.6  # what a point that is no limb's joint counts for
FAR, STEP = 0.05, 0.02  # statures: units of distances, and of how they change from frame to frame
WEIGHTS = {"far": 0.5, "step": 0.3, "root": 0.3, "up": 0.3, "contact": 0.2}
POINTS = [*range(len(JOINTS)), *(len(JOINTS) + LAYOUT.index(name) for name in LANDMARKS)]


@dataclass(frozen=True)
class Goals:
    """In the turned camera: points about the hips (B, L, N, 3), hips, up (B, L, 3); contacts (B, L, 4)."""

    points: Tensor
    root: Tensor
    up: Tensor
    contact: Tensor


def goals(truth: Truth, turn: Tensor, extent: Tensor) -> Goals:
    """What the network should say."""
    points = truth.points[:, :, POINTS] @ turn.mT
    hips = points[:, :, list(HIPS)].mean(dim=2)
    near = hips[..., 2:].clamp(min=0.2)
    root = torch.cat([hips[..., :2] / near / extent[..., None], (near * extent[..., None]).log()], dim=-1)
    up = (turn @ truth.up[:, None, :, None])[..., 0]
    return Goals(points - hips[:, :, None], root, up, truth.contact)


def parted(out: Tensor) -> dict[str, Tensor]:
    """What the network says, by name; the spreads as logarithms."""
    shape, spread, depth, root, root_spread, up, contact = out.split(list(WIDTH.values()), dim=-1)
    return {
        "points": shape.unflatten(-1, (-1, 3)) * UNIT,
        "spread": spread + float(np.log(SPREAD)),
        "depth": depth + float(np.log(DEPTH)),
        "root": root,
        "root_spread": root_spread + torch.tensor(np.log([ROOT, ROOT_DEPTH]), device=out.device).float(),
        "up": up,
        "contact": contact,
    }


def cost(out: Tensor, goal: Goals, counts: Tensor) -> Tensor:
    """Loss of a batch."""
    said = parted(out)
    off = said["points"] - goal.points
    weight = torch.full((off.shape[2],), OTHERS, device=out.device)
    weight[:LIMBS] = 1.0
    counts = counts / counts.sum()
    each = (likelihood(off[..., :2], said["spread"]) + likelihood(off[..., 2:], said["depth"])) * weight
    far = (off.square().sum(-1) + 1e-6).sqrt() * weight / FAR
    step = ((off[:, 1:] - off[:, :-1]).square().sum(-1) + 1e-6).sqrt() * weight / STEP
    root = said["root"] - goal.root
    placed = likelihood(root[..., :2], said["root_spread"][..., 0])
    placed = placed + likelihood(root[..., 2:], said["root_spread"][..., 1])
    up = (said["up"] - goal.up).square().sum(-1) / 0.1
    known = torch.isfinite(goal.contact)
    stands = nn.functional.binary_cross_entropy_with_logits(
        said["contact"], torch.nan_to_num(goal.contact), reduction="none"
    )
    total = (each.mean(-1) * counts).sum() + WEIGHTS["far"] * (far.mean(-1) * counts).sum()
    total = total + WEIGHTS["step"] * (step.mean(-1) * torch.minimum(counts[:, 1:], counts[:, :-1])).sum()
    total = total + WEIGHTS["root"] * (placed * counts).sum() + WEIGHTS["up"] * (up * counts).sum()
    return total + WEIGHTS["contact"] * ((stands * known).mean(-1) * counts).sum()


def likelihood(off: Tensor, spread: Tensor) -> Tensor:
    """Negative log likelihood of Student's t of vectors (..., D)."""
    axes = off.shape[-1]
    square = off.square().sum(-1)
    return axes * spread + (FREEDOM + axes) / 2 * torch.log1p(square / FREEDOM * torch.exp(-2 * spread))
