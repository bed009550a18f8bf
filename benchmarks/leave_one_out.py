"""How well each camera is foretold by the others, with the calibration as given and as refined.

    python benchmarks/leave_one_out.py VIEWS.yaml|TAKE.take ...

For views the person is detected first; for a take its keypoints are used, with the calibration that its views
file names (or, where that file is gone, the take's own cameras).

The protocol. Keypoints are refined (`refine_views`), left and right that the detector exchanged are put back
(`repair_swaps`), then the calibration is refined (`refine_cameras`). Each of the 17 joints of COCO, in every
frame and view in which it was detected at all (confidence above 0, outliers included), is triangulated from
the *other* views, robustly (Geman-McClure at 3 % of the person's median height in the images, weighted by
confidence; nothing is smoothed over time) and reprojected into the view that was left out: the error is the
distance to the keypoint there, as that stage has it; "of raw detections" to what the detector said there, its
sides put right. Figures are
pooled over views, frames and joints. "as detected" is the given calibration without any repair. Where the
person is solved, nothing is triangulated: the body is solved from the other views, as a capture does, and its
landmarks are reprojected.

Where the keypoints have joint centres beside the landmarks, "of centres" judges those of the same 17 places:
triangulated from the other views' centres, or the solved body's, against the centres in the view left out.
Of takes whose people were looked at closer, "looked at closer" solves from that, and is judged by the same
raw detections, and by the closer looks themselves.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import click
import numpy as np

from calibration.camera import Cameras
from calibration.files import read_calibration
from calibration.leaveout import SCALE, LeftOut, leave_one_out, summary
from mocap.animate import Animated, animate
from mocap.attach import load_attachment
from mocap.cameras import cameras_for
from mocap.clock import on_one_clock
from mocap.closer import with_closer_looks
from mocap.config import CaptureConfig, load_views
from mocap.detect import DEFAULT
from mocap.detect.parts import keypoints_file, read_keypoints
from mocap.detect.run import detect_views, joined
from mocap.keypoints import Keypoints2D, Layout
from mocap.observations import Observations
from mocap.people import read_motion_of
from mocap.placing import Placed
from mocap.refiner import refine_views
from mocap.refining import COMMON, common_rows, refine_cameras, typical_heights
from mocap.selfcal import triangulated
from mocap.solving import Solved
from mocap.swaps import Swaps, repair_swaps
from mocap.take import Take
from mocap.video import probe
from rigs.solving.body import load_body
from rigs.solving.kinematics import Chain, Pose, locate


def main() -> None:
    """Print a table for each source."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="+", type=Path)
    for source in parser.parse_args().sources:
        seen, cameras = from_take(source) if source.is_dir() else from_views(load_views(source))
        click.echo(f"{source.name}: {len(cameras)} views, {seen.detected.frames} frames")
        report(seen, cameras, Take.open(source) if source.is_dir() else None)


@dataclass(frozen=True)
class Seen:
    """What the views saw, as detected and as refined."""

    detected: Observations
    refined: Observations


def from_take(folder: Path) -> tuple[Seen, Cameras]:
    """What a take's views saw, and the cameras as they were given."""
    take = Take.open(folder)
    manifest = take.manifest()
    views = manifest["views"]
    keypoints = {view["name"]: read_keypoints(take, view["name"]) for view in views}
    rates = [Fraction(view["fps"]) for view in views]
    offsets = [view["offset_s"] or 0.0 for view in views]
    seen = on_clock(keypoints, rates, offsets, manifest["arguments"]["detector"])
    source = manifest["arguments"]["source"]
    if source and Path(source).is_file():
        return seen, given_cameras(load_views(source))
    return seen, read_calibration(folder / "cameras.toml")


def from_views(config: CaptureConfig) -> tuple[Seen, Cameras]:
    """What the views of a file see, and their cameras."""
    offsets = [view.offset or 0.0 for view in config.views]
    rates = [probe(view.video).fps for view in config.views]
    with tempfile.TemporaryDirectory() as folder:
        take = Take.create(Path(folder) / "take", {}, [])
        with take.lock():
            keypoints = detect_views(config.views, take=take)
    return on_clock(keypoints, rates, offsets, DEFAULT), given_cameras(config)


def on_clock(
    keypoints: dict[str, Keypoints2D], rates: list[Fraction], offsets: list[float], detector: str
) -> Seen:
    """Bring the views onto one clock, as detected and as refined."""
    refined = refine_views(keypoints, detector)
    return Seen(on_one_clock(keypoints, rates, offsets), on_one_clock(refined, rates, offsets))


def given_cameras(config: CaptureConfig) -> Cameras:
    """Cameras as the calibration file of the views has them."""
    if config.calibration is None:
        raise SystemExit(f"{config.source}: names no calibration, so there is none to refine")
    return cameras_for(config.calibration, config.views, [probe(view.video) for view in config.views])[0]


def closer_looks(take: Take, refined: Observations, cameras: Cameras) -> Observations | None:
    """What views saw of the only person once he was looked at closer; None where nobody did."""
    found = {name: looks for name in refined.names if (looks := looks_of(take, name)) is not None}
    if not found:
        return None
    motion, stature = read_motion_of(take, 1), take.read_json("quality.json")["stature_m"]
    who = Solved(Animated(motion, stature, {}), cameras, refined, None, Swaps((), {}), None, [])
    views = take.manifest()["views"]
    offsets = np.array([view["offset_s"] or 0.0 for view in views])
    placed = Placed(cameras, None, (refined,), ((0, refined.frames),), offsets, {})
    return with_closer_looks(placed, [who], found, [view["size"] for view in views]).people[0]


def looks_of(take: Take, view: str) -> Keypoints2D | None:
    """What was found in the parts of a view that were looked at closer."""
    parts: list[Keypoints2D] = []
    while take.has(keypoints_file(f"{view}.closer{len(parts) + 1}")):
        parts.append(read_keypoints(take, f"{view}.closer{len(parts) + 1}"))
    return joined(parts) if parts else None


def report(seen: Seen, cameras: Cameras, take: Take | None) -> None:
    """Print a row for each stage, and what the refinement of the cameras says."""
    click.echo(f"{'':22} {'count':>7} {'median':>7} {'mean':>7} {'p95':>7}   median by view")
    show("as detected", judged(seen.detected, cameras))
    show("sides repaired", judged(repair_swaps(seen.detected, cameras)[0], cameras))
    refined = repair_swaps(seen.refined, cameras)[0]
    show("keypoints refined", judged(refined, cameras))
    centres = common_rows(refined.layout) if refined.layout.same else []
    if centres:
        show("  of centres", judged(refined, cameras, rows=centres))
    found, repaired, _ = refine_cameras(seen.refined, cameras)
    show("cameras refined" if found.helped else "cameras left as given", judged(repaired, found.cameras))
    raw = repair_swaps(seen.detected, found.cameras)[0]
    show("  of raw detections", judged(raw, found.cameras, repaired))
    if centres:
        show("  of centres", judged(repaired, found.cameras, rows=centres))
    solved = solved_misses(repaired, found.cameras, repaired)
    show("  person solved", summary(solved[:, :, landmark_rows(repaired.layout)]))
    show("  of raw detections", solved_without(repaired, found.cameras, raw))
    if centres:
        show("  of centres", summary(solved[:, :, centres]))
    closer = closer_looks(take, seen.refined, found.cameras) if take is not None else None
    if closer is not None:
        looked = repair_swaps(closer, found.cameras)[0]
        show("looked at closer", judged(looked, found.cameras, rows=centres))
        show("  person, of raw", solved_without(looked, found.cameras, raw))
        show("  person, of centres", summary(solved_misses(looked, found.cameras, looked)[:, :, centres]))
    for line in found.words:
        click.echo(f"  {line}")


def landmark_rows(layout: Layout) -> list[int]:
    """Rows of the detector's landmarks of the joints of COCO."""
    return [layout.index(name) for name in COMMON if name in layout.landmarks]


def judged(
    seen: Observations, cameras: Cameras, others: Observations | None = None, rows: list[int] | None = None
) -> LeftOut:
    """Leave each camera out in turn; foretell it from what the others saw, or from `others` of them.

    Judges the joints of COCO, or what is at `rows`.
    """
    rows, given = rows or landmark_rows(seen.layout), others or seen
    scale = SCALE * float(np.median(typical_heights(seen)))
    trust = given.confidence[:, :, rows]
    return summary(leave_one_out(cameras, given.pixels[:, :, rows], trust, scale, seen.pixels[:, :, rows]))


def solved_without(seen: Observations, cameras: Cameras, judge: Observations) -> LeftOut:
    """Leave each camera out in turn, solve the person from the others, and foretell what `judge` has."""
    return summary(solved_misses(seen, cameras, judge)[:, :, landmark_rows(seen.layout)])


def solved_misses(seen: Observations, cameras: Cameras, judge: Observations) -> np.ndarray:
    """Distances (V, T, J) px as `solved_without` sums them up, NaN for landmarks that the body has not.

    Of layouts that have more landmarks than `judge`, the first are its.
    """
    body = load_body()
    attachment = load_attachment(seen.layout, body)
    known = attachment.rows < len(judge.layout)
    rows = attachment.rows[known]
    error = np.full(judge.confidence.shape, np.nan)
    for v, camera in enumerate(cameras):
        others = [k for k in range(len(cameras)) if k != v]
        kept = Cameras(tuple(cameras[k] for k in others))
        rest = seen.select(others)
        found = animate(rest, kept, triangulated(rest, kept))
        sizes = np.array([found.sizes[name] for name in body.size_names])
        posed = Chain(body).place(Pose(found.motion.root, found.motion.rotations), sizes)
        pixels = camera.project(locate(posed, attachment.points(found.stature)))[:, known]
        error[v][:, rows] = np.linalg.norm(pixels - judge.pixels[v][:, rows], axis=-1)
    return error


def show(title: str, found: LeftOut) -> None:
    """Print one row, pixels."""
    views = " ".join(f"{median:.1f}" for median in found.by_camera)
    click.echo(
        f"{title:22} {found.count:7d} {found.median:7.1f} {found.mean:7.1f} {found.p95:7.1f}   {views}"
    )


if __name__ == "__main__":
    main()
