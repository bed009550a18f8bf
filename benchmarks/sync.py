"""How well offsets are found: takes whose views are cut at random, and videos with sound.

    python benchmarks/sync.py cuts walk.take dance.take            # cameras known, and not
    python benchmarks/sync.py cuts p2s.take --longest 20
    python benchmarks/sync.py halves walk.take                     # half a frame between views
    python benchmarks/sync.py scene two_meet/cams.yaml two_meet.take/work two_meet/cameras.json

Of a take, in which all views began together, the first frames of each view are dropped, so that the true
offsets are known. `scene` takes the truth from `first_frame` of the benchmark's cameras.json. Figures are in
frames, against the median over the accepted views.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import numpy as np

from calibration.camera import Cameras
from calibration.files import read_calibration
from calibration.sync.offsets import Offsets, find_offsets
from mocap.config import View, load_views
from mocap.detect import DEFAULT
from mocap.errors import SyncError
from mocap.keypoints import Keypoints2D, load_layout
from mocap.refiner import refine_views
from mocap.sync import synchronise
from mocap.synctracks import tracks_of

CALIBRATED = {"cameras known": True, "cameras unknown": False}


@click.group()
def main() -> None:
    """Measure the offsets found."""


@main.command()
@click.argument("takes", nargs=-1, type=click.Path(path_type=Path))
@click.option("--longest", default=40, show_default=True, help="Frames cut from a view at most.")
@click.option("--tries", default=20, show_default=True)
def cuts(takes: tuple[Path, ...], longest: int, tries: int) -> None:
    """Drop the first frames of every view."""
    for take in takes:
        views, keypoints, cameras = read_take(take)
        for words, calibrated in CALIBRATED.items():
            rng, rows = np.random.default_rng(1), []
            for _ in range(tries):
                cut = rng.integers(0, longest + 1, len(views))
                shorter = {
                    v.name: dropped(keypoints[v.name], int(k)) for v, k in zip(views, cut, strict=True)
                }
                truth = cut * frame_of(keypoints, views)
                rows.append(measured(views, shorter, cameras if calibrated else None, truth))
            report(f"{take.stem}, {words}", rows)


@main.command()
@click.argument("takes", nargs=-1, type=click.Path(path_type=Path))
def halves(takes: tuple[Path, ...]) -> None:
    """Give one half of the views the even frames and the other the odd ones: half a frame apart."""
    for take in takes:
        views, keypoints, cameras = read_take(take)
        for words, calibrated in CALIBRATED.items():
            rows = []
            for pattern in range(1, 2 ** (len(views) - 1)):
                odd = np.array([(pattern >> v) & 1 for v in range(len(views))])
                halved = {
                    v.name: every_second(keypoints[v.name], int(k)) for v, k in zip(views, odd, strict=True)
                }
                truth = odd * frame_of(keypoints, views)
                rows.append(measured(views, halved, cameras if calibrated else None, truth))
            report(f"{take.stem}, even and odd frames, {words}", rows)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("truth", type=click.Path(path_type=Path))
def scene(file: Path, folder: Path, truth: Path) -> None:
    """Compare with the truth: all cues, without sound, and without cameras."""
    config = load_views(file)
    views = [replace(view, offset=None) for view in config.views]
    keypoints = {v.name: read_npz(folder / "views" / f"{v.name}.keypoints.npz") for v in views}
    record = json.loads(truth.read_text())
    late = {c["name"]: c.get("first_frame", 0) / record["fps"] for c in record["cameras"]}
    assert config.calibration is not None
    cameras = read_calibration(
        config.calibration.file, units=config.calibration.units, up=config.calibration.up
    )
    cameras = cameras.select([v.name for v in views])
    still = {name: standing(seen) for name, seen in keypoints.items()}
    for words, seen, known, sounds in (
        ("sound alone", still, None, None),
        ("sound alone, cameras known", still, cameras, None),
        ("motion alone", keypoints, cameras, {}),
        ("motion alone, cameras unknown", keypoints, None, {}),
        ("all", keypoints, cameras, None),
        ("all, cameras unknown", keypoints, None, None),
    ):
        began = time.perf_counter()
        try:
            found = synchronise(views, seen, cameras=known, sounds=sounds)
        except SyncError as error:
            click.echo(f"{words}: refused: {error}")
            continue
        true = np.array([late[v.name] for v in views])
        miss = (found.offsets - true - np.median(found.offsets - true)) / found.frames
        click.echo(
            f"{words}: {np.round(found.offsets / found.frames, 2)} frames, off by {np.round(miss, 2)},"
            f" sd {np.round(found.sd / found.frames, 2)}; {time.perf_counter() - began:.1f} s"
        )


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--every", default=1, show_default=True, help="Take only every so many snippets.")
def pairs(folder: Path, every: int) -> None:
    """Measure on the landmark pairs (their loader is beside them)."""
    for words, calibrated in CALIBRATED.items():
        rows = [snippet(s, calibrated) for s in snippets(folder, every)]
        report(f"landmark pairs, {words}", rows)


def snippets(folder: Path, every: int) -> Iterator[dict[str, np.ndarray]]:
    """The snippets, with the module that lies beside them."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("load", folder / "load.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield from module.load(folder / "blazepose_pairs.npz", rotations=False)[::every]


def snippet(data: dict[str, np.ndarray], calibrated: bool) -> Row:
    """One snippet with up to 20 frames cut from each view."""
    from calibration.camera import Camera

    count = len(data["kp2d"])
    cut = np.random.default_rng(int(data["id"])).integers(0, 20, count)
    views = [View(f"cam{v}", Path(f"cam{v}.mp4")) for v in range(count)]
    keypoints, cameras = {}, []
    for v, view in enumerate(views):
        kp, size = data["kp2d"][v].astype(float), tuple(int(n) for n in data["size"][v])
        trust = np.where(np.isfinite(kp).all(axis=-1), kp[..., 2], 0.0)
        points = np.where((trust > 0)[..., None], kp[..., :2], np.nan)
        times, world = np.arange(len(kp)) / 30, data["world"][v].astype(float)[:, None]
        seen = Keypoints2D(load_layout("blazepose33"), points[:, None], trust[:, None], times, size, world)
        keypoints[view.name] = dropped(seen, int(cut[v]))
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = data["R"][v], data["t"][v]
        cameras.append(Camera(view.name, size, data["K"][v].astype(float), np.zeros(0), pose))
    return measured(views, keypoints, Cameras(tuple(cameras)) if calibrated else None, cut / 30)


Row = tuple[np.ndarray, np.ndarray, np.ndarray, float]


def measured(
    views: list[View], keypoints: dict[str, Keypoints2D], cameras: Cameras | None, truth: np.ndarray
) -> Row:
    """Errors and deviations (V,) in frames, which are accepted, and seconds taken."""
    began = time.process_time()
    refined = refine_views(keypoints, DEFAULT)
    found: Offsets = find_offsets(tracks_of(views, refined, cameras), cameras)
    took = time.process_time() - began
    frame = frame_of(keypoints, views)
    good = found.accepted
    middle = np.median((found.best - truth)[good]) if good.any() else np.median(found.best - truth)
    return (found.best - truth - middle) / frame, found.sd / frame, good, took


def report(words: str, rows: list[Row]) -> None:
    """Print how many views are accepted, how many of them are wrong, and how far the right ones are off."""
    error, sd, good = (np.stack([row[k] for row in rows]) for k in range(3))
    off = np.abs(error[good])
    worst = f"{off.max():.2f}" if len(off) else "-"
    spread = np.round(np.percentile(off, [50, 90, 95]), 2) if len(off) else "-"
    missed = np.abs(error[~good]) < 0.5
    whole, wrong, far = int(good.all(axis=1).sum()), int((off > 0.5).sum()), int((off > 1).sum())
    ratio = f"{np.percentile(off / sd[good], 95):.1f}" if len(off) else "-"
    took = np.mean([row[3] for row in rows])
    click.echo(
        f"{words}: {len(rows)} clips, {len(off)} of {good.size} views accepted ({whole} clips whole), {wrong}"
        f" of them off by more than 0.5 frames ({far} by 1); off by {spread} (50, 90, 95 %), most {worst};"
        f" error over deviation, 95 %: {ratio}; refused {int((~good).sum())}, of them right"
        f" {int(missed.sum())}; {took:.1f} s of processor each"
    )


def read_take(take: Path) -> tuple[list[View], dict[str, Keypoints2D], Cameras]:
    """Views, keypoints and cameras of a take in which all views began together."""
    cameras = read_calibration(take / "cameras.toml")
    views = [View(name, Path(f"{name}.mp4")) for name in cameras.names]
    return views, {v.name: read_npz(take / "views" / f"{v.name}.keypoints.npz") for v in views}, cameras


def read_npz(path: Path) -> Keypoints2D:
    """Keypoints as a take keeps them."""
    a = np.load(path, allow_pickle=False)
    size = (int(a["size"][0]), int(a["size"][1]))
    return Keypoints2D(
        load_layout(str(a["layout"])), a["points"], a["confidence"], a["times"], size, a.get("world")
    )


def dropped(seen: Keypoints2D, frames: int) -> Keypoints2D:
    """Without the first frames, the clock beginning with the first that is left."""
    rest = seen.slice(frames, len(seen))
    return replace(rest, times=rest.times - rest.times[0])


def every_second(seen: Keypoints2D, first: int) -> Keypoints2D:
    """Every second frame from the first or second on, the clock beginning with it."""
    rest = seen.take(np.arange(first, len(seen), 2))
    return replace(rest, times=rest.times - rest.times[0])


def standing(seen: Keypoints2D) -> Keypoints2D:
    """The first frame for ever: nothing for motion to tell by."""
    still = [np.repeat(a[:1], len(seen), axis=0) for a in (seen.points, seen.confidence)]
    return replace(seen, points=still[0], confidence=still[1], world=None)


def frame_of(keypoints: dict[str, Keypoints2D], views: list[View]) -> float:
    """Seconds a frame of the first view."""
    return float(np.median(np.diff(keypoints[views[0].name].times)))


if __name__ == "__main__":
    main()
