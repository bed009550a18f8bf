"""The lifter in torch: what `mocap.lift.sight` shows and `mocap.lift.network` computes, with gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mocap.lift.network import DILATIONS
from mocap.lift.sight import AXIS, EXTENT, FAINT, FARTHEST, GUESS, LEAST, NEAREST

Tensor = torch.Tensor


@dataclass(frozen=True)
class Seen:
    """Image (B, L, J, 2), confidence (B, L, J), guess (B, L, J, 3); up (B, 3), known (B,) or not."""

    image: Tensor
    confidence: Tensor
    world: Tensor
    up: Tensor
    known: Tensor


@dataclass(frozen=True)
class Truth:
    """Points (B, L, 14 + J, 3), up (B, 3) in camera axes; contacts (B, L, 4), NaN unknown; counts (B, L)."""

    points: Tensor
    up: Tensor
    contact: Tensor
    counts: Tensor


def look(seen: Seen) -> tuple[Tensor, Tensor, Tensor]:
    """Features (B, L, F), turn (B, L, 3, 3) and extent (B, L), as `mocap.lift.sight.look`."""
    here = seen.confidence > 0
    weight = seen.confidence.clamp(min=FAINT) * here
    share = (weight / weight.sum(-1, keepdim=True).clamp(min=FAINT))[..., None]
    middle = (seen.image * share).sum(-2)
    turn = turned(middle)
    ray = torch.cat([seen.image, torch.ones_like(seen.image[..., :1])], dim=-1)
    ray = ray / ray.norm(dim=-1, keepdim=True)
    inside = ray @ turn.mT
    flat = inside[..., :2] / inside[..., 2:].clamp(min=NEAREST)
    extent = (flat.square().sum(-1, keepdim=True) * share).sum((-1, -2)).sqrt().clamp(min=LEAST)
    placed = (flat / extent[..., None, None]).clamp(-FARTHEST, FARTHEST)
    upward = (turn @ seen.up[:, None, :, None])[..., 0] * seen.known[:, None, None]
    columns = [
        (placed * here[..., None]).flatten(-2),
        seen.confidence,
        GUESS * (seen.world * here[..., None]).flatten(-2),
        ((extent.log() - EXTENT[0]) / EXTENT[1])[..., None],
        AXIS * middle,
        upward,
        seen.known[:, None, None].expand(*extent.shape, 1),
    ]
    return torch.cat(columns, dim=-1) * here.any(-1, keepdim=True), turn, extent


def turned(middle: Tensor) -> Tensor:
    """As `mocap.lift.sight.turned`, (..., 2) in, (..., 3, 3) out."""
    ahead = torch.cat([middle, torch.ones_like(middle[..., :1])], dim=-1)
    ahead = ahead / ahead.norm(dim=-1, keepdim=True)
    right = torch.stack([ahead[..., 2], torch.zeros_like(ahead[..., 2]), -ahead[..., 0]], dim=-1)
    right = right / right.norm(dim=-1, keepdim=True)
    return torch.stack([right, torch.linalg.cross(ahead, right), ahead], dim=-2)


class Net(nn.Module):
    """The network of `mocap.lift.network`, with drop-out and with features brought to one scale."""

    def __init__(
        self,
        mean: Tensor,
        deviation: Tensor,
        outputs: int,
        hidden: int,
        middle: int,
        drop: float,
        dilations: tuple[int, ...] = DILATIONS,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.dilations = dilations
        self.first = nn.Linear(len(mean), hidden)
        self.wide = nn.ModuleList(nn.Linear(3 * hidden, middle) for _ in dilations)
        self.back = nn.ModuleList(nn.Linear(middle, hidden) for _ in dilations)
        self.last = nn.Linear(hidden, outputs)
        self.straight = nn.Linear(len(mean), outputs, bias=False)
        self.drop = nn.Dropout(drop)
        for layer in (self.last.weight, self.last.bias, self.straight.weight):
            nn.init.zeros_(layer)

    def forward(self, features: Tensor) -> Tensor:
        """Return (B, L, O) for (B, L, F)."""
        known = (features - self.mean) / self.deviation
        hidden = nn.functional.gelu(self.first(known))
        frames = torch.arange(features.shape[1], device=features.device)
        for dilation, wide, back in zip(self.dilations, self.wide, self.back, strict=True):
            rows = [(frames + d).clamp(0, len(frames) - 1) for d in (-dilation, 0, dilation)]
            around = torch.cat([hidden[:, r] for r in rows], dim=-1)
            hidden = hidden + self.drop(back(nn.functional.gelu(wide(around))))
        out: Tensor = self.last(self.drop(hidden)) + self.straight(known)
        return out.float()

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights by the names that `mocap.lift.network.network_of` knows, half precision."""
        scale = 1 / self.deviation[:, None]
        first, straight = self.first.weight.T * scale, self.straight.weight.T * scale
        found = {
            "first": first,
            "first_bias": self.first.bias - self.mean @ first,
            "last": self.last.weight.T,
            "last_bias": self.last.bias - self.mean @ straight,
            "straight": straight,
        }
        for k, (wide, back) in enumerate(zip(self.wide, self.back, strict=True)):
            found |= {f"wide{k}": wide.weight.T, f"wide_bias{k}": wide.bias}
            found |= {f"back{k}": back.weight.T, f"back_bias{k}": back.bias}
        return {name: a.detach().cpu().numpy().astype(np.float16) for name, a in found.items()}
