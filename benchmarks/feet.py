"""What each part of the handling of feet buys, on landmark pairs with truth and on takes of rendered clips.

    python benchmarks/feet.py PAIRS_FOLDER [--split val] [--every 1] [--clip clip.take truth.npz]...

F1: contacts of heels and balls, right within a frame. Of balls that truly stand, but for the first and last
frame of a plant: skate, mean horizontal speed (mm/s); drift, 95th percentile of the distance from the plant's
middle (mm); height, error of it (mm). under: deepest ball below the floor (mm). dir_foot (degrees). accel and
jerk: of the limbs, over the truth's. error: of the 12 limb joints (mm). Takes are solved from what was
detected first; "as captured" is what the take has, once people were looked at closer.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from calibration.camera import Cameras
from calibration.triangulate import triangulate
from mocap import feet as feet_module
from mocap.animate import Animated, animate
from mocap.feet import Feet
from mocap.observations import Observations
from mocap.people import read_beside, read_motion_of
from mocap.refiner import load_refiner
from mocap.scene import Settings
from mocap.swaps import repair_swaps
from mocap.take import Take

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from fit_contacts import TRUE, scores
from pairs import TO_Y_UP, Pair, loader, read_pairs
from solve_time import observations

RIG = {
    "Arm": "upperarm",
    "ForeArm": "lowerarm",
    "Hand": "hand",
    "UpLeg": "thigh",
    "Leg": "calf",
    "Foot": "foot",
}
BALL = {"LeftToeBase": "ball_l", "RightToeBase": "ball_r"}
LIMBS = {f"{s}{ours}": f"{rig}_{s[0].lower()}" for ours, rig in RIG.items() for s in ("Left", "Right")}
COLUMNS = ("F1", "skate", "drift", "height", "under", "dir_foot", "accel", "jerk", "error")


@dataclass(frozen=True)
class Clip:
    """What views saw, the cameras, true joints by our names (T, 3) m y up, contacts (T, 4) in our order."""

    seen: Observations
    cameras: Cameras
    stature: float
    truth: dict[str, np.ndarray]
    contact: np.ndarray


@dataclass(frozen=True)
class Way:
    """A way to solve: the mode, changed constants of `mocap.feet`, and settings."""

    feet: Feet = "auto"
    constants: tuple[tuple[str, float], ...] = ()
    settings: Settings | None = None


WAYS = {
    "never": Way("never"),
    "auto": Way(),
    "without holding": Way(constants=(("HOLD_SD", 1e6),)),
    "without heights": Way(constants=(("HEIGHT_SD", 1e6),)),
    "no livelier": Way(settings=Settings(planted_liveliness=Settings().liveliness)),
    "always": Way("always"),
    "ground": Way("ground"),
}


def main() -> None:
    """Print a table for the pairs and one for each clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--split", default="val")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--clip", type=Path, nargs=2, action="append", default=[])
    given = parser.parse_args()
    snippets = list(read_pairs(given.pairs, given.split, load_refiner("blazepose")))[:: given.every]
    table(given.split, [of_pair(pair, loader(given.pairs).JOINTS) for pair in snippets])
    for take, truth in given.clip:
        clip = of_take(take, truth)
        table(take.stem, [clip])
        row("as captured", [clip], [captured(take)])


def table(name: str, clips: list[Clip]) -> None:
    """Print what every way gives on these clips, the mean of each figure."""
    click.echo(f"{name:16s}" + "".join(f"{c:>9s}" for c in COLUMNS))
    for way, what in WAYS.items():
        row(way, clips, [solved(clip, what) for clip in clips])


def row(name: str, clips: list[Clip], found: list[Animated]) -> None:
    """Print the mean of each figure."""
    each = [figures(clip, one) for clip, one in zip(clips, found, strict=True)]
    mean = {c: np.nanmean([one[c] for one in each]) for c in COLUMNS[1:]}
    pairs = [(f.contacts.down, c.contact) for f, c in zip(found, clips, strict=True) if f.contacts]
    mean["F1"] = scores(pairs)[2] if pairs else np.nan
    click.echo(f"{name:16s}" + "".join(f"{mean[c]:9.2f}" for c in COLUMNS))


def of_pair(pair: Pair, names: tuple[str, ...]) -> Clip:
    """A snippet of the pairs, whose joints have these names."""
    joints = pair.snippet["joints"].astype(float) @ TO_Y_UP.T
    truth = {ours: joints[:, names.index(rig)] for ours, rig in (LIMBS | BALL).items()}
    contact = pair.snippet["contact"][:, TRUE].astype(bool)
    return Clip(pair.seen, pair.cameras, pair.stature, truth, contact)


def of_take(take: Path, truth: Path) -> Clip:
    """The only person of a rendered clip."""
    seen, cameras = observations(Take.open(take))
    with np.load(truth) as z:
        names = [str(n) for n in z["p0_joint_names"]]
        joints = {
            ours: z["p0_positions"][:, names.index(rig)] @ TO_Y_UP.T for ours, rig in (LIMBS | BALL).items()
        }
        return Clip(seen, cameras, float(z["p0_stature"]), joints, z["p0_contact"][:, TRUE].astype(bool))


def captured(folder: Path) -> Animated:
    """The only person of a take as it was captured: looked at closer, and with hands."""
    take = Take.open(folder)
    return Animated(read_motion_of(take, 1), float("nan"), {}, read_beside(take, 1).contacts)


def solved(clip: Clip, way: Way) -> Animated:
    """Solve a clip one way."""
    seen, _ = repair_swaps(clip.seen, clip.cameras)
    scale = max(0.02 * float(np.nanmedian(seen.heights())), 2.0)
    landmarks, _ = triangulate(clip.cameras, seen.pixels, seen.confidence**2, scale_px=scale)
    with changed(way.constants):
        return animate(seen, clip.cameras, landmarks, clip.stature, way.settings, feet=way.feet)


@contextmanager
def changed(constants: tuple[tuple[str, float], ...]) -> Iterator[None]:
    """Change constants of `mocap.feet` for a while."""
    before = {name: getattr(feet_module, name) for name, _ in constants}
    for name, value in constants:
        setattr(feet_module, name, value)
    yield
    for name, value in before.items():
        setattr(feet_module, name, value)


def figures(clip: Clip, found: Animated) -> dict[str, float]:
    """All figures but F1."""
    positions, _ = found.motion.world()
    ours = {name: positions[:, found.motion.skeleton.index(name)] for name in clip.truth}
    got, true = (np.stack([j[name] for name in LIMBS], axis=1) for j in (ours, clip.truth))
    return {
        **standing(clip, ours),
        "under": max(0.0, -1000 * min(ours[name][:, 1].min() for name in BALL)),
        "dir_foot": float(np.mean([angle(ours, clip.truth, side) for side in ("Left", "Right")])),
        "accel": ratio(got, true, 2),
        "jerk": ratio(got, true, 3),
        "error": 1000 * float(np.linalg.norm(got - true, axis=-1).mean()),
    }


def standing(clip: Clip, ours: dict[str, np.ndarray]) -> dict[str, float]:
    """Figures of balls that truly stand."""
    speed, drift, height = [], [], []
    for point, name in enumerate(BALL):
        for start, stop in plants(clip.contact[:, point]):
            at, flat = ours[name][start:stop], ours[name][start:stop][:, [0, 2]]
            speed.append(np.linalg.norm(np.diff(flat, axis=0), axis=1) * float(clip.seen.fps))
            drift.append(np.linalg.norm(flat - np.median(flat, axis=0), axis=1))
            height.append(np.abs(at - clip.truth[name][start:stop])[:, 1])
    pick: tuple[Callable[..., Any], ...] = (np.mean, lambda x: np.percentile(x, 95), np.mean)
    return {
        key: 1000 * float(f(np.concatenate(values))) if values else np.nan
        for key, values, f in zip(("skate", "drift", "height"), (speed, drift, height), pick, strict=True)
    }


def plants(down: np.ndarray) -> list[tuple[int, int]]:
    """Plants of at least five frames, without their first and last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], down.astype(int), [0]])))
    return [(a + 1, b - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 5]


def angle(ours: dict[str, np.ndarray], truth: dict[str, np.ndarray], side: str) -> float:
    """Mean angle between the solved and the true foot, degrees."""
    a, b = (j[f"{side}ToeBase"] - j[f"{side}Foot"] for j in (ours, truth))
    cosine = (a * b).sum(axis=-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)
    return float(np.rad2deg(np.arccos(np.clip(cosine, -1, 1))).mean())


def ratio(got: np.ndarray, true: np.ndarray, order: int) -> float:
    """Mean size of a difference of that order over the truth's."""
    a, b = (np.linalg.norm(np.diff(x, n=order, axis=0), axis=-1).mean() for x in (got, true))
    return float(a / b)


if __name__ == "__main__":
    main()
