"""Watches people kept back by four cameras each, and keeps what the network of joint centres says of them.

    python scripts/pixels/watch.py --people people.npz --poses poses.npz --weights joints.pt --out watched.npz

Each is stretched once and for all, and drawn in poses that have nothing to do with one another. What the
solve makes of it tells the network's habits (`scripts/centre_habits.py`).
"""

from __future__ import annotations

import math
from pathlib import Path

import click
import framing
import numpy as np
import torch
from framing import FINE, NEAREST, Views, cut_crops, place_cameras
from net import JointNet, read_weights
from posing import Posed
from rendering import Instances
from scenes import Scenes
from spoil import Spoil

from mocap.detect.centres import read_maps
from rigs.solving.slant import turned

Tensor = torch.Tensor

VIEWS, POSES = 4, 24
KEPT_BACK = 1  # the split


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.option("--people", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--poses", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--weights", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--rounds", default=2, show_default=True, help="How often each is watched, stretched anew.")
@click.option("--seed", default=1, show_default=True)
def main(people: Path, poses: Path, weights: Path, out: Path, rounds: int, seed: int) -> None:
    """Write true points, cameras, and what the network says."""
    framing.CUT = 0.0
    scenes = Scenes(people, poses, KEPT_BACK, torch.device("cpu"), seed)
    stretches = scenes.poses.stretches
    scenes.poses.stretches = lambda rest: stretches(rest[:1]).expand(len(rest), -1, -1, -1)
    net = JointNet(len(scenes.targets), None)
    net.load_state_dict(read_weights(weights))
    net.eval()
    rows = [
        watched(scenes, net, Spoil(scenes.chance), who)
        for _ in range(rounds)
        for who in scenes.people.who.tolist()
    ]
    names = ("person", "points", "turn", "eye", "said")
    np.savez_compressed(
        out, **{name: np.stack(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    )


@torch.no_grad()
def watched(scenes: Scenes, net: JointNet, spoil: Spoil, who: int) -> tuple[np.ndarray, ...]:
    """One person in N poses before V cameras.

    Returns:
        The person's number, points (N, 40, 3) m z up, the cameras' rotations (V, 3, 3) from the world and
        places (V, 3) m, and what the network says (V, N, 40, 5) as `mocap.detect.centres`, in x/z and y/z.
    """
    person = torch.full((POSES,), who)
    posed = standing(scenes.poses.draw(person))
    points = scenes.poses.points(posed)
    turn, eye = place_cameras(points[:1, 0].expand(VIEWS, 3), scenes.chance)
    said = np.stack(
        [seen_by(scenes, net, spoil, person, posed, points, t, e) for t, e in zip(turn, eye, strict=True)]
    )
    return np.array(who), points.numpy(), turn.numpy(), eye.numpy(), said


def standing(posed: Posed) -> Posed:
    """Put on the floor, in the middle of the room."""
    shift = -posed.places[:, 0] * torch.tensor([1.0, 1.0, 0.0])
    shift[:, 2] = -torch.minimum(posed.landmarks[..., 2].amin(1), posed.places[..., 2].amin(1))
    return posed.moved(shift)


def seen_by(
    scenes: Scenes,
    net: JointNet,
    spoil: Spoil,
    person: Tensor,
    posed: Posed,
    points: Tensor,
    turn: Tensor,
    eye: Tensor,
) -> np.ndarray:
    """What the network says (N, 40, 5) of poses that one camera sees."""
    count = len(points)
    turns, eyes = turn.expand(count, 3, 3), eye.expand(count, 3)
    move = -(turns @ eyes[..., None])
    seen = points @ turns.transpose(1, 2) + move[..., 0][:, None]
    image = seen[..., :2] / seen[..., 2:].clamp_min(NEAREST)
    crop, edge = cut_crops(image, scenes.targets, scenes.chance)
    rays = turns.transpose(1, 2) @ torch.linalg.inv(crop)
    views = Views(
        (crop @ torch.cat([turns, move], -1)).contiguous(),
        torch.cat([rays.reshape(count, 9), eyes], -1).contiguous(),
        edge,
    )
    rest = scenes.people.joints[person][..., None]
    bones = torch.cat(
        [posed.turns, (posed.places - (posed.turns @ rest)[..., 0])[..., None]], -1
    ).contiguous()
    drawn = scenes.renderer.draw(
        Instances(person, torch.arange(count), torch.zeros(count), bones), views, points
    )
    logits = net(spoil(drawn, views.edge).contiguous(memory_format=torch.channels_last)).float().numpy()
    return np.stack([back(maps, into) for maps, into in zip(logits, crop.numpy(), strict=True)])


def back(logits: np.ndarray, crop: np.ndarray) -> np.ndarray:
    """What maps (40, 64, 64) of a crop say, in the camera's image coordinates."""
    at, spread, slant = read_maps(logits)
    turn, finer = crop[:2, :2], FINE // 256
    zoom, lean = float(np.hypot(*turn[0])), math.atan2(turn[1, 0], turn[0, 0])
    where = (at * finer + (finer - 1) / 2 - crop[:2, 2]) @ np.linalg.inv(turn).T
    return np.column_stack([where, finer * spread / zoom, turned(slant, -lean)])


if __name__ == "__main__":
    main()
