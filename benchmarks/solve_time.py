"""Time of everything after detection, a frame, for clips of growing length made from one take's keypoints.

    OPENBLAS_NUM_THREADS=1 python benchmarks/solve_time.py walk.take [FRAMES ...]

The keypoints are played there and back, so no jump is made. Processor time, on one thread as in the command.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import click
import numpy as np

from calibration.camera import Cameras
from calibration.files import read_calibration
from calibration.triangulate import triangulate
from mocap.animate import animate
from mocap.clock import on_one_clock
from mocap.closer import ROUGH_RATE
from mocap.observations import Observations
from mocap.refiner import read_refined
from mocap.swaps import repair_swaps
from mocap.take import Take


def main() -> None:
    """Print a row for each length."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("take", type=Path)
    parser.add_argument("frames", nargs="*", type=int, default=[300, 3000])
    given = parser.parse_args()
    seen, cameras = observations(Take.open(given.take))
    click.echo("frames   rough   swaps  triangulate  solve   ms a frame")
    for frames in given.frames:
        each = timed(there_and_back(seen, frames), cameras)
        rough, swaps, points, solve = each
        click.echo(f"{frames:6d} {rough:7.2f} {swaps:7.2f} {points:12.2f} {solve:6.2f}   all {sum(each):.2f}")


def observations(take: Take) -> tuple[Observations, Cameras]:
    """What the take's views saw, and their cameras."""
    views, keypoints = take.manifest()["views"], read_refined(take)
    rates = [Fraction(view["fps"]) for view in views]
    seen = on_one_clock(keypoints, rates, [view["offset_s"] or 0.0 for view in views])
    return seen, read_calibration(take.folder / "cameras.toml")


def there_and_back(seen: Observations, frames: int) -> Observations:
    """The clip played forwards and backwards until it has `frames` frames."""
    turn = np.arange(frames) % (2 * seen.frames)
    order = np.where(turn < seen.frames, turn, 2 * seen.frames - 1 - turn)
    return replace(seen.each(lambda values: values[:, order]), world=None)


def timed(seen: Observations, cameras: Cameras) -> tuple[float, ...]:
    """Milliseconds a frame of the rough solve before people are looked at closer, and of the real one.

    The latter by parts: swap repair, triangulation, solve.
    """
    clock = [time.process_time()]
    every = max(1, round(float(seen.fps) / ROUGH_RATE))
    thin = replace(seen.each(lambda values: values[:, ::every]), fps=seen.fps / every)
    once, _ = repair_swaps(thin, cameras)
    animate(once, cameras, triangulate(cameras, once.pixels, once.confidence**2)[0], feet="never")
    clock.append(time.process_time())
    repaired, _ = repair_swaps(seen, cameras)
    clock.append(time.process_time())
    points, _ = triangulate(cameras, repaired.pixels, repaired.confidence**2)
    clock.append(time.process_time())
    animate(repaired, cameras, points)
    clock.append(time.process_time())
    return tuple((1000 * np.diff(clock) / seen.frames).tolist())


if __name__ == "__main__":
    main()
