"""Watches people kept back by four cameras each, and keeps what the networks of joint centres say of them.

    python scripts/pixels/watch.py --people people.npz --poses poses.npz --out watched.npz

Each is stretched once and for all, and drawn in poses that have nothing to do with one another, looked at as
about a detector's landmarks and then in closer squares, as a capture of several views does. What the solve
makes of it tells the networks' habits (`scripts/centre_habits.py`).
"""

from __future__ import annotations

import math
from pathlib import Path

import click
import framing
import numpy as np
import torch
from expecting import Expecting
from framing import FINE, KINDS, SIZE, crop_views, place_cameras
from rendering import Instances
from scenes import Scenes
from spoil import Spoil

from mocap.detect.centres import CLOSER_NETWORKS, CentreNetworks
from mocap.detect.closer import SHOWN, averaged
from rigs.solving.slant import turned

Tensor = torch.Tensor

VIEWS, POSES = 4, 24
KEPT_BACK = 1  # the split


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.option("--people", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--poses", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--rounds", default=2, show_default=True, help="How often each is watched, stretched anew.")
@click.option("--seed", default=1, show_default=True)
def main(people: Path, poses: Path, out: Path, rounds: int, seed: int) -> None:
    """Write true points, cameras, and what the network says."""
    framing.CUT = 0.0
    scenes = Scenes(people, poses, KEPT_BACK, torch.device("cpu"), seed)
    stretches = scenes.poses.stretches
    scenes.poses.stretches = lambda rest: stretches(rest[:1]).expand(len(rest), -1, -1, -1)
    networks = CentreNetworks(), CentreNetworks(CLOSER_NETWORKS)
    rows = [
        watched(scenes, networks, Spoil(scenes.chance), who)
        for _ in range(rounds)
        for who in scenes.people.who.tolist()
    ]
    names = ("person", "points", "turn", "eye", "said")
    np.savez_compressed(
        out, **{name: np.stack(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
    )


@torch.no_grad()
def watched(
    scenes: Scenes, networks: tuple[CentreNetworks, CentreNetworks], spoil: Spoil, who: int
) -> tuple[np.ndarray, ...]:
    """One person in N poses before V cameras.

    Args:
        scenes: who draws people.
        networks: of the first look, and of closer ones.
        spoil: what is done to pictures.
        who: the person's number.

    Returns:
        The person's number, points (N, 40, 3) m z up, the cameras' rotations (V, 3, 3) from the world and
        places (V, 3) m, and what all looks say (V, N, 40, 5) as `mocap.detect.centres`, in x/z and y/z.
    """
    person = torch.full((POSES,), who)
    posed = scenes.poses.draw(person)
    rest = scenes.people.joints[person]
    posed = posed.moved(posed.to_the_middle(scenes.people.soles(person, posed.bones(rest))))
    points = scenes.poses.points(posed)
    turn, eye = place_cameras(points[:1, 0].expand(VIEWS, 3), scenes.chance)
    instances = Instances(person, torch.arange(POSES), torch.zeros(POSES), posed.bones(rest))

    expecting = Expecting(scenes.targets, scenes.chance)
    counts = np.concatenate([np.ones((1, SHOWN.shape[1])), SHOWN])[:, None]  # (kinds, 1, 40)

    def look(turn: Tensor, eye: Tensor, kind: int) -> np.ndarray:
        turns, eyes, kinds = turn.expand(POSES, 3, 3), eye.expand(POSES, 3), torch.full((POSES,), kind)
        views = crop_views(points, scenes.targets, turns, eyes, scenes.chance, kinds)
        drawn = spoil(scenes.renderer.draw(instances, views, points), views.edge)
        expected = expecting.draw(views.crop_pixels(points)[0]).numpy() if kind else [None] * POSES
        read = map(networks[min(kind, 1)].read, drawn.numpy(), views.edge[:, None].double().numpy(), expected)
        return np.stack([back(seen, crop) for seen, crop in zip(read, views.crop.numpy(), strict=True)])

    def said(turn: Tensor, eye: Tensor) -> np.ndarray:
        return averaged(np.stack([look(turn, eye, kind) for kind in range(len(KINDS))]), counts)

    heard = np.stack([said(t, e) for t, e in zip(turn, eye, strict=True)])
    return np.array(who), points.numpy(), turn.numpy(), eye.numpy(), heard


def back(read: tuple[np.ndarray, np.ndarray, np.ndarray], crop: np.ndarray) -> np.ndarray:
    """What was read in a crop, in the camera's image coordinates."""
    at, spread, slant = read
    turn, finer = crop[:2, :2], FINE // SIZE
    zoom, lean = float(np.hypot(*turn[0])), math.atan2(turn[1, 0], turn[0, 0])
    where = (at * finer + (finer - 1) / 2 - crop[:2, 2]) @ np.linalg.inv(turn).T
    return np.column_stack([where, finer * spread / zoom, turned(slant, -lean)])


if __name__ == "__main__":
    main()
