"""How well one camera alone is solved: every view of clips with truth by itself.

    python benchmarks/one_camera.py [--guess] [--pairs PAIRS_FOLDER] [--clip TAKE truth.npz]... [--real TAKE]

Nothing is known of the lens, of where the camera stands, or of the person's height. Of 12 limb joints, mm,
after one rigid alignment a clip, with the middles of the hips laid onto each other besides, and after a
similarity in each frame; then the acceleration over the truth's. With --real, a take of several cameras,
each view is held against the person solved from the other views. What a take detected is used. With --guess
the detector's own 3D guess counts, and no lifter is asked.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from calibration.camera import Cameras
from mocap.animate import animate
from mocap.glimpse import with_doubt_at_edges, without_squeezed
from mocap.monocular import SingleSettings, animate_single
from mocap.observations import Observations
from mocap.refiner import load_refiner
from mocap.refining import refine_cameras
from mocap.selfcal import triangulated
from mocap.swaps import repair_swaps
from rigs.motion import Motion

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from feet import LIMBS, of_pair, of_take, ratio
from leave_one_out import from_take
from pairs import loader, read_pairs

HIPS = ("LeftUpLeg", "RightUpLeg")


@dataclass(frozen=True)
class View:
    """What one view saw, its images' size, and the true joints (T, 12, 3) m."""

    name: str
    seen: Observations
    size: tuple[int, int]
    truth: np.ndarray


def main() -> None:
    """Print a row for each view, and the means."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--clip", type=Path, nargs=2, action="append", default=[])
    parser.add_argument("--real", type=Path)
    parser.add_argument("--guess", action="store_true")
    given = parser.parse_args()
    settings = SingleSettings(lift=not given.guess)
    for take, truth in given.clip:
        table(take.stem, of_clip(take, truth), settings)
    if given.real:
        table(given.real.stem, of_real(given.real), settings)
    if given.pairs:
        table("held-out", of_pairs(given.pairs), settings)


def table(name: str, views: Iterator[View], settings: SingleSettings) -> None:
    """Print figures of views."""
    click.echo(f"{name:24s}{'rigid':>8s}{'hips':>8s}{'each':>8s}{'accel':>8s}")
    rows = []
    for view in views:
        rows.append(figures(solved(view, settings), view.truth))
        click.echo(f"  {view.name:22s}" + row(rows[-1]))
    click.echo(f"  {'mean':22s}" + row(np.mean(rows, axis=0)))
    click.echo(f"  {'median':22s}" + row(np.median(rows, axis=0)))


def row(found: np.ndarray) -> str:
    """Millimetres, and a ratio."""
    return "".join(f"{x:8.1f}" for x in found[:3]) + f"{found[3]:8.2f}"


def of_clip(take: Path, truth: Path) -> Iterator[View]:
    """Each view of a rendered clip."""
    clip = of_take(take, truth)
    yield from each(clip.seen, clip.cameras, np.stack([clip.truth[name] for name in LIMBS], axis=1))


def of_pairs(folder: Path) -> Iterator[View]:
    """Each view of the held-out people."""
    for pair in read_pairs(folder, "val", load_refiner("blazepose"), repaired=False):
        truth = of_pair(pair, loader(folder).JOINTS).truth
        name = f"{pair.snippet['meta']['take']} "
        yield from each(pair.seen, pair.cameras, np.stack([truth[k] for k in LIMBS], axis=1), name)


def of_real(folder: Path) -> Iterator[View]:
    """Each view of a take, and the person solved from the others."""
    seen, given = from_take(folder)
    found, repaired, _ = refine_cameras(seen.refined, given)
    for v, view in enumerate(each(seen.refined, given, np.zeros((seen.refined.frames, 12, 3)))):
        others = [k for k in range(len(given)) if k != v]
        rest, cameras = repaired.select(others), Cameras(tuple(found.cameras[k] for k in others))
        motion = animate(rest, cameras, triangulated(rest, cameras)).motion
        yield View(view.name, view.seen, view.size, limbs(motion))


def each(seen: Observations, cameras: Cameras, truth: np.ndarray, name: str = "") -> Iterator[View]:
    """The views, one by one."""
    for v, camera in enumerate(cameras):
        yield View(f"{name}{camera.name}", seen.select([v]), camera.size, truth)


def solved(view: View, settings: SingleSettings) -> np.ndarray:
    """The 12 joints as a capture solves them."""
    seen, _ = repair_swaps(view.seen, None)
    seen = with_doubt_at_edges(without_squeezed(seen, [view.size]), [view.size])
    return limbs(animate_single(seen, view.size, settings=settings)[0].motion)


def limbs(motion: Motion) -> np.ndarray:
    """The 12 joints (T, 12, 3) of a motion."""
    positions, _ = motion.world()
    return positions[:, [motion.skeleton.index(name) for name in LIMBS]]


def figures(got: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Errors after one alignment, about the hips, after an alignment a frame, mm; accelerations."""
    there = np.isfinite(true).all(axis=(1, 2))
    got, true = got[there], true[there]
    turned = moved(got.reshape(-1, 3), true.reshape(-1, 3), False).reshape(got.shape)
    rows = [list(LIMBS).index(name) for name in HIPS]
    hips = [a[:, rows].mean(axis=1, keepdims=True) for a in (turned, true)]
    each_frame = np.stack([moved(a, b, True) for a, b in zip(got, true, strict=True)])
    errors = turned - true, (turned - hips[0]) - (true - hips[1]), each_frame - true
    return np.array([*(1000 * np.linalg.norm(e, axis=-1).mean() for e in errors), ratio(got, true, 2)])


def moved(points: np.ndarray, onto: np.ndarray, scaled: bool) -> np.ndarray:
    """Points (N, 3) moved onto others as well as can be (Umeyama 1991), scaled if asked."""
    x, y = points - points.mean(axis=0), onto - onto.mean(axis=0)
    u, d, vt = np.linalg.svd(y.T @ x)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (d * sign).sum() / (x**2).sum() if scaled else 1.0
    return scale * x @ (u * sign @ vt).T + onto.mean(axis=0)


if __name__ == "__main__":
    main()
