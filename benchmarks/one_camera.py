"""How well one camera alone is solved: every view of clips with truth by itself.

    python benchmarks/one_camera.py [--guess] [--pairs PAIRS_FOLDER] [--clip TAKE truth.npz]... [--real TAKE]

Nothing is known of the lens, of where the camera stands, or of the person's height. Of 12 limb joints, mm,
after one rigid alignment a clip, with the middles of the hips laid onto each other besides, and after a
similarity in each frame; then the acceleration over the truth's. Of what stands on the ground: skate, mean
horizontal speed (mm/s) of balls that truly stand; path, the error of the hips in percent of the way that they
go (none below a metre); lean, degrees between the solved up and the true one in the camera. With --real, a
take of several cameras, each view is held against the person solved from the other views. What a take
detected is used, and its videos show the straight edges around, where there are any to be found (the held-out
views are without). With --guess the detector's own 3D guess counts, and no lifter is asked. With --height the
stature is given. --every takes every so manieth of the held-out views.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import click
import numpy as np

from calibration.camera import Camera, Cameras
from mocap.animate import animate
from mocap.camerawork import boxes_of, watch
from mocap.filming import film_of
from mocap.glimpse import with_doubt_at_edges, without_squeezed
from mocap.lens import camera_with_field_of_view
from mocap.monocular import animate_single
from mocap.observations import Observations
from mocap.refiner import load_refiner
from mocap.refining import refine_cameras
from mocap.selfcal import triangulated
from mocap.single import SingleSettings
from mocap.swaps import repair_swaps
from mocap.take import Take
from mocap.video import probe
from rigs.motion import Motion

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
from feet import BALL, LIMBS, Clip, of_pair, of_take, plants, ratio
from leave_one_out import from_take
from pairs import loader, read_pairs

HIPS = ("LeftUpLeg", "RightUpLeg")
WALKED = 1.0  # metres from which a way tells of depths
COLUMNS = ("rigid", "hips", "each", "accel", "skate", "path", "lean")


@dataclass(frozen=True)
class View:
    """What one view saw, its images' size, and the true joints (T, 14, 3) m, balls last."""

    name: str
    seen: Observations
    size: tuple[int, int]
    truth: np.ndarray
    stature: float | None
    stands: np.ndarray | None  # (T, 2)
    up: np.ndarray | None  # (3,) the true up in the camera's axes
    video: Path | None


def main() -> None:
    """Print a row for each view, and the means."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--clip", type=Path, nargs=2, action="append", default=[])
    parser.add_argument("--real", type=Path)
    parser.add_argument("--guess", action="store_true")
    parser.add_argument("--height", action="store_true")
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    settings = SingleSettings(lift=not given.guess)
    for take, truth in given.clip:
        table(take.stem, of_clip(take, truth), settings, given.height)
    if given.real:
        table(given.real.stem, of_real(given.real), settings, given.height)
    if given.pairs:
        views = islice(of_pairs(given.pairs), 0, None, given.every)
        table("held-out", views, settings, given.height)


def table(name: str, views: Iterator[View], settings: SingleSettings, height: bool) -> None:
    """Print figures of views."""
    click.echo(f"{name:24s}" + "".join(f"{c:>8s}" for c in COLUMNS))
    rows = []
    for view in views:
        rows.append(figures(view, *solved(view, settings, height)))
        click.echo(f"  {view.name:22s}" + row(rows[-1]))
    with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # columns that no view has
        click.echo(f"  {'mean':22s}" + row(np.nanmean(rows, axis=0)))
        click.echo(f"  {'median':22s}" + row(np.nanmedian(rows, axis=0)))


def row(found: np.ndarray) -> str:
    """The columns."""
    return "".join(f"{x:8.2f}" if k == 3 else f"{x:8.1f}" for k, x in enumerate(found))


def of_clip(take: Path, truth: Path) -> Iterator[View]:
    """Each view of a rendered clip."""
    yield from each(of_take(take, truth), videos=videos_of(take))


def of_pairs(folder: Path) -> Iterator[View]:
    """Each view of the held-out people."""
    for pair in read_pairs(folder, "val", load_refiner("blazepose"), repaired=False):
        clip = of_pair(pair, loader(folder).JOINTS)
        yield from each(clip, f"{pair.snippet['meta']['take']} ")


def of_real(folder: Path) -> Iterator[View]:
    """Each view of a take, and the person solved from the others."""
    seen, given = from_take(folder)
    videos = videos_of(folder)
    found, repaired, _ = refine_cameras(seen.refined, given)
    for v, camera in enumerate(given):
        others = [k for k in range(len(given)) if k != v]
        rest, cameras = repaired.select(others), Cameras(tuple(found.cameras[k] for k in others))
        motion = animate(rest, cameras, triangulated(rest, cameras)).motion
        truth = joints(motion, (*LIMBS, *BALL))
        up = camera.camera_from_world[:3, 1]
        video = videos.get(camera.name)
        yield View(camera.name, seen.refined.select([v]), camera.size, truth, None, None, up, video)


def videos_of(take: Path) -> dict[str, Path]:
    """The videos by name of the view."""
    return {view["name"]: Path(view["video"]) for view in Take.open(take).manifest()["views"]}


def each(clip: Clip, name: str = "", videos: Mapping[str, Path] | None = None) -> Iterator[View]:
    """The views, one by one."""
    truth = np.stack([clip.truth[k] for k in (*LIMBS, *BALL)], axis=1)
    for v, camera in enumerate(clip.cameras):
        up, stands = camera.camera_from_world[:3, 1], clip.contact[:, : len(BALL)]
        seen = clip.seen.select([v])
        video = (videos or {}).get(camera.name)
        yield View(f"{name}{camera.name}", seen, camera.size, truth, clip.stature, stands, up, video)


def solved(view: View, settings: SingleSettings, height: bool) -> tuple[np.ndarray, Camera]:
    """The 12 joints and the balls (T, 14, 3) as a capture solves them, and the camera."""
    seen, _ = repair_swaps(view.seen, None)
    seen = with_doubt_at_edges(without_squeezed(seen, [view.size]), [view.size])
    stature, edges = view.stature if height else None, None
    if view.video is not None:
        lens = camera_with_field_of_view(view.name, view.size, None)
        edges = watch(film_of(probe(view.video)), lens, boxes_of([seen]), seen.times).edges
    animated, camera, _ = animate_single(seen, view.size, stature, settings=settings, edges=edges)
    return joints(animated.motion, (*LIMBS, *BALL)), camera


def joints(motion: Motion, names: Sequence[str]) -> np.ndarray:
    """Joints (T, N, 3) of a motion."""
    positions, _ = motion.world()
    return positions[:, [motion.skeleton.index(name) for name in names]]


def figures(view: View, got: np.ndarray, camera: Camera) -> np.ndarray:
    """The columns."""
    there = np.isfinite(view.truth).all(axis=(1, 2))
    stands = None if view.stands is None else view.stands[there]
    got, true = got[there], view.truth[there]
    limbs, feet = (slice(len(LIMBS)), slice(len(LIMBS), None))
    turned = moved(got[:, limbs].reshape(-1, 3), true[:, limbs].reshape(-1, 3), False).reshape(-1, 12, 3)
    rows = [list(LIMBS).index(name) for name in HIPS]
    hips = [a[:, rows].mean(axis=1, keepdims=True) for a in (turned, true)]
    each_frame = np.stack([moved(a, b, True) for a, b in zip(got[:, limbs], true[:, limbs], strict=True)])
    errors = (
        turned - true[:, limbs],
        (turned - hips[0]) - (true[:, limbs] - hips[1]),
        each_frame - true[:, limbs],
    )
    return np.array(
        [
            *(1000 * np.linalg.norm(e, axis=-1).mean() for e in errors),
            ratio(got[:, limbs], true[:, limbs], 2),
            np.nan if stands is None else skate(got[:, feet], stands, float(view.seen.fps)),
            off_path(hips[0][:, 0], hips[1][:, 0]),
            np.nan if view.up is None else lean(camera, view.up),
        ]
    )


def skate(balls: np.ndarray, stands: np.ndarray, fps: float) -> float:
    """Mean horizontal speed (mm/s) of balls (T, 2, 3) while they stand (T, 2)."""
    steps = [
        np.linalg.norm(np.diff(balls[start:stop, foot][:, [0, 2]], axis=0), axis=1)
        for foot in range(len(BALL))
        for start, stop in plants(stands[:, foot])
    ]
    return 1000 * fps * float(np.concatenate(steps).mean()) if steps else np.nan


def off_path(got: np.ndarray, true: np.ndarray) -> float:
    """Mean error of the hips (T, 3) in percent of the way that they truly go over the floor."""
    way = float(np.linalg.norm(np.diff(true[:, [0, 2]], axis=0), axis=1).sum())
    return 100 * float(np.linalg.norm(got - true, axis=1).mean()) / way if way > WALKED else np.nan


def lean(camera: Camera, up: np.ndarray) -> float:
    """Degrees between up (3,) and the solved up in the camera's axes."""
    return float(np.rad2deg(np.arccos(np.clip(camera.camera_from_world[:3, 1] @ up, -1.0, 1.0))))


def moved(points: np.ndarray, onto: np.ndarray, scaled: bool) -> np.ndarray:
    """Points (N, 3) moved onto others as well as can be (Umeyama 1991), scaled if asked."""
    x, y = points - points.mean(axis=0), onto - onto.mean(axis=0)
    u, d, vt = np.linalg.svd(y.T @ x)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    scale = (d * sign).sum() / (x**2).sum() if scaled else 1.0
    return scale * x @ (u * sign @ vt).T + onto.mean(axis=0)


if __name__ == "__main__":
    main()
