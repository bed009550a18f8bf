"""How well a lifter does on people whom it has not seen: every view of the held-out pairs by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from lift_errors import GUESS_SCALE
from lift_loss import LAYOUT, goals, parted
from lift_torch import Net, Seen, Truth, look
from torch import nn

from mocap.lift.points import CONTACT_MIRROR, HIPS, LANDMARKS, LIMBS, mirror

Tensor = torch.Tensor
SEEN_AS = [  # the landmark nearest to each point
    *(
        LAYOUT.index(f"{side}_{name}")
        for name in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle", "foot_index")
        for side in ("left", "right")
    ),
    *(LAYOUT.index(name) for name in LANDMARKS),
]


def views(arrays: dict[str, np.ndarray], device: str) -> list[tuple[Seen, Truth, float]]:
    """Every view of the held-out people: what was seen, the truth, the stature."""
    stop = np.cumsum(arrays["val_length"])
    out = []
    for k, (end, length) in enumerate(zip(stop, arrays["val_length"], strict=True)):
        part = slice(end - length, end)
        for v in range(4):
            turn, shift = arrays["val_rotation"][k, v], arrays["val_translation"][k, v]
            columns = (
                arrays["val_image"][v, part],
                arrays["val_confidence"][v, part] / 255,
                arrays["val_world"][v, part],
                turn[:, 1],
                np.array(1.0),
            )
            seen = Seen(*(torch.from_numpy(np.asarray(a, np.float32))[None].to(device) for a in columns))
            points = arrays["val_points"][part] @ turn.T + shift
            facts = (points, turn[:, 1], arrays["val_contact"][part], np.ones(length))
            truth = Truth(*(torch.from_numpy(np.asarray(a, np.float32))[None].to(device) for a in facts))
            out.append((seen, truth, float(arrays["val_stature"][k])))
    return out


def told(held_out: list[tuple[Seen, Truth, float]], net: Net | None) -> str:
    """Errors of the 12 limb joints of held-out people, mm: about the hips, in depth, after Procrustes."""
    said = []
    for given in (1.0, 0.0):
        found = [
            (figures(replace(seen, known=seen.known * given), truth, net), 1000 * stature)
            for seen, truth, stature in held_out
        ]
        millimetres = np.mean([[stature * x for x in row[:3]] for row, stature in found], axis=0)
        rest = np.mean([row[3:] for row, _ in found], axis=0)
        said.append("{:.1f} about hips, {:.1f} depth, {:.1f} PA".format(*millimetres))
        if net is None:
            return said[0]
        said[-1] += ", over spread {:.2f}, distance {:.3f}, up {:.1f} deg".format(*rest)
    return " | up hidden: ".join(said)


@torch.no_grad()
def figures(seen: Seen, truth: Truth, net: Net | None) -> list[float]:
    """Of one view, statures: mean errors about the hips, along the sight, after Procrustes; and the rest."""
    _, turn, extent = look(seen)
    goal = goals(truth, turn, extent)
    rest: list[float] = []
    if net is None:
        guess = seen.world[:, :, SEEN_AS] / GUESS_SCALE
        got = guess - guess[:, :, list(HIPS)].mean(2, keepdim=True)
    else:
        net.eval()
        said = both_ways(seen, net)
        got = said["points"]
        over = (got - goal.points)[..., 2].abs() / said["depth"].exp()
        far = (said["root"][..., 2] - goal.root[..., 2]).abs().mean()
        upward = (turn.mT @ said["up"][..., None])[..., 0].mean(1)
        angle = torch.rad2deg(torch.acos(nn.functional.cosine_similarity(upward, truth.up).clamp(-1, 1)))
        rest += [float(over[:, :, :LIMBS].median()), float(far), float(angle)]
    off = (got - goal.points)[0, :, :LIMBS]
    there = (seen.confidence > 0).any(-1)[0]
    aligned = procrustes(got[0, there, :LIMBS], goal.points[0, there, :LIMBS])
    return [
        float(off.norm(dim=-1)[there].mean()),
        float(off[..., 2].abs()[there].mean()),
        float(aligned),
        *rest,
    ]


def both_ways(seen: Seen, net: Net) -> dict[str, Tensor]:
    """What the network says of the image and of its mirror image, the mean of both."""
    flip = torch.tensor([-1.0, 1.0, 1.0], device=seen.image.device)
    side = torch.tensor(LAYOUT.mirror).to(seen.image.device)
    other = Seen(
        seen.image[:, :, side] * flip[:2],
        seen.confidence[:, :, side],
        seen.world[:, :, side] * flip,
        seen.up * flip,
        seen.known,
    )
    one, two = (parted(net(look(s)[0])) for s in (seen, other))
    point = torch.tensor(mirror()).to(seen.image.device)
    back = {
        "points": two["points"][:, :, point] * flip,
        "spread": two["spread"][:, :, point],
        "depth": two["depth"][:, :, point],
        "root": two["root"] * flip,
        "root_spread": two["root_spread"],
        "up": two["up"] * flip,
        "contact": two["contact"][..., CONTACT_MIRROR.tolist()],
    }
    return {name: (one[name] + back[name]) / 2 for name in one}


def procrustes(got: Tensor, true: Tensor) -> Tensor:
    """Mean distance after each frame's best turn, size and place (T, N, 3)."""
    x, y = got - got.mean(1, keepdim=True), true - true.mean(1, keepdim=True)
    u, d, vh = torch.linalg.svd(y.mT @ x)
    sign = torch.ones_like(d)
    sign[:, 2] = torch.sign(torch.linalg.det(u @ vh))
    turn = u @ torch.diag_embed(sign) @ vh
    scale = (d * sign).sum(-1) / x.square().sum((1, 2))
    return (scale[:, None, None] * x @ turn.mT - y).norm(dim=-1).mean()
