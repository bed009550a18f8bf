"""A detector's errors, read off one truth and put onto another, and truths of other bodies.

Points are 14 joints (`mocap.lift.points.JOINTS`), then places of J landmarks, in statures and camera axes.
"""

from __future__ import annotations

import torch
from lift_torch import turned

Tensor = torch.Tensor

GUESS_SCALE = 1 / 0.59  # metres of the detector's guess per stature
UP_COUNTS = 1.0  # statures: what the direction of up counts for in that
HIPS = (14 + 23, 14 + 24)  # rows of the hips' landmarks
# joint of each landmark: row of the 14 joints, -1 the shoulders' middle
OWNER = [-1] * 11 + [0, 1, 2, 3] + [4, 5] * 4 + [6, 7, 8, 9] + [10, 11] * 3
# the bones that have a size: of joints, of landmarks about their joints
SIZES = ("hips", "trunk", "shoulders", "upper arm", "forearm", "thigh", "shin", "foot", "head", "hand")


def errors_of(points: Tensor, image: Tensor, world: Tensor) -> Tensor:
    """What a detector errs by (..., J, 5) of true points (..., 14 + J, 3) in camera axes."""
    turn, flat, extent, shape = ideal(points)
    ray = torch.cat([image, torch.ones_like(image[..., :1])], dim=-1) @ turn.mT
    seen = ray[..., :2] / ray[..., 2:].clamp(min=0.1)
    return torch.cat([(seen - flat) / extent, world - shape], dim=-1).clamp(-3, 3)


def compose(points: Tensor, errors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Image (..., J, 2), confidence and guess of true points with such errors."""
    turn, flat, extent, shape = ideal(points)
    seen = flat + extent * errors[..., :2]
    ray = torch.cat([seen, torch.ones_like(seen[..., :1])], dim=-1) @ turn
    return ray[..., :2] / ray[..., 2:].clamp(min=0.1), errors[..., 5], shape + errors[..., 2:5]


def ideal(points: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of true points: turn, flat image (..., J, 2), extent (..., 1, 1), and the guess that is right."""
    places = points[..., 14:, :]
    near = places[..., 2:].clamp(min=0.2)
    turn = turned((places[..., :2] / near).mean(dim=-2))
    inside = places @ turn.mT
    flat = inside[..., :2] / inside[..., 2:].clamp(min=0.2)
    extent = (
        (flat - flat.mean(dim=-2, keepdim=True)).square().sum(-1, keepdim=True).mean(-2, keepdim=True).sqrt()
    )
    hips = points[..., list(HIPS), :].mean(dim=-2, keepdim=True)
    return turn, flat, extent.clamp(min=1e-3), GUESS_SCALE * (places - hips) @ turn.mT


def described(points: Tensor, up: Tensor) -> Tensor:
    """What decides how a detector errs: the pose as it is seen, and from how high."""
    turn, *_ = ideal(points)
    joints = points[..., :12, :] - points[..., 6:8, :].mean(dim=-2, keepdim=True)
    return torch.cat(
        [(joints @ turn.mT).flatten(-2), UP_COUNTS * (turn @ up[:, None, :, None])[..., 0]], dim=-1
    )


def resized(points: Tensor, sizes: Tensor) -> Tensor:
    """Points (B, L, 14 + J, 3) of a body with bones of other sizes (B, 10), in its own statures."""
    hip, trunk, shoulder, arm, fore, thigh, shin, foot, head, hand = sizes[:, None, None].unbind(-1)
    scale = {k: v[..., None] for k, v in dict(hip=hip, trunk=trunk, shoulder=shoulder).items()}
    old, places = points[:, :, :14], points[:, :, 14:]
    hips, chest = old[:, :, 6:8].mean(2, keepdim=True), old[:, :, :2].mean(2, keepdim=True)
    chest_now = hips + scale["trunk"] * (chest - hips)
    new = torch.empty_like(old)
    new[:, :, 6:8] = hips + scale["hip"] * (old[:, :, 6:8] - hips)
    new[:, :, :2] = chest_now + scale["shoulder"] * (old[:, :, :2] - chest)
    for k, size in ((2, arm), (4, fore), (8, thigh), (10, shin), (12, foot)):
        up = k - 2
        new[:, :, k : k + 2] = new[:, :, up : up + 2] + size[..., None] * (
            old[:, :, k : k + 2] - old[:, :, up : up + 2]
        )
    owner = torch.tensor(OWNER, device=points.device)
    before = torch.cat([old, chest], dim=2)[:, :, owner]
    after = torch.cat([new, chest_now], dim=2)[:, :, owner]
    own = torch.ones(len(points), len(OWNER), device=points.device)
    own[:, :11] = head[:, 0]
    own[:, 15:23] = hand[:, 0]
    own[:, 27:] = foot[:, 0]
    placed = after + own[:, None, :, None] * (places - before)
    grown = 0.25 * (thigh + shin) + 0.33 * trunk + 0.17 * head
    return torch.cat([new, placed], dim=2) / grown[..., None]


def mixed(values: Tensor, at: tuple[Tensor, ...], part: Tensor) -> Tensor:
    """Values between two rows."""
    mix = part[..., None, None]
    return values[at[0]] * (1 - mix) + values[at[1]] * mix


def rotated(turn: Tensor, vectors: Tensor) -> Tensor:
    """Vectors (B, ..., 3) turned by (B, 3, 3)."""
    return vectors @ turn.mT
