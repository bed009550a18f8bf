"""Cameras found from the moving person alone, against the true ones: rotations, distances, focal lengths.

    OPENBLAS_NUM_THREADS=1 python benchmarks/self_calibration.py walk.take:1.78 dance.take:1.66 ...

Each take holds keypoints and the true calibration (cameras.toml); after the colon the stature, metres.
Printed twice a take, with the true lenses and with assumed ones: after the bundle of free points, and after
the one of a body with rigid bones. Rotations after aligning them all; distances over their median ratio.
"""

from __future__ import annotations

import argparse
import time

import click
import numpy as np
from solve_time import observations

from calibration.adjust.freedom import Freedom
from calibration.adjust.projection import FOCAL, ROTATION
from calibration.camera import Camera, Cameras
from calibration.rotation import nearest, to_rotvec
from mocap.bodybundle import adjust_on_body
from mocap.bodystart import start_cameras
from mocap.lens import camera_with_field_of_view
from mocap.observations import Observations
from mocap.selfcal import FOCAL_SD, settle
from mocap.swaps import repair_swaps
from mocap.take import Take


def main() -> None:
    """Print two rows for each take and kind of lens."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("takes", nargs="+", metavar="TAKE:STATURE")
    click.echo(
        "take        lens     bundle  turn deg (said)  distance %   focal % (said %)   field of view %  s"
    )
    for given in parser.parse_args().takes:
        name, _, stature = given.rpartition(":")
        take = Take.open(name)
        seen, true = observations(take)
        compare(name, seen, true, float(stature))


def compare(name: str, seen: Observations, true: Cameras, stature: float) -> None:
    """Calibrate with known and with assumed lenses, and print."""
    assumed = Cameras(tuple(camera_with_field_of_view(c.name, c.size, None) for c in true))
    for kind, lenses, focal in (("known", true, 0.0), ("assumed", assumed, FOCAL_SD)):
        clock = time.process_time()
        start, _ = start_cameras(repair_swaps(seen, None)[0], lenses, stature)
        freedom = Freedom.of(len(true))
        freedom.sd[0, : FOCAL.start] = 0.0
        free = settle(seen, start, freedom)
        row(name, kind, "points", free.cameras, free.sd, true, time.process_time() - clock)
        clock = time.process_time()
        freedom.sd[:, FOCAL] = focal
        repaired, _ = repair_swaps(seen, free.cameras)
        body = adjust_on_body(repaired, free.cameras, freedom, stature=stature)
        row(name, kind, "body", body.cameras, body.sd, true, time.process_time() - clock)


def row(
    name: str, kind: str, bundle: str, found: Cameras, sd: np.ndarray, true: Cameras, seconds: float
) -> None:
    """Print how far the cameras are from the true ones."""
    turn = np.degrees(rotations_off(found, true).max())
    pairs = list(zip(found, true, strict=True))
    focal = [100 * (f.K[0, 0] / t.K[0, 0] - 1) for f, t in pairs]
    field = [100 * (angle(f) / angle(t) - 1) for f, t in pairs]
    said = 100 * sd[:, FOCAL.start]
    focals = " ".join(f"{f:+.0f}({s:.0f})" for f, s in zip(focal, said, strict=True))
    fields = " ".join(f"{f:+.1f}" for f in field)
    click.echo(
        f"{name[-18:]:18s} {kind:8s} {bundle:7s} {turn:5.2f} ({np.degrees(sd[:, ROTATION].max()):.2f})"
        f"  {100 * np.abs(distances(found, true) - 1).max():5.1f}   {focals}   {fields}  {seconds:.1f}"
    )


def rotations_off(found: Cameras, true: Cameras) -> np.ndarray:
    """(V,) radians, after the rotation of the world that fits best."""
    pairs = [
        (f.camera_from_world[:3, :3], t.camera_from_world[:3, :3]) for f, t in zip(found, true, strict=True)
    ]
    world = nearest(np.sum([t.T @ f for f, t in pairs], axis=0))
    return np.array([np.linalg.norm(to_rotvec(f @ world.T @ t.T)) for f, t in pairs])


def distances(found: Cameras, true: Cameras) -> np.ndarray:
    """Distances between all pairs of cameras over the true ones, over the median of that."""
    one, other = np.triu_indices(len(true), 1)
    lengths = []
    for cameras in (found, true):
        centres = np.stack([c.centre for c in cameras])
        lengths.append(np.linalg.norm(centres[one] - centres[other], axis=1))
    ratio = lengths[0] / lengths[1]
    return np.asarray(ratio / np.median(ratio))


def angle(camera: Camera) -> float:
    """Horizontal field of view, radians."""
    return float(2 * np.arctan(camera.size[0] / 2 / camera.K[0, 0]))


if __name__ == "__main__":
    main()
