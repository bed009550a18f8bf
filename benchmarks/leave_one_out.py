"""How well each camera is foretold by the others, with the calibration as given and as refined.

    python benchmarks/leave_one_out.py VIEWS.yaml|TAKE.take ...

For views the person is detected first; for a take its keypoints are used, with the calibration that its views
file names (or, where that file is gone, the take's own cameras).

The protocol. Left and right that the detector exchanged are put back (`repair_swaps`), then the calibration
is refined (`refine_cameras`). Each of the 17 joints of COCO, in every frame and view in which it was detected
at all (confidence above 0, outliers included), is triangulated from the *other* views, robustly
(Geman-McClure at 3 % of the person's median height in the images, weighted by confidence; nothing is smoothed
over time) and reprojected into the view that was left out: the error is the distance to what was detected
there. Figures are pooled over views, frames and joints. "as detected" is the given calibration without the
repair of sides. In the last row nothing is triangulated: the person is solved from the other views, as a
capture does, and the solved body's landmarks are reprojected.
"""

from __future__ import annotations

import argparse
import tempfile
from fractions import Fraction
from pathlib import Path

import click
import numpy as np

from calibration.camera import Cameras
from calibration.files import read_calibration
from calibration.leaveout import SCALE, LeftOut, leave_one_out, summary
from mocap.animate import animate
from mocap.attach import load_attachment
from mocap.cameras import cameras_for
from mocap.clock import on_one_clock
from mocap.config import CaptureConfig, load_views
from mocap.detect.parts import read_keypoints
from mocap.detect.run import detect_views
from mocap.observations import Observations
from mocap.refining import common_rows, refine_cameras, typical_heights
from mocap.selfcal import triangulated
from mocap.swaps import repair_swaps
from mocap.take import Take
from mocap.video import probe
from rigs.body import load_body
from rigs.kinematics import Chain, Pose, locate


def main() -> None:
    """Print a table for each source."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="+", type=Path)
    for source in parser.parse_args().sources:
        seen, cameras = from_take(source) if source.is_dir() else from_views(load_views(source))
        click.echo(f"{source.name}: {len(cameras)} views, {seen.frames} frames")
        report(seen, cameras)


def from_take(folder: Path) -> tuple[Observations, Cameras]:
    """What a take's views saw, and the cameras as they were given."""
    take = Take.open(folder)
    manifest = take.manifest()
    views = manifest["views"]
    keypoints = {view["name"]: read_keypoints(take, view["name"]) for view in views}
    rates = [Fraction(view["fps"]) for view in views]
    seen = on_one_clock(keypoints, rates, [view["offset_s"] or 0.0 for view in views])
    source = manifest["arguments"]["source"]
    if source and Path(source).is_file():
        return seen, given_cameras(load_views(source))
    return seen, read_calibration(folder / "cameras.toml")


def from_views(config: CaptureConfig) -> tuple[Observations, Cameras]:
    """What the views of a file see, and their cameras."""
    offsets = [view.offset or 0.0 for view in config.views]
    rates = [probe(view.video).fps for view in config.views]
    with tempfile.TemporaryDirectory() as folder:
        take = Take.create(Path(folder) / "take", {}, [])
        with take.lock():
            keypoints = detect_views(config.views, take=take)
    return on_one_clock(keypoints, rates, offsets), given_cameras(config)


def given_cameras(config: CaptureConfig) -> Cameras:
    """Cameras as the calibration file of the views has them."""
    if config.calibration is None:
        raise SystemExit(f"{config.source}: names no calibration, so there is none to refine")
    return cameras_for(config.calibration, config.views, [probe(view.video) for view in config.views])[0]


def report(seen: Observations, cameras: Cameras) -> None:
    """Print a row for each stage, and what the refinement says."""
    click.echo(f"{'':18} {'count':>7} {'median':>7} {'mean':>7} {'p95':>7}   median by view")
    show("as detected", judged(seen, cameras))
    show("sides repaired", judged(repair_swaps(seen, cameras)[0], cameras))
    refined, repaired, _ = refine_cameras(seen, cameras)
    show("refined" if refined.helped else "left as given", judged(repaired, refined.cameras))
    show("  and solved", solved_without(repaired, refined.cameras))
    for line in refined.words:
        click.echo(f"  {line}")


def judged(seen: Observations, cameras: Cameras) -> LeftOut:
    """Leave each camera out in turn."""
    rows = common_rows(seen.layout)
    scale = SCALE * float(np.median(typical_heights(seen)))
    return summary(leave_one_out(cameras, seen.pixels[:, :, rows], seen.confidence[:, :, rows], scale))


def solved_without(seen: Observations, cameras: Cameras) -> LeftOut:
    """Leave each camera out in turn, and solve the person from the others."""
    body = load_body()
    attachment = load_attachment(seen.layout, body)
    error = np.full(seen.confidence.shape, np.nan)
    for v, camera in enumerate(cameras):
        others = [k for k in range(len(cameras)) if k != v]
        kept = Cameras(tuple(cameras[k] for k in others))
        names = tuple(seen.names[k] for k in others)
        rest = Observations(names, seen.layout, seen.pixels[others], seen.confidence[others], seen.fps)
        found = animate(rest, kept, triangulated(rest, kept))
        sizes = np.array([found.sizes[name] for name in body.size_names])
        posed = Chain(body).place(Pose(found.motion.root, found.motion.rotations), sizes)
        pixels = camera.project(locate(posed, attachment.points(found.stature)))
        error[v][:, attachment.rows] = np.linalg.norm(pixels - seen.pixels[v][:, attachment.rows], axis=-1)
    return summary(error[:, :, common_rows(seen.layout)])


def show(title: str, found: LeftOut) -> None:
    """Print one row, pixels."""
    views = " ".join(f"{median:.1f}" for median in found.by_camera)
    click.echo(
        f"{title:18} {found.count:7d} {found.median:7.1f} {found.mean:7.1f} {found.p95:7.1f}   {views}"
    )


if __name__ == "__main__":
    main()
