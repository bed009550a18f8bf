"""Films people kept back in recorded motion by four cameras, with the truth beside: clips to try captures on.

    python scripts/pixels/film.py FOLDER 8:5:-0.6,0,90 2:14:0.6,0.1,-90 --people people.npz \
        --poses poses.npz --pairs PAIRS_FOLDER --seed 16

Any number of ACTORs, PERSON:SNIPPET:X,Y,DEGREES each: who of the people kept back, which held-out snippet of
the pairs moves him, and where that is put and how it is turned. FOLDER gets cam1.mp4 to cam4.mp4,
calibration.toml, cams.yaml, and truth.npz: of person k pk_positions (T, 52, 3) m z up, pk_landmarks
(T, 20, 3), pk_contact (T, 4) of left heel, left ball and the right ones, pk_rest_positions, and the names of
all. Feet slide a little, as motion is put onto other legs than its own: what stands is told by the contacts.
"""

from __future__ import annotations

import math
import multiprocessing
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import cv2
import numpy as np
import rendering
import torch
from backdrops import bank
from cast import People, read_people
from chance import Chance
from framing import Views
from posing import Poses, matrices
from rendering import Instances, Renderer
from scipy.ndimage import gaussian_filter1d

Tensor = torch.Tensor

WIDE, HIGH, RATE = 720, 540, 30
KEPT_BACK = 1  # the split
CURL = 0.35, 0.3, 3.5  # rad of fingers: middle and swing; seconds of it
STANDS = 0.1, 0.03  # m/s, and metres above its height at rest, below which a heel or ball stands
GREY = 105.0  # mean of a view's first picture, if gain within `GAINS` gets it there
GAINS = 1.0, 2.5


class Calm(Chance):
    """Numbers that are all at their mean, so that fingers do not tremble from frame to frame."""

    def normal(self, *shape: int, sd: float = 1.0) -> Tensor:
        """Zeros."""
        return torch.zeros(*shape)


@dataclass(frozen=True)
class Actor:
    """Somebody who moves.

    Attributes:
        person: number in the file of people.
        bones: (T, 52, 3, 4) from rest to the world.
        places: (T, 52, 3) m.
        landmarks: (T, 20, 3) m.
        rest: (52, 3) m, joints at rest; soles on the floor.
        heels: (2,) m, heights of the left and right heel then.
    """

    person: int
    bones: Tensor
    places: Tensor
    landmarks: Tensor
    rest: Tensor
    heels: Tensor


@dataclass(frozen=True)
class Eye:
    """A camera: lens (3, 3), rotation from the world (3, 3), place (3,) m."""

    lens: np.ndarray
    turn: np.ndarray
    place: np.ndarray

    @property
    def move(self) -> np.ndarray:
        """(3,) m, translation from the world."""
        return -self.turn @ self.place


@click.command(help=__doc__.split("\n", maxsplit=1)[0])
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("actors", nargs=-1, required=True)
@click.option("--people", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--poses", type=click.Path(exists=True, path_type=Path), required=True)
@click.option("--pairs", type=click.Path(exists=True, path_type=Path), required=True, help="has load.py")
@click.option("--seed", default=1, show_default=True)
@click.option("--processes", default=2, show_default=True)
def main(
    folder: Path, actors: tuple[str, ...], people: Path, poses: Path, pairs: Path, seed: int, processes: int
) -> None:
    """Write the clip."""
    torch.set_num_threads(1)
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    cast = read_people(people, KEPT_BACK, torch.device("cpu"))
    troupe = _troupe(actors, cast, poses, pairs, seed, rng)
    eyes = eyes_about(torch.cat([a.places.reshape(-1, 3) for a in troupe]).numpy(), rng)
    write_truth(folder, troupe, eyes, cast)
    with multiprocessing.get_context("fork").Pool(processes) as pool:
        jobs = [(folder / f"cam{k + 1}.mp4", eye, troupe, cast, seed, k) for k, eye in enumerate(eyes)]
        pool.starmap(film, jobs, chunksize=1)


def _troupe(
    actors: tuple[str, ...], cast: People, poses: Path, pairs: Path, seed: int, rng: np.random.Generator
) -> list[Actor]:
    sys.path.insert(0, str(pairs))
    from load import JOINTS, load

    snippets = load(pairs / "blazepose_pairs.npz", split="val")
    posing = Poses(poses, KEPT_BACK, cast, Chance(torch.device("cpu"), seed))
    troupe = []
    for words in actors:
        who, snippet, where = words.split(":")
        person = int(cast.who[int(who) % len(cast.who)])
        x, y, degrees = map(float, where.split(","))
        troupe.append(act(cast, posing, person, snippets[int(snippet)], list(JOINTS), (x, y, degrees), rng))
    frames = min(len(actor.places) for actor in troupe)
    return [
        Actor(a.person, a.bones[:frames], a.places[:frames], a.landmarks[:frames], a.rest, a.heels)
        for a in troupe
    ]


def act(
    cast: People, posing: Poses, person: int, snippet: dict[str, Any], joints: list[str],
    where: tuple[float, float, float], rng: np.random.Generator,
) -> Actor:  # fmt: skip
    """Put recorded motion onto a person who is stretched by chance.

    Args:
        cast: who may act.
        posing: stretches people, and bends their fingers.
        person: the number.
        snippet: `joints` (T, 22, 3) m and `rot` (T, 22, 3, 3) in the world, and `contact` (T, 4).
        joints: names of the 22.
        where: x, y in metres and degrees about z, of the middle of the path.
        rng: draws how fingers curl.
    """
    own = torch.tensor(snippet["joints"], dtype=torch.float32)
    who = torch.full((len(own),), person)
    rest = cast.joints[who]
    stretch = posing.stretches(rest[:1]).expand(len(own), -1, -1, -1)
    heading = matrices(torch.tensor([0.0, 0.0, math.radians(where[2])]))
    turns = heading @ torch.tensor(snippet["rot"], dtype=torch.float32)
    lively, posing.chance = posing.chance, Calm(posing.chance.device, 0)
    posed = posing.pose(who, turns, stretch, _curl(len(own), rng))
    still = {side: torch.zeros(1) for side in "lr"}
    upright = posing.pose(who[:1], torch.eye(3).expand(1, len(joints), 3, 3), stretch[:1], still)
    posing.chance = lively
    path = own[:, 0].clone()
    path[:, :2] -= (path[:, :2].amin(0) + path[:, :2].amax(0)) / 2
    path = (heading @ path[..., None])[..., 0] * _leg(posed.places, list(cast.names)) / _leg(own, joints)
    posed = posed.moved(path + torch.tensor([where[0], where[1], 0.0]) - rest[:, 0])
    lift = torch.zeros(len(own), 3)
    lift[:, 2] = _lift(cast.soles(who, posed.bones(rest)), snippet["contact"].any(axis=1))
    posed = posed.moved(lift)
    low = cast.soles(who[:1], upright.bones(rest[:1]))[..., 2].min()
    upright = upright.moved(torch.stack([torch.zeros(()), torch.zeros(()), -low])[None])
    heels = [cast.landmark_names.index(f"heel_{side}") for side in "lr"]
    return Actor(
        person,
        posed.bones(rest),
        posed.places,
        posed.landmarks,
        upright.places[0],
        upright.landmarks[0, heels, 2],
    )


def _curl(frames: int, rng: np.random.Generator) -> dict[str, Tensor]:
    """How fingers of both hands curl, (T,) rad."""
    middle, swing, seconds = CURL
    turn = 2 * math.pi * torch.arange(frames) / RATE / seconds
    return {side: middle + swing * torch.sin(turn + rng.uniform(0, 6)) for side in "lr"}


def _leg(places: Tensor, names: list[str]) -> Tensor:
    """Length of a leg, as places (T, J, 3) have it."""
    hip, knee, ankle = (places[:, names.index(name)] for name in ("thigh_l", "calf_l", "foot_l"))
    return (hip - knee).norm(dim=-1).mean() + (knee - ankle).norm(dim=-1).mean()


def _lift(soles: Tensor, stands: np.ndarray) -> Tensor:
    """(T,) metres that put soles (T, N, 3) on the floor where somebody stands; else what lies between."""
    low = soles[..., 2].amin(1).numpy()
    known = np.flatnonzero(stands) if stands.any() else np.arange(len(low))
    lift = gaussian_filter1d(-np.interp(np.arange(len(low)), known, low[known]), 2.0, mode="nearest")
    return torch.tensor(lift, dtype=torch.float32)


def eyes_about(places: np.ndarray, rng: np.random.Generator) -> list[Eye]:
    """Four cameras around all places (N, 3) m where somebody is."""
    middle = (places.min(0) + places.max(0)) / 2
    reach = np.linalg.norm((places - middle)[:, :2], axis=1).max()
    first, eyes = rng.uniform(0, 360), []
    for k in range(4):
        around = math.radians(first + 90 * k + rng.uniform(-18, 18))
        focal = rng.uniform(500, 640)
        far = max(2.6, 3.25 * focal / 600) + reach * rng.uniform(0.5, 0.9)
        place = middle + np.array([far * math.cos(around), far * math.sin(around), 0.0])
        place[2] = rng.uniform(0.9, 2.4)
        aim = middle + np.array([*rng.normal(0, 0.15, 2), 0.0])
        aim[2] = rng.uniform(0.8, 1.0)
        ahead = (aim - place) / np.linalg.norm(aim - place)
        right = np.cross(ahead, [0, 0, 1])
        right /= np.linalg.norm(right)
        roll = cv2.Rodrigues(np.array([0, 0, math.radians(rng.normal(0, 1))]))[0]
        x, y = WIDE / 2 - 0.5 + rng.uniform(-6, 6), HIGH / 2 - 0.5 + rng.uniform(-6, 6)
        lens = np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]])
        eyes.append(Eye(lens, roll @ np.stack([right, np.cross(ahead, right), ahead]), place))
    return eyes


def film(path: Path, eye: Eye, troupe: list[Actor], cast: People, seed: int, number: int) -> None:
    """Write what a camera sees."""
    rendering.FINE = 2 * WIDE  # what is drawn is a square; of its rows the middle ones are kept
    textures = torch.as_tensor(bank(np.random.default_rng(seed)))
    renderer = Renderer(cast, textures, Chance(torch.device("cpu"), seed))
    rng = np.random.default_rng(10 * seed + number)
    tint = np.exp(rng.normal(0, 0.06, 3))
    views, gain = _views(eye), None
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), RATE, (WIDE, HIGH))
    for frame in range(len(troupe[0].places)):
        renderer.chance = Chance(torch.device("cpu"), seed)  # the same room and light in every frame and view
        instances = Instances(
            torch.tensor([actor.person for actor in troupe]),
            torch.zeros(len(troupe), dtype=torch.long),
            torch.arange(len(troupe)).float(),
            torch.stack([actor.bones[frame] for actor in troupe]),
        )
        square = renderer.draw(instances, views, troupe[0].places[frame][None])[0].permute(1, 2, 0).numpy()
        image = 255 * square[(WIDE - HIGH) // 2 : (WIDE + HIGH) // 2]
        gain = float(np.clip(GREY / image.mean(), *GAINS)) if gain is None else gain
        noise = rng.normal(0, 2, (HIGH, WIDE, 1)) + rng.normal(0, 1, (HIGH, WIDE, 3))
        writer.write(np.clip(image * gain * tint + noise, 0, 255).astype(np.uint8)[..., ::-1].copy())
    writer.release()


def _views(eye: Eye) -> Views:
    lens = eye.lens + np.array([[0, 0, 0], [0, 0, (WIDE - HIGH) // 2], [0, 0, 0]])
    fine = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]]) @ lens
    crop, turn, move, place = (
        torch.tensor(values, dtype=torch.float32)[None] for values in (fine, eye.turn, eye.move, eye.place)
    )
    rays = turn.transpose(1, 2) @ torch.linalg.inv(crop)
    return Views(
        (crop @ torch.cat([turn, move[..., None]], -1)).contiguous(),
        torch.cat([rays.reshape(1, 9), place], -1).contiguous(),
        crop,
        torch.zeros(1, 3),
    )


def stands(actor: Actor, cast: People) -> np.ndarray:
    """(T, 4) whether the left heel, left ball and the right ones stand."""
    columns = []
    for k, side in enumerate("lr"):
        heel = actor.landmarks[:, cast.landmark_names.index(f"heel_{side}")].numpy()
        ball = cast.names.index(f"ball_{side}")
        heights = float(actor.heels[k]), float(actor.rest[ball, 2])
        for path, height in zip((heel, actor.places[:, ball].numpy()), heights, strict=True):
            speed = np.linalg.norm(np.gradient(path, axis=0), axis=1) * RATE
            columns.append((speed < STANDS[0]) & (path[:, 2] < height + STANDS[1]))
    return np.stack(columns, axis=1)


def write_truth(folder: Path, troupe: list[Actor], eyes: list[Eye], cast: People) -> None:
    """Write truth, calibration and configuration."""
    truth: dict[str, Any] = {
        "fps": float(RATE),
        "person_names": np.array([f"p{k}" for k in range(len(troupe))]),
        "first_frame": np.zeros(len(eyes), int),
    }
    for k, actor in enumerate(troupe):
        truth |= {
            f"p{k}_joint_names": np.array(cast.names),
            f"p{k}_positions": actor.places.numpy(),
            f"p{k}_landmark_names": np.array(cast.landmark_names),
            f"p{k}_landmarks": actor.landmarks.numpy(),
            f"p{k}_rest_positions": actor.rest.numpy(),
            f"p{k}_contact": stands(actor, cast),
        }
    np.savez(folder / "truth.npz", **truth)
    cameras = [
        f'[cam_{k}]\nname = "cam{k + 1}"\nsize = [{WIDE}, {HIGH}]\nmatrix = {eye.lens.tolist()}\n'
        f"distortions = [0.0, 0.0, 0.0, 0.0, 0.0]\nrotation = {cv2.Rodrigues(eye.turn)[0].ravel().tolist()}\n"
        f"translation = {eye.move.tolist()}\n"
        for k, eye in enumerate(eyes)
    ]
    (folder / "calibration.toml").write_text("\n".join(cameras), encoding="utf-8")
    views = [f"  - {{name: cam{k + 1}, video: cam{k + 1}.mp4}}\n" for k in range(len(eyes))]
    head = "calibration: {file: calibration.toml, units: m, up: z}\nviews:\n"
    (folder / "cams.yaml").write_text(head + "".join(views), encoding="utf-8")


if __name__ == "__main__":
    main()
