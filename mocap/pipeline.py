"""The main job: videos in, a take with a person's motion out."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from calibration.camera import Cameras
from calibration.files import write_aniposelib
from calibration.triangulate import triangulate
from mocap import quality
from mocap.animate import Animated, animate
from mocap.attach import load_attachment
from mocap.cameras import axis_in_file, check_cameras
from mocap.config import CalibrationFile, CaptureConfig, View
from mocap.detect import DEFAULT
from mocap.detect.run import detect_views
from mocap.gates import (
    Agreement,
    LyingError,
    RefusedError,
    agreement,
    require_agreement,
    require_trunk,
    require_upright,
    weak_geometry,
)
from mocap.observations import Observations
from mocap.people import write_people
from mocap.pictures import disagreement_sheet, rig_page
from mocap.placing import Placed, place_views
from mocap.progress import Progress, Quiet
from mocap.quality import Quality
from mocap.swaps import Swaps, repair_swaps
from mocap.take import Take
from mocap.video import VideoInfo, probe, sha256
from rigs.body import load_body

Follow = Callable[[str], Progress]
ROBUST_PX = 0.02  # of the person's height: the scale at which a view begins to lose its say


@dataclass(frozen=True)
class Solved:
    """A person's motion with what it was made from."""

    animated: Animated
    cameras: Cameras
    seen: Observations
    landmarks: np.ndarray | None
    swaps: Swaps
    agreed: Agreement | None
    notes: list[str]


def capture(
    config: CaptureConfig,
    folder: Path,
    *,
    detector: str = DEFAULT,
    workers: int | None = None,
    incomplete: bool = False,
    trust: bool = False,
    progress: Follow = lambda stage: Quiet(),
) -> Quality:
    """Turn videos of one person into a take.

    Args:
        config: views, calibration, subject.
        folder: the take; one that is there keeps its last good result until this one is complete.
        detector: a name of `mocap.detect`.
        workers: detection processes; None = as many as there are processors.
        incomplete: whether videos that cannot be read to their end will do, with a warning.
        trust: whether a given calibration is taken as it is, and not made better by the person.
        progress: given "detecting" or "solving" as that stage begins, answers who follows it.

    Returns:
        The quality record, which is also in the take.

    Raises:
        MocapError, calibration.CalibrationError: bad input, or a result that would be meaningless.
    """
    began = time.perf_counter()
    job = _Job.begin(config, folder, detector, trust)
    with job.take.lock():
        placed = job.place(progress, workers, incomplete)
        with _stage(job.take, "solve", [job.arguments, job.views]):
            solved = _solve(placed, config, job.videos, progress("solving"))
        result = _measured(solved, placed, config, time.perf_counter() - began)
        _write(job.take, solved, placed, job.videos, result)
        job.take.complete()
    return result


def place_only(
    config: CaptureConfig,
    folder: Path,
    *,
    detector: str = DEFAULT,
    workers: int | None = None,
    incomplete: bool = False,
    progress: Follow = lambda stage: Quiet(),
) -> Placed:
    """Do the first half of a capture: find where the cameras stand and when they filmed.

    What was detected stays in the folder, and a capture into the same goes on from there.

    Args:
        config: views, and what is known of lenses, distances and the subject.
        folder: the take to be, as for `capture`; so are the others.
        detector: a name of `mocap.detect`.
        workers: detection processes.
        incomplete: whether videos that cannot be read to their end will do.
        progress: given "detecting" as that begins, answers who follows it.

    Raises:
        MocapError, calibration.CalibrationError: bad input, or cameras that cannot be found.
    """
    job = _Job.begin(config, folder, detector, trust=False)
    with job.take.lock():
        return job.place(progress, workers, incomplete)


@dataclass(frozen=True)
class _Job:
    """A capture that has begun: what it is made from, and the take that it writes."""

    config: CaptureConfig
    videos: list[VideoInfo]
    arguments: dict[str, Any]
    views: list[dict[str, Any]]
    take: Take

    @classmethod
    def begin(cls, config: CaptureConfig, folder: Path, detector: str, trust: bool) -> _Job:
        videos = [probe(view.video) for view in config.views]
        check_cameras(config, videos)
        arguments = _arguments(config, detector, trust)
        views = [_record(view, video) for view, video in zip(config.views, videos, strict=True)]
        return cls(config, videos, arguments, views, Take.create(folder, arguments, views))

    def place(self, progress: Follow, workers: int | None, incomplete: bool) -> Placed:
        config, take = self.config, self.take
        hashes = [view["sha256"] for view in self.views]
        with _stage(take, "detect", [self.arguments["detector"], *hashes]):
            keypoints = detect_views(
                config.views,
                self.arguments["detector"],
                take=take,
                progress=progress("detecting"),
                workers=workers,
                incomplete=incomplete,
            )
        with _stage(take, "place", [self.arguments, self.views]):
            return place_views(config, self.videos, keypoints, trust=self.arguments["trust_calibration"])


@contextmanager
def _stage(take: Take, name: str, inputs: list[Any]) -> Iterator[None]:
    """Note in the take how long a stage took, if it ends well and for the first time from these inputs."""
    began = time.perf_counter()
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    known = take.stage_done(name, key)
    yield
    if not known:
        take.finish_stage(name, key, time.perf_counter() - began)


def _solve(placed: Placed, config: CaptureConfig, videos: list[VideoInfo], progress: Progress) -> Solved:
    repaired, swaps = repair_swaps(placed.seen, placed.cameras)
    if len(repaired.names) == 1:
        return _solve_single(placed, repaired, swaps, config, videos[0], progress)
    assert placed.cameras is not None
    cameras, scale = placed.cameras, _robust_px(repaired)
    landmarks, _ = triangulate(cameras, repaired.pixels, repaired.confidence**2, scale_px=scale)
    agreed = agreement(repaired, cameras, landmarks)
    notes = require_agreement(repaired, agreed)
    sizes = {view.name: video.size for view, video in zip(config.views, videos, strict=True)}
    _require_body(repaired, cameras, landmarks, config.calibration, sizes)
    notes += weak_geometry(repaired, cameras, landmarks)
    animated = animate(repaired, cameras, landmarks, config.subject.height, progress=progress)
    return Solved(animated, cameras, repaired, landmarks, swaps, agreed, notes)


def _require_body(
    seen: Observations,
    cameras: Cameras,
    landmarks: np.ndarray,
    calibration: CalibrationFile | None,
    sizes: dict[str, tuple[int, int]],
) -> None:
    start = load_attachment(seen.layout, load_body()).start
    hips, ankles, shoulders = ([start[s + n] for s in ("Left", "Right")] for n in ("UpLeg", "Foot", "Arm"))
    require_trunk(landmarks, [*hips, *shoulders])
    try:
        require_upright(cameras, landmarks, seen.layout.index("nose"), hips, ankles)
    except LyingError as error:
        if calibration is None:
            raise
        up = axis_in_file(calibration, sizes, error.axis, error.sign)
        raise RefusedError(
            f"{error}; in the views file write `calibration: {{file: {calibration.file.name}, up: {up}}}`"
        ) from error


def _solve_single(
    placed: Placed,
    seen: Observations,
    swaps: Swaps,
    config: CaptureConfig,
    video: VideoInfo,
    progress: Progress,
) -> Solved:
    from mocap.monocular import animate_single

    animated, camera, notes = animate_single(
        seen,
        video.size,
        config.subject.height,
        placed.cameras[0] if placed.cameras else placed.lens,
        posed=placed.cameras is not None,
        fov=config.views[0].fov,
        progress=progress,
    )
    return Solved(animated, Cameras((camera,)), seen, None, swaps, None, notes)


def _robust_px(seen: Observations) -> float:
    """Scale of the robust triangulation: a share of the person's typical height in the images, pixels."""
    return max(float(np.nanmedian(seen.heights())) * ROBUST_PX, 2.0)


def _measured(solved: Solved, placed: Placed, config: CaptureConfig, seconds: float) -> Quality:
    given = config.subject.height is not None
    found = quality.measure(
        solved.seen, solved.cameras, solved.landmarks, solved.animated, solved.swaps, solved.agreed, given
    )
    record: dict[str, Any] = {**found.record, **placed.record}
    record["processing_s"] = round(seconds, 3)
    record["processing_fps"] = solved.seen.frames / max(seconds, 1e-9)
    record["notes"] = placed.notes
    record["warnings"] = placed.warnings + solved.notes + quality.warnings(found)
    return replace(found, record=record)


def _page(solved: Solved, placed: Placed, result: Quality) -> str:
    errors = [result.record["reprojection"][name]["median_px"] for name in solved.cameras.names]
    return rig_page(solved.cameras, solved.animated.motion, placed.offsets, errors, "Cameras of the take")


def _draw_disagreements(take: Take, placed: Placed, videos: list[VideoInfo]) -> None:
    """Show frames of each view whose given camera was plainly off."""
    for name in placed.moved:
        view = placed.seen.names.index(name)
        times = placed.seen.times - placed.offsets[view]
        path = take.scratch("disagreement.png")
        assert placed.given is not None
        disagreement_sheet(path, placed.seen, placed.given, name, videos[view].path, times)
        take.write_bytes(f"views/{name}.disagreement.png", path.read_bytes())


def _write(take: Take, solved: Solved, placed: Placed, videos: list[VideoInfo], result: Quality) -> None:
    take.write_text("cameras.html", _page(solved, placed, result))
    _draw_disagreements(take, placed, videos)
    if solved.landmarks is not None:
        take.write_arrays(
            "points.npz",
            points_m=solved.landmarks,
            landmarks=np.array(solved.seen.layout.landmarks),
            swapped_legs=solved.swaps.swapped["legs"],
            swapped_arms=solved.swaps.swapped["arms"],
        )
    write_people(take, {1: solved.animated.motion})
    cameras = take.scratch("cameras.toml")
    offsets = dict(zip(solved.cameras.names, placed.offsets.tolist(), strict=True))
    write_aniposelib(cameras, solved.cameras, offsets)
    take.write_text("cameras.toml", cameras.read_text(encoding="utf-8"))
    take.write_json("quality.json", result.record)


def _arguments(config: CaptureConfig, detector: str, trust: bool) -> dict[str, Any]:
    calibration = config.calibration
    return {
        "source": config.source and str(config.source),
        "detector": detector,
        "calibration": calibration and str(calibration.file),
        "calibration_sha256": calibration and sha256(calibration.file),
        "units": calibration and calibration.units,
        "up": calibration and calibration.up,
        "trust_calibration": trust,
        "height_m": config.subject.height,
    }


def _record(view: View, video: VideoInfo) -> dict[str, Any]:
    return {
        "name": view.name,
        "video": str(view.video),
        "sha256": sha256(view.video),
        "size": list(video.size),
        "fps": str(video.fps),
        "variable_rate": video.variable,
        "offset_s": view.offset,
        "intrinsics": view.intrinsics and str(view.intrinsics),
        "fov_rad": view.fov,
    }
