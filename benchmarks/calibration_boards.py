"""Calibration with boards against known cameras.

python benchmarks/calibration_boards.py rendered FOLDER...      clips with cams.yaml and cameras.json
python benchmarks/calibration_boards.py session FOLDER [--given] a ChArUco session with camera_array.toml
python benchmarks/calibration_boards.py chessboards FOLDER...    folders of images, 4x7 inner corners of 60 mm
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import combinations
from pathlib import Path

import click
import numpy as np

from calibration import Camera, Cameras
from calibration.boards.board import Board
from calibration.files import read_calibration
from calibration.lens.intrinsics import calibrate_lens
from mocap.boardfilm import find_boards
from mocap.boardsearch import Film
from mocap.calibrate_board import calibrate_board
from mocap.config import CaptureConfig, View, load_views

SESSION_BOARD = Board((4, 5), 0.054, 0.75 * 0.054, "DICT_4X4_1000")
CHESSBOARD = Board((5, 8), 0.06, type="chessboard")


def true_cameras(file: Path) -> Cameras:
    """Read the true cameras of a rendered clip."""
    cameras = []
    for entry in json.loads(file.read_text())["cameras"]:
        if not entry["moving"]:
            pose = np.eye(4)
            pose[:3, :3], pose[:3, 3] = entry["R"], entry["t"]
            size = (entry["width"], entry["height"])
            cameras.append(Camera(entry["name"], size, np.array(entry["K"]), np.array(entry["dist"]), pose))
    return Cameras(tuple(cameras))


def turn_onto(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Rotation that brings points (N, 3) nearest to others, both about their means."""
    u, _, vt = np.linalg.svd(found.T @ true)
    return (u @ np.diag([1, 1, np.linalg.det(u @ vt)]) @ vt).T


def degrees(turn: np.ndarray) -> float:
    """Tell the angle of a rotation matrix."""
    return float(np.rad2deg(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


def field(found: Camera, true: Camera) -> tuple[float, float]:
    """Median and largest px between where both put the same rays, after the best turn of one."""
    x, y = np.meshgrid(np.linspace(0, true.size[0] - 1, 37), np.linspace(0, true.size[1] - 1, 28))
    pixels = np.stack([x, y], axis=-1).reshape(-1, 2)
    origin = [Camera("", c.size, c.K, c.distortion, np.eye(4), c.model) for c in (found, true)]
    rays = [c.rays(pixels) for c in origin]
    seen = np.isfinite(rays[0] + rays[1]).all(axis=-1)
    pixels, rays = pixels[seen], [r[seen] for r in rays]
    turn = turn_onto(rays[1], rays[0])
    off = np.linalg.norm(origin[0].project(rays[1] @ turn.T) - pixels, axis=-1)
    return float(np.nanmedian(off)), float(np.nanmax(off))


def compare(found: Cameras, true: Cameras) -> None:
    """Print how far found cameras are from the true ones."""
    places = [np.stack([c.centre for c in cameras]) for cameras in (found, true)]
    middle = [p - p.mean(axis=0) for p in places]
    turn = turn_onto(*middle)
    click.echo("         focal %         centre px     turn deg  place mm   field px median, most")
    for v, (mine, theirs) in enumerate(zip(found, true, strict=True)):
        focal = 100 * (np.diag(mine.K)[:2] / np.diag(theirs.K)[:2] - 1)
        centre = mine.K[:2, 2] - theirs.K[:2, 2]
        away = 1000 * np.linalg.norm(middle[0][v] @ turn.T - middle[1][v])
        off = degrees(theirs.camera_from_world[:3, :3] @ turn @ mine.camera_from_world[:3, :3].T)
        usual, most = field(mine, theirs)
        click.echo(
            f"{mine.name:8s} {focal[0]:+6.3f} {focal[1]:+6.3f}   {centre[0]:+6.2f} {centre[1]:+6.2f}"
            f"   {off:8.3f}  {away:8.2f}   {usual:.3f} {most:.3f} {np.round(mine.distortion, 4)}"
        )


def distances(found: Cameras, true: Cameras) -> None:
    """Print how far the cameras are apart, truly and found."""
    for a, b in combinations(range(len(true)), 2):
        near, far = (np.linalg.norm(c[a].centre - c[b].centre) for c in (found, true))
        click.echo(f"{true[a].name} - {true[b].name}: {far:.3f} m, {100 * (near / far - 1):+.2f} %")


def run(config: CaptureConfig) -> Cameras:
    """Calibrate, and print what is said of it."""
    began, cpu = time.perf_counter(), time.process_time()
    found = calibrate_board(config, config.board)
    click.echo("\n".join(found.lines))
    for line in [*found.notes, *(f"WARNING {line}" for line in found.warnings)]:
        click.echo(f"  {line}")
    click.echo(f"{time.perf_counter() - began:.1f} s, {time.process_time() - cpu:.1f} s of processor")
    return found.cameras


def rendered(folder: Path) -> None:
    """Calibrate a rendered clip and compare."""
    found, true = run(load_views(folder / "cams.yaml")), true_cameras(folder / "cameras.json")
    true = true.select(found.names)
    compare(found, true)
    distances(found, true)


def session(folder: Path, given: bool) -> None:
    """Calibrate a session and compare."""
    file = folder / "camera_array.toml"
    true = read_calibration(file)
    videos = [folder / "calibration" / "extrinsic" / f"cam_{i}.mp4" for i in range(len(true))]
    views = tuple(
        View(c.name, video, intrinsics=file if given else None) for c, video in zip(true, videos, strict=True)
    )
    found = run(CaptureConfig(views=views, board=SESSION_BOARD, source=folder / "session"))
    compare(found, true)
    distances(found, true)


def chessboards(folder: Path) -> None:
    """Calibrate a lens from a folder of images."""
    found = find_boards([Film(folder.name, folder)], CHESSBOARD)
    seen = found.sightings[0]
    unseen = [label for label, count in zip(seen.labels, seen.seen, strict=True) if not count]
    lens = calibrate_lens(seen, found.board)
    matrix = lens.camera.K[[0, 1, 0, 1], [0, 1, 2, 2]]
    click.echo(f"{folder.name}: rms {lens.rms:.3f} px, {lens.used} images, K {matrix}")
    click.echo(f"  k {np.round(lens.camera.distortion, 4)}, not found in {unseen}, dropped {lens.dropped}")


def main() -> None:
    """Run what the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kind", choices=["rendered", "session", "chessboards"])
    parser.add_argument("folder", type=Path, nargs="+")
    parser.add_argument("--given", action="store_true", help="take the intrinsics of camera_array.toml")
    asked = parser.parse_args()
    for folder in asked.folder:
        if asked.kind == "session":
            session(folder, asked.given)
        else:
            (rendered if asked.kind == "rendered" else chessboards)(folder)


if __name__ == "__main__":
    main()
